package serve_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/serve"
)

// TestCompressedBodies: a body that is compressed is not taken for broken text.
func TestCompressedBodies(t *testing.T) {
	t.Parallel()
	c := serving(t, openDB(t, "mem:"), serve.Options{})
	c.do("POST", "/v1/collections", `{"name":"docs","dim":2}`).ok()
	for _, path := range []string{"/v1/collections/docs/search", "/v1/collections/docs/records"} {
		media := "application/json"
		if strings.HasSuffix(path, "records") {
			media = "application/x-ndjson"
		}
		r := c.send(c.request("POST", path, media, "\x1f\x8b\x08", "Content-Encoding", "gzip"))
		require.Contains(t, r.problem(415, "media-type")["detail"], "Content-Encoding")
		require.NotEqual(t, 415, c.send(c.request("POST", path, media, "{}", "Content-Encoding", "identity")).status)
	}
}

// TestBrokenVectors: what is wrong with a vector is said in words that stand where they are.
func TestBrokenVectors(t *testing.T) {
	t.Parallel()
	c := serving(t, openDB(t, "mem:"), serve.Options{})
	c.do("POST", "/v1/collections", `{"name":"docs","dim":2}`).ok()
	for body, want := range map[string]string{
		`{"vector":[NaN,1]}`: "/vector is a list that is broken at byte 1 (want a number), want a list of numbers",
		`{"vector":"abc"}`:   `/vector is "abc", want base64 of 4 bytes an element, little-endian`,
	} {
		require.Equal(t, want, c.do("POST", "/v1/collections/docs/search", body).problem(400, "invalid")["detail"])
	}
}

// TestDroppedUnderSearch makes and drops a collection while others search it, and some
// of them go away before the answer: each answer is one of those that there are, and
// nothing runs on when the last was given.
func TestDroppedUnderSearch(t *testing.T) {
	t.Parallel()
	var running sync.WaitGroup
	handler := serve.New(openDB(t, "mem:"), serve.Options{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		running.Add(1)
		defer running.Done()
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	c := client{t: t, url: s.URL}
	const search = `{"vector":[1,2],"k":1}`
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var searchers sync.WaitGroup
	for range 4 {
		searchers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/v1/collections/docs/search", strings.NewReader(search))
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("Content-Type", "application/json")
				answer, err := http.DefaultClient.Do(r)
				if err != nil {
					continue // it was stopped
				}
				if answer.Body.Close(); answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusNotFound {
					t.Errorf("status %d", answer.StatusCode)
				}
			}
		})
	}
	after := ""
	for i := range 20 {
		c.do("POST", "/v1/collections", `{"name":"docs","dim":2}`).ok()
		c.lines("/v1/collections/docs/records", fmt.Sprintf(`{"id":"a","vector":[1,%d]}`+"\n"+`{"id":"b","vector":[1,2]}`+"\n", i))
		after, _ = c.do("POST", "/v1/collections/docs/search", search).ok()["next"].(string)
		require.NotEmpty(t, after)
		require.Equal(t, 204, c.do("DELETE", "/v1/collections/docs", "").status)
		c.do("POST", "/v1/collections/docs/search", `{"vector":[1,2],"k":1,"after":"`+after+`"}`).problem(404, "not-found")
	}
	stop()
	searchers.Wait()
	s.Close()      // returns when no connection is left
	running.Wait() // and so no handler
}
