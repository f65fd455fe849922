// Package testenv starts the real servers that the tests talk to: PostgreSQL
// with pgvector, PgBouncer and the InterSystems IRIS wire, each privately, on a
// free loopback port; the databases as an unprivileged user, the IRIS wire, which
// is Python, as the test's own. What a server needs is fetched or built once into
// a cache directory; nothing is installed on the machine.
//
// A server lives no longer than the test process that started it, however that
// process ends: a supervisor (see supervisor_unix.go) holds the other end of a
// pipe to the test process and ends the server when the pipe closes.
//
// Where a server cannot be had, the test is skipped with the reason and a
// remedy. These environment variables change that:
//
//	VECWIRE_REQUIRE_SERVERS=1  a server that cannot be had fails the test
//	VECWIRE_TEST_ALL=1         tests run with every version and mode of a server, not
//	                           with one that stands for all
//	VECWIRE_TEST_QUALITY=1     tests of quality run with the real embedding model, too,
//	                           which takes minutes for each engine
//	VECWIRE_TEST_DATA          the folder of data sets, see DataDir
//	VECWIRE_TEST_POSTGRES      URL of a running server with pgvector to use instead
//	                           of a private one; or "off"; or the one way to get a
//	                           private one: "installed", "built", "packages" (the
//	                           newest that Debian has) or "packages17"
//	VECWIRE_TEST_CITUS         a cluster of Citus: the coordinator's URL, and after commas
//	                           the host:port of each worker
//	VECWIRE_TEST_CITUS_CRASH   a program that is run with the host:port of a server of
//	                           that cluster: it kills the server (kill -9), starts it again,
//	                           and ends when it answers. Nothing else may run on the cluster
//	VECWIRE_TEST_IRIS          URL of a running IRIS wire, in front of a real IRIS or not
//	VECWIRE_TEST_CACHE         the cache directory
//
// The package is for tests only: it imports testing, and no shipped code may
// import it. It knows servers, not vecwire.
package testenv

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

const (
	// provisionTimeout bounds the fetching and building of one server.
	provisionTimeout = 10 * time.Minute
	// readyTimeout bounds the wait until a started server answers.
	readyTimeout = 60 * time.Second
	// stopTimeout bounds the wait until a server that was told to stop is gone.
	stopTimeout = 30 * time.Second
)

// All reports whether VECWIRE_TEST_ALL asks for every version and mode of a server, and
// for all samples of the random cases over each, which CI does in one pass.
func All() bool {
	all, _ := strconv.ParseBool(os.Getenv("VECWIRE_TEST_ALL"))
	return all
}

// Quality reports whether VECWIRE_TEST_QUALITY asks for the real embedding model
// where tests measure quality.
func Quality() bool {
	wanted, _ := strconv.ParseBool(os.Getenv("VECWIRE_TEST_QUALITY"))
	return wanted
}

// unavailable ends the test because a server cannot be had: as skipped, or as
// failed where VECWIRE_REQUIRE_SERVERS asks for that.
func unavailable(t testing.TB, server string, err error, remedy string) {
	t.Helper()
	reason := fmt.Sprintf("no %s: %s; %s", server, oneLine(err.Error()), remedy)
	if required, _ := strconv.ParseBool(os.Getenv("VECWIRE_REQUIRE_SERVERS")); required {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// cacheDir returns the directory for all that is fetched and built, and creates
// it. Root has one outside its home, because servers run as another user that
// must be able to reach it.
func cacheDir() (string, error) {
	dir := os.Getenv("VECWIRE_TEST_CACHE")
	switch {
	case dir != "":
	case os.Geteuid() == 0:
		dir = "/var/cache/vecwire-testenv"
	default:
		base, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(base, "vecwire-testenv")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if os.Geteuid() != 0 {
		return dir, nil
	}
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil {
			return "", err
		}
		if info.Mode().Perm()&0o001 == 0 {
			return "", fmt.Errorf("servers do not run as root and %s is closed to other users: set VECWIRE_TEST_CACHE to another directory", at)
		}
		if at == filepath.Dir(at) {
			return dir, nil
		}
	}
}

// provisioned returns the directory cache/name. Where it does not exist yet,
// build fills a directory beside it, which is then renamed: the directory is
// complete or absent, whenever the process is interrupted. Of several processes
// one builds and the others wait for it.
func provisioned(ctx context.Context, name string, build func(ctx context.Context, dir string) error) (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, name)
	if isDir(dir) {
		return dir, nil
	}
	unlock, err := lockPath(ctx, dir+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if isDir(dir) {
		return dir, nil
	}
	unfinished := dir + ".unfinished"
	if err := os.RemoveAll(unfinished); err != nil {
		return "", err
	}
	if err := errors.Join(os.Mkdir(unfinished, 0o755), os.Chmod(unfinished, 0o755)); err != nil {
		return "", err
	}
	if err := build(ctx, unfinished); err != nil {
		return "", errors.Join(err, os.RemoveAll(unfinished))
	}
	return dir, os.Rename(unfinished, dir)
}

// lockPath takes the lock that the file at path stands for, against other
// processes and other goroutines, and waits for it until ctx ends.
func lockPath(ctx context.Context, path string) (unlock func(), err error) {
	lock := flock.New(path)
	if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = lock.Close() }, nil
}

// identity is the user that servers run as; nil means the user of the tests.
type identity struct{ UID, GID uint32 }

// serverIdentity returns nil, or the user nobody where the tests run as root,
// because PostgreSQL and PgBouncer refuse to run as root.
func serverIdentity() (*identity, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &identity{UID: uint32(uid), GID: uint32(gid)}, nil
}

// give makes the identity the owner of path; nil leaves it as it is.
func (id *identity) give(path string) error {
	if id == nil {
		return nil
	}
	return os.Lchown(path, int(id.UID), int(id.GID))
}

// freePort returns a loopback port that nothing listens on. It lies below the
// ports that systems hand out for outgoing connections, so that a server that is
// stopped for a while finds it free again.
func freePort() (int, error) {
	const first, count = 15000, 17000
	var last error
	for range 50 {
		n, err := rand.Int(rand.Reader, big.NewInt(count))
		if err != nil {
			return 0, err
		}
		port := first + int(n.Int64())
		l, err := net.Listen("tcp", loopback(port))
		if err != nil {
			last = err
			continue
		}
		return port, l.Close()
	}
	return 0, fmt.Errorf("no free port on 127.0.0.1: %w", last)
}

// loopback returns the address of a port on 127.0.0.1.
func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// command is an external program that is run to its end.
type command struct {
	Dir  string
	Env  []string // nil means the environment of the tests
	As   *identity
	Name string
	Args []string
}

// run runs the command and returns what it wrote to standard output. The error
// of a failed command ends with the last lines that it wrote.
func (c command) run(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, c.Name, c.Args...)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = 5 * time.Second
	if err := ownGroup(cmd, c.As); err != nil {
		return "", err
	}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		said := stderr.String()
		if strings.TrimSpace(said) == "" {
			said = stdout.String()
		}
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(c.Name), err, lastLines(said, 5))
	}
	return stdout.String(), nil
}

// lastLines returns the last n lines of text that are not blank.
func lastLines(text string, n int) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// oneLine joins the lines of text with " | ".
func oneLine(text string) string {
	return strings.ReplaceAll(lastLines(text, 100), "\n", " | ")
}

// randomHex returns 2n random hexadecimal digits.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
