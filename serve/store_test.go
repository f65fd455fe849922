package serve_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/serve"
)

// aBatch are lines of as many bytes as are stored at once.
func aBatch(from int) string {
	var b strings.Builder
	for i := range 5 {
		fmt.Fprintf(&b, `{"id":"%d","vector":[1,0],"text":"%s"}`+"\n", from+i, strings.Repeat("go ", 1<<20/3))
	}
	return b.String()
}

// open begins to send records, and returns where to write more of them to, and the lines
// of the answer as they come.
func (c client) open(path, first string) (io.WriteCloser, *bufio.Scanner) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute) // beyond it the server waits, which is what is tested
	c.t.Cleanup(cancel)
	from, to := io.Pipe()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+path, from)
	require.NoError(c.t, err)
	r.Header.Set("Content-Type", "application/x-ndjson")
	go func() { _, _ = io.WriteString(to, first) }()
	answer, err := http.DefaultClient.Do(r)
	require.NoError(c.t, err)
	c.t.Cleanup(func() { _ = answer.Body.Close() })
	return to, bufio.NewScanner(answer.Body)
}

// A client that sends its records over a long time, and waits for the lines of those that
// it has sent, is told at once that no more can be stored.
func TestStoringThatFailsWaitsForNoMoreRecords(t *testing.T) {
	db := openDB(t, "mem:")
	_, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "docs", Dim: 2})
	require.NoError(t, err)
	c := serving(t, db, serve.Options{Limits: serve.Limits{Stall: time.Hour}})
	more, answer := c.open("/v1/collections/docs/records", aBatch(0))
	for i := range 4 { // the fourth closes the batch
		require.True(t, answer.Scan())
		require.JSONEq(t, fmt.Sprintf(`{"index":%d,"id":"%d","status":"stored"}`, i, i), answer.Text())
	}
	require.NoError(t, db.DropCollection(t.Context(), "docs"))
	_, err = io.WriteString(more, aBatch(5))
	require.NoError(t, err)
	var last string
	for answer.Scan() {
		last = answer.Text()
	}
	require.Contains(t, last, `"done":false,"stored":4,"failed":0`)
	require.Contains(t, last, "urn:vecwire:problem:not-found")
}

// watcher is an Observer that panics when records are stored.
type watcher struct{}

func (watcher) Begin(ctx context.Context, c vecwire.Call) (context.Context, func(vecwire.Outcome)) {
	if c.Op == vecwire.OpUpsert {
		panic("out of order")
	}
	return ctx, func(vecwire.Outcome) {}
}

// A panic while records are stored ends their request, and not the process.
func TestStoringThatPanics(t *testing.T) {
	db, err := vecwire.Config{Observer: watcher{}}.Open(t.Context(), "mem:")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	_, err = db.CreateCollection(t.Context(), vecwire.Schema{Name: "docs", Dim: 2})
	require.NoError(t, err)
	c := serving(t, db, serve.Options{})
	c.lines("/v1/collections/docs/records", `{"id":"1","vector":[1,0]}`).problem(http.StatusInternalServerError, "internal")
	c.do("GET", "/v1/health", "").ok()
}

// slow is an Observer that holds up what is stored, for longer than a client may be silent.
type slow time.Duration

func (s slow) Begin(ctx context.Context, c vecwire.Call) (context.Context, func(vecwire.Outcome)) {
	if c.Op == vecwire.OpUpsert {
		<-time.After(time.Duration(s))
	}
	return ctx, func(vecwire.Outcome) {}
}

// A client may wait for the lines of what it has sent as long as it takes to store that.
func TestStoringMayTakeLong(t *testing.T) {
	t.Parallel()
	const stall = 2 * time.Second
	db, err := vecwire.Config{Observer: slow(2 * stall)}.Open(t.Context(), "mem:")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	_, err = db.CreateCollection(t.Context(), vecwire.Schema{Name: "docs", Dim: 2})
	require.NoError(t, err)
	c := serving(t, db, serve.Options{Limits: serve.Limits{Stall: stall}})
	more, answer := c.open("/v1/collections/docs/records", aBatch(0))
	require.True(t, answer.Scan())
	require.Contains(t, answer.Text(), `"stored"`)
	_, err = io.WriteString(more, `{"id":"last","vector":[1,0]}`)
	require.NoError(t, err)
	require.NoError(t, more.Close())
	var last string
	for answer.Scan() {
		last = answer.Text()
	}
	require.JSONEq(t, `{"done":true,"stored":6,"failed":0}`, last)
}
