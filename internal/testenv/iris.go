package testenv

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// IRISOldest is the version of iris-pgwire whose source the IRIS engine was first written against.
	IRISOldest = "1.0.1"
	// IRISLatest is the newest version on PyPI that the tests have been run with.
	IRISLatest = "1.7.3"
)

// IRISMode is one of the ways in which iris-pgwire reaches its engine. A client
// cannot see which it is, and they behave differently.
type IRISMode string

const (
	// IRISExternal runs outside IRIS over InterSystems' driver, with the executor that
	// the server takes when nothing else is asked for.
	IRISExternal IRISMode = "external"
	// IRISEmbedded runs inside an IRIS process.
	IRISEmbedded IRISMode = "embedded"
	// IRISDBAPI runs outside IRIS with PGWIRE_BACKEND_TYPE=dbapi. Version 1.0.1 ignores
	// that variable.
	IRISDBAPI IRISMode = "dbapi"
)

// IRISOptions choose the wire server of a test. The zero value is the latest
// version in external mode.
type IRISOptions struct {
	Version string // of iris-pgwire on PyPI; "" and "latest" mean IRISLatest
	Mode    IRISMode
	// Switches of the stand-in for the engine, without their prefix IRISFAKE_: see
	// iris/README.md.
	Switches map[string]string
	// Env is added to the environment of the server, for its own PGWIRE_ settings.
	Env map[string]string
}

// IRISServer is the real iris-pgwire server over a stand-in for the IRIS engine
// (a Python package iris on SQLite, see iris/README.md), or the server that
// VECWIRE_TEST_IRIS names. With the stand-in, what a test passes survives the
// wire server; it says nothing about IRIS.
type IRISServer struct {
	Version string   // "" for a server that VECWIRE_TEST_IRIS names
	Mode    IRISMode // "" for a server that VECWIRE_TEST_IRIS names
	// Real tells that VECWIRE_TEST_IRIS named the server: it cannot be stopped, has no
	// engine log, and keeps what tests leave in it.
	Real bool

	at      url.URL
	runtime *irisRuntime
	env     []string
	dir     *runDir
	process *process
}

// IRIS starts a server with an empty database of its own, which ends with the
// test. VECWIRE_TEST_IRIS=<url> (iris:// or postgres://) makes it return that
// server for every choice of options.
func IRIS(t testing.TB, o IRISOptions) *IRISServer {
	t.Helper()
	if given := os.Getenv("VECWIRE_TEST_IRIS"); given != "" {
		at, err := url.Parse(given)
		if err != nil || at.Host == "" {
			t.Fatal("VECWIRE_TEST_IRIS is not a URL like iris://user:password@host:5432/USER")
		}
		return &IRISServer{Real: true, at: *at}
	}
	if o.Version == "" || o.Version == "latest" {
		o.Version = IRISLatest
	}
	if o.Mode == "" {
		o.Mode = IRISExternal
	}
	const remedy = "install Python 3.11 to 3.13 with pip and allow it to reach PyPI once, or set VECWIRE_TEST_IRIS=iris://user:password@host:5432/USER"
	runtime, err := provisionIRIS(t.Context(), o.Version)
	if err != nil {
		unavailable(t, "iris-pgwire "+o.Version, err, remedy)
	}
	dir, err := newRunDir(t.Context(), "iris", nil)
	if err != nil {
		unavailable(t, "iris-pgwire "+o.Version, err, remedy)
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(errors.Join(err, dir.remove()))
	}
	s := &IRISServer{Version: o.Version, Mode: o.Mode, runtime: runtime, dir: dir}
	s.at = url.URL{
		Scheme: "iris", User: url.UserPassword("_SYSTEM", "SYS"),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Path: "/USER",
	}
	s.env = irisEnvironment(o, runtime, dir.Path, port)
	t.Cleanup(func() {
		if err := errors.Join(s.end(syscall.SIGKILL), dir.remove()); err != nil {
			t.Error(err)
		}
	})
	s.Start(t)
	return s
}

// irisEnvironment is the whole environment of a server: none of the settings of
// the machine's own IRIS, PostgreSQL or Python reaches it.
func irisEnvironment(o IRISOptions, runtime *irisRuntime, dir string, port int) []string {
	env := map[string]string{
		"HOME": dir, "PATH": os.Getenv("PATH"), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", "NO_COLOR": "1",
		"PYTHONPATH":  runtime.Path,
		"PGWIRE_HOST": "127.0.0.1", "PGWIRE_PORT": strconv.Itoa(port),
		"IRISFAKE_DB":  filepath.Join(dir, "iris.sqlite"),
		"IRISFAKE_LOG": filepath.Join(dir, irisEngineLog),
	}
	switch o.Mode {
	case IRISEmbedded:
		env["IRISFAKE_MODE"] = "embedded"
	case IRISDBAPI:
		env["PGWIRE_BACKEND_TYPE"] = "dbapi"
	}
	for name, value := range o.Switches {
		env["IRISFAKE_"+name] = value
	}
	for name, value := range o.Env {
		env[name] = value
	}
	var out []string
	for name, value := range env {
		out = append(out, name+"="+value)
	}
	return out
}

// URL returns the server's URL in the form that vecwire.Open takes, iris://….
func (s *IRISServer) URL() string {
	at := s.at
	at.Scheme = "iris"
	return at.String()
}

// PostgresURL returns the same URL in the form that pgx takes.
func (s *IRISServer) PostgresURL() string {
	at := s.at
	at.Scheme = "postgres"
	if q := at.Query(); !q.Has("sslmode") {
		q.Set("sslmode", "disable")
		at.RawQuery = q.Encode()
	}
	return at.String()
}

// Start starts the server again after Stop or Kill, at the same address and with
// the same database.
func (s *IRISServer) Start(t testing.TB) {
	t.Helper()
	s.own(t)
	p, err := startProcess(supervision{
		Path: s.runtime.Python, Args: []string{"-m", "iris._server"}, Env: s.env, Dir: s.dir.Path,
		Log: filepath.Join(s.dir.Path, "server.log"), Quit: syscall.SIGTERM,
	}, s.dir)
	if err != nil {
		t.Fatal(err)
	}
	s.process = p
	if err := p.waitReady(t.Context(), s.probe); err != nil {
		t.Fatal(err)
	}
}

// probe connects and runs the one statement that means the same in every version.
func (s *IRISServer) probe(ctx context.Context) error {
	conn, err := pgconn.Connect(ctx, s.PostgresURL())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return conn.Exec(ctx, "SELECT 1").Close()
}

// Stop ends the server as an operator does. What it had answered stays stored.
func (s *IRISServer) Stop(t testing.TB) {
	t.Helper()
	s.own(t)
	if err := s.end(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// Kill ends the server at once, in the middle of what it does.
func (s *IRISServer) Kill(t testing.TB) {
	t.Helper()
	s.own(t)
	if err := s.end(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func (s *IRISServer) end(sig syscall.Signal) error {
	if s.process == nil {
		return nil
	}
	p := s.process
	s.process = nil
	return p.stop(sig)
}

// own skips the test for a server that is not ours to stop.
func (s *IRISServer) own(t testing.TB) {
	t.Helper()
	if s.Real {
		t.Skip("the server that VECWIRE_TEST_IRIS names is not started or stopped by tests")
	}
}

const irisEngineLog = "engine.jsonl"

// EngineStatement is one statement as it reached the engine, behind all that the
// wire server did to it.
type EngineStatement struct {
	Conn   string  `json:"conn"` // "c1", "c2", … or "embedded"
	SQL    string  `json:"sql"`
	Params []any   `json:"params"` // string, json.Number, bool or nil
	Millis float64 `json:"ms"`
	Error  string  `json:"error"` // "" for success
}

// EngineLog returns the statements that reached the engine and contain the given
// text, in any case, in order; all for "". It is empty for a real server.
func (s *IRISServer) EngineLog(t testing.TB, containing string) []EngineStatement {
	t.Helper()
	if s.Real {
		return nil
	}
	f, err := os.Open(filepath.Join(s.dir.Path, irisEngineLog))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []EngineStatement
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return out // a line without its end is still being written
		}
		var st EngineStatement
		d := json.NewDecoder(strings.NewReader(line))
		d.UseNumber()
		if err := d.Decode(&st); err != nil {
			t.Fatal(fmt.Errorf("engine log: %w", err))
		}
		if strings.Contains(strings.ToLower(st.SQL), strings.ToLower(containing)) {
			out = append(out, st)
		}
	}
}
