package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
)

// serve runs the program and returns its address and what ends it.
func serve(t *testing.T, args ...string) (url string, end func() error) {
	ctx, cancel := context.WithCancel(t.Context())
	addr, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		ended <- run(ctx, append([]string{"-addr", "localhost:0"}, args...), io.Discard, func(a net.Addr) { addr <- a })
	}()
	select {
	case a := <-addr:
		return "http://" + a.String(), func() error { cancel(); return <-ended }
	case err := <-ended:
		cancel()
		require.NoError(t, err)
		return "", nil
	}
}

func call(t *testing.T, url, body string) (int, map[string]any) {
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, "application/json", resp.Header.Get("Content-Type"))
	var out map[string]any
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&out))
	return resp.StatusCode, out
}

func TestService(t *testing.T) {
	db := filepath.Join(t.TempDir(), "test.db")
	url, end := serve(t, "-db", db, "-dim", "3")

	status, out := call(t, url+"/upsert", `{"records": [
		{"id": "1", "vector": [1, 0, 0], "text": "red", "fields": {"lang": "en", "year": 2020}},
		{"id": "2", "vector": [0, 1, 0], "text": "vert", "fields": {"lang": "fr"}}]}`)
	require.Equal(t, 200, status, out)
	require.EqualValues(t, 2, out["stored"])

	status, out = call(t, url+"/search", `{"vector": [1, 0.1, 0], "k": 1, "filter": "year >= 2020"}`)
	require.Equal(t, 200, status, out)
	found := out["hits"].([]any)[0].(map[string]any)
	require.Equal(t, "1", found["id"])
	require.Equal(t, "red", found["text"])
	require.EqualValues(t, 2020, found["fields"].(map[string]any)["year"])

	resp, err := http.Get(url + "/healthz")
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, 200, resp.StatusCode)

	for body, want := range map[string]string{
		`{"vector": [1, 0]}`:                             "bad_request vector",
		`{"vector": [1, 0, 0], "k": -1}`:                 "bad_request k",
		`{"vector": [1, 0, 0], "filter": "lang =="}`:     "bad_request filter",
		`{"vector": [1, 0, 0], "filter": "size == 1"}`:   "bad_request size",
		`{"vector": "x"}`:                                "bad_request vector",
		`{"vector": [1, 0, 0], "limit": 4}`:              "bad_request ",
		`{"text": "` + strings.Repeat("x", 9<<20) + `"}`: "too_large ",
	} {
		status, out := call(t, url+"/search", body)
		require.GreaterOrEqual(t, status, 400)
		require.Less(t, status, 500, out)
		e := out["error"].(map[string]any)
		field, _ := e["field"].(string)
		require.Equal(t, want, fmt.Sprint(e["code"], " ", field), "%.60s: %v", body, e)
	}
	status, out = call(t, url+"/upsert", `{"records": [{"id": "3", "vector": [1, 0, 0]}, {"id": "4", "vector": [0, 0, 0]}]}`)
	require.Equal(t, 400, status)
	refused := out["error"].(map[string]any)["records"].([]any)
	require.Len(t, refused, 1)
	require.Equal(t, "4", refused[0].(map[string]any)["id"])

	require.NoError(t, end())
	url, end = serve(t, "-db", db, "-dim", "3")
	status, out = call(t, url+"/search", `{"vector": [0, 1, 0]}`)
	require.Equal(t, 200, status)
	require.Len(t, out["hits"], 2, "what was refused is not there, what was stored is")
	require.NoError(t, end())
}

// newTest returns a server of a collection in memory that holds so many requests at a
// time.
func newTest(t *testing.T, concurrency int, e vecwire.Embedder) (*httptest.Server, *vecwire.DB) {
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	schema := vecwire.Schema{Name: "docs", Dim: 3, Fields: []vecwire.Field{
		{Name: "n", Type: vecwire.Int}, {Name: "x", Type: vecwire.Float}, {Name: "lang"},
	}}
	if e != nil {
		schema.Model = e.Model()
	}
	c, err := db.CreateCollection(t.Context(), schema)
	require.NoError(t, err)
	if e != nil {
		c, err = c.WithEmbedder(e)
		require.NoError(t, err)
	}
	server := httptest.NewServer(newService(db, c, concurrency, []string{"search.example"}, slog.New(slog.DiscardHandler)))
	t.Cleanup(server.Close)
	return server, db
}

// TestBusy fills every place with requests that are being answered.
func TestBusy(t *testing.T) {
	begun, hold := make(chan bool), make(chan bool)
	e := embed.Func("slow", 3, func(context.Context, []string, embed.Use) ([][]float32, error) {
		begun <- true
		<-hold
		return [][]float32{{1, 0, 0}}, nil
	})
	server, db := newTest(t, 1, e)
	first := make(chan int, 1)
	go func() {
		resp, err := http.Post(server.URL+"/search", "application/json", strings.NewReader(`{"text": "slow"}`))
		if err == nil {
			resp.Body.Close()
			first <- resp.StatusCode
		}
		close(first)
	}()
	<-begun
	resp, err := http.Post(server.URL+"/search", "application/json", strings.NewReader(`{"vector": [1, 0, 0]}`))
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.Equal(t, "1", resp.Header.Get("Retry-After"))
	close(hold)
	require.Equal(t, 200, <-first)
	status, out := call(t, server.URL+"/search", `{"vector": [1, 0, 0]}`)
	require.Equal(t, 200, status, out)

	require.NoError(t, db.Close())
	resp, err = http.Get(server.URL + "/healthz")
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
}

// TestSlowBodiesHoldNoPlace has more clients that never end their bodies than places.
func TestSlowBodiesHoldNoPlace(t *testing.T) {
	server, _ := newTest(t, 1, nil)
	for range 20 {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "POST /search HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n")
		require.NoError(t, err)
		line, err := bufio.NewReader(conn).ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, "100 Continue", "the service reads the body")
		_, err = io.WriteString(conn, `{"vector":`)
		require.NoError(t, err)
	}
	status, out := call(t, server.URL+"/search", `{"vector": [1, 0, 0]}`)
	require.Equal(t, 200, status, out)
}

// TestSlowReadersHoldNoPlace has a client that does not read an answer of many bytes.
func TestSlowReadersHoldNoPlace(t *testing.T) {
	server, db := newTest(t, 1, nil)
	c, err := db.OpenCollection(t.Context(), "docs")
	require.NoError(t, err)
	for id := range 8 {
		require.NoError(t, c.Upsert(t.Context(), vecwire.Record{ID: fmt.Sprint(id), Vector: []float32{1, 0, 0}, Text: strings.Repeat("x", 4<<20)}))
	}
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	body := `{"vector": [1, 0, 0]}`
	_, err = fmt.Fprintf(conn, "POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	require.NoError(t, err)
	line, err := bufio.NewReaderSize(conn, 16).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "200 OK")
	status, out := call(t, server.URL+"/search", `{"vector": [1, 0, 0], "k": 1}`)
	require.Equal(t, 200, status, out["error"])

	// Answers that are not read share the memory with bodies.
	held := 0
	for ; held < 9; held++ {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		_, err = fmt.Fprintf(conn, "POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		require.NoError(t, err)
		line, err := bufio.NewReaderSize(conn, 16).ReadString('\n')
		require.NoError(t, err)
		if strings.Contains(line, "503") {
			break
		}
	}
	require.Less(t, held, maxBuffered/(8*4<<20))
}

// TestMemory takes all memory for bodies: a further one is refused, and served when
// there is some again.
func TestMemory(t *testing.T) {
	var m memory
	m.left.Store(1 << 13)
	read := func(n int) ([]byte, func(), error) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", n)))
		return m.read(httptest.NewRecorder(), r)
	}
	body, release, err := read(5000)
	require.NoError(t, err)
	require.Len(t, body, 5000)
	_, release2, err := read(1)
	require.Equal(t, errBusy, err)
	release2()
	release()
	require.EqualValues(t, 1<<13, m.left.Load())
	_, release, err = read(9000)
	require.Equal(t, errBusy, err)
	release()
	require.EqualValues(t, 1<<13, m.left.Load())
	_, release, err = read(1)
	require.NoError(t, err)
	release()
}

// TestLargeBodies sends the largest bodies of the smallest parts: they are refused
// with little memory.
func TestLargeBodies(t *testing.T) {
	server, _ := newTest(t, 1, nil)
	fill := func(before, part, after string) string {
		return before + strings.Repeat(part, (maxBody-len(before)-len(after))/len(part)) + after
	}
	for name, body := range map[string]string{
		"records":  fill(`{"records": [{}`, `,{}`, `]}`),
		"elements": fill(`{"records": [{"id": "1", "vector": [0`, `,0`, `]}]}`),
		"lists":    fill(`{"vector": [[]`, `,[]`, `]}`),
		"fields":   fill(`{"records": [{"id": "1", "fields": {"a":1`, `,"b":1`, `}}]}`),
		"nested":   fill(`{"records": [{"id": "1", "fields": {"a":[{}`, `,{}`, `]}}]}`),
		"depth":    `{"records": [{"id": "1", "fields": {"a":` + strings.Repeat("[", 4<<20),
	} {
		path := "/upsert"
		if !strings.HasPrefix(body, `{"records"`) {
			path = "/search"
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		status, out := call(t, server.URL+path, body)
		runtime.ReadMemStats(&after)
		require.Equal(t, 400, status, "%s: %v", name, out)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8*maxBody), name)
	}
}

func TestHostsAndOrigins(t *testing.T) {
	server, _ := newTest(t, 1, nil)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		host   string
		header http.Header
		want   int
	}{
		"an address":                 {"127.0.0.1:" + port, nil, 200},
		"an address of IPv6":         {"[::1]:80", nil, 200},
		"an address without a port":  {"::1", nil, 200},
		"localhost":                  {"LOCALHOST:" + port, nil, 200},
		"a name that was given":      {"search.example", nil, 200},
		"a name that was pointed":    {"evil.example:" + port, nil, 421},
		"a name like localhost":      {"localhost.evil.example", nil, 421},
		"the page's own":             {"localhost:1", http.Header{"Origin": {"http://localhost:1"}}, 200},
		"another page":               {"localhost:1", http.Header{"Origin": {"http://evil.example"}}, 403},
		"another port":               {"localhost:1", http.Header{"Origin": {"http://localhost:2"}}, 403},
		"a page without an origin":   {"localhost:1", http.Header{"Origin": {"null"}}, 403},
		"another page, says fetch":   {"localhost:1", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		"the page's own, says fetch": {"localhost:1", http.Header{"Sec-Fetch-Site": {"same-origin"}}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequest(http.MethodPost, server.URL+"/search", strings.NewReader(`{"vector": [1, 0, 0]}`))
			require.NoError(t, err)
			req.Host = tt.host
			if tt.header != nil {
				req.Header = tt.header
			}
			resp, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			resp.Body.Close()
			require.Equal(t, tt.want, resp.StatusCode)
		})
	}
	require.False(t, ours("", nil))
}

// TestOnlyWhatWasSentIsStored sends bodies that a lenient reader takes for others.
func TestOnlyWhatWasSentIsStored(t *testing.T) {
	server, db := newTest(t, 1, nil)
	c, err := db.OpenCollection(t.Context(), "docs")
	require.NoError(t, err)
	record := func(rest string) string { return `{"records": [{"vector": [1, 0, 0], ` + rest + `}]}` }
	for name, body := range map[string]string{
		"two values":             record(`"id": "1"`) + record(`"id": "2"`),
		"trailing garbage":       record(`"id": "1"`) + "x",
		"a trailing brace":       record(`"id": "1"`) + "}",
		"nothing":                "",
		"a list":                 "[]",
		"null":                   "null",
		"cut off":                `{"records": [{"id": "1", "vector": [1, 0, 0]}`,
		"records twice":          `{"records": [], "records": []}`,
		"an unknown key":         `{"records": [], "more": 1}`,
		"an unknown key inside":  record(`"id": "1", "vectors": 1`),
		"invalid UTF-8":          record("\"id\": \"\xff\""),
		"half a character":       record(`"id": "\ud800"`),
		"the other half":         record(`"id": "\udc00"`),
		"halves turned":          record(`"id": "\udc00\ud800"`),
		"half and an escape":     record(`"id": "\ud800\n"`),
		"NUL":                    record(`"id": "\u0000"`),
		"null in a vector":       `{"records": [{"id": "1", "vector": [1, null, 0]}]}`,
		"a number too large":     `{"records": [{"id": "1", "vector": [1, 1e39, 0]}]}`,
		"a vector too long":      `{"records": [{"id": "1", "vector": [1, 0, 0, 0]}]}`,
		"a whole number":         record(`"id": "1", "fields": {"n": 9223372036854775808}`),
		"a whole number, exact?": record(`"id": "1", "fields": {"x": 9007199254740993}`),
		"a fraction":             record(`"id": "1", "fields": {"n": 3.00000000000000000001}`),
		"a fraction of 2^53":     record(`"id": "1", "fields": {"n": 9007199254740992.4}`),
		"nearly nothing":         record(`"id": "1", "fields": {"x": 1e-999999999}`),
		"very much":              record(`"id": "1", "fields": {"x": 1e999999999}`),
		"many digits":            record(`"id": "1", "fields": {"x": 0.` + strings.Repeat("1", 100) + `}`),
		"a field twice":          record(`"id": "1", "fields": {"n": 1, "n": 2}`),
		"a list in a field":      record(`"id": "1", "fields": {"n": [1]}`),
		"fields in a list":       record(`"id": "1", "fields": []`),
	} {
		status, out := call(t, server.URL+"/upsert", body)
		require.Equal(t, 400, status, "%s: %v", name, out)
		require.NotEmpty(t, out["error"].(map[string]any)["message"])
	}
	n, err := c.Count(t.Context(), filter.Filter{})
	require.NoError(t, err)
	require.Zero(t, n)

	for body, want := range map[string]vecwire.Fields{
		`{"n": 9007199254740993}`:                             {"n": int64(9007199254740993)},
		`{"n": 9007199254740993.0}`:                           {"n": int64(9007199254740993)},
		`{"n": 9.007199254740993e15}`:                         {"n": int64(9007199254740993)},
		`{"n": -9223372036854775808}`:                         {"n": int64(math.MinInt64)},
		`{"n": 3.0, "x": 1e18, "lang": null}`:                 {"n": int64(3), "x": 1e18},
		`{"x": 1e300, "lang": "\ud83d\ude00 \\ud800 \u00e9"}`: {"x": 1e300, "lang": "😀 \\ud800 é"},
		`{"x": 0.1, "n": 0e5}`:                                {"x": 0.1, "n": int64(0)},
	} {
		status, out := call(t, server.URL+"/upsert", record(`"id": "1", "fields": `+body))
		require.Equal(t, 200, status, "%s: %v", body, out)
		got, err := c.Get(t.Context(), "1")
		require.NoError(t, err)
		require.Equal(t, want, got[0].Fields)
	}
	resp, err := http.Post(server.URL+"/upsert", "application/json", strings.NewReader(record(`"id": "1", "fields": {"n": 9007199254740993}`)))
	require.NoError(t, err)
	resp.Body.Close()
	resp, err = http.Post(server.URL+"/search", "application/json", strings.NewReader(`{"vector": [1, 0, 0]}`))
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Contains(t, string(answer), `"n":9007199254740993`)
}
