package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

// TestMain makes of the test's own program the command vecwire, so that scripts run
// the real thing in a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"vecwire": func() { os.Exit(run()) }})
}

func TestScripts(t *testing.T) {
	here, err := os.Getwd()
	require.NoError(t, err)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, ".config"))
			if cache, err := os.UserCacheDir(); err == nil {
				e.Setenv("XDG_CACHE_HOME", cache) // of the reader of PDF, which takes seconds to compile
			}
			for _, name := range []string{"VECWIRE_DB", "VECWIRE_COLLECTION", "VECWIRE_CONFIG", "VECWIRE_EMBEDDER"} {
				e.Setenv(name, "")
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// nextpage sets $next to what the last line of the output says of the next page.
			"nextpage": func(ts *testscript.TestScript, _ bool, _ []string) {
				lines := strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "\n")
				var hit struct{ Next string }
				ts.Check(json.Unmarshal([]byte(lines[len(lines)-1]), &hit))
				ts.Setenv("next", hit.Next)
			},
			// mkfolder adds to the folder what an archive of text cannot hold.
			"mkfolder": func(ts *testscript.TestScript, _ bool, _ []string) {
				folder := ts.MkAbs("folder")
				ts.Check(os.WriteFile(filepath.Join(folder, "picture.png"), []byte("\x89PNG\x00\x01"), 0o644))
				ts.Check(os.WriteFile(ts.MkAbs("binary"), []byte("\x7fELF\x00\x01"), 0o644))
				ts.Check(os.WriteFile(ts.MkAbs("outside.md"), []byte("must not be read"), 0o644))
				ts.Check(os.Symlink(ts.MkAbs("outside.md"), filepath.Join(folder, "link.md")))
				ts.Check(os.Symlink("deep/note.txt", filepath.Join(folder, "inside.md")))
				ts.Check(os.Symlink("..", filepath.Join(folder, "deep", "circle")))
			},
			// mkpapers makes a folder of PDFs, one of them cut short.
			"mkpapers": func(ts *testscript.TestScript, _ bool, _ []string) {
				ts.Check(os.CopyFS(ts.MkAbs("papers"), os.DirFS(filepath.Join(here, "internal", "pdf", "testdata"))))
				whole, err := os.ReadFile(ts.MkAbs("papers/latex.pdf"))
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs("papers/cut.pdf"), whole[:9000], 0o644))
			},
		},
	})
}
