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
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Settings are settings of a server's configuration file, such as
// "max_connections": "20". They take precedence over those of this package.
type Settings map[string]string

// Postgres returns the URL of a new, empty database on the server that the tests
// of this process share. The database is dropped when the test ends. The
// extension vector can be created in it and is not.
func Postgres(t testing.TB) string {
	t.Helper()
	return SharedPostgres(t).CreateDatabase(t)
}

// PostgresServer is a running PostgreSQL with pgvector.
type PostgresServer struct {
	base     *url.URL // of the maintenance database, as superuser
	settings Settings
	install  *installation // nil for a server that is not ours
	as       *identity
	dir      *runDir
	proc     *process // nil while stopped
	segment  string   // the System V shared memory that a killed postmaster left
	shared   bool
}

// sharedPostgres starts the server that the tests of this process share. It is
// never stopped: it ends with the process.
var sharedPostgres = sync.OnceValues(func() (*PostgresServer, error) {
	if given := os.Getenv("VECWIRE_TEST_POSTGRES"); strings.Contains(given, "://") {
		base, err := url.Parse(given)
		if err != nil {
			return nil, errors.New("VECWIRE_TEST_POSTGRES is not a URL") // which may hold a password
		}
		s := &PostgresServer{base: base, shared: true}
		ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
		defer cancel()
		return s, s.exec(ctx, base.String(), "SELECT 1")
	}
	s, err := startPostgres(nil)
	if err == nil {
		s.shared = true
	}
	return s, err
})

// SharedPostgres returns the server that the tests of this process share, or
// skips the test where there is none. It cannot be stopped.
func SharedPostgres(t testing.TB) *PostgresServer {
	t.Helper()
	if os.Getenv("VECWIRE_TEST_POSTGRES") == "off" {
		unavailable(t, "PostgreSQL", errors.New("VECWIRE_TEST_POSTGRES is off"), "unset it")
	}
	s, err := sharedPostgres()
	switch {
	case err != nil && strings.Contains(os.Getenv("VECWIRE_TEST_POSTGRES"), "://"):
		t.Fatalf("the server that VECWIRE_TEST_POSTGRES names: %v", err) // it was asked for, so it is no skip
	case err != nil:
		unavailable(t, "PostgreSQL with pgvector", err, postgresRemedy)
	}
	return s
}

// StartPostgres starts a server for this test alone, which the test may stop and
// start; it is removed when the test ends. VECWIRE_TEST_POSTGRES=URL does not
// serve such tests: they are skipped where no private server can be had.
func StartPostgres(t testing.TB, settings Settings) *PostgresServer {
	t.Helper()
	if os.Getenv("VECWIRE_TEST_POSTGRES") == "off" {
		unavailable(t, "PostgreSQL", errors.New("VECWIRE_TEST_POSTGRES is off"), "unset it")
	}
	s, err := startPostgres(settings)
	if err != nil {
		unavailable(t, "private PostgreSQL with pgvector", err,
			"on Debian, install postgresql, gcc and make, or postgresql-17-pgvector")
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Errorf("stop PostgreSQL: %v", err)
		}
	})
	return s
}

// postgresChoice returns the way to get a private server that
// VECWIRE_TEST_POSTGRES asks for, or "".
func postgresChoice() string {
	if given := os.Getenv("VECWIRE_TEST_POSTGRES"); !strings.Contains(given, "://") {
		return given
	}
	return ""
}

// startPostgres starts a server on a copy of the template.
func startPostgres(settings Settings) (*PostgresServer, error) {
	inst, err := installPostgres()
	if err != nil {
		return nil, err
	}
	return inst.start(settings)
}

func (i *installation) start(settings Settings) (*PostgresServer, error) {
	as, err := serverIdentity()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*readyTimeout)
	defer cancel()
	dir, err := newRunDir(ctx, "postgres", as)
	if err != nil {
		return nil, err
	}
	s := &PostgresServer{install: i, settings: settings, as: as, dir: dir}
	if err := copyTree(i.Template, s.dataDir(), as); err != nil {
		return nil, errors.Join(err, s.close())
	}
	for range 5 { // another process may take the port first
		var port int
		if port, err = freePort(); err != nil {
			break
		}
		s.base = &url.URL{
			Scheme: "postgres", User: url.UserPassword(postgresUser, i.Password),
			Host: loopback(port), Path: "/postgres",
			RawQuery: "sslmode=disable",
		}
		if err = s.run(ctx); err == nil {
			return s, nil
		}
		if !portTaken(err) {
			break
		}
	}
	return nil, errors.Join(err, s.close())
}

func (s *PostgresServer) dataDir() string { return filepath.Join(s.dir.Path, "data") }

// run starts the postmaster and waits until it answers.
func (s *PostgresServer) run(ctx context.Context) error {
	settings := Settings{
		"listen_addresses":        "127.0.0.1",
		"port":                    s.base.Port(),
		"unix_socket_directories": "",
		// The data need not survive the machine.
		"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
		// Containers have a small /dev/shm, and what is left there outlives the server.
		"dynamic_shared_memory_type": "mmap",
		// The packages come without LLVM.
		"jit": "off",
	}
	maps.Copy(settings, s.settings)
	args := []string{"-D", s.dataDir()}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	log := filepath.Join(s.dir.Path, "log")
	if err := os.Remove(log); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	proc, err := startProcess(supervision{
		Path: filepath.Join(s.install.Bin, "postgres"), Args: args,
		Env: serverEnv(), Dir: s.dir.Path, Log: log, As: s.as,
		Quit: syscall.SIGQUIT, // immediate shutdown: the postmaster ends its backends too
	}, s.dir)
	if err != nil {
		return err
	}
	if err := proc.waitReady(ctx, s.probe); err != nil {
		return errors.Join(err, proc.stop(syscall.SIGKILL))
	}
	s.proc = proc
	return nil
}

// probe reports whether the server that answers is this one.
func (s *PostgresServer) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.base.String())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var dir string
	if err := conn.QueryRow(ctx, "SHOW data_directory").Scan(&dir); err != nil {
		return err
	}
	if dir != s.dataDir() {
		return errOtherServer
	}
	return nil
}

// URL returns the URL of a database on the server, as superuser.
func (s *PostgresServer) URL(database string) string {
	u := *s.base
	u.Path = "/" + database
	return u.String()
}

// Addr returns the server's address as host:port.
func (s *PostgresServer) Addr() string { return s.base.Host }

// CreateDatabase creates an empty database, runs the statements in it, such as
// "CREATE EXTENSION vector", and returns its URL, as superuser. The database is
// dropped when the test ends.
func (s *PostgresServer) CreateDatabase(t testing.TB, statements ...string) string {
	t.Helper()
	name := objectName(t)
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	if err := s.exec(ctx, s.base.String(), "CREATE DATABASE "+name); err != nil {
		t.Fatalf("create database: %v", err)
	}
	t.Cleanup(func() { s.drop(t, s.base.String(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	if err := s.exec(ctx, s.URL(name), statements...); err != nil {
		t.Fatalf("prepare database: %v", err)
	}
	return s.URL(name)
}

// CreateRole creates a role that may log in with a password and may nothing
// else, runs the statements, in which %s stands for its name, in the database of
// the URL, and returns the URL of that database as this role. The role is
// dropped, with all it owns in the database, when the test ends.
func (s *PostgresServer) CreateRole(t testing.TB, database string, statements ...string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal("create role: the database is not given as a URL")
	}
	name, password := objectName(t), randomHex(8)
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	create := []string{fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", name, password)}
	for _, statement := range statements {
		create = append(create, strings.ReplaceAll(statement, "%s", name))
	}
	t.Cleanup(func() { s.drop(t, database, "DROP OWNED BY "+name+" CASCADE", "DROP ROLE "+name) })
	if err := s.exec(ctx, database, create...); err != nil {
		t.Fatalf("create role: %v", err)
	}
	u.User = url.UserPassword(name, password)
	return u.String()
}

// Stop shuts a private server down: sessions are ended and their transactions
// rolled back. Its data and its address stay.
func (s *PostgresServer) Stop(t testing.TB) {
	t.Helper()
	s.halt(t, syscall.SIGINT)
}

// Kill kills a private server, as a crash would. Its data and its address stay.
func (s *PostgresServer) Kill(t testing.TB) {
	t.Helper()
	if s.install != nil {
		s.segment = sharedMemory(s.dataDir())
	}
	s.halt(t, syscall.SIGKILL)
}

// Start starts a private server that was stopped or killed, at its old address.
// Settings that are given replace those that it had.
func (s *PostgresServer) Start(t testing.TB, settings ...Settings) {
	t.Helper()
	if s.proc != nil {
		t.Fatal("the PostgreSQL server is running")
	}
	for _, given := range settings {
		s.settings = given
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*readyTimeout)
	defer cancel()
	if err := s.run(ctx); err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	s.segment = "" // the new postmaster has removed it
}

// Restart stops and starts a private server.
func (s *PostgresServer) Restart(t testing.TB, settings ...Settings) {
	t.Helper()
	s.Stop(t)
	s.Start(t, settings...)
}

func (s *PostgresServer) halt(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if s.shared {
		t.Fatal("the shared PostgreSQL server cannot be stopped: use StartPostgres")
	}
	if s.proc == nil {
		t.Fatal("the PostgreSQL server is stopped")
	}
	if err := s.proc.stop(sig); err != nil {
		t.Fatalf("stop PostgreSQL: %v", err)
	}
	s.proc = nil
}

// close ends a private server and removes what it wrote.
func (s *PostgresServer) close() error {
	var err error
	if s.proc != nil {
		err = s.proc.close()
	}
	if s.segment != "" {
		_ = exec.Command("ipcrm", "-m", s.segment).Run()
	}
	return errors.Join(err, s.dir.remove())
}

// sharedMemory returns the id of the System V shared memory segment that a
// postmaster holds as its lock, or "". It is on the seventh line of
// postmaster.pid, after the key (src/include/utils/pidfile.h in PostgreSQL).
func sharedMemory(dataDir string) string {
	b, _ := os.ReadFile(filepath.Join(dataDir, "postmaster.pid"))
	lines := strings.Split(string(b), "\n")
	if len(lines) < 7 {
		return ""
	}
	fields := strings.Fields(lines[6])
	if len(fields) != 2 {
		return ""
	}
	return fields[1]
}

// exec runs the statements on a connection of its own.
func (s *PostgresServer) exec(ctx context.Context, to string, statements ...string) error {
	conn, err := pgx.Connect(ctx, to)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for i, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("statement %d: %w", i+1, err) // its text may hold a password
		}
	}
	return nil
}

// drop runs the statements at the end of a test. A private server that the test
// has left stopped takes its objects with it.
func (s *PostgresServer) drop(t testing.TB, at string, statements ...string) {
	t.Helper()
	if s.install != nil && s.proc == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	if err := s.exec(ctx, at, statements...); err != nil {
		t.Errorf("clean up: %v", err)
	}
}

// objectName returns a name that tells the test and that no other database or
// role has. It needs no quotes.
func objectName(t testing.TB) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '_'
	}, t.Name())
	return "vw_" + name[:min(len(name), 40)] + "_" + randomHex(4)
}
