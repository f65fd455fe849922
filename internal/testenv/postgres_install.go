package testenv

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Debian's source package of pgvector, which the "built" way compiles.
const (
	pgvectorVersion = "0.8.0"
	pgvectorSuite   = "trixie"
	pgvectorSHA256  = "867a2c328d4928a5a9d6f052cd3bc78c7d60228a9b914ad32aa3db88e9de27b0" // the orig.tar.gz
)

// release is a release of Debian whose packages are unpacked.
type release struct {
	suite string
	major int // of its PostgreSQL
}

// The releases of the ways "packages", the newest PostgreSQL and pgvector that Debian
// has, and "packages17".
var (
	newest = release{"forky", 18}
	stable = release{"trixie", 17}
)

// postgresUser is the superuser of every private server.
const postgresUser = "postgres"

// installation is a PostgreSQL with pgvector that is ready to start.
type installation struct {
	Bin      string // the directory of postgres
	Template string // a data directory to copy
	Password string // of postgresUser in the template; random, so the loopback port is no way in
}

// A way is one method to get an installation. It returns the name of a
// directory in the cache, which says everything that the result depends on, and
// what to put there.
type way struct {
	name string
	plan func(ctx context.Context) (key string, build builder, err error)
}

// builder fills prefix and returns the directory of its PostgreSQL programs:
// absolute, or relative to prefix.
type builder func(ctx context.Context, prefix string) (bin string, err error)

// ways are the methods in the order in which they are tried.
var ways = []way{
	{"installed", planInstalled},
	{"built", planBuilt},
	{"packages", newest.plan},
	{"packages17", stable.plan},
}

// installPostgres returns the first installation that can be had, once in this
// process. A name restricts it to that way.
var installPostgres = sync.OnceValues(func() (*installation, error) {
	ctx, cancel := context.WithTimeout(context.Background(), provisionTimeout)
	defer cancel()
	only := postgresChoice()
	if only != "" && !slices.ContainsFunc(ways, func(w way) bool { return w.name == only }) {
		return nil, errors.New("VECWIRE_TEST_POSTGRES is not a URL, off, installed, built, packages or packages17")
	}
	var failed error
	for _, w := range ways {
		if only != "" && only != w.name {
			continue
		}
		inst, err := w.install(ctx)
		if err == nil {
			return inst, nil
		}
		failed = errors.Join(failed, fmt.Errorf("%s: %w", w.name, err))
	}
	return nil, failed
})

// install provisions the installation in the cache unless it is there.
func (w way) install(ctx context.Context) (*installation, error) {
	key, build, err := w.plan(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := provisioned(ctx, key, func(ctx context.Context, dir string) error {
		bin, err := build(ctx, dir)
		if err != nil {
			return err
		}
		inst := installation{Bin: bin, Template: "template", Password: randomHex(16)}
		if err := inst.at(dir).initTemplate(ctx); err != nil {
			return err
		}
		stamp, err := json.Marshal(inst)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "stamp.json"), stamp, 0o600)
	})
	if err != nil {
		return nil, err
	}
	stamp, err := os.ReadFile(filepath.Join(dir, "stamp.json"))
	if err != nil {
		return nil, err
	}
	var inst installation
	if err := json.Unmarshal(stamp, &inst); err != nil {
		return nil, err
	}
	return inst.at(dir), nil
}

// at returns the installation with its paths resolved against dir.
func (i installation) at(dir string) *installation {
	if !filepath.IsAbs(i.Bin) {
		i.Bin = filepath.Join(dir, i.Bin)
	}
	i.Template = filepath.Join(dir, i.Template)
	return &i
}

// serverEnv is the whole environment of the servers: nothing of the user's
// leaks into the tests.
func serverEnv() []string {
	return []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
}

// initTemplate makes the data directory that every server starts from.
func (i *installation) initTemplate(ctx context.Context) error {
	as, err := serverIdentity()
	if err != nil {
		return err
	}
	if err := errors.Join(os.Mkdir(i.Template, 0o700), as.give(i.Template)); err != nil {
		return err
	}
	secret := i.Template + ".password"
	defer os.Remove(secret)
	if err := errors.Join(os.WriteFile(secret, []byte(i.Password), 0o600), as.give(secret)); err != nil {
		return err
	}
	locale := "C.UTF-8"
	if _, err := os.Stat("/usr/lib/locale/C.utf8"); err != nil {
		locale = "C"
	}
	_, err = command{
		Dir: "/", Env: serverEnv(), As: as, Name: filepath.Join(i.Bin, "initdb"),
		Args: []string{
			"--pgdata=" + i.Template, "--username=" + postgresUser, "--pwfile=" + secret,
			"--auth=scram-sha-256", "--encoding=UTF8", "--locale=" + locale, "--no-sync",
		},
	}.run(ctx)
	return err
}

// planInstalled takes an installed PostgreSQL that has pgvector, as from
// Homebrew, apt.postgresql.org or Debian 13.
func planInstalled(ctx context.Context) (string, builder, error) {
	for _, config := range pgConfigs() {
		dirs, err := (command{Name: config, Args: []string{"--bindir", "--sharedir", "--version"}}).run(ctx)
		if err != nil {
			continue
		}
		lines := strings.Split(strings.TrimSpace(dirs), "\n")
		if len(lines) != 3 {
			continue
		}
		bin, share, version := lines[0], lines[1], lines[2]
		if !isFile(filepath.Join(share, "extension", "vector.control")) || !isFile(filepath.Join(bin, "initdb")) {
			continue
		}
		sum := sha256.Sum256([]byte(bin + version))
		key := "postgres-installed-" + hex.EncodeToString(sum[:6])
		return key, func(context.Context, string) (string, error) { return bin, nil }, nil
	}
	return "", nil, errors.New("no PostgreSQL with pgvector is installed")
}

// pgConfigs returns the pg_config programs to be found, the newest server first.
func pgConfigs() []string {
	var found []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin/pg_config",
		"/usr/pgsql-*/bin/pg_config",
		"/opt/homebrew/opt/postgresql@*/bin/pg_config",
		"/usr/local/opt/postgresql@*/bin/pg_config",
	} {
		paths, _ := filepath.Glob(pattern)
		found = append(found, paths...)
	}
	slices.SortStableFunc(found, func(a, b string) int { return postgresMajor(b) - postgresMajor(a) })
	if path, err := exec.LookPath("pg_config"); err == nil {
		found = append(found, path)
	}
	return found
}

var digits = regexp.MustCompile(`[0-9]+`)

// postgresMajor returns the first number in path, or 0.
func postgresMajor(path string) int {
	major, _ := strconv.Atoi(digits.FindString(path))
	return major
}

// planBuilt takes a private copy of Debian's installed PostgreSQL, which can be
// moved, and compiles Debian's source package of pgvector for it.
func planBuilt(ctx context.Context) (string, builder, error) {
	servers, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(servers) == 0 {
		return "", nil, errors.New("no PostgreSQL of Debian is installed")
	}
	major := 0
	for _, server := range servers {
		major = max(major, postgresMajor(server))
	}
	for _, tool := range []string{"make", "gcc", "tar", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", nil, err
		}
	}
	out, err := command{Name: "dpkg-query", Args: []string{"-W", "-f=${Version}", fmt.Sprintf("postgresql-%d", major)}}.run(ctx)
	if err != nil {
		return "", nil, err
	}
	version := strings.TrimSpace(out)
	key := fmt.Sprintf("postgres-built-%s-pgvector-%s", version, pgvectorVersion)
	return key, func(ctx context.Context, prefix string) (string, error) {
		return buildPostgres(ctx, prefix, major, version)
	}, nil
}

func buildPostgres(ctx context.Context, prefix string, major int, version string) (string, error) {
	work := filepath.Join(prefix, "work")
	if err := os.Mkdir(work, 0o755); err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	_, sources, err := debianRelease()
	if err != nil {
		return "", err
	}
	for _, dir := range []string{"usr/lib/postgresql", "usr/share/postgresql"} {
		to := filepath.Join(prefix, dir, strconv.Itoa(major))
		if err := copyTree(filepath.Join("/", dir, strconv.Itoa(major)), to, nil, "bitcode", "man"); err != nil {
			return "", err
		}
	}

	headers := []debFile{{Name: fmt.Sprintf("postgresql-server-dev-%d", major), Version: version}}
	if err := new(apt).unpack(ctx, work, prefix, headers); err != nil {
		// The machine's lists are absent or too old.
		own, err := releaseApt(ctx, filepath.Join(work, "apt-release"))
		if err != nil {
			return "", err
		}
		if err := own.unpack(ctx, work, prefix, headers); err != nil {
			return "", err
		}
	}

	own, err := newApt(ctx, filepath.Join(work, "apt-source"), []string{sources[0].line("deb-src", pgvectorSuite)}, true)
	if err != nil {
		return "", err
	}
	if _, err := own.get(ctx, work, "source", "--download-only", "pgvector="+pgvectorVersion+"-1"); err != nil {
		return "", err
	}
	tarball := filepath.Join(work, "pgvector_"+pgvectorVersion+".orig.tar.gz")
	if err := checkSHA256(tarball, pgvectorSHA256); err != nil {
		return "", err
	}
	source := filepath.Join(work, "pgvector")
	if err := os.Mkdir(source, 0o755); err != nil {
		return "", err
	}
	if _, err := (command{Name: "tar", Args: []string{"-xzf", tarball, "-C", source, "--strip-components=1"}}).run(ctx); err != nil {
		return "", err
	}
	bin := filepath.Join("usr/lib/postgresql", strconv.Itoa(major), "bin")
	// An empty OPTFLAGS drops -march=native: the cache may move to another machine.
	args := []string{"-j2", "with_llvm=no", "OPTFLAGS=", "PG_CONFIG=" + filepath.Join(prefix, bin, "pg_config")}
	if _, err := (command{Dir: source, Name: "make", Args: args}).run(ctx); err != nil {
		return "", err
	}
	if _, err := (command{Dir: source, Name: "make", Args: append(args, "install")}).run(ctx); err != nil {
		return "", err
	}
	return bin, nil
}

// plan unpacks Debian's packages of a newer release, with the C library they need, and
// runs them under that library's own loader.
func (r release) plan(context.Context) (string, builder, error) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return "", nil, err
	}
	return "postgres-packages-" + r.suite, r.unpack, nil
}

func (r release) unpack(ctx context.Context, prefix string) (string, error) {
	work := filepath.Join(prefix, "work")
	if err := os.Mkdir(work, 0o755); err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	_, sources, err := debianRelease()
	if err != nil {
		return "", err
	}
	own, err := newApt(ctx, filepath.Join(work, "apt"), []string{sources[0].line("deb", r.suite)}, false)
	if err != nil {
		return "", err
	}
	debs, err := own.missing(ctx, fmt.Sprintf("postgresql-%d-pgvector", r.major))
	if err != nil {
		return "", err
	}
	debs = slices.DeleteFunc(debs, func(d debFile) bool { return !r.needs(d.Name) })
	if err := own.unpack(ctx, work, prefix, debs); err != nil {
		return "", err
	}
	bins, _ := filepath.Glob(filepath.Join(prefix, "usr/lib/postgresql/*/bin"))
	if len(bins) != 1 {
		return "", fmt.Errorf("packages of %s hold %d servers, want 1", r.suite, len(bins))
	}
	for _, name := range []string{"postgres", "initdb"} {
		if err := wrapLoader(prefix, filepath.Join(bins[0], name)); err != nil {
			return "", err
		}
	}
	return filepath.Rel(prefix, bins[0])
}

// needs says whether the server needs the package, as opposed to the tools around it.
// Without LLVM there is no JIT, which tests do not need.
func (r release) needs(name string) bool {
	for _, drop := range []string{"libllvm", "libz3", "libperl", "libpam-", "libsemanage", "libsepol", "libc-l10n", "libipc-", "libio-", "libjson-", "libtext-"} {
		if strings.HasPrefix(name, drop) {
			return false
		}
	}
	return strings.HasPrefix(name, "lib") || strings.HasPrefix(name, fmt.Sprintf("postgresql-%d", r.major)) ||
		strings.HasPrefix(name, fmt.Sprintf("postgresql-client-%d", r.major)) || name == "zlib1g" || name == "tzdata"
}

// wrapLoader replaces the program by a script that runs it under the loader and
// with the libraries in prefix. The script finds them from its own place, so
// that prefix can be renamed.
func wrapLoader(prefix, program string) error {
	var loader string
	for _, pattern := range []string{"lib64", "usr/lib64", "lib", "usr/lib", "usr/lib/*"} {
		found, _ := filepath.Glob(filepath.Join(prefix, pattern, "ld-linux-*.so.*"))
		if len(found) > 0 {
			loader = found[0]
			break
		}
	}
	libs, _ := filepath.Glob(filepath.Join(prefix, "usr/lib/*-linux-*"))
	if loader == "" || len(libs) != 1 {
		return errors.New("the packages hold no C library")
	}
	bin := filepath.Dir(program)
	up, err := filepath.Rel(bin, prefix)
	if err != nil {
		return err
	}
	loader, libs[0] = strings.TrimPrefix(loader, prefix), strings.TrimPrefix(libs[0], prefix)
	real := program + ".real"
	if err := os.Rename(program, real); err != nil {
		return err
	}
	script := fmt.Sprintf(`#!/bin/sh
bin=${0%%/*}
prefix=$bin/%s
exec "$prefix%s" --library-path "$prefix%s" --argv0 "$0" "$bin/%s" "$@"
`, up, loader, libs[0], filepath.Base(real))
	return os.WriteFile(program, []byte(script), 0o755)
}

// checkSHA256 reports a file that has another SHA-256 than want.
func checkSHA256(path, want string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != want {
		return fmt.Errorf("%s has sha256 %x, want %s", filepath.Base(path), sum, want)
	}
	return nil
}

// postgresRemedy is what to run where no server can be had.
const postgresRemedy = "run `docker compose up -d --wait postgres` and set " +
	"VECWIRE_TEST_POSTGRES=postgres://postgres:vecwire@127.0.0.1:54320/postgres"
