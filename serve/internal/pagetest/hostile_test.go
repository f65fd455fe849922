package pagetest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/serve"
)

// wide lists the elements that stand out of the screen, but for those that scroll.
var wide = chromedp.Evaluate[[]string](`[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 &&
	!e.closest("#collections, [role=tablist], .scroll, svg, .visually-hidden")).map((e) => e.outerHTML.slice(0, 120))`)

// hostile makes a collection of what pages tend to break on.
func hostile(t *testing.T, db *vecwire.DB) {
	t.Helper()
	long := "x" + strings.Repeat("y", 47)
	c, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: long, Dim: 4, FullText: vecwire.Words, Model: strings.Repeat("model-", 30),
		Fields: []vecwire.Field{{Name: strings.Repeat("field", 9), Index: true}, {Name: "n", Type: vecwire.Int}}})
	require.NoError(t, err)
	texts := []string{
		strings.Repeat("word ", 40_000), strings.Repeat("unbroken", 4_000), "שלום עולם \u202eright to left\u202c", "👩‍👩‍👧‍👦 e\u0301 word",
		"", "<img src=x onerror=alert(1)> word", "word\nline\r\n\ttab \x01 word",
	}
	var records []vecwire.Record
	for i, text := range texts {
		records = append(records, vecwire.Record{ID: fmt.Sprintf("%s/?#&%%%d", strings.Repeat("id", 60), i), Text: text, Vector: []float32{1, float32(i), 0, 0},
			Fields: vecwire.Fields{strings.Repeat("field", 9): strings.Repeat("value", 50), "n": int64(-1 << 63)}})
	}
	require.NoError(t, c.Upsert(t.Context(), records...))
	_, err = db.CreateCollection(t.Context(), vecwire.Schema{Name: "empty", Dim: 3, FullText: vecwire.Words})
	require.NoError(t, err)
}

// TestHostile shows records that are long, in any script, and look like HTML, an empty
// collection, searches without hits, addresses that mean nothing, and a server that
// fails, on a wide and on a narrow screen.
func TestHostile(t *testing.T) {
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	hostile(t, db)
	var failing atomic.Bool
	ours := serve.New(db, serve.Options{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if failing.Load() && strings.Contains(r.URL.Path, "/v1/") {
			http.Error(w, "<h1>bad gateway</h1>", http.StatusBadGateway) // as a proxy does, not in JSON
			return
		}
		ours.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	name := "x" + strings.Repeat("y", 47)
	p := open(t, s.URL, 1380, 900)
	for _, width := range []int64{1380, 380} {
		p.run(chromedp.EmulateViewport(width, 820))
		for _, dark := range []string{"light", "dark"} {
			p.show("#/"+name+"/search?q=word&w=0", ".hit")
			p.run(js(fmt.Sprintf(`document.documentElement.dataset.theme = %q`, dark)))
			require.Empty(t, ask(p, wide), "search at %d", width)
			p.keep(fmt.Sprintf("hostile-search-%d-%s", width, dark))
			p.show("#/"+name+"/browse", "tbody tr.open")
			require.Empty(t, ask(p, wide), "browse at %d", width)
			p.keep(fmt.Sprintf("hostile-browse-%d-%s", width, dark))
		}
		p.run(js(`document.querySelector("tbody tr.open").click()`), chromedp.WaitVisible(chromedp.CSS("dialog[open] .pairs")))
		require.Empty(t, ask(p, wide), "record at %d", width)
		require.Greater(t, ask(p, chromedp.Evaluate[float64](`Math.min(...[...document.querySelectorAll("dialog dd")].map((e) => e.getBoundingClientRect().width))`)), 100.0, "a long name leaves room for the value")
		p.keep(fmt.Sprintf("hostile-record-%d", width))
		for _, view := range []string{"map", "measure", "upload", "schema"} {
			p.show("#/"+name+"/"+view, "#view > *")
			require.Empty(t, ask(p, wide), "%s at %d", view, width)
			p.keep(fmt.Sprintf("hostile-%s-%d", view, width))
		}
		for _, view := range []string{"search?q=nothing&w=0", "browse", "map", "measure", "upload", "schema"} {
			p.show("#/empty/"+view, "#view > *")
			require.Empty(t, ask(p, wide), "%s of an empty collection at %d", view, width)
			p.keep(fmt.Sprintf("empty-%s-%d", strings.Split(view, "?")[0], width))
		}
	}
	require.Zero(t, p.count("#main img"), "texts are shown as text")

	t.Log("sizes in the list of collections")
	p.until(`document.querySelector('[data-count="empty"]').innerText === "0 · 0 B"`)
	p.until(fmt.Sprintf(`document.querySelector('[data-count="%s"]').innerText === "7 · 112 B"`, name))

	t.Log("addresses that mean nothing")
	p.show("#/%/search", "[role=alert]")
	p.show("#/nope/search", "[role=alert]")
	p.show("#/empty/nonsense", "#view > *")
	require.Equal(t, 1, p.count("[role=tab][aria-selected=true]"), "a view is chosen")

	t.Log("a server that fails, and comes back")
	p.show("#/empty/browse", "#view > *")
	failing.Store(true)
	p.run(js(`location.hash = "#/` + name + `/browse"`))
	p.until(`document.querySelector("#main [role=alert]")?.innerText.includes("502")`)
	failing.Store(false)
	p.run(js(`location.hash = "#/`+name+`/search"`), chromedp.WaitVisible(chromedp.CSS("#view form")))
	p.clean("502", "404", "400")
}

// keep takes a picture for somebody who looks, if VECWIRE_SCREENSHOTS_HOSTILE names a folder.
func (p *page) keep(name string) {
	if dir := os.Getenv("VECWIRE_SCREENSHOTS_HOSTILE"); dir != "" {
		require.NoError(p.t, os.WriteFile(dir+"/"+name+".png", ask(p, chromedp.CaptureScreenshot()), 0o644))
	}
}
