package serve_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/serve"
)

// TestBadRecords: one line that is bad costs itself, wherever it stands and whatever is
// wrong with it.
func TestBadRecords(t *testing.T) {
	t.Parallel()
	c := serving(t, openDB(t, "mem:"), serve.Options{Limits: serve.Limits{Line: 100_000}})
	c.do("POST", "/v1/collections", `{"name":"docs","dim":2,"fields":[{"name":"n","type":"Int"},{"name":"m","type":"JSON"}],"vectors":[{"name":"title","dim":2}]}`).ok()
	good := func(id string) string { return `{"id":"` + id + `","vector":[1,2],"fields":{"n":1}}` }
	long := `{"id":"b","vector":[1,2],"text":"` + strings.Repeat("x", 300_000) + `"}`
	for bad, want := range map[string]string{
		`{"id":"b",`:                         "not a record",
		`null`:                               "not a record",
		good("b") + good("c"):                "not a record",
		good("b") + "\r" + good("c"):         "not a record",
		"\xef\xbb\xbf" + good("b"):           "not a record",
		"{\"id\":\"b\xff\"}":                 "not a record",
		`{"id":"b","vector":[NaN,2]}`:        "not a record",
		`{"id":"b","vector":[1e99,2]}`:       "/vector the list of numbers is broken",
		`{"id":"b","vector":[1]}`:            "/vector",
		`{"id":"b","vector":[1,2],"id":"b"}`: "/id",
		`{"id":"b","vector":[1,2],"fields":{"m":{"a":1,"a":2}}}`:            "/fields/m.a",
		`{"id":"b","vector":[1,2],"vectors":{"title":[1,2],"title":[3,4]}}`: "/vectors/title",
		long:                                     "the record has more than 100000 bytes",
		long + "\n" + long:                       "the record has more than 100000 bytes",
		strings.Repeat(" ", 100_001) + good("b"): "the record has more than 100000 bytes",
	} {
		for _, body := range []string{
			good("a") + "\n" + bad + "\n" + good("c") + "\r\n" + good("d"),
			good("a") + "\n" + good("c") + "\n" + good("d") + "\n" + bad,
		} {
			all := c.lines("/v1/collections/docs/records", body).each()
			failed := strings.Count(bad, "\n") + 1
			require.Equal(t, map[string]any{"done": true, "stored": json1(3), "failed": json1(failed)}, all[len(all)-1], "%.100s", bad)
			for _, line := range all[:len(all)-1] {
				if line["status"] == "failed" {
					e := line["error"].(map[string]any)
					pointer, _ := e["pointer"].(string)
					detail, _ := e["detail"].(string)
					require.Contains(t, pointer+" "+detail, want)
				}
			}
		}
	}
}

// TestKeysTwice: what JSON readers take the last of is refused.
func TestKeysTwice(t *testing.T) {
	t.Parallel()
	c := serving(t, openDB(t, "mem:"), serve.Options{})
	c.do("POST", "/v1/collections", `{"name":"docs","dim":2,"fields":[{"name":"m","type":"JSON"}],"vectors":[{"name":"title","dim":2}]}`).ok()
	for _, body := range []string{
		`{"vector":[1,2],"vector":[1,2]}`,
		`{"vector":[1,2],"vectors":{"title":[1,2],"title":[3,4]}}`,
		`{"vector":[1,2],"vectors":{"title":null,"t\u0069tle":[3,4]}}`,
		`{"vector":[1,2],"fields":{"m":{"a":1},"m":{"a":2}}}`,
		`{"vector":[1,2],"fields":{"m":{"a":[{"b":1,"b":2}]}}}`,
	} {
		require.Contains(t, c.do("PUT", "/v1/collections/docs/records/1", body).problem(400, "invalid")["detail"], "twice", body)
	}
}
