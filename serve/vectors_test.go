package serve_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/serve"
)

// TestNamedVectors makes a collection with a named vector, stores and reads records of
// it, and searches by it.
func TestNamedVectors(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, db *vecwire.DB) {
		c := serving(t, db, serve.Options{})
		made := c.do("POST", "/v1/collections", `{"name":"docs","dim":2,"metric":"l2","vectors":[{"name":"title","dim":3}],
			"fields":[{"name":"until","type":"Time","expires":true}]}`).ok()
		schema := c.do("GET", "/v1/collections/docs", "").ok()["schema"].(map[string]any)
		require.Equal(t, "cosine", schema["vectors"].([]any)[0].(map[string]any)["metric"], made)
		require.Equal(t, true, schema["fields"].([]any)[0].(map[string]any)["expires"])

		for id, body := range map[string]string{
			"1": `{"vector":[0,0],"vectors":{"title":[1,0,0]}}`,
			"2": `{"vector":[1,1],"vectors":{"title":[0,1,0]}}`,
			"3": `{"vector":[2,2]}`,
			"4": `{"vector":[2,2],"fields":{"until":"2001-01-01T00:00:00Z"}}`,
		} {
			require.Equal(t, 204, c.do("PUT", "/v1/collections/docs/records/"+id, body).status)
		}
		require.Equal(t, 404, c.do("GET", "/v1/collections/docs/records/4", "").status, "it has expired")
		got := c.do("GET", "/v1/collections/docs/records/2", "").ok()
		require.Len(t, got["vectors"].(map[string]any)["title"], 3)
		without := c.do("POST", "/v1/collections/docs/get", `{"ids":["2"],"vectors":false}`).ok()
		require.NotContains(t, without["records"].([]any)[0], "vectors")

		search := func(body string) []string {
			return idsOf(t, c.do("POST", "/v1/collections/docs/search", body).ok())
		}
		require.Equal(t, []string{"2", "1"}, search(`{"in":"title","vector":[0,1,0.1]}`), "3 has no title")
		require.Equal(t, []string{"3", "2", "1"}, search(`{"vector":[2,2]}`))
		for body, pointer := range map[string]string{
			`{"in":"title","vector":[0,1]}`:                  "/vector",
			`{"in":"title","vector":[0,1,0],"away":[[1]]}`:   "/away/0",
			`{"in":"body","vector":[0,1]}`:                   "/in",
			`{"in":"title","text":"a"}`:                      "/text",
			`{"vector":[0,1],"around":1}`:                    "/around",
			`{"vector":[0,1],"around":-1}`:                   "/around",
			`{"vector":[0,1],"around":1,"around_tokens":-1}`: "/around_tokens",
		} {
			require.Equal(t, pointer, pointerOf(t, c.do("POST", "/v1/collections/docs/search", body)), body)
		}
		for body, pointer := range map[string]string{
			`{"vector":[0,0],"vectors":{"title":[1]}}`:        "/vectors/title",
			`{"vector":[0,0],"vectors":{"title":[0,0,0]}}`:    "/vectors/title",
			`{"vector":[0,0],"vectors":{"title":[1,1e39,0]}}`: "/vectors/title",
			`{"vector":[0,0],"vectors":{"title":7}}`:          "/vectors/title",
			`{"vector":[0,0],"vectors":{"":[1,0]}}`:           "/vectors/",
			`{"vector":[0,0],"vectors":{"title":["a"]}}`:      "/vectors/title",
			`{"vector":[0,0],"vectors":{"body":[1,0,0]}}`:     "/vectors/body",
			`{"vector":[0,0],"vectors":[1]}`:                  "/vectors",
		} {
			require.Equal(t, pointer, pointerOf(t, c.do("PUT", "/v1/collections/docs/records/1", body)), body)
		}
	})
}

// TestVectorsAreKept: what is read of a record with several vectors can be stored as it is,
// and none of them is lost.
func TestVectorsAreKept(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, db *vecwire.DB) {
		docs, err := db.CreateCollection(t.Context(), vecwire.Schema{
			Name: "docs", Dim: 2, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}},
			Vectors: []vecwire.VectorField{{Name: "title", Dim: 3}, {Name: "image", Dim: 1}},
		})
		require.NoError(t, err)
		c := serving(t, db, serve.Options{})
		const record = "/v1/collections/docs/records/a"
		vectors := func() map[string][]float32 {
			got, err := docs.Get(t.Context(), "a")
			require.NoError(t, err)
			return got[0].Vectors
		}
		require.Equal(t, 204, c.do("PUT", record, `{"vector":[1,2],"vectors":{"title":[1,2,3],"image":[4]}}`).status)
		require.Equal(t, map[string][]float32{"title": {1, 2, 3}, "image": {4}}, vectors())

		require.JSONEq(t, `{"id":"a","vector":[1,2],"vectors":{"title":[1,2,3],"image":[4]}}`, string(c.do("GET", record, "").body))
		require.Equal(t, 204, c.do("PATCH", record, `{"vectors":{"title":[3,2,1],"image":null}}`).status)
		require.Equal(t, map[string][]float32{"title": {3, 2, 1}}, vectors())
		require.Equal(t, 204, c.do("PATCH", record, `{"set":{"n":5}}`).status)
		require.Equal(t, map[string][]float32{"title": {3, 2, 1}}, vectors())

		found := c.do("POST", "/v1/collections/docs/search", `{"vector":[1,2],"vectors":true}`)
		require.Contains(t, string(found.body), `"vectors":{"title":[3,2,1]}`)
		require.NotContains(t, string(c.do("POST", "/v1/collections/docs/get", `{"ids":["a"],"vectors":false}`).body), "vector")

		for body, pointer := range map[string]string{
			`{"vectors":{"title":[1,2]}}`: "/vectors/title",
			`{"vectors":{"none":[1,2]}}`:  "/vectors/none",
			`{"vectors":{"title":"x"}}`:   "/vectors/title",
			`{"vectors":[1]}`:             "/vectors",
		} {
			require.Equal(t, pointer, pointerOf(t, c.do("PATCH", record, body)), body)
		}
		require.Equal(t, map[string][]float32{"title": {3, 2, 1}}, vectors())
	})
}

// TestPassages asks for the parts around hits, which share what touches.
func TestPassages(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, db *vecwire.DB) {
		c := serving(t, db, serve.Options{})
		c.do("POST", "/v1/collections", `{"name":"docs","dim":2,"metric":"l2","fields":[{"name":"source"},{"name":"part","type":"Int"}]}`).ok()
		for id, body := range map[string]string{
			"a": `{"vector":[0,0],"text":"one","fields":{"source":"x","part":0}}`,
			"b": `{"vector":[9,9],"text":"two","fields":{"source":"x","part":1}}`,
			"c": `{"vector":[1,0],"text":"three","fields":{"source":"x","part":2}}`,
			"d": `{"vector":[2,0],"text":"four","fields":{"source":"y","part":0}}`,
		} {
			require.Equal(t, 204, c.do("PUT", "/v1/collections/docs/records/"+id, body).status)
		}
		found := c.do("POST", "/v1/collections/docs/search", `{"vector":[0,0],"k":3,"around":1,"ids_only":true}`).ok()
		require.Equal(t, []any{
			map[string]any{"source": "x", "text": "one\ntwo\nthree", "ids": []any{"a", "b", "c"}},
			map[string]any{"source": "y", "text": "four", "ids": []any{"d"}},
		}, found["passages"])
		for i, want := range []float64{0, 0, 1} {
			require.InDelta(t, want, number(t, found["hits"].([]any)[i].(map[string]any)["passage"]), 0)
		}
		tight := c.do("POST", "/v1/collections/docs/search", `{"vector":[0,0],"k":3,"around":1,"around_tokens":1}`).ok()
		require.Less(t, len(tight["passages"].([]any)[0].(map[string]any)["ids"].([]any)), 3)
		require.NotContains(t, c.do("POST", "/v1/collections/docs/search", `{"vector":[0,0]}`).ok(), "passages")
	})
}

// pointerOf returns what a refusal of a request's body points at.
func pointerOf(t *testing.T, r reply) any {
	t.Helper()
	return r.problem(400, "invalid")["errors"].([]any)[0].(map[string]any)["pointer"]
}

// A body of records has vectors as the bodies of single ones have them.
func TestStoredAsBase64(t *testing.T) {
	t.Parallel()
	c := serving(t, openDB(t, "mem:"), serve.Options{})
	c.do("POST", "/v1/collections", `{"name":"docs","dim":2,"metric":"l2","vectors":[{"name":"title","dim":1,"metric":"l2"}]}`).ok()
	answer := c.lines("/v1/collections/docs/records", `{"id":"a","vector":"AACAPwAAIMA=","vectors":{"title":"AACAPw=="}}`+"\n"+`{"id":"b","vector":"AACAPw=="}`+"\n")
	require.Contains(t, string(answer.body), `"stored":1,"failed":1`)
	require.JSONEq(t, `{"id":"a","vector":[1,-2.5],"vectors":{"title":[1]}}`, string(c.do("GET", "/v1/collections/docs/records/a", "").body))
}

// Of many records, too, an error says which of the vectors it is about.
func TestNamedVectorsOfMany(t *testing.T) {
	t.Parallel()
	c := serving(t, openDB(t, "mem:"), serve.Options{})
	c.do("POST", "/v1/collections", `{"name":"docs","dim":2,"vectors":[{"name":"a","dim":3},{"name":"b","dim":2}]}`).ok()
	wrong := []struct{ vectors, pointer, says string }{
		{`{"a":[1,2]}`, "/vectors/a", "3 numbers"},
		{`{"a":[1,2,3],"b":[1]}`, "/vectors/b", "2 numbers"},
		{`{"a":[0,0,0]}`, "/vectors/a", "a vector with a direction"},
		{`{"a":[1,1e39,2]}`, "/vectors/a", "broken at byte 3 (number is out of the range of FLOAT)"},
		{`{"a":[1,"x",2]}`, "/vectors/a", "broken at byte 3 (want a number)"},
		{`{"a":"AAA"}`, "/vectors/a", "base64 of 4 bytes"},
		{`{"a":5}`, "/vectors/a", `"got":"5"`},
		{`{"a":[1,2,3],"a":[1,2,3]}`, "/vectors/a", "there twice"},
		{`{"none":[1]}`, "/vectors/none", "does not exist among Vectors"},
		{`[1]`, "/vectors", "an array"},
	}
	var body strings.Builder
	for _, w := range wrong {
		fmt.Fprintf(&body, `{"id":"1","vector":[1,2],"vectors":%s}`+"\n", w.vectors)
	}
	body.WriteString(`{"id":"1","vector":[1,2,3],"vectors":{"a":[1]}}`)
	answers := c.lines("/v1/collections/docs/records", body.String()).each()
	for i, w := range wrong {
		require.Equal(t, w.pointer, answers[i]["error"].(map[string]any)["pointer"], w.vectors)
		said, err := json.Marshal(answers[i])
		require.NoError(t, err)
		require.Contains(t, string(said), w.says)
	}
	require.Equal(t, "/vector", answers[len(wrong)]["error"].(map[string]any)["pointer"])
}
