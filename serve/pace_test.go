package serve_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/serve"
)

// drip sends the head of a request and then a byte now and then, until the server does
// not want more. It returns the answer.
func (c client) drip(method, path, media, b string) *http.Response {
	to, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
	require.NoError(c.t, err)
	c.t.Cleanup(func() { _ = to.Close() })
	_, err = fmt.Fprintf(to, "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: 1000000\r\n\r\n", method, path, media)
	require.NoError(c.t, err)
	ended := make(chan struct{})
	c.t.Cleanup(func() { close(ended) })
	go func() {
		beat := time.NewTicker(5 * time.Millisecond)
		defer beat.Stop()
		for i := 0; ; i++ {
			select {
			case <-beat.C:
			case <-ended:
				return
			}
			if _, err := to.Write([]byte{b[i%len(b)]}); err != nil {
				return
			}
		}
	}()
	answer, err := http.ReadResponse(bufio.NewReader(to), nil)
	require.NoError(c.t, err)
	return answer
}

// Clients that send a little all the time do not keep the places of others.
func TestSlowClientsGiveTheirPlacesBack(t *testing.T) {
	db := openDB(t, "mem:")
	_, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "docs", Dim: 2})
	require.NoError(t, err)
	c := serving(t, db, serve.Options{Limits: serve.Limits{Stall: 200 * time.Millisecond, Rate: 1 << 20, Concurrency: 1}})
	for _, slow := range []struct{ path, media, b string }{
		{"/v1/collections/docs/search", "application/json", " "},
		{"/v1/collections/docs/records", "application/x-ndjson", "\n"},
	} {
		answer := c.drip("POST", slow.path, slow.media, slow.b)
		require.Equal(t, http.StatusRequestTimeout, answer.StatusCode, slow.path)
		_ = answer.Body.Close()
		require.Eventually(t, func() bool { return c.do("GET", "/v1/server", "").status == http.StatusOK }, 10*time.Second, time.Millisecond)
	}
}
