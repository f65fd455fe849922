package testenv

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// bouncer is an unpacked PgBouncer: its program and where its libraries are.
type bouncer struct{ program, libs string }

// installPgBouncer unpacks Debian's package, once in this process.
var installPgBouncer = sync.OnceValues(func() (*bouncer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), provisionTimeout)
	defer cancel()
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} { // sbin is not on every PATH
		if program, err := exec.LookPath(name); err == nil {
			return &bouncer{program: program}, nil
		}
	}
	codename, _, err := debianRelease()
	if err != nil {
		return nil, err
	}
	dir, err := provisioned(ctx, "pgbouncer-"+codename, unpackPgBouncer)
	if err != nil {
		return nil, err
	}
	b := &bouncer{program: filepath.Join(dir, "usr/sbin/pgbouncer")}
	if libs, _ := filepath.Glob(filepath.Join(dir, "usr/lib/*-linux-*")); len(libs) > 0 {
		b.libs = libs[0]
	}
	return b, nil
})

func unpackPgBouncer(ctx context.Context, prefix string) error {
	work := filepath.Join(prefix, "work")
	if err := os.Mkdir(work, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(work)
	get := func(a *apt) error {
		debs, err := a.missing(ctx, "pgbouncer")
		if err != nil {
			return err
		}
		debs = slices.DeleteFunc(debs, func(d debFile) bool {
			return d.Name != "pgbouncer" && !strings.HasPrefix(d.Name, "libevent") && !strings.HasPrefix(d.Name, "libc-ares")
		})
		return a.unpack(ctx, work, prefix, debs)
	}
	if get(new(apt)) == nil {
		return nil
	}
	own, err := releaseApt(ctx, filepath.Join(work, "apt"))
	if err != nil {
		return err
	}
	return get(own)
}

// PgBouncer starts a PgBouncer in transaction pooling before the database of the
// given URL and returns the URL of the same database through it. It is removed
// when the test ends. Settings are those of the section [pgbouncer].
func PgBouncer(t testing.TB, upstream string, settings ...Settings) string {
	t.Helper()
	install, err := installPgBouncer()
	if err != nil {
		unavailable(t, "PgBouncer", err, "install pgbouncer")
	}
	u, err := url.Parse(upstream)
	if err != nil {
		t.Fatal("start PgBouncer: the database is not given as a URL")
	}
	s, err := install.start(u, settings)
	if err != nil {
		unavailable(t, "PgBouncer", err, "install pgbouncer")
	}
	t.Cleanup(func() {
		if err := errors.Join(s.proc.close(), s.dir.remove()); err != nil {
			t.Errorf("stop PgBouncer: %v", err)
		}
	})
	through := *u
	through.Host = s.addr
	query := through.Query()
	query.Set("sslmode", "disable")
	through.RawQuery = query.Encode()
	return through.String()
}

// bouncerServer is a running PgBouncer.
type bouncerServer struct {
	addr string
	dir  *runDir
	proc *process
}

func (b *bouncer) start(upstream *url.URL, settings []Settings) (*bouncerServer, error) {
	as, err := serverIdentity()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	dir, err := newRunDir(ctx, "pgbouncer", as)
	if err != nil {
		return nil, err
	}
	for range 5 { // another process may take the port first
		var s *bouncerServer
		if s, err = b.run(ctx, dir, as, upstream, settings); err == nil {
			return s, nil
		}
		if !portTaken(err) {
			break
		}
	}
	return nil, errors.Join(err, dir.remove())
}

func (b *bouncer) run(ctx context.Context, dir *runDir, as *identity, upstream *url.URL, settings []Settings) (*bouncerServer, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir.Path, "pgbouncer.ini")
	users := filepath.Join(dir.Path, "users")
	password, _ := upstream.User.Password()
	quote := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
	list := quote(upstream.User.Username()) + " " + quote(password) + "\n"
	conf := bouncerConfig(upstream, users, port, settings)
	for path, text := range map[string]string{config: conf, users: list} {
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), as.give(path)); err != nil {
			return nil, err
		}
	}
	env := serverEnv()
	if b.libs != "" {
		env = append(env, "LD_LIBRARY_PATH="+b.libs)
	}
	log := filepath.Join(dir.Path, "log")
	if err := os.Remove(log); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	proc, err := startProcess(supervision{
		Path: b.program, Args: []string{config}, Env: env, Dir: dir.Path, Log: log, As: as,
		Quit: syscall.SIGTERM, // immediate shutdown
	}, dir)
	if err != nil {
		return nil, err
	}
	addr := loopback(port)
	// Until it has bound its port another server may answer there, so its log is
	// asked first.
	err = proc.waitReady(ctx, func(ctx context.Context) error {
		if !strings.Contains(proc.log(100), "process up") {
			return errors.New("it is not up yet")
		}
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		through := *upstream
		through.Host, through.RawQuery = addr, "sslmode=disable"
		conn, err := pgconn.Connect(ctx, through.String())
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	})
	if err != nil {
		return nil, errors.Join(err, proc.stop(syscall.SIGKILL))
	}
	return &bouncerServer{addr: addr, dir: dir, proc: proc}, nil
}

// bouncerConfig returns the text of pgbouncer.ini.
func bouncerConfig(upstream *url.URL, users string, port int, settings []Settings) string {
	upstreamPort := upstream.Port()
	if upstreamPort == "" {
		upstreamPort = "5432"
	}
	values := Settings{
		"listen_addr": "127.0.0.1", "listen_port": strconv.Itoa(port), "unix_socket_dir": "",
		"auth_type": "scram-sha-256", "auth_file": users,
		"pool_mode": "transaction", "default_pool_size": "20", "max_client_conn": "200",
		// pgx sends these; PgBouncer would refuse them.
		"ignore_startup_parameters": "extra_float_digits",
	}
	for _, given := range settings {
		maps.Copy(values, given)
	}
	var conf strings.Builder
	fmt.Fprintf(&conf, "[databases]\n* = host=%s port=%s\n\n[pgbouncer]\n", upstream.Hostname(), upstreamPort)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(&conf, "%s = %s\n", name, values[name])
	}
	return conf.String()
}
