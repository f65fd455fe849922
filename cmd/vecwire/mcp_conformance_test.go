package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mcpTools are the protocol's own programs, which npm carries.
type mcpTools struct{ node, inspector, conformance string }

// protocolTools finds the programs where .ci/run installs them, or skips the test.
func protocolTools(t *testing.T) mcpTools {
	t.Helper()
	dir := os.Getenv("VECWIRE_TEST_MCP")
	if dir == "" {
		cache, err := os.UserCacheDir()
		require.NoError(t, err)
		dir = filepath.Join(cache, "vecwire-ci", "mcp")
	}
	bin := filepath.Join(dir, "node_modules", ".bin")
	tools := mcpTools{filepath.Join(bin, "node"), filepath.Join(bin, "mcp-inspector"), filepath.Join(bin, "conformance")}
	for _, program := range []string{tools.node, tools.inspector, tools.conformance} {
		if _, err := os.Stat(program); err == nil {
			continue
		}
		const remedy = "no MCP inspector and conformance suite: .ci/run packages installs them, or VECWIRE_TEST_MCP names the folder of npm install node@22 @modelcontextprotocol/inspector @modelcontextprotocol/conformance"
		if os.Getenv("VECWIRE_REQUIRE_SERVERS") == "1" {
			t.Fatal(remedy)
		}
		t.Skip(remedy)
	}
	return tools
}

// run runs one of the programs in a folder and returns what it prints.
func (m mcpTools) run(dir, program string, args ...string) (string, error) {
	cmd := exec.Command(m.node, append([]string{program}, args...)...)
	cmd.Dir = dir
	cmd.Env = command(dir).Env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestInspector has the protocol's inspector start the program and talk to it over its
// standard input and output, and ask a server over HTTP in the protocol without sessions.
func TestInspector(t *testing.T) {
	tools := protocolTools(t)
	dir := t.TempDir()
	write(t, dir, "docs/boats.md", "A sail moves the boat.")
	require.NoError(t, command(dir, "add", "docs").Run())
	p := start(t, dir, "mcp", "--http", "127.0.0.1:0", "--write")
	_, address, ok := strings.Cut(strings.TrimSpace(line(t, p.stderr)), "listening at ")
	require.True(t, ok)
	program, err := exec.LookPath("vecwire")
	require.NoError(t, err)
	over := func(target ...string) func(want string, args ...string) string {
		return func(want string, args ...string) string {
			t.Helper()
			out, err := tools.run(dir, tools.inspector, slices.Concat([]string{"--cli"}, args, target)...)
			require.Equal(t, want == "", err == nil, out)
			require.Contains(t, out, want)
			return out
		}
	}
	stdio := over("--protocol-era", "legacy", "--", program, "mcp", "--write")
	http := over("--protocol-era", "modern", "--transport", "http", "--server-url", address)
	call := func(tool, arguments string) []string {
		return []string{"--method", "tools/call", "--tool-name", tool, "--tool-args-json", arguments}
	}
	for _, inspect := range []func(string, ...string) string{stdio, http} {
		// --strict warns of what some models cannot read.
		strict := inspect("", "--method", "tools/list", "--strict")
		require.NotContains(t, strict, "Warning")
		for _, name := range []string{"search", "get", "list", "store", "delete"} {
			require.Contains(t, strict, `"name": "`+name+`"`)
		}
		require.Contains(t, inspect("", call("search", `{"collection":"docs","query":"what moves a boat?"}`)...), "A sail moves the boat.")
		require.Contains(t, inspect("", "--method", "resources/list"), `"uri": "vecwire:///docs"`)
	}
	require.Contains(t, http("", "--method", "resources/templates/list"), `vecwire:///{collection}/{id}`)
	require.Contains(t, http("", call("store", `{"collection":"docs","id":"oars","text":"Oars push the water."}`)...), "Stored")
	require.Contains(t, http("", "--method", "resources/read", "--uri", "vecwire:///docs/oars"), "Oars push the water.")
	require.Contains(t, http("", call("delete", `{"collection":"docs","ids":["oars"]}`)...), "Deleted 1 of 1.")
	http("Resource not found", "--method", "resources/read", "--uri", "vecwire:///docs/oars")
}

// TestConformance runs the protocol's suite for servers. The baseline names the
// scenarios that are for parts of the protocol that this server does not announce, and for
// tools of a reference server; one of them that passes fails the test, too.
func TestConformance(t *testing.T) {
	tools := protocolTools(t)
	dir := t.TempDir()
	write(t, dir, "docs/boats.md", "A sail moves the boat.")
	require.NoError(t, command(dir, "add", "docs").Run())
	baseline, err := filepath.Abs("testdata/mcp-conformance.yml")
	require.NoError(t, err)
	p := start(t, dir, "mcp", "--http", "127.0.0.1:0")
	_, address, ok := strings.Cut(strings.TrimSpace(line(t, p.stderr)), "listening at ")
	require.True(t, ok)
	out, err := tools.run(dir, tools.conformance, "server", "--url", address+"/mcp", "--suite", "active", "--expected-failures", baseline)
	require.NoError(t, err, out)
	for _, scenario := range []string{
		"server-initialize", "logging-set-level", "ping", "tools-list", "resources-list", "prompts-list", "dns-rebinding-protection",
	} {
		require.Contains(t, out, "✓ "+scenario)
	}
}
