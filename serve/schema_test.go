package serve_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/serve"
	"github.com/vecwire/vecwire/transfer"
)

// fillValue gives every field of a value something that is not its zero.
func fillValue(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fillValue(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fillValue(v.Index(0))
	case reflect.String:
		v.SetString("a")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(2)
	case reflect.Uint8:
		v.SetUint(1)
	default:
		panic(fmt.Sprintf("a %v cannot be filled: say here what a schema may have of it", v.Type()))
	}
}

// full is a schema of which no field is left out, whatever fields schemas have.
func full() (s vecwire.Schema) {
	fillValue(reflect.ValueOf(&s).Elem())
	return s
}

// TestSchemaIsWhole holds the JSON forms of schemas against the fields of vecwire.Schema,
// so that none of a new one is forgotten.
func TestSchemaIsWhole(t *testing.T) {
	t.Parallel()
	var line bytes.Buffer
	require.NoError(t, transfer.WriteSchema(&line, full()))
	var written struct{ Schema map[string]any }
	require.NoError(t, json.Unmarshal(line.Bytes(), &written))
	read, err := transfer.ReadSchema(bufio.NewReader(&line))
	require.NoError(t, err)
	require.Equal(t, full(), read, "transfer leaves something out")

	c := serving(t, openDB(t, "mem:"), serve.Options{})
	components := c.do("GET", "/openapi.json", "").ok()["components"].(map[string]any)["schemas"].(map[string]any)
	keys := func(of map[string]any) []string { return slices.Sorted(maps.Keys(of)) }
	properties := func(name string) []string {
		return keys(components[name].(map[string]any)["properties"].(map[string]any))
	}
	for _, name := range []string{"Schema", "NewCollection"} {
		require.Equal(t, keys(written.Schema), properties(name), name)
	}
	require.Equal(t, keys(written.Schema), slices.Sorted(slices.Values(append(properties("EnsuredCollection"), "name"))))
	require.Equal(t, keys(written.Schema["fields"].([]any)[0].(map[string]any)), properties("Field"))
	require.Equal(t, keys(written.Schema["vectors"].([]any)[0].(map[string]any)), properties("NamedVector"))
}

// TestSchemaRoundTrip makes collections of all that a schema says, and reads it back.
func TestSchemaRoundTrip(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, db *vecwire.DB) {
		c := serving(t, db, serve.Options{})
		const body = `{"dim":2,"element":"DOUBLE","metric":"dot","model":"m","full_text":"stem-de","extra":"more","max_records":5,
			"fields":[{"name":"more","type":"JSON","paths":["a.b"]},{"name":"until","type":"Time","expires":true,"index":true}],
			"vectors":[{"name":"title","dim":3,"metric":"l2","model":"n","source":"s"}]}`
		withSource := strings.Replace(body, `"fields":[`, `"fields":[{"name":"s","type":"String"},`, 1)
		read := func(text string) (object map[string]any) {
			d := json.NewDecoder(strings.NewReader(text))
			d.UseNumber()
			require.NoError(t, d.Decode(&object))
			return object
		}
		want := read(withSource)
		want["name"] = "docs"
		require.Equal(t, want, c.do("PUT", "/v1/collections/docs", withSource).ok())
		require.Equal(t, want, c.do("GET", "/v1/collections/docs", "").ok()["schema"])
		require.Equal(t, want, c.do("PUT", "/v1/collections/docs", withSource).ok())
		for change, pointer := range map[string]string{
			`"max_records":6`:      "/max_records",
			`"full_text":"words"`:  "/full_text",
			`"extra":""`:           "/extra",
			`"model":"o"`:          "/model",
			`"distributed":"shop"`: "/distributed",
			`"max_records":-1`:     "/max_records",
			`"full_text":"latin"`:  "/full_text",
		} {
			other := read(withSource)
			maps.Copy(other, read("{"+change+"}"))
			b, err := json.Marshal(other)
			require.NoError(t, err)
			p := c.do("PUT", "/v1/collections/docs", string(b))
			require.Contains(t, []int{400, 409}, p.status, change)
			require.Contains(t, string(p.body), `"errors":[{"pointer":"`+pointer+`",`, change)
		}
		p := c.do("POST", "/v1/collections", `{"name":"spread","dim":2,"distributed":"id"}`).problem(422, "unsupported")
		require.NotEmpty(t, p)
	})
}

// TestPagesBehindATokenOverHTTP walks through all hits, a page behind the next of the one before.
func TestPagesBehindATokenOverHTTP(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, db *vecwire.DB) {
		c := serving(t, db, serve.Options{})
		c.do("PUT", "/v1/collections/docs", `{"dim":2,"metric":"dot","full_text":"words","fields":[{"name":"g"}]}`).ok()
		for i := range 7 {
			body := fmt.Sprintf(`{"vector":[1,%d],"text":"t"}`, i/2) // ties, whose order is their IDs'
			require.Equal(t, 204, c.do("PUT", fmt.Sprintf("/v1/collections/docs/records/%d", i), body).status)
		}
		search := func(body string) map[string]any {
			return c.do("POST", "/v1/collections/docs/search", body).ok()
		}
		whole := search(`{"vector":[0,1],"k":7}`)
		var all []string
		page := search(`{"vector":[0,1],"k":2}`)
		first := page["next"].(string)
		for {
			all = append(all, idsOf(t, page)...)
			next, ok := page["next"].(string)
			if !ok {
				break
			}
			many := c.do("POST", "/v1/collections/docs/search-many", fmt.Sprintf(`{"queries":[{"vector":[0,1],"k":2,"after":%q}]}`, next)).ok()
			page = search(fmt.Sprintf(`{"vector":[0,1],"k":2,"after":%q}`, next))
			require.Equal(t, page["hits"], many["results"].([]any)[0].(map[string]any)["hits"])
		}
		require.Equal(t, idsOf(t, whole), all)
		behind := search(`{"vector":[0,1],"k":2,"offset":2}`)
		require.Equal(t, all[4:6], idsOf(t, search(fmt.Sprintf(`{"vector":[0,1],"k":2,"after":%q}`, behind["next"]))))

		for _, without := range []string{`"k":8`, `"fusion":{},"text":"t","k":2`, `"group_by":"g","k":1`, `"rescore":true,"k":2`, `"diversity":0.5,"k":2`} {
			require.NotContains(t, search(`{"vector":[0,1],`+without+`}`), "next", without)
		}
		for _, bad := range []string{
			`"after":"x"`, `"after":"e30"`, `"after":7`, `"after":"` + first + `x"`,
			`"after":"` + first + `","offset":1`, `"after":"` + first + `","fusion":{},"text":"t"`, `"after":"` + first + `","group_by":"g"`,
			`"after":"` + first + `","rescore":true`, `"after":"` + first + `","diversity":0.5`,
		} {
			r := c.do("POST", "/v1/collections/docs/search", `{"vector":[0,1],`+bad+`}`)
			require.Equal(t, "/after", pointerOf(t, r), bad)
		}
		other := c.do("POST", "/v1/collections/docs/search", `{"vector":[1,1],"after":"`+first+`"}`)
		require.Equal(t, "/after", pointerOf(t, other))
		require.Contains(t, string(other.body), "the next of an answer to a query with the same vector, text, away and in")
	})
}
