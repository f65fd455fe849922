package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
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
			// freeaddress sets $addr to an address of this machine at which nothing listens.
			"freeaddress": func(ts *testscript.TestScript, _ bool, _ []string) {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				ts.Check(err)
				ts.Setenv("addr", l.Addr().String())
				ts.Check(l.Close())
			},
			// openpage waits for the server at $addr, and opens its page and what that needs.
			"openpage": func(ts *testscript.TestScript, _ bool, _ []string) {
				var page string
				beat := time.NewTicker(50 * time.Millisecond)
				defer beat.Stop()
				for range 600 {
					answer, err := http.Get("http://" + ts.Getenv("addr") + "/")
					if err != nil { // it is not there yet
						<-beat.C
						continue
					}
					body, err := io.ReadAll(answer.Body)
					ts.Check(errors.Join(err, answer.Body.Close()))
					page = string(body)
					break
				}
				for _, part := range regexp.MustCompile(`(?:src|href)="/?(assets/[^"]+)"`).FindAllStringSubmatch(page, -1) {
					answer, err := http.Get("http://" + ts.Getenv("addr") + "/" + part[1])
					ts.Check(err)
					ts.Check(answer.Body.Close())
					if answer.StatusCode != http.StatusOK {
						ts.Fatalf("%s: %s", part[1], answer.Status)
					}
				}
				if !strings.Contains(page, "<title>") || !strings.Contains(page, "assets/") {
					ts.Fatalf("not the page: %q", page)
				}
			},
			// asassistant connects a client of MCP as an assistant does that finds .mcp.json,
			// searches, and wants a source in the answer.
			"asassistant": func(ts *testscript.TestScript, _ bool, args []string) {
				var config struct {
					Servers map[string]struct {
						Command string
						Args    []string
					} `json:"mcpServers"`
				}
				ts.Check(json.Unmarshal([]byte(ts.ReadFile(".mcp.json")), &config))
				cmd := command(ts.MkAbs("."), config.Servers["vecwire"].Args...)
				cmd.Path = config.Servers["vecwire"].Command
				client := sdk.NewClient(&sdk.Implementation{Name: "script"}, nil)
				session, err := client.Connect(context.Background(), &sdk.CommandTransport{Command: cmd}, nil)
				ts.Check(err)
				result, err := session.CallTool(context.Background(), &sdk.CallToolParams{Name: "search", Arguments: map[string]any{"collection": "docs", "query": args[0]}})
				ts.Check(errors.Join(err, session.Close()))
				if text := result.Content[0].(*sdk.TextContent).Text; result.IsError || !strings.Contains(text, args[1]) {
					ts.Fatalf("%s", text)
				}
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
