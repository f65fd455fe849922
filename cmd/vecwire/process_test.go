package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// process is a vecwire that runs in a folder of its own.
type process struct {
	*exec.Cmd
	stdout, stderr *bufio.Reader
}

// command returns a vecwire that is not started, in a folder and with nothing of the
// machine's settings.
func command(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command("vecwire", args...)
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + dir, "XDG_CONFIG_HOME=" + filepath.Join(dir, ".config"), "PATH=" + os.Getenv("PATH"), "OPENAI_API_KEY=k"}
	return cmd
}

func start(t *testing.T, dir string, args ...string) process {
	if runtime.GOOS == "windows" {
		t.Skip("there is no signal to send to a process")
	}
	p := process{Cmd: command(dir, args...)}
	stdout, err := p.StdoutPipe()
	require.NoError(t, err)
	stderr, err := p.StderrPipe()
	require.NoError(t, err)
	p.stdout, p.stderr = bufio.NewReader(stdout), bufio.NewReader(stderr)
	require.NoError(t, p.Start())
	t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

// interrupt sends Ctrl-C and returns the exit code.
func (p process) interrupt(t *testing.T) int {
	require.NoError(t, p.Process.Signal(os.Interrupt))
	_, _ = io.Copy(io.Discard, p.stdout)
	_, _ = io.Copy(io.Discard, p.stderr)
	_ = p.Wait()
	return p.ProcessState.ExitCode()
}

func line(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	text, err := r.ReadString('\n')
	require.NoError(t, err)
	return text
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
}

func TestWatch(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "docs/a.md", "first")
	p := start(t, dir, "watch", ".")
	require.Contains(t, line(t, p.stdout), "1 new")
	write(t, dir, "docs/b.md", "second")
	require.Contains(t, line(t, p.stdout), "1 new, 0 changed, 1 unchanged")
	write(t, dir, "new/folder/c.md", "third, in a folder that was not there")
	require.Contains(t, line(t, p.stdout), "1 new, 0 changed, 2 unchanged")
	require.NoError(t, os.Remove(filepath.Join(dir, "docs/a.md")))
	require.Contains(t, line(t, p.stdout), "0 new, 0 changed, 2 unchanged, 1 removed")
	require.Zero(t, p.interrupt(t))
	text, err := command(dir, "ls", "--sources").Output()
	require.NoError(t, err)
	require.Equal(t, "docs/b.md  (1 chunk)\nnew/folder/c.md  (1 chunk)\n", string(text))
}

// embeddings is a server of an OpenAI-compatible model. It hands on each request before
// it answers.
func embeddings(t *testing.T, dim int, asked func(texts int)) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Input []string }
		if json.NewDecoder(r.Body).Decode(&in) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		asked(len(in.Input))
		type item struct {
			Index     int       `json:"index"`
			Embedding []float32 `json:"embedding"`
		}
		var out struct {
			Data []item `json:"data"`
		}
		for i := range in.Input {
			vector := make([]float32, dim)
			vector[len(in.Input[i])%dim] = 1
			out.Data = append(out.Data, item{i, vector})
		}
		_ = json.NewEncoder(w).Encode(out)
	}))
	t.Cleanup(server.Close)
	return server
}

// Ctrl-C ends a job in order, and the same command finishes it: what was stored is not
// embedded again.
func TestInterruptedAddGoesOn(t *testing.T) {
	dir := t.TempDir()
	for i := range 400 {
		write(t, dir, "docs/"+strings.Repeat("x", i%20+1)+strings.Repeat("y", i/20+1)+".md", strings.Repeat("word ", i+1))
	}
	third, release := make(chan struct{}), make(chan struct{})
	var requests atomic.Int32
	server := embeddings(t, 8, func(int) {
		n := requests.Add(1)
		if n == 3 {
			close(third)
		}
		if n >= 3 {
			<-release // open for the second run
		}
	})
	flags := []string{"add", "--json", "--embed-url", server.URL, "--embed-model", "m", "--embed-dim", "8", "docs"}
	p := start(t, dir, flags...)
	<-third
	require.Equal(t, exitInterrupted, p.interrupt(t))
	close(release)
	out, err := command(dir, flags...).Output()
	require.NoError(t, err)
	var report ingestJSON
	require.NoError(t, json.Unmarshal(out, &report))
	require.Equal(t, 400, report.Files)
	require.Zero(t, report.Failed)
	require.Equal(t, report.Inserted, report.Embedded)
	out, err = command(dir, "count").Output()
	require.NoError(t, err)
	require.Equal(t, jsonText(report.Inserted+report.Unchanged), strings.TrimSpace(string(out)))
}

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.md", "a text")
	write(t, dir, "bad.jsonl", "[]\n")
	for _, test := range []struct {
		args string
		code int
	}{
		{"count", exitNotFound},
		{"add a.md", 0},
		{"search --mode words nothingofthekind", 0},
		{"search", exitUsage},
		{"search --nope x", exitUsage},
		{"nope", exitUsage},
		{"count --filter x=", exitUsage},
		{"count -c nope", exitNotFound},
		{"get nope", exitNotFound},
		{"add bad.jsonl", exitPartly},
		{"add nope.md", exitFailed},
		{"--db mem:x=y count", exitFailed},
		{"--db postgres://me:secret@127.0.0.1:1/app count", exitFailed},
	} {
		cmd := command(dir, strings.Fields(test.args)...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		_ = cmd.Run()
		require.Equal(t, test.code, cmd.ProcessState.ExitCode(), "%s: %s", test.args, &stderr)
		require.Equal(t, test.code != 0 || strings.HasPrefix(test.args, "search --mode"), stderr.Len() > 0, test.args)
		require.NotContains(t, stderr.String(), "secret")
		require.NotContains(t, stderr.String(), "panic")
		require.NotContains(t, stderr.String(), "vecwire: vecwire:")
	}
}

// An assistant starts the program and talks to it over its standard input and output.
func TestMCPOverStdio(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "docs/boats.md", "A sail moves the boat.")
	require.NoError(t, command(dir, "add", "docs").Run())
	client := sdk.NewClient(&sdk.Implementation{Name: "test"}, nil)
	session, err := client.Connect(t.Context(), &sdk.CommandTransport{Command: command(dir, "mcp", "--write", "-c", "docs")}, nil)
	require.NoError(t, err)
	call := func(tool string, arguments map[string]any) string {
		result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: arguments})
		require.NoError(t, err)
		text := result.Content[0].(*sdk.TextContent).Text
		require.False(t, result.IsError, text)
		return text
	}
	require.Contains(t, call("search", map[string]any{"query": "what moves a boat?"}), `source="docs/boats.md"`)
	require.Contains(t, call("store", map[string]any{"text": "Oars push the water.", "id": "oars"}), "Stored")
	require.Contains(t, call("get", map[string]any{"ids": []string{"oars"}}), "Oars push the water.")
	require.NoError(t, session.Close())
	out, err := command(dir, "count").Output()
	require.NoError(t, err)
	require.Equal(t, "2\n", string(out))
}

// A server may begin with a store that is not there, and says what to type.
func TestServeNewStore(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir, "serve", "--addr", "127.0.0.1:0", "--quiet")
	_, address, ok := strings.Cut(strings.TrimSpace(line(t, p.stderr)), "listening at ")
	require.True(t, ok)
	require.Contains(t, line(t, p.stderr), "run vecwire add FOLDER")
	write(t, dir, "docs/boats.md", "A sail moves the boat.")
	require.NoError(t, command(dir, "add", "docs").Run())
	answer, err := http.Post(address+"/v1/collections/docs/count", "application/json", strings.NewReader("{}"))
	require.NoError(t, err)
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, `{"count":1}`, string(body))
	require.Zero(t, p.interrupt(t))

	p = start(t, dir, "serve", "--addr", "127.0.0.1:0", "--quiet", "--db", "nowhere/store.db")
	require.Contains(t, line(t, p.stderr), "nowhere")
	require.Error(t, p.Wait())
}

func TestServe(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "docs/boats.md", "A sail moves the boat.")
	write(t, dir, "tokens.txt", "# callers\nreader read 0123456789abcdef\n")
	require.NoError(t, command(dir, "add", "docs").Run())
	p := start(t, dir, "serve", "--addr", "127.0.0.1:0", "--tokens", "tokens.txt", "--quiet")
	_, address, ok := strings.Cut(strings.TrimSpace(line(t, p.stderr)), "listening at ")
	require.True(t, ok)
	get := func(token string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/v1/collections", nil)
		require.NoError(t, err)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		return answer.StatusCode
	}
	require.Equal(t, http.StatusUnauthorized, get(""))
	require.Equal(t, http.StatusOK, get("0123456789abcdef"))
	require.Zero(t, p.interrupt(t))

	write(t, dir, "bad.txt", "reader everything 0123456789abcdef\n")
	for _, args := range [][]string{{"--addr", "0.0.0.0:0"}, {"--tokens", "bad.txt"}, {"--tls-cert", "nope", "--addr", "127.0.0.1:0"}} {
		text, err := command(dir, append([]string{"serve"}, args...)...).CombinedOutput()
		require.Error(t, err)
		require.NotContains(t, string(text), "0123456789abcdef")
	}
}

func TestMCPOverHTTP(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "docs/boats.md", "A sail moves the boat.")
	require.NoError(t, command(dir, "add", "docs").Run())
	p := start(t, dir, "mcp", "--http", "127.0.0.1:0")
	_, address, ok := strings.Cut(strings.TrimSpace(line(t, p.stderr)), "listening at ")
	require.True(t, ok)
	client := sdk.NewClient(&sdk.Implementation{Name: "test"}, nil)
	session, err := client.Connect(t.Context(), &sdk.StreamableClientTransport{Endpoint: address}, nil)
	require.NoError(t, err)
	result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "list", Arguments: map[string]any{}})
	require.NoError(t, err)
	require.Contains(t, result.Content[0].(*sdk.TextContent).Text, `collection "docs": 1 records`)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader("{}"))
	require.NoError(t, err)
	r.Header.Set("Origin", "https://evil.example")
	refused, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, refused.Body.Close())
	require.Equal(t, http.StatusForbidden, refused.StatusCode)
	require.NoError(t, session.Close())
	require.Zero(t, p.interrupt(t))

	// Others can reach all addresses: not without a token.
	cmd := command(dir, "mcp", "--http", "0.0.0.0:0")
	text, _ := cmd.CombinedOutput()
	require.Equal(t, exitUsage, cmd.ProcessState.ExitCode())
	require.Contains(t, string(text), tokenVariable)
}
