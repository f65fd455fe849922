package serve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/internal/testenv"
	"github.com/vecwire/vecwire/serve"
)

// onEngines runs a test over the embedded engine and PostgreSQL.
func onEngines(t *testing.T, run func(t *testing.T, db *vecwire.DB)) {
	t.Run("embedded", func(t *testing.T) { run(t, openDB(t, "mem:")) })
	t.Run("postgres", func(t *testing.T) { run(t, openDB(t, testenv.Postgres(t))) })
}

func openDB(t testing.TB, url string) *vecwire.DB {
	t.Helper()
	db, err := vecwire.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// client calls a server.
type client struct {
	t     testing.TB
	url   string
	token string
	spec  map[string]any // the OpenAPI document, nil if answers are not held against it
}

// serving starts a server for the length of a test.
func serving(t testing.TB, db *vecwire.DB, o serve.Options) client {
	t.Helper()
	s := httptest.NewServer(serve.New(db, o))
	t.Cleanup(s.Close)
	return client{t: t, url: s.URL, spec: serve.Document(db, o)}
}

// reply is what came back.
type reply struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

func (c client) with(token string) client {
	c.token = token
	return c
}

func (c client) request(method, path, media, body string, header ...string) *http.Request {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	require.NoError(c.t, err)
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i < len(header); i += 2 {
		if r.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	return r
}

func (c client) send(r *http.Request) reply {
	c.t.Helper()
	answer, err := http.DefaultClient.Do(r)
	require.NoError(c.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(c.t, err)
	c.documented(r, answer.StatusCode)
	return reply{c.t, answer.StatusCode, answer.Header, body}
}

// documented fails unless the document has a status of the operation that was called.
func (c client) documented(r *http.Request, status int) {
	c.t.Helper()
	paths, _ := c.spec["paths"].(map[string]any)
	for path, methods := range paths {
		matches := regexp.MustCompile("^" + regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "[^/]+") + "$").MatchString(r.URL.EscapedPath())
		op, _ := methods.(map[string]any)[strings.ToLower(r.Method)].(map[string]any)
		if matches && op != nil {
			require.Contains(c.t, op["responses"], strconv.Itoa(status), "%s %s", r.Method, path)
		}
	}
}

// do calls an operation with a body of JSON, "" for none.
func (c client) do(method, path, body string, header ...string) reply {
	c.t.Helper()
	media := ""
	if body != "" {
		media = "application/json"
	}
	return c.send(c.request(method, path, media, body, header...))
}

// lines sends records.
func (c client) lines(path, body string) reply {
	c.t.Helper()
	return c.send(c.request("POST", path, "application/x-ndjson", body))
}

// ok expects success and returns the answer's JSON, whose numbers keep their digits.
func (r reply) ok() map[string]any {
	r.t.Helper()
	require.Less(r.t, r.status, 300, "%s", r.body)
	return decode(r.t, r.body)
}

// problem expects a problem of a status and the word of its type.
func (r reply) problem(status int, word string) map[string]any {
	r.t.Helper()
	require.Equal(r.t, status, r.status, "%s", r.body)
	require.Equal(r.t, "application/problem+json", r.header.Get("Content-Type"))
	p := decode(r.t, r.body)
	require.Equal(r.t, "urn:vecwire:problem:"+word, p["type"], "%s", r.body)
	require.Equal(r.t, r.header.Get("X-Request-Id"), p["request_id"])
	return p
}

// each returns the answer's lines.
func (r reply) each() (all []map[string]any) {
	r.t.Helper()
	require.Equal(r.t, 200, r.status, "%s", r.body)
	for line := range bytes.Lines(r.body) {
		all = append(all, decode(r.t, line))
	}
	return all
}

func decode(t testing.TB, body []byte) map[string]any {
	t.Helper()
	if len(body) == 0 {
		return nil
	}
	var v map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	require.NoError(t, d.Decode(&v), "%s", body)
	return v
}

// letters embeds a text as how often it has the letters a, b and c.
var letters = embed.Func("letters", 3, func(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		switch {
		case strings.Contains(text, "panic"):
			panic("the embedder's own secret")
		case strings.Contains(text, "refused"):
			return nil, &embed.TextError{Index: i, Err: errors.New("the model's secret reason")}
		}
		out[i] = []float32{float32(strings.Count(text, "a")), float32(strings.Count(text, "b")), 1 + float32(strings.Count(text, "c"))}
	}
	return out, nil
})

func json1(n int) json.Number { return json.Number(strconv.Itoa(n)) }
