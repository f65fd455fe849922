package serve_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/serve"
)

const docs = `{"name":"docs","model":"letters","full_text":"words","fields":[{"name":"n","type":"Int","index":true},{"name":"lang"},{"name":"at","type":"Time"},{"name":"x","type":"Float"},{"name":"raw","type":"Bytes"},{"name":"yes","type":"Bool"}]}`

func TestCollections(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, db *vecwire.DB) {
		c := serving(t, db, serve.Options{Embedders: []vecwire.Embedder{letters}})
		require.Empty(t, c.do("GET", "/v1/collections", "").ok()["collections"])
		made := c.do("POST", "/v1/collections", docs)
		require.Equal(t, 201, made.status, "%s", made.body)
		require.Equal(t, json.Number("3"), made.ok()["dim"], "the embedder's")
		c.do("POST", "/v1/collections", docs).problem(409, "exists")

		same := strings.Replace(docs, `"name":"docs",`, "", 1)
		c.do("PUT", "/v1/collections/docs", same).ok()
		p := c.do("PUT", "/v1/collections/docs", strings.Replace(strings.Replace(same, `"Int"`, `"String"`, 1), `"words"`, `"english"`, 1)).problem(409, "conflict")
		require.Equal(t, []any{
			map[string]any{"pointer": "/full_text", "want": "words", "got": "english"},
			map[string]any{"pointer": "/fields/0/type", "want": "Int", "got": "String"},
		}, p["errors"])

		info := c.do("GET", "/v1/collections/docs", "").ok()
		require.Equal(t, json.Number("0"), info["count"])
		require.Equal(t, true, info["embedder"])
		require.Len(t, c.do("GET", "/v1/collections", "").ok()["collections"], 1)

		require.Equal(t, 204, c.do("DELETE", "/v1/collections/docs", "").status)
		c.do("DELETE", "/v1/collections/docs", "").problem(404, "not-found")
		c.do("GET", "/v1/collections/docs", "").problem(404, "not-found")
		c.do("GET", "/v1/collections/no%20such", "").problem(404, "not-found")
	})
}

// TestNumbersAreExact stores numbers that a float64, or one digit less, would change.
func TestNumbersAreExact(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, db *vecwire.DB) {
		c := serving(t, db, serve.Options{})
		c.do("POST", "/v1/collections", `{"name":"docs","dim":3,"metric":"dot","fields":[{"name":"n","type":"Int"},{"name":"x","type":"Float"},{"name":"at","type":"Time"},{"name":"raw","type":"Bytes"}]}`).ok()
		vector := []float32{0.1, math.SmallestNonzeroFloat32 * 8388609, 16777217.0 / 3}
		text, err := json.Marshal(vector)
		require.NoError(t, err)
		for i, n := range []int64{1<<53 + 1, math.MaxInt64, math.MinInt64} {
			id := fmt.Sprintf("%%2Fa%%20%d", i)
			body := fmt.Sprintf(`{"vector":%s,"fields":{"n":%d,"x":0.1000000000000000055,"at":"2026-11-29T01:02:03.123456+01:00","raw":"AAH/"}}`, text, n)
			require.Equal(t, 204, c.do("PUT", "/v1/collections/docs/records/"+id, body).status)
			r := c.do("GET", "/v1/collections/docs/records/"+id, "")
			r.ok()
			require.JSONEq(t, fmt.Sprintf(`{"id":"/a %d","vector":%s,"fields":{"n":%d,"x":0.1,"at":"2026-11-29T00:02:03.123456Z","raw":"AAH/"}}`, i, text, n), string(r.body))
			require.Contains(t, string(r.body), fmt.Sprintf(`"n":%d,`, n), "all digits")
			for _, filter := range []string{fmt.Sprintf(`"n == %d"`, n), fmt.Sprintf(`{"n":%d}`, n), fmt.Sprintf(`{"n":{"$in":[%d]}}`, n)} {
				require.Equal(t, json.Number("1"), c.do("POST", "/v1/collections/docs/count", `{"filter":`+filter+`}`).ok()["count"], filter)
			}
		}
		require.Equal(t, json.Number("0"), c.do("POST", "/v1/collections/docs/count", `{"filter":{"n":9007199254740992}}`).ok()["count"])

		var back struct {
			Hits []struct{ Vector []float32 }
		}
		r := c.do("POST", "/v1/collections/docs/search", `{"vector":"`+base64.StdEncoding.EncodeToString(codec.AppendBlob(nil, vector))+`","vectors":true,"k":1}`)
		r.ok()
		require.NoError(t, json.Unmarshal(r.body, &back))
		require.Equal(t, vector, back.Hits[0].Vector)
	})
}

func TestDoubles(t *testing.T) {
	t.Parallel()
	c := serving(t, openDB(t, "mem:"), serve.Options{})
	c.do("POST", "/v1/collections", `{"name":"d","dim":2,"element":"DOUBLE","metric":"l2"}`).ok()
	c.do("PUT", "/v1/collections/d/records/a", `{"vector":[0.1,1e-300]}`)
	require.Contains(t, string(c.do("GET", "/v1/collections/d/records/a", "").body), `[0.1,1e-300]`)
	found := c.do("POST", "/v1/collections/d/search", `{"vector":[0.1,1e-300],"away":[[1,1]]}`).ok()
	require.Len(t, found["hits"], 1)
}

// TestIndexing declines an index that would appear by itself.
func TestIndexing(t *testing.T) {
	t.Parallel()
	c := serving(t, openDB(t, "mem:"), serve.Options{})
	require.Equal(t, "none", c.do("POST", "/v1/collections", `{"name":"d","dim":2,"index":"none"}`).ok()["index"])
	require.NotContains(t, c.do("POST", "/v1/collections", `{"name":"e","dim":2,"index":"auto"}`).ok(), "index")
	require.Equal(t, "none", c.do("PUT", "/v1/collections/e", `{"dim":2,"index":"none"}`).ok()["index"])
	c.do("POST", "/v1/collections", `{"name":"f","dim":2,"index":"maybe"}`).problem(400, "invalid")
}

// fill stores a record for each letter, of which one is refused.
func fill(t *testing.T, c client) {
	t.Helper()
	c.do("POST", "/v1/collections", docs).ok()
	r := c.lines("/v1/collections/docs/records", `{"id":"1","text":"aaa","fields":{"n":1,"lang":"go"}}
{"id":"2","text":"bbb","fields":{"n":2,"lang":"go"}}
{"id":"3","text":"ccc","fields":{"n":3,"lang":"c"}}
`).each()
	require.Equal(t, map[string]any{"done": true, "stored": json.Number("3"), "failed": json.Number("0")}, r[3])
}

func TestStoreRecords(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, db *vecwire.DB) {
		c := serving(t, db, serve.Options{Embedders: []vecwire.Embedder{letters}})
		c.do("POST", "/v1/collections", docs).ok()
		body := `{"id":"a","text":"a"}
{"id":"b","vector":[1,2]}
not JSON
{"id":"c","text":"this one is refused"}

{"id":"d","vector":[1,2,3],"fields":{"n":"no number"}}
{"id":"e","vector":[1,2,3],"fields":{"none":1}}
{"id":"f","vector":[1,2,3],"fields":{"n":5,"yes":true}}
{"id":"g","fields":{"n":5}}
{"id":"h","vector":[1,2,3],"fields":{"n":1.5}}`
		got := c.lines("/v1/collections/docs/records", body).each()
		require.Len(t, got, 10)
		statuses, pointers := []any{}, []any{}
		for i, line := range got[:9] {
			require.Equal(t, json.Number(fmt.Sprint(i)), line["index"])
			statuses = append(statuses, line["status"])
			if e, ok := line["error"].(map[string]any); ok {
				pointers = append(pointers, e["pointer"])
			}
		}
		require.Equal(t, []any{"stored", "failed", "failed", "failed", "failed", "failed", "stored", "failed", "failed"}, statuses)
		require.Equal(t, []any{"/vector", nil, nil, "/fields/n", "/fields/none", "/vector", "/fields/n"}, pointers)
		require.Equal(t, map[string]any{"done": true, "stored": json.Number("2"), "failed": json.Number("7")}, got[9])
		require.NotContains(t, fmt.Sprint(got), "secret")

		got = c.lines("/v1/collections/docs/records?results=failed", body).each()
		require.Len(t, got, 8)
		require.Equal(t, json.Number("2"), c.do("POST", "/v1/collections/docs/count", `{}`).ok()["count"])

		c.do("POST", "/v1/collections/docs/records", "{}").problem(415, "media-type")
		c.lines("/v1/collections/none/records", body).problem(404, "not-found")
	})
}

// TestStreamGoesOn reads records in parts, each from the last ID of the one before,
// and stores what one stream gave in another collection.
func TestStreamGoesOn(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, db *vecwire.DB) {
		c := serving(t, db, serve.Options{})
		c.do("POST", "/v1/collections", `{"name":"docs","dim":2}`).ok()
		var body strings.Builder
		for i := range 2500 {
			fmt.Fprintf(&body, "{\"id\":\"%04d\",\"vector\":[%d,1]}\n", i, i)
		}
		sent := c.lines("/v1/collections/docs/records", body.String()).each()
		require.Len(t, sent, 2501)

		read, after := 0, ""
		for {
			part := c.do("GET", "/v1/collections/docs/records?limit=999&after="+after, "").each()
			read += len(part)
			if len(part) < 999 {
				break
			}
			after = part[998]["id"].(string)
		}
		require.Equal(t, 2500, read)

		all := c.do("GET", "/v1/collections/docs/records?vectors=true&schema=true", "")
		require.True(t, strings.HasPrefix(string(all.body), `{"vecwire":1,"schema":{"name":"docs"`))
		c.do("POST", "/v1/collections", `{"name":"copy","dim":2}`).ok()
		copied := c.lines("/v1/collections/copy/records?results=failed", string(all.body)).each()
		require.Equal(t, map[string]any{"done": true, "stored": json.Number("2500"), "failed": json.Number("0")}, copied[0])

		filtered := c.do("GET", "/v1/collections/docs/records?filter="+`%7B%22id%22%3A%22%24x%22%7D`, "")
		require.Empty(t, filtered.each())
		require.Len(t, c.do("GET", "/v1/collections/docs/records?filter="+`id%20%3E%3D%20%222498%22`, "").each(), 2)
	})
}

func TestGetAndDelete(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, db *vecwire.DB) {
		c := serving(t, db, serve.Options{Embedders: []vecwire.Embedder{letters}})
		fill(t, c)
		got := c.do("POST", "/v1/collections/docs/get", `{"ids":["3","none","1"],"vectors":false}`)
		require.JSONEq(t, `{"records":[{"id":"3","text":"ccc","fields":{"n":3,"lang":"c"}},{"id":"1","text":"aaa","fields":{"n":1,"lang":"go"}}]}`, string(got.body))
		require.Contains(t, string(c.do("POST", "/v1/collections/docs/get", `{"ids":["3"]}`).body), `"vector":[0,0,4]`)

		c.do("GET", "/v1/collections/docs/records/none", "").problem(404, "not-found")
		require.Equal(t, 204, c.do("DELETE", "/v1/collections/docs/records/1", "").status)
		c.do("DELETE", "/v1/collections/docs/records/1", "").problem(404, "not-found")
		for _, body := range []string{`{}`, `{"filter":{}}`, `{"filter":""}`, `{"all":false}`, `{"all":true,"ids":["2"]}`} {
			c.do("POST", "/v1/collections/docs/delete", body).problem(400, "invalid")
		}
		require.Equal(t, json.Number("1"), c.do("POST", "/v1/collections/docs/delete", `{"filter":{"n":{"$lt":3}}}`).ok()["deleted"])
		require.Equal(t, json.Number("0"), c.do("POST", "/v1/collections/docs/delete", `{"ids":["2"]}`).ok()["deleted"])
		require.Equal(t, json.Number("1"), c.do("POST", "/v1/collections/docs/delete", `{"all":true}`).ok()["deleted"])
	})
}

func idsOf(t *testing.T, found map[string]any) (ids []string) {
	t.Helper()
	for _, h := range found["hits"].([]any) {
		ids = append(ids, h.(map[string]any)["id"].(string))
	}
	return ids
}

func TestSearch(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, db *vecwire.DB) {
		c := serving(t, db, serve.Options{Embedders: []vecwire.Embedder{letters}})
		fill(t, c)
		search := func(body string) []string {
			return idsOf(t, c.do("POST", "/v1/collections/docs/search", body).ok())
		}
		require.Equal(t, []string{"1", "2", "3"}, search(`{"vector":[3,0.5,0]}`))
		require.Equal(t, []string{"1", "2", "3"}, search(`{"text":"aaab","k":3,"ids_only":true}`))
		require.Equal(t, []string{"2", "3"}, search(`{"vector":[3,0.5,0],"offset":1,"k":2}`))
		require.Empty(t, search(`{"vector":[3,0.5,0],"offset":7}`))
		require.Equal(t, []string{"1", "2"}, search(`{"vector":[3,0.5,0],"filter":"lang == \"go\""}`))
		require.Equal(t, []string{"2"}, search(`{"vector":[3,0.5,0],"filter":{"n":{"$gt":1},"lang":"go"},"fusion":null}`))
		require.Equal(t, []string{"2"}, search(`{"text":"bbb","fusion":{"text_only":true}}`))
		require.Equal(t, "3", search(`{"text":"ccc","fusion":{"vector_weight":0.5,"text_weight":2}}`)[0])
		require.Equal(t, []string{"1", "3"}, search(`{"vector":[3,0.5,0],"group_by":"lang"}`))

		one := c.do("POST", "/v1/collections/docs/search", `{"vector":[3,0,1],"k":1,"ids_only":true}`).ok()
		require.Equal(t, true, one["exact"])
		require.NotEmpty(t, one["plan"].(map[string]any)["path"])
		hit := one["hits"].([]any)[0].(map[string]any)
		require.InDelta(t, 1, number(t, hit["score"]), 1e-6)
		require.NotContains(t, hit, "text")

		many := c.do("POST", "/v1/collections/docs/search-many", `{"queries":[{"vector":[1,0,0],"k":1},{"text":"b","k":1}]}`).ok()["results"].([]any)
		require.Equal(t, []string{"1"}, idsOf(t, many[0].(map[string]any)))

		for body, pointer := range map[string]string{
			`{"vector":[1,2]}`:                                       "/vector",
			`{"vector":[1,2,"x"]}`:                                   "/vector",
			`{"vector":[1,2,null]}`:                                  "/vector",
			`{"vector":"AAAA"}`:                                      "/vector",
			`{"vector":[0,0,0]}`:                                     "/vector",
			`{"text":7}`:                                             "/text",
			`{"vector":[1,2,3],"k":0}`:                               "/k",
			`{"vector":[1,2,3],"k":1.5}`:                             "/k",
			`{"vector":[1,2,3],"k":"10"}`:                            "/k",
			`{"vector":[1,2,3],"k":1001}`:                            "/k",
			`{"vector":[1,2,3],"k":1000,"offset":1}`:                 "/offset",
			`{"vector":[1,2,3],"K":1}`:                               "/K",
			`{"vector":[1,2,3],"k":1,"k":1}`:                         "/k",
			`{"vector":[1,2,3],"diversity":2}`:                       "/diversity",
			`{"vector":[1,2,3],"filter":"lang = 1"}`:                 "/filter",
			`{"vector":[1,2,3],"filter":"none == 1"}`:                "/filter",
			`{"vector":[1,2,3],"filter":{"n":"x"}}`:                  "/filter",
			`{"vector":[1,2,3],"filter":{"n":{"$x":1}}}`:             "/filter",
			`{"vector":[1,2,3],"group_by":"none"}`:                   "/group_by",
			`{"vector":[1,2,3],"away":[[1]]}`:                        "/away/0",
			`{"vector":[1,2,3],"candidates":1,"rescore":true,"k":5}`: "/candidates",
			`{"vector":[1,2,3],"text":"both"}`:                       "/text",
			`{"vector":[1,2,3],"fusion":{}}`:                         "/text",
			`{}`:                                                     "",
		} {
			p := c.do("POST", "/v1/collections/docs/search", body).problem(400, "invalid")
			first := p["errors"].([]any)[0].(map[string]any)
			if pointer == "" {
				require.NotContains(t, first, "pointer", "%s: %s", body, p)
			} else {
				require.Equal(t, pointer, first["pointer"], "%s: %s", body, p)
			}
			require.NotRegexp(t, `\*|float32|int64|struct|WithEmbedder|vecwire\.`, fmt.Sprint(p), body)
		}
		for _, body := range []string{`{"vector":[1,2,3]`, `{"vector":[1,2,3]} {}`, "{\"text\":\"\xff\"}", `{"text":"\ud800"}`, `{"vector":[1,2,3],}`, `nonsense`, "{\"text\":\"a\nb\"}"} {
			c.do("POST", "/v1/collections/docs/search", body).problem(400, "malformed")
		}
		c.do("POST", "/v1/collections/docs/search", `[]`).problem(400, "invalid")
		p := c.do("POST", "/v1/collections/docs/search-many", `{"queries":[{"text":"a"},{"text":"b","vector":[1,1,1]}]}`).problem(400, "invalid")
		require.Equal(t, "/queries/1/text", p["errors"].([]any)[0].(map[string]any)["pointer"])
	})
}

func number(t testing.TB, v any) float64 {
	t.Helper()
	x, err := v.(json.Number).Float64()
	require.NoError(t, err)
	return x
}

// TestCollectionChanges drops a collection behind the server's back and makes
// another: what the server has kept must not be asked.
func TestCollectionChanges(t *testing.T) {
	t.Parallel()
	db := openDB(t, "mem:")
	c := serving(t, db, serve.Options{})
	for dim := 1; dim < 4; dim++ {
		made, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "docs", Dim: dim, Metric: vecwire.Dot})
		require.NoError(t, err)
		v := make([]float32, dim)
		require.NoError(t, made.Upsert(t.Context(), vecwire.Record{ID: "a", Vector: v}))
		body, err := json.Marshal(map[string]any{"vector": v})
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, idsOf(t, c.do("POST", "/v1/collections/docs/search", string(body)).ok()))
		require.NoError(t, db.DropCollection(t.Context(), "docs"))
	}
	c.do("POST", "/v1/collections/docs/search", `{"vector":[1]}`).problem(404, "not-found")
}

func TestIndexesAndRecall(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, db *vecwire.DB) {
		c := serving(t, db, serve.Options{})
		c.do("POST", "/v1/collections", `{"name":"docs","dim":4,"fields":[{"name":"half"}]}`).ok()
		var body strings.Builder
		for i := range 300 {
			fmt.Fprintf(&body, `{"id":"%d","vector":[%d,%d,1,0.5],"text":"record %d","fields":{"half":"%d"}}`+"\n", i, i%17, i%23, i, i%2)
		}
		c.lines("/v1/collections/docs/records?results=failed", body.String()).each()
		built := c.do("POST", "/v1/collections/docs/indexes", `{"m":8}`).ok()["indexes"].([]any)
		require.Len(t, built, 1)
		reports := c.do("POST", "/v1/collections/docs/recall", `{"sample":20,"efforts":[0,50]}`).ok()["reports"].([]any)
		require.Len(t, reports, 2)
		require.Equal(t, json.Number("50"), reports[1].(map[string]any)["effort"])

		plane := c.do("GET", "/v1/collections/docs/map?sample=100&color=half", "").ok()
		require.Len(t, plane["points"], 100)
		require.Equal(t, json.Number("300"), plane["records"])
		explained := plane["explained"].([]any)
		require.InDelta(t, 1, number(t, explained[0])+number(t, explained[1]), 0.01, "two of the dimensions vary, little else")
		c.do("GET", "/v1/collections/docs/map?color=none", "").problem(400, "invalid")

		name := built[0].(map[string]any)["name"].(string)
		require.Equal(t, 204, c.do("DELETE", "/v1/collections/docs/indexes/"+name, "").status)
		c.do("DELETE", "/v1/collections/docs/indexes/"+name, "").problem(404, "not-found")
	})
}

func TestNamespaces(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, db *vecwire.DB) {
		c := serving(t, db, serve.Options{})
		c.do("POST", "/v1/collections", `{"name":"docs","dim":2,"fields":[{"name":"namespace","index":true}]}`).ok()
		for _, tenant := range []string{"a", "b"} {
			require.Equal(t, 204, c.do("PUT", "/v1/collections/docs/records/1?namespace="+tenant, `{"vector":[1,1],"text":"`+tenant+`"}`).status)
		}
		require.Equal(t, "b", c.do("GET", "/v1/collections/docs/records/1?namespace=b", "").ok()["text"])
		require.Equal(t, json.Number("2"), c.do("GET", "/v1/collections/docs", "").ok()["count"])
		require.Equal(t, json.Number("1"), c.do("GET", "/v1/collections/docs?namespace=a", "").ok()["count"])
		c.do("GET", "/v1/collections/docs?namespace=%2F", "").problem(400, "invalid")
		c.do("POST", "/v1/collections", `{"name":"plain","dim":2}`).ok()
		c.do("GET", "/v1/collections/plain?namespace=a", "").problem(400, "invalid")
	})
}

// TestMounted serves under a prefix of another server.
func TestMounted(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.Handle("/vectors/", http.StripPrefix("/vectors", serve.New(openDB(t, "mem:"), serve.Options{})))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	c := client{t: t, url: s.URL + "/vectors"}
	c.do("POST", "/v1/collections", `{"name":"docs","dim":1}`).ok()
	require.Equal(t, 204, c.do("PUT", "/v1/collections/docs/records/a%2Fb", `{"vector":[1]}`).status)
	require.Equal(t, "a/b", c.do("GET", "/v1/collections/docs/records/a%2Fb", "").ok()["id"])
	require.Equal(t, []any{map[string]any{"url": "/vectors"}}, c.do("GET", "/openapi.json", "").ok()["servers"])
}

func TestChanges(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, db *vecwire.DB) {
		c := serving(t, db, serve.Options{Embedders: []vecwire.Embedder{letters}})
		fill(t, c)
		one := "/v1/collections/docs/records/1"
		require.Equal(t, 204, c.do("PATCH", one, `{"set":{"n":9007199254740993,"lang":null},"unset":["x"],"if":{"n":1}}`).status)
		require.Contains(t, string(c.do("GET", one, "").body), `"fields":{"n":9007199254740993}`)
		c.do("PATCH", one, `{"set":{"n":5},"if":"n == 1"}`).problem(412, "condition")
		require.Equal(t, 204, c.do("PATCH", one, `{"text":"ccc"}`).status)
		require.Contains(t, string(c.do("GET", one, "").body), `"vector":[0,0,4]`)
		c.do("PATCH", "/v1/collections/docs/records/none", `{"set":{"n":5}}`).problem(404, "not-found")
		for body, pointer := range map[string]string{
			`{"set":{"n":"x"}}`: "/set/n", `{"set":{"none":1}}`: "/set/none", `{"vector":[1]}`: "/vector", `{"if":{"none":1}}`: "/if", `{"if":{"n":"x"}}`: "/if", `{"surprise":1}`: "/surprise",
		} {
			p := c.do("PATCH", one, body).problem(400, "invalid")
			require.Equal(t, pointer, p["errors"].([]any)[0].(map[string]any)["pointer"], body)
		}
		require.Equal(t, json.Number("2"), c.do("POST", "/v1/collections/docs/update", `{"filter":{"n":{"$lt":10}},"set":{"yes":true,"lang":null}}`).ok()["changed"])
		for _, body := range []string{`{"set":{"n":1}}`, `{"set":{"n":1},"filter":{}}`, `{"set":{"n":1},"filter":{"n":1},"all":true}`, `{"filter":{"n":1}}`} {
			c.do("POST", "/v1/collections/docs/update", body).problem(400, "invalid")
		}
		require.Equal(t, json.Number("3"), c.do("POST", "/v1/collections/docs/update", `{"set":{"lang":"c"},"all":true}`).ok()["changed"])
	})
}

func TestFacetsAndOrder(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, db *vecwire.DB) {
		c := serving(t, db, serve.Options{Embedders: []vecwire.Embedder{letters}})
		fill(t, c)
		require.JSONEq(t, `{"values":[{"value":"go","count":2},{"value":"c","count":1}]}`, string(c.do("POST", "/v1/collections/docs/facets", `{"field":"lang"}`).body))
		require.JSONEq(t, `{"values":[{"value":3,"count":1}]}`, string(c.do("POST", "/v1/collections/docs/facets", `{"field":"n","filter":"n > 2","limit":5}`).body))
		for body, pointer := range map[string]string{`{"field":"none"}`: "/field", `{"field":"raw"}`: "/field", `{}`: "/field", `{"field":"n","filter":{"none":1}}`: "/filter"} {
			p := c.do("POST", "/v1/collections/docs/facets", body).problem(400, "invalid")
			require.Equal(t, pointer, p["errors"].([]any)[0].(map[string]any)["pointer"], body)
		}
		list := "/v1/collections/docs/records?order_by=n&desc=true&limit=2"
		r := c.do("GET", list, "")
		require.Equal(t, "3", r.each()[0]["id"])
		rest := c.do("GET", list+"&after="+r.header.Get("Vecwire-After"), "")
		require.Len(t, rest.each(), 1)
		require.Equal(t, "1", rest.each()[0]["id"])
		require.Empty(t, rest.header.Get("Vecwire-After"))
		c.do("GET", "/v1/collections/docs/records?order_by=none", "").problem(400, "invalid")
		c.do("GET", "/v1/collections/docs/records?order_by=n&after=nonsense", "").problem(400, "invalid")
	})
}

// TestUsage has a collection say what it takes.
func TestUsage(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, db *vecwire.DB) {
		c := serving(t, db, serve.Options{})
		c.do("POST", "/v1/collections", `{"name":"docs","dim":2,"fields":[{"name":"namespace","index":true}]}`).ok()
		require.Equal(t, 204, c.do("PUT", "/v1/collections/docs/records/a", `{"vector":[1,2]}`).status)
		usage, ok := c.do("GET", "/v1/collections/docs", "").ok()["usage"].(map[string]any)
		require.Equal(t, db.Capabilities().Usage, ok)
		where, parts := "memory_bytes", 5
		if db.Capabilities().Engine == "postgres" {
			where, parts = "server_bytes", 2
		}
		require.NotEqual(t, json1(0), usage[where])
		require.Len(t, usage["parts"], parts)
		require.NotContains(t, c.do("GET", "/v1/collections/docs?namespace=acme", "").ok(), "usage")
	})
}
