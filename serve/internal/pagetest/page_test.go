package pagetest

import (
	"context"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/embed/builtin"
	"github.com/vecwire/vecwire/serve"
)

// chromium returns the browser's path, or skips the test.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("VECWIRE_REQUIRE_SERVERS") == "1" {
		t.Fatal("no Chromium: install Debian's package chromium")
	}
	t.Skip("no Chromium: install Debian's package chromium")
	return ""
}

// page is a tab that shows the page of a server.
type page struct {
	t   *testing.T
	ctx context.Context
	url string

	mu       sync.Mutex
	requests []string // what the tab has asked for
	errors   []string // what it has complained about
}

// open starts a browser with a tab of a size.
func open(t *testing.T, url string, width, height int) *page {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.WindowSize(width, height),
		chromedp.Flag("force-color-profile", "srgb"), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("disable-dev-shm-usage", true))
	browser, end := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(end)
	tab, closeTab := chromedp.NewContext(browser)
	t.Cleanup(closeTab)
	require.NoError(t, chromedp.Do(tab))                   // starts the browser, which lives as long as this context
	ctx, cancel := context.WithTimeout(tab, 2*time.Minute) // a tab that hangs fails
	t.Cleanup(cancel)
	p := &page{t: t, ctx: ctx, url: url}
	require.NoError(t, chromedp.Listen(ctx, func(event any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			p.requests = append(p.requests, e.Request.URL)
		case *runtime.EventExceptionThrown:
			p.errors = append(p.errors, e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			p.errors = append(p.errors, e.Entry.Text+" "+e.Entry.URL)
		}
	}))
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	require.NoError(t, err)
	_, err = chromedp.Call(ctx, log.Enable, cdp.Empty{})
	require.NoError(t, err)
	p.run(chromedp.EmulateViewport(int64(width), int64(height)))
	return p
}

// step is an action that gives nothing.
type step = chromedp.Action[chromedp.Void]

func (p *page) run(steps ...step) {
	p.t.Helper()
	p.check(chromedp.Do(p.ctx, steps...))
}

func (p *page) check(err error) {
	p.t.Helper()
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.t.Fatalf("%v; the page says %v", err, p.errors)
	}
}

// ask runs an action that gives something.
func ask[T any](p *page, action chromedp.Action[T]) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, action)
	p.check(err)
	return v
}

// js runs JavaScript whose value does not matter.
func js(code string) step {
	return chromedp.Evaluate[chromedp.Void]("(() => {" + code + "; return {}})()")
}

// show goes to an address after the #, and waits for what the selector means.
func (p *page) show(hash, selector string) {
	p.t.Helper()
	p.run(chromedp.Navigate("about:blank"), chromedp.Navigate(p.url+"/"+hash), chromedp.WaitVisible(chromedp.CSS(selector)))
}

func (p *page) text(selector string) string {
	p.t.Helper()
	return ask(p, chromedp.Text(chromedp.CSS(selector)))
}

func (p *page) count(selector string) int {
	p.t.Helper()
	return ask(p, chromedp.Evaluate[int](fmt.Sprintf("document.querySelectorAll(%q).length", selector)))
}

// until waits for a condition in JavaScript.
func (p *page) until(condition string) {
	p.t.Helper()
	ask(p, chromedp.Poll[bool]("Boolean("+condition+")", chromedp.WithPollingTimeout(30*time.Second)))
}

// shot takes a screenshot, for docs if VECWIRE_SCREENSHOTS names a folder.
func (p *page) shot(name string) {
	p.t.Helper()
	png := ask(p, chromedp.CaptureScreenshot())
	require.Greater(p.t, len(png), 5000)
	if dir := os.Getenv("VECWIRE_SCREENSHOTS"); dir != "" {
		require.NoError(p.t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644))
	}
}

// clean expects that the page has made no request to elsewhere and met no error.
func (p *page) clean(allowed ...string) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, url := range p.requests {
		require.True(p.t, strings.HasPrefix(url, p.url+"/") || strings.HasPrefix(url, "data:") || url == "about:blank", "a request to elsewhere: %s", url)
	}
	for _, e := range p.errors {
		ok := false
		for _, a := range allowed {
			ok = ok || strings.Contains(e, a)
		}
		require.True(p.t, ok, "the page complains: %s", e)
	}
}

var model = sync.OnceValue(func() vecwire.Embedder { return embed.Batch(builtin.New(), embed.BatchOptions{Items: 16}) })

// server serves an empty database.
func server(t *testing.T, o serve.Options) (*httptest.Server, *vecwire.DB) {
	t.Helper()
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	s := httptest.NewServer(serve.New(db, o))
	t.Cleanup(s.Close)
	return s, db
}

// golang makes a collection of what some packages of the standard library say of
// themselves.
func golang(t *testing.T, db *vecwire.DB) int {
	t.Helper()
	e := model()
	docs, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "golang", Dim: e.Dim(), Model: e.Model(), FullText: vecwire.English, Fields: []vecwire.Field{
		{Name: "package", Index: true}, {Name: "kind", Index: true}, {Name: "lines", Type: vecwire.Int, Index: true},
	}})
	require.NoError(t, err)
	docs, err = docs.WithEmbedder(e)
	require.NoError(t, err)
	root, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	packages := []string{"strings", "sort", "time", "os", "sync", "bufio"}
	if testing.Short() {
		packages = packages[:2]
	}
	var records []vecwire.Record
	for _, name := range packages {
		fset := token.NewFileSet()
		var files []*ast.File
		paths, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "src", name, "*.go"))
		require.NoError(t, err)
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
			require.NoError(t, err)
			files = append(files, f)
		}
		p, err := doc.NewFromFiles(fset, files, name)
		require.NoError(t, err)
		add := func(id, kind, text string) {
			if text = strings.TrimSpace(text); text != "" {
				records = append(records, vecwire.Record{ID: id, Text: text, Fields: vecwire.Fields{"package": name, "kind": kind, "lines": 1 + strings.Count(text, "\n")}})
			}
		}
		for _, f := range p.Funcs {
			add(name+"."+f.Name, "func", f.Doc)
		}
		for _, typ := range p.Types {
			add(name+"."+typ.Name, "type", typ.Doc)
			for _, f := range append(typ.Funcs, typ.Methods...) {
				add(name+"."+typ.Name+"."+f.Name, "method", f.Doc)
			}
		}
	}
	report, err := docs.Ingest(t.Context(), func(yield func(vecwire.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}, vecwire.IngestOptions{})
	require.NoError(t, err)
	require.NoError(t, report.Err())
	return len(records)
}

// TestPage goes through every view of a small collection, as a user does.
func TestPage(t *testing.T) {
	s, db := server(t, serve.Options{Embedders: []vecwire.Embedder{model()}, Version: "test"})
	n := golang(t, db)
	p := open(t, s.URL, 1380, 900)

	t.Log("search, with the words marked and the plan told")
	p.show("#/golang/search?q=cut+a+string+at+a+separator", ".hit")
	require.Equal(t, 10, p.count(".hit"))
	require.Contains(t, p.text(".hits"), "strings.")
	require.Positive(t, p.count(".hit mark"))
	require.Contains(t, p.text(".plan"), "exact")
	require.Contains(t, p.text(".legs"), "meaning #")
	require.Contains(t, p.text("#collections"), fmt.Sprint(n)[:1])
	p.shot("search")

	t.Log("a filter, by keyboard, and what is wrong with a bad one")
	p.run(chromedp.SendKeys(chromedp.CSS(".settings .filter input"), `kind == "method"`+"\r"))
	p.until(`[...document.querySelectorAll(".hit .tags")].every((e) => e.innerText.includes("method")) && document.querySelector(".hit")`)
	p.run(chromedp.SendKeys(chromedp.CSS(".settings .filter input"), ` && nonsense == 1`+"\r"), chromedp.WaitVisible(chromedp.CSS("[role=alert]")))
	require.Contains(t, p.text("[role=alert]"), "nonsense")

	t.Log("a record, from the keyboard")
	p.show("#/golang/search?q=sort+a+slice", ".hit")
	p.run(js(`document.activeElement.blur()`), chromedp.KeyEvent("j"), chromedp.KeyEvent("j"))
	p.until(`document.activeElement.closest(".hit")?.querySelector(".rank").innerText === "2"`)
	p.run(chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS("dialog[open] .whole")))
	p.shot("record")
	p.run(chromedp.Click(chromedp.CSS("dialog .actions .primary")))
	p.until(`location.hash.includes("like=") && document.querySelectorAll(".hit").length > 0 && !document.querySelector("dialog")`)

	t.Log("two searches side by side")
	p.show("#/golang/search?q=sort+a+slice&w=100&bq=sort+a+slice&bw=0&compare=1", ".columns.two .hit .more .chip")
	p.until(`document.querySelectorAll(".columns.two > div:nth-child(2) .hit .more .chip").length > 0`)
	p.shot("compare")

	t.Log("browse and filter")
	p.show("#/golang/browse", "tbody tr.open")
	require.Equal(t, 50, p.count("tbody tr.open"))
	first := p.text("tbody tr.open td.id")
	p.run(chromedp.Click(chromedp.CSS(".pager button:last-child")))
	p.until(fmt.Sprintf(`document.querySelector("tbody tr.open td.id").innerText !== %q`, first))
	p.run(chromedp.Click(chromedp.CSS(".pager button:first-child")))
	p.until(fmt.Sprintf(`document.querySelector("tbody tr.open td.id").innerText === %q`, first))
	p.run(chromedp.SetValue(chromedp.CSS("main .row .field:nth-child(2) select"), "kind"), js(`document.querySelectorAll("main .row .field select")[1].dispatchEvent(new Event("change"))`),
		chromedp.WaitVisible(chromedp.CSS(".facet")), js(`scrollTo(0, 0)`))
	p.shot("browse")
	p.run(chromedp.Click(chromedp.CSS(".facet")))
	p.until(`[...document.querySelectorAll("tbody tr.open")].every((e) => e.innerText.includes(document.querySelector(".facet")?.firstChild.data))`)
	p.show("#/golang/browse", "tbody tr.open")
	p.run(chromedp.SendKeys(chromedp.CSS("[data-key='/']"), `id == "strings.Cut"`+"\r"))
	p.until(`document.querySelectorAll("tbody tr.open").length === 1`)

	t.Log("the map, of which the arrow keys choose a point")
	p.show("#/golang/map?color=package", ".legend span")
	p.run(chromedp.Focus(chromedp.CSS("canvas")), chromedp.KeyEvent(kb.ArrowRight), chromedp.WaitVisible(chromedp.CSS(".tip")))
	require.Contains(t, p.text(".tip"), ".")
	p.shot("map")
	p.run(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(chromedp.CSS("dialog[open]")))

	t.Log("an index, and what it misses")
	p.show("#/golang/measure", "form.row .primary")
	p.run(chromedp.Click(chromedp.CSS("main .panel button")))
	p.until(`document.querySelector("main .panel .chip.good")?.innerText === "ready"`)
	p.run(chromedp.Click(chromedp.CSS("form.row .primary")), chromedp.WaitVisible(chromedp.CSS(".plot svg")))
	p.show("#/golang/schema", "dl.pairs")
	require.Contains(t, p.text("main"), "lines")
	p.clean("400")
}

// TestNewCollectionAndUpload makes a collection in the page and uploads a file, of
// which one record is refused.
func TestNewCollectionAndUpload(t *testing.T) {
	s, db := server(t, serve.Options{Embedders: []vecwire.Embedder{model()}})
	p := open(t, s.URL, 1200, 860)
	p.show("", ".empty .primary")
	p.run(chromedp.Click(chromedp.CSS(".empty .primary")), chromedp.WaitVisible(chromedp.CSS("dialog[open]")),
		chromedp.SendKeys(chromedp.CSS("dialog form input"), "notes"),
		chromedp.Click(chromedp.CSS("dialog .link")), chromedp.SendKeys(chromedp.CSS(".field-row input"), "year"), chromedp.SetValue(chromedp.CSS(".field-row select"), "Int"))
	p.shot("new")
	p.run(chromedp.Click(chromedp.CSS("dialog .primary")), chromedp.WaitVisible(chromedp.CSS(".drop")))

	file := filepath.Join(t.TempDir(), "notes.jsonl")
	big := int64(1<<53 + 1)
	require.NoError(t, os.WriteFile(file, []byte(fmt.Sprintf(`{"id":"<b>1</b>","text":"A note about <script>alert(1)</script> bread","fields":{"year":%d}}
{"id":"2","text":"A note about boats","fields":{"year":"last"}}
{"id":"3","text":"A note about trains","fields":{"year":2026}}
`, big)), 0o600))
	p.run(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}), chromedp.WaitVisible(chromedp.CSS(".notice.good")))
	require.Contains(t, p.text(".notice.good"), "2 records stored, 1 refused")
	require.Contains(t, p.text("tbody"), "/fields/year")
	p.shot("upload")
	notes, err := db.OpenCollection(t.Context(), "notes")
	require.NoError(t, err)
	got, err := notes.Get(t.Context(), "<b>1</b>", "3")
	require.NoError(t, err)
	require.Len(t, got, 2)

	p.show("#/notes/browse", "tbody tr.open")
	require.Contains(t, p.text("tbody"), "<script>alert(1)</script>", "shown as text")
	require.Contains(t, p.text("tbody"), fmt.Sprint(big), "all digits")
	p.clean()
}

// TestToken shows the page to somebody without a token, who then gives one.
func TestToken(t *testing.T) {
	token, err := serve.NewToken("reader", "a secret for the page", serve.Read)
	require.NoError(t, err)
	s, db := server(t, serve.Options{Tokens: []serve.Token{token}})
	_, err = db.CreateCollection(t.Context(), vecwire.Schema{Name: "docs", Dim: 2})
	require.NoError(t, err)
	p := open(t, s.URL, 1200, 860)
	p.show("", "[role=alert]")
	p.run(chromedp.Click(chromedp.CSS("main .primary")), chromedp.WaitVisible(chromedp.CSS("dialog input")),
		chromedp.SendKeys(chromedp.CSS("dialog input"), "a secret for the page\r"), chromedp.WaitVisible(chromedp.CSS("#collections a")))
	require.Contains(t, p.text("#collections"), "docs")
	require.True(t, ask(p, chromedp.Evaluate[bool](`document.getElementById("new").hidden`)), "who may only read is offered no new collection")
	p.clean("401")
}

// TestDarkAndNarrow looks at the page on a telephone at night.
func TestDarkAndNarrow(t *testing.T) {
	s, db := server(t, serve.Options{Embedders: []vecwire.Embedder{model()}})
	golang(t, db)
	p := open(t, s.URL, 1380, 900)
	p.show("#/golang/search?q=when+does+a+timer+fire", ".hit")
	p.run(js(`document.activeElement.blur()`), chromedp.KeyEvent("t"))
	p.until(`document.documentElement.dataset.theme === "dark"`)
	p.shot("dark")
	p.show("#/golang/map?color=package", ".legend span")
	p.shot("dark-map")
	p.run(chromedp.EmulateViewport(400, 820))
	p.show("#/golang/search?q=when+does+a+timer+fire", ".hit")
	require.Empty(t, ask(p, wide), "wider than the screen")
	p.shot("narrow")
	for _, view := range []string{"browse", "map", "measure", "upload", "schema"} {
		p.show("#/golang/"+view, "#view > *")
		require.Empty(t, ask(p, wide), "%s is wider than the screen", view)
	}
	p.clean()
}

// TestNamesForScreenReaders holds every control to a name that can be read out.
func TestNamesForScreenReaders(t *testing.T) {
	s, db := server(t, serve.Options{Embedders: []vecwire.Embedder{model()}})
	golang(t, db)
	p := open(t, s.URL, 1380, 900)
	for _, view := range []string{"search?q=sort", "browse", "map", "measure", "upload", "schema"} {
		p.show("#/golang/"+view, "#view > *")
		nameless := ask(p, chromedp.Evaluate[[]string](`[...document.querySelectorAll("button, input, select, canvas, a")].filter((e) =>
			!(e.ariaLabel || e.innerText?.trim() || e.labels?.length || e.title || e.closest("label")) && e.offsetParent !== null).map((e) => e.outerHTML)`))
		require.Empty(t, nameless, view)
	}
}

// TestLarge opens a collection of 100,000 records (5,000 with -short): no view shows,
// or reads, more of them than fit.
func TestLarge(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 5_000
	}
	s, db := server(t, serve.Options{})
	docs, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "large", Dim: 32, Fields: []vecwire.Field{{Name: "group", Index: true}}})
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(1, 1))
	for at := 0; at < n; at += 5000 {
		records := make([]vecwire.Record, 5000)
		for i := range records {
			group := rng.IntN(6)
			v := make([]float32, 32)
			for j := range v {
				v[j] = float32(rng.NormFloat64())
			}
			v[group] += 6
			records[i] = vecwire.Record{ID: fmt.Sprintf("%06d", at+i), Vector: v, Text: fmt.Sprintf("record %d of group %d", at+i, group), Fields: vecwire.Fields{"group": fmt.Sprint("g", group)}}
		}
		require.NoError(t, docs.Upsert(t.Context(), records...))
	}
	require.NoError(t, docs.BuildIndex(t.Context(), vecwire.IndexOptions{}))
	p := open(t, s.URL, 1380, 900)
	p.show("#/large/measure", "form.row .primary")
	p.run(chromedp.Click(chromedp.CSS("form.row .primary")), chromedp.WaitVisible(chromedp.CSS(".plot svg")))
	p.shot("measure")
	p.show("#/large/search?like=000007", ".hit")
	require.Equal(t, 10, p.count(".hit"))
	p.show("#/large/map?color=group", ".legend span")
	require.Equal(t, 6, p.count(".legend span"))
	p.show("#/large/browse", "tbody tr.open")
	require.Less(t, p.count("*"), 3000, "a page of records is shown, not all")
	p.clean()
}

// TestPolicy reads the headers by which the browser keeps the page from reaching
// elsewhere.
func TestPolicy(t *testing.T) {
	s, _ := server(t, serve.Options{})
	for _, path := range []string{"/", "/assets/app.js", "/assets/style.css"} {
		r, err := s.Client().Get(s.URL + path)
		require.NoError(t, err)
		require.NoError(t, r.Body.Close())
		require.Contains(t, r.Header.Get("Content-Security-Policy"), "default-src 'none'", path)
		require.NotContains(t, r.Header.Get("Content-Security-Policy"), "unsafe", path)
	}
}
