package serve_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/testenv"
	"github.com/vecwire/vecwire/serve"
)

// TestIndexesOfPostgres builds what only PostgreSQL has, and searches through it.
func TestIndexesOfPostgres(t *testing.T) {
	t.Parallel()
	c := serving(t, openDB(t, testenv.Postgres(t)), serve.Options{})
	c.do("POST", "/v1/collections", `{"name":"docs","dim":8,"fields":[{"name":"lang"}]}`).ok()
	var body strings.Builder
	for i := range 300 {
		fmt.Fprintf(&body, `{"id":"%d","vector":[%d,%d,1,0.5,0,0,0,%d],"fields":{"lang":"%s"}}`+"\n", i, i%17, i%23, i%5, []string{"de", "en"}[i%2])
	}
	c.lines("/v1/collections/docs/records?results=failed", body.String()).each()
	build := func(body string) (out []map[string]any) {
		t.Helper()
		for _, x := range c.do("POST", "/v1/collections/docs/indexes", body).ok()["indexes"].([]any) {
			out = append(out, x.(map[string]any))
		}
		return out
	}
	search := func(filter string) map[string]any {
		t.Helper()
		return c.do("POST", "/v1/collections/docs/search", `{"vector":[3,4,1,0.5,0,0,0,1],"k":3,"filter":`+filter+`}`).ok()["plan"].(map[string]any)
	}
	partial := build(`{"where":{"lang":"de"}}`)
	require.Len(t, partial, 1)
	require.Equal(t, `lang == "de"`, partial[0]["where"])
	require.Equal(t, "hnsw partial", search(`"lang == \"de\""`)["index"])
	require.NotContains(t, search(`"lang == \"en\""`)["index"], "partial")

	both := build(`{"dims":4,"method":"hnsw","compress":"half"}`)
	require.Len(t, both, 2)
	require.Equal(t, json.Number("4"), both[0]["dims"])
	require.Contains(t, search(`"lang == \"en\""`)["index"], "dims=4")

	for body, pointer := range map[string]string{
		`{"dims":9}`:               "/dims",
		`{"dims":-1}`:              "/dims",
		`{"method":"ivfflat"}`:     "/method",
		`{"where":"lang =="}`:      "/where",
		`{"where":"missing == 1"}`: "/where",
		`{"where":"lang == 1"}`:    "/where",
	} {
		p := c.do("POST", "/v1/collections/docs/indexes", body).problem(400, "invalid")
		require.True(t, strings.HasPrefix(p["errors"].([]any)[0].(map[string]any)["pointer"].(string), pointer), "%s: %v", body, p)
	}
	for _, method := range []string{"diskann", "vchordrq"} { // without their extensions
		c.do("POST", "/v1/collections/docs/indexes", `{"method":"`+method+`"}`).problem(422, "unsupported")
	}
	embedded := serving(t, openDB(t, "mem:"), serve.Options{})
	embedded.do("POST", "/v1/collections", `{"name":"docs","dim":8,"fields":[{"name":"lang"}]}`).ok()
	for _, body := range []string{`{"where":"lang == \"de\""}`, `{"dims":4}`, `{"method":"diskann"}`} {
		embedded.do("POST", "/v1/collections/docs/indexes", body).problem(422, "unsupported")
	}
}
