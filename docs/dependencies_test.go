package docs

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// modulePath is what looks like the path of a module on the page.
var modulePath = regexp.MustCompile(`[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[A-Za-z0-9._~-]*[A-Za-z0-9_~-])+`)

// TestEveryDependencyHasALine holds what each go.mod of the repository requires by
// itself against the page that says why, and the folders of the modules too.
func TestEveryDependencyHasALine(t *testing.T) {
	text, err := os.ReadFile("dependencies.md")
	require.NoError(t, err)
	page := string(text)
	named := map[string]bool{}
	for _, path := range modulePath.FindAllString(page, -1) {
		named[path] = true
	}
	required := 0
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if d.Name() != "go.mod" {
			return nil
		}
		folder := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(path), ".."))
		folder = strings.TrimPrefix(folder, "/")
		if folder != "" && !strings.Contains(page, "`"+folder+"`") {
			t.Errorf("docs/dependencies.md does not name the module `%s`: say what it needs, and why it is a module of its own", folder)
		}
		out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", path).Output()
		if err != nil {
			return err
		}
		var file struct {
			Require []struct {
				Path     string
				Indirect bool
			}
		}
		if err := json.Unmarshal(out, &file); err != nil {
			return err
		}
		for _, r := range file.Require {
			if r.Indirect || r.Path == module || strings.HasPrefix(r.Path, module+"/") {
				continue
			}
			required++
			if !named[r.Path] {
				t.Errorf("docs/dependencies.md does not name %s, which %s requires: say why, what it was weighed against, and its licence", r.Path, strings.TrimPrefix(folder+"/go.mod", "/"))
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.NotZero(t, required)
}
