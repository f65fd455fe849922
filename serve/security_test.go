package serve_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/serve"
)

func token(t *testing.T, name string, scope serve.Scope, change func(*serve.Token)) serve.Token {
	t.Helper()
	made, err := serve.NewToken(name, "the secret of "+name, scope)
	require.NoError(t, err)
	if change != nil {
		change(&made)
	}
	return made
}

func TestTokens(t *testing.T) {
	t.Parallel()
	db := openDB(t, "mem:")
	c := serving(t, db, serve.Options{Tokens: []serve.Token{
		token(t, "reader", serve.Read, nil),
		token(t, "writer", serve.Write, func(t *serve.Token) { t.Collections = []string{"Docs"} }),
		token(t, "admin", serve.Admin, nil),
		token(t, "tenant", serve.Write, func(t *serve.Token) { t.Namespaces = []string{"a"} }),
		token(t, "two", serve.Read, func(t *serve.Token) { t.Namespaces = []string{"a", "b"} }),
	}})
	reader, writer, admin := c.with("the secret of reader"), c.with("the secret of writer"), c.with("the secret of admin")
	tenant, two := c.with("the secret of tenant"), c.with("the secret of two")
	for _, wrong := range []client{c, c.with("the secret of nobody"), c.with("the secret of reader2"), c.with("")} {
		r := wrong.do("GET", "/v1/collections", "")
		r.problem(401, "unauthorized")
		require.Equal(t, "Bearer", r.header.Get("WWW-Authenticate"))
	}
	c.do("GET", "/v1/collections", "", "Authorization", "Basic the secret of reader").problem(401, "unauthorized")
	c.do("GET", "/v1/health", "").ok()
	c.do("GET", "/metrics", "").problem(401, "unauthorized")

	for _, name := range []string{"docs", "other"} {
		body := `{"name":"` + name + `","dim":1,"fields":[{"name":"namespace","index":true}]}`
		writer.do("POST", "/v1/collections", body).problem(403, "forbidden")
		admin.do("POST", "/v1/collections", body).ok()
	}
	put := `{"vector":[1]}`
	reader.do("PUT", "/v1/collections/docs/records/1", put).problem(403, "forbidden")
	writer.do("PUT", "/v1/collections/other/records/1", put).problem(403, "forbidden")
	writer.do("PUT", "/v1/collections/none/records/1", put).problem(403, "forbidden")
	require.Equal(t, 204, writer.do("PUT", "/v1/collections/docs/records/b%2F1?namespace=b", put).status)
	writer.do("DELETE", "/v1/collections/docs", "").problem(403, "forbidden")
	require.Len(t, reader.do("GET", "/v1/collections", "").ok()["collections"], 2)
	require.Len(t, writer.do("GET", "/v1/collections", "").ok()["collections"], 1)

	require.Equal(t, 204, tenant.do("PUT", "/v1/collections/docs/records/mine", put).status)
	require.Equal(t, []string{"mine"}, idsOf(t, tenant.do("POST", "/v1/collections/docs/search", `{"vector":[1]}`).ok()))
	require.Equal(t, "a/mine", admin.do("GET", "/v1/collections/docs/records/a%2Fmine", "").ok()["id"])
	tenant.do("POST", "/v1/collections/docs/search?namespace=b", `{"vector":[1]}`).problem(403, "forbidden")
	two.do("POST", "/v1/collections/docs/search", `{"vector":[1]}`).problem(403, "forbidden")
	require.Equal(t, []string{"b/1"}, idsOf(t, two.do("POST", "/v1/collections/docs/search?namespace=b", `{"vector":[1]}`).ok()))
	require.Equal(t, json1(1), tenant.do("GET", "/v1/collections/docs", "").ok()["count"])
}

func TestTokensAreBounded(t *testing.T) {
	t.Parallel()
	c := serving(t, openDB(t, "mem:"), serve.Options{Tokens: []serve.Token{
		token(t, "slow", serve.Read, func(t *serve.Token) { t.PerSecond = 1e-6 }),
		token(t, "other", serve.Read, nil),
	}}).with("the secret of slow")
	c.do("GET", "/v1/collections", "").ok()
	r := c.do("GET", "/v1/collections", "")
	r.problem(429, "too-many")
	require.Equal(t, "1", r.header.Get("Retry-After"))
	c.with("the secret of other").do("GET", "/v1/collections", "").ok()
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	good := token(t, "good", serve.Read, nil)
	for name, o := range map[string]serve.Options{
		"no name":     {Tokens: []serve.Token{token(t, "wrong", serve.Read, func(t *serve.Token) { t.Name = "" })}},
		"no secret":   {Tokens: []serve.Token{{Name: "x", Scope: serve.Read}}},
		"no scope":    {Tokens: []serve.Token{token(t, "wrong", 0, nil)}},
		"twice":       {Tokens: []serve.Token{good, good}},
		"admin of ns": {Tokens: []serve.Token{token(t, "wrong", serve.Admin, func(t *serve.Token) { t.Namespaces = []string{"a"} })}},
		"limit":       {Limits: serve.Limits{K: -1}},
		"origin":      {Origins: []string{"https://a.example/path"}},
		"embedder":    {Embedders: []vecwire.Embedder{nil}},
		"embedders":   {Embedders: []vecwire.Embedder{letters, letters}},
	} {
		require.Error(t, o.Check(), name)
		serving(t, openDB(t, "mem:"), o).do("GET", "/v1/health", "").is(t, 500)
	}
	require.NoError(t, serve.Options{Tokens: []serve.Token{good}}.Check())
	_, err := serve.NewToken("short", "secret", serve.Read)
	require.ErrorContains(t, err, "short")
	require.NotContains(t, err.Error(), "secret \"secret")
}

func (r reply) is(t *testing.T, status int) {
	t.Helper()
	require.Equal(t, status, r.status, "%s", r.body)
}

// TestRebinding calls as a page does whose name was pointed at this machine.
func TestRebinding(t *testing.T) {
	t.Parallel()
	db := openDB(t, "mem:")
	c := serving(t, db, serve.Options{})
	for _, host := range []string{"evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example", "192.0.2.1", ""} {
		if host != "" {
			c.do("GET", "/v1/collections", "", "Host", host).problem(421, "misdirected")
			c.do("GET", "/", "", "Host", host).problem(421, "misdirected")
			c.do("GET", "/none", "", "Host", host).problem(421, "misdirected")
		}
	}
	for _, host := range []string{"localhost", "LOCALHOST:1", "127.0.0.1:99", "[::1]:1"} {
		c.do("GET", "/v1/collections", "", "Host", host).ok()
	}
	own := strings.TrimPrefix(c.url, "http://")
	c.do("GET", "/v1/collections", "", "Origin", "http://"+own).ok()
	for _, origin := range []string{"http://evil.example", "null", "http://127.0.0.1:1", "http://" + own + ".evil.example"} {
		r := c.do("POST", "/v1/collections", `{"name":"docs","dim":1}`, "Origin", origin)
		r.problem(403, "misdirected")
		require.Empty(t, r.header.Get("Access-Control-Allow-Origin"))
	}

	r := httptest.NewRequest(http.MethodGet, "http://localhost/v1/collections", nil) // of 192.0.2.1
	w := httptest.NewRecorder()
	serve.New(db, serve.Options{}).ServeHTTP(w, r)
	require.Equal(t, 403, w.Code)
	w = httptest.NewRecorder()
	serve.New(db, serve.Options{Hosts: []string{"localhost"}}).ServeHTTP(w, r)
	require.Equal(t, 200, w.Code)

	named := serving(t, db, serve.Options{Hosts: []string{"Search.example"}})
	named.do("GET", "/v1/collections", "", "Host", "search.example").ok()
	named.do("GET", "/v1/collections", "").problem(421, "misdirected")
	serving(t, db, serve.Options{Hosts: []string{"*"}}).do("GET", "/v1/collections", "", "Host", "any.example").ok()
}

func TestOtherOrigins(t *testing.T) {
	t.Parallel()
	c := serving(t, openDB(t, "mem:"), serve.Options{Origins: []string{"https://app.example"}})
	asked := c.do("OPTIONS", "/v1/collections", "", "Origin", "https://app.example", "Access-Control-Request-Method", "POST")
	asked.is(t, 204)
	require.Equal(t, "https://app.example", asked.header.Get("Access-Control-Allow-Origin"))
	r := c.do("GET", "/v1/collections", "", "Origin", "https://app.example")
	r.ok()
	require.Equal(t, "https://app.example", r.header.Get("Access-Control-Allow-Origin"))
	c.do("OPTIONS", "/v1/collections", "", "Origin", "https://other.example", "Access-Control-Request-Method", "POST").problem(403, "misdirected")
}

func TestLimits(t *testing.T) {
	t.Parallel()
	c := serving(t, openDB(t, "mem:"), serve.Options{Limits: serve.Limits{Body: 300, Bulk: 4000, Line: 1000, FilterDepth: 3, FilterValues: 4, IDs: 2, Queries: 1}})
	c.do("POST", "/v1/collections", `{"name":"docs","dim":1}`).ok()
	c.do("POST", "/v1/collections/docs/search", `{"text":"`+strings.Repeat("x", 300)+`"}`).problem(413, "too-large")
	r := c.request("POST", "/v1/collections/docs/search", "application/json", "")
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(`{"text":"`+strings.Repeat("x", 300)+`"}`)), -1
	c.send(r).problem(413, "too-large")
	count := func(filter string) reply {
		return c.do("POST", "/v1/collections/docs/count", `{"filter":`+filter+`}`)
	}
	count(`{"$or":[{"id":"a"},{"$not":{"id":"b"}}]}`).ok()
	count(`{"$or":[{"id":"a"},{"$not":{"$not":{"id":"b"}}}]}`).problem(400, "invalid")
	count(`{"id":{"$in":["a","b","c","d","e"]}}`).problem(400, "invalid")
	count(strings.Repeat(`{"$not":`, 30)+`{}`+strings.Repeat(`}`, 30)).problem(400, "invalid")
	c.do("GET", "/v1/collections/docs/records?filter="+strings.Repeat("!", 10)+"(id==%22a%22)", "").problem(400, "invalid")
	c.do("POST", "/v1/collections/docs/get", `{"ids":["a","b","c"]}`).problem(400, "invalid")
	c.do("POST", "/v1/collections/docs/search-many", `{"queries":[{"vector":[1]},{"vector":[1]}]}`).problem(400, "invalid")
	c.do("POST", "/v1/collections/docs/search", strings.Repeat("[", 299)).problem(400, "malformed")

	long := c.lines("/v1/collections/docs/records", `{"id":"a","vector":[1]}`+"\n"+`{"id":"b","text":"`+strings.Repeat("x", 1500)+`"}`+"\n").each()
	require.Equal(t, "the record has more than 1000 bytes", long[1]["error"].(map[string]any)["detail"])
	require.Equal(t, map[string]any{"done": true, "stored": json1(1), "failed": json1(1)}, long[2])
	c.lines("/v1/collections/docs/records", strings.Repeat(`{"id":"a","vector":[1]}`+"\n", 300)).problem(413, "too-large")
}

// TestBusy holds the only slot and sees the next request refused.
func TestBusy(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	e := embed.Func("waits", 1, func(context.Context, []string, embed.Use) ([][]float32, error) {
		close(entered)
		<-leave
		return [][]float32{{1}}, nil
	})
	c := serving(t, openDB(t, "mem:"), serve.Options{Embedders: []vecwire.Embedder{e}, Limits: serve.Limits{Concurrency: 1}})
	c.do("POST", "/v1/collections", `{"name":"docs","model":"waits"}`).ok()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.do("POST", "/v1/collections/docs/search", `{"text":"a"}`).ok()
	}()
	<-entered
	r := c.do("GET", "/v1/collections", "")
	r.problem(503, "busy")
	require.Equal(t, "1", r.header.Get("Retry-After"))
	c.do("GET", "/v1/health", "").ok()
	close(leave)
	<-done
	c.do("GET", "/v1/collections", "").ok()
}

// lockedBuffer is a log that requests and the test use at the same time.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestNothingLeaks makes the embedder, the database and a handler fail: the reason is
// in the log, under the request's ID, and nothing of it is in the answer.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	db := openDB(t, "mem:")
	c := serving(t, db, serve.Options{
		Embedders: []vecwire.Embedder{letters}, Logger: slog.New(slog.NewJSONHandler(&log, nil)),
		Tokens: []serve.Token{token(t, "admin", serve.Admin, nil)},
	}).with("the secret of admin")
	c.do("POST", "/v1/collections", docs).ok()
	for _, word := range []string{"panic", "refused"} {
		r := c.do("POST", "/v1/collections/docs/search", `{"text":"`+word+` question"}`, "X-Request-Id", "mine-"+word)
		require.GreaterOrEqual(t, r.status, 500)
		require.Equal(t, "mine-"+word, r.header.Get("X-Request-Id"))
		require.NotContains(t, string(r.body), "secret")
		require.NotContains(t, string(r.body), "goroutine")
	}
	require.NoError(t, db.Close())
	c.do("POST", "/v1/collections/docs/search", `{"vector":[1,2,3]}`).problem(503, "unavailable")
	c.do("GET", "/v1/ready", "").problem(503, "unavailable")
	c.do("GET", "/v1/health", "").ok()
	c.do("GET", "/v1/health", "", "X-Request-Id", "no\tgood").ok()

	for line := range strings.Lines(log.String()) {
		require.NotContains(t, line, "the secret of admin")
		require.NotContains(t, line, "question")
	}
	require.Contains(t, log.String(), `"id":"mine-panic","method":"POST","route":"/v1/collections/{collection}/search","collection":"docs","token":"admin","status":500`)
	require.Contains(t, log.String(), "the embedder's own secret")
}

func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	c := serving(t, openDB(t, "mem:"), serve.Options{})
	c.do("GET", "/v1/nothing", "").problem(404, "not-found")
	c.do("GET", "/assets/nothing.js", "").problem(404, "not-found")
	r := c.do("PATCH", "/v1/collections", "")
	r.problem(405, "not-allowed")
	require.Equal(t, []string{"GET", "POST"}, r.header.Values("Allow"))
	c.do("GET", "/v1/collections?surprise=1", "").problem(400, "invalid")
	c.do("GET", "/v1/collections/docs?namespace=a&namespace=b", "").problem(400, "invalid")
	serving(t, openDB(t, "mem:"), serve.Options{NoPage: true}).do("GET", "/", "").problem(404, "not-found")
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	c := serving(t, openDB(t, "mem:"), serve.Options{})
	c.do("GET", "/v1/collections", "").ok()
	c.do("GET", "/v1/collections/none", "").problem(404, "not-found")
	text := string(c.do("GET", "/metrics", "").body)
	require.Contains(t, text, `vecwire_http_requests_total{operation="listCollections",code="200"} 1`)
	require.Contains(t, text, `vecwire_http_requests_total{operation="getCollection",code="404"} 1`)
	require.Contains(t, text, `vecwire_http_request_seconds_count{operation="listCollections"} 1`)
	require.Contains(t, text, "vecwire_http_requests_running 1\n")
}

// TestCutOff closes the database in the middle of a stream. The caller must see that
// what came is not all.
func TestCutOff(t *testing.T) {
	t.Parallel()
	db := openDB(t, "mem:")
	c := serving(t, db, serve.Options{})
	c.do("POST", "/v1/collections", `{"name":"docs","dim":1}`).ok()
	docs, err := db.OpenCollection(t.Context(), "docs")
	require.NoError(t, err)
	records := make([]vecwire.Record, 20000)
	for i := range records {
		records[i] = vecwire.Record{ID: fmt.Sprintf("%05d", i), Vector: []float32{1}, Text: strings.Repeat("x", 1000)}
	}
	require.NoError(t, docs.Upsert(t.Context(), records...))
	answer, err := http.DefaultClient.Do(c.request("GET", "/v1/collections/docs/records", "", ""))
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, 200, answer.StatusCode)
	require.NoError(t, db.Close())
	_, err = io.Copy(io.Discard, answer.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

// TestRun ends a server while it answers a request: the answer comes, unless it takes
// longer than was allowed.
func TestRun(t *testing.T) {
	t.Parallel()
	for name, within := range map[string]time.Duration{"in time": time.Minute, "too late": time.Nanosecond} {
		t.Run(name, func(t *testing.T) {
			entered, leave := make(chan struct{}), make(chan struct{})
			e := embed.Func("waits", 1, func(ctx context.Context, _ []string, _ embed.Use) ([][]float32, error) {
				close(entered)
				select {
				case <-leave:
					return [][]float32{{1}}, nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			})
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			ctx, end := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() {
				ended <- serve.Run(ctx, serve.Server(serve.New(openDB(t, "mem:"), serve.Options{Embedders: []vecwire.Embedder{e}})), l, within)
			}()
			c := client{t: t, url: "http://" + l.Addr().String()}
			c.do("POST", "/v1/collections", `{"name":"docs","model":"waits"}`).ok()
			c.do("GET", "/v1/ready", "").ok()
			answered := make(chan int, 1)
			go func() {
				r, err := http.DefaultClient.Do(c.request("POST", "/v1/collections/docs/search", "application/json", `{"text":"a"}`))
				if err != nil {
					answered <- 0
					return
				}
				r.Body.Close()
				answered <- r.StatusCode
			}()
			<-entered
			end()
			if within > time.Second {
				close(leave)
				require.Equal(t, 200, <-answered)
				require.NoError(t, <-ended)
				return
			}
			require.ErrorIs(t, <-ended, context.DeadlineExceeded)
			require.NotEqual(t, 200, <-answered)
		})
	}
}
