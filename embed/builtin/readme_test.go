package builtin

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The first program of the README runs as it is pasted, and prints what it says.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("it links a program")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	block := func(language string) string {
		_, rest, found := strings.Cut(string(readme), "```"+language+"\n")
		require.True(t, found)
		text, _, _ := strings.Cut(rest, "```\n")
		return text
	}
	// A module that replaces the three by what is here, as this one does.
	mod, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	sum, err := os.ReadFile("go.sum")
	require.NoError(t, err)
	text := strings.NewReplacer(
		"module github.com/vecwire/vecwire/embed/builtin", "module notes",
		"=> ../../", "=> "+root,
		"=> ../transform", "=> "+filepath.Join(root, "embed", "transform"),
	).Replace(string(mod)) + "\nrequire github.com/vecwire/vecwire/embed/builtin v0.0.0-00010101000000-000000000000\n" +
		"\nreplace github.com/vecwire/vecwire/embed/builtin => " + filepath.Join(root, "embed", "builtin") + "\n"
	dir := t.TempDir()
	for name, content := range map[string]string{"main.go": block("go"), "go.mod": text, "go.sum": string(sum)} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "-mod=mod", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, block("text"), string(out))
}
