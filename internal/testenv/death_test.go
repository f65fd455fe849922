//go:build unix

package testenv

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// started is what a test process of TestPostgresChild tells its parent.
type started struct {
	Addr, RunDir, Template string
	Supervisor             int
	SecondsToStart         float64
}

// TestPostgresChild is the test process that other tests start and kill.
func TestPostgresChild(t *testing.T) {
	end := os.Getenv("TESTENV_CHILD")
	if end == "" {
		t.Skip("runs as a child of other tests only")
	}
	begin := time.Now()
	s := StartPostgres(t, nil)
	s.CreateDatabase(t, "CREATE EXTENSION vector")
	told, err := json.Marshal(started{
		Addr: s.Addr(), RunDir: s.dir.Path, Supervisor: s.proc.supervisor, Template: s.install.Template,
		SecondsToStart: time.Since(begin).Seconds(),
	})
	require.NoError(t, err)
	fmt.Printf("started %s\n", told)
	switch end {
	case "return":
		return
	case "panic":
		go panic("no cleanup runs")
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent is gone, should it forget its child
}

// startChild runs TestPostgresChild in a process of its own and waits for what
// it tells.
func startChild(t *testing.T, end string, env ...string) (*exec.Cmd, started) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	args := []string{"-test.run=^TestPostgresChild$", "-test.v"}
	if end == "timeout" {
		args = append(args, "-test.timeout=3s")
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(append(os.Environ(), "TESTENV_CHILD="+end), env...)
	_, err = cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	var said bytes.Buffer
	lines := bufio.NewScanner(io.TeeReader(out, &said))
	for lines.Scan() {
		if _, told, ok := strings.Cut(lines.Text(), "started "); ok {
			var s started
			require.NoError(t, json.Unmarshal([]byte(told), &s))
			return cmd, s
		}
	}
	if strings.Contains(said.String(), "SKIP") {
		t.Skip(said.String())
	}
	t.Fatal(said.String())
	return nil, started{}
}

// requireGone waits until nothing is left of the server.
func requireGone(t *testing.T, s started) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), stopTimeout)
	defer cancel()
	left := func() string {
		if conn, err := net.Dial("tcp", s.Addr); err == nil {
			_ = conn.Close()
			return "the server answers"
		}
		if ps := processesIn(t, s.RunDir); len(ps) > 0 {
			return strings.Join(ps, ", ")
		}
		return ""
	}
	for what := left(); what != ""; what = left() {
		select {
		case <-ctx.Done():
			t.Fatal("left behind: " + what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// processesIn returns the command lines of the processes whose working
// directory is below dir; a directory that has been removed counts.
func processesIn(t *testing.T, dir string) []string {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	require.NoError(t, err)
	var found []string
	for _, link := range links {
		cwd, err := os.Readlink(link)
		if err == nil && strings.HasPrefix(cwd, dir) {
			line, _ := os.ReadFile(filepath.Join(filepath.Dir(link), "cmdline"))
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

func TestPostgresDiesWithTheTestProcess(t *testing.T) {
	tests := map[string]func(t *testing.T, child *exec.Cmd){
		"return":    func(t *testing.T, child *exec.Cmd) {},
		"panic":     func(t *testing.T, child *exec.Cmd) {},
		"timeout":   func(t *testing.T, child *exec.Cmd) {},
		"kill":      func(t *testing.T, child *exec.Cmd) { require.NoError(t, child.Process.Kill()) },
		"interrupt": func(t *testing.T, child *exec.Cmd) { require.NoError(t, child.Process.Signal(os.Interrupt)) },
	}
	for name, end := range tests {
		t.Run(name, func(t *testing.T) {
			child, s := startChild(t, name)
			end(t, child)
			_ = child.Wait()
			requireGone(t, s)
			require.Eventually(t, func() bool { return !isDir(s.RunDir) && !isFile(s.RunDir+".lock") },
				stopTimeout, 5*time.Millisecond, "the run directory is removed")
		})
	}
}

func TestPostgresDiesWithItsSupervisor(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has a parent-death signal")
	}
	for _, name := range []string{"supervisor", "supervisor and test process"} {
		t.Run(name, func(t *testing.T) {
			child, s := startChild(t, "kill")
			require.NotEmpty(t, processesIn(t, s.RunDir), "the check sees the server")
			if name != "supervisor" {
				require.NoError(t, child.Process.Kill())
			}
			require.NoError(t, syscall.Kill(s.Supervisor, syscall.SIGKILL))
			requireGone(t, s)
			_ = child.Process.Kill()
			_ = child.Wait()
			sweepRunDirs(filepath.Dir(s.RunDir))
			require.NoDirExists(t, s.RunDir, "a sweep removes what is left")
		})
	}
}

func TestPostgresIsProvisionedOnceByTwoProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("builds pgvector from an empty cache")
	}
	cache, err := os.MkdirTemp("", "testenv-cache-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(cache) })
	require.NoError(t, os.Chmod(cache, 0o755))
	results := make(chan started, 2)
	t.Run("at once", func(t *testing.T) {
		for _, name := range []string{"first", "second"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				child, s := startChild(t, "return", "VECWIRE_TEST_CACHE="+cache)
				require.NoError(t, child.Wait())
				results <- s
			})
		}
	})
	close(results)
	var templates []string
	for s := range results {
		templates = append(templates, s.Template)
		t.Logf("from an empty cache to a database with pgvector: %.1f s", s.SecondsToStart)
	}
	if len(templates) == 0 {
		t.Skip("see the processes")
	}
	require.Len(t, templates, 2)
	require.Equal(t, templates[0], templates[1])
	stamps, err := filepath.Glob(filepath.Join(cache, "postgres-*", "stamp.json"))
	require.NoError(t, err)
	require.Len(t, stamps, 1)
}
