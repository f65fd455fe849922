package serve_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/serve"
)

// operation is an operation of the document.
type operation struct {
	method, path string
	spec         map[string]any
}

func operations(t *testing.T, doc map[string]any) (all []operation) {
	t.Helper()
	for path, methods := range doc["paths"].(map[string]any) {
		for method, spec := range methods.(map[string]any) {
			all = append(all, operation{strings.ToUpper(method), path, spec.(map[string]any)})
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return all
}

// TestDocument holds the document against OpenAPI's own rules as far as a client
// relies on them.
func TestDocument(t *testing.T) {
	t.Parallel()
	c := serving(t, openDB(t, "mem:"), serve.Options{Version: "v7"})
	doc := c.do("GET", "/openapi.json", "").ok()
	require.Equal(t, "3.1.0", doc["openapi"])
	require.Equal(t, "v7", doc["info"].(map[string]any)["version"])
	names := map[string]bool{}
	for _, op := range operations(t, doc) {
		id, _ := op.spec["operationId"].(string)
		require.Regexp(t, `^[a-z][A-Za-z]+$`, id)
		require.False(t, names[id], "twice: %s", id)
		names[id] = true
		require.NotEmpty(t, op.spec["summary"])
		declared := []string{}
		for _, p := range asList(op.spec["parameters"]) {
			if p := p.(map[string]any); p["in"] == "path" {
				require.Equal(t, true, p["required"])
				declared = append(declared, "{"+p["name"].(string)+"}")
			}
		}
		require.Equal(t, declared, append([]string{}, regexp.MustCompile(`\{\w+\}`).FindAllString(op.path, -1)...), op.path)
	}
	refs := 0
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				refs++
				require.NotNil(t, resolve(doc, ref), ref)
			}
			for _, part := range v {
				walk(part)
			}
		case []any:
			for _, part := range v {
				walk(part)
			}
		}
	}
	walk(doc)
	require.Greater(t, refs, 20)
}

func asList(v any) []any { list, _ := v.([]any); return list }

func resolve(doc map[string]any, ref string) map[string]any {
	at := any(doc)
	for _, key := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		m, _ := at.(map[string]any)
		at = m[key]
	}
	m, _ := at.(map[string]any)
	return m
}

// TestOperationsKeepTheDocument makes requests of the document at random, good ones
// and bad ones, and holds the answers against it: each is one that the document has,
// or a problem; none is the server's fault; and a body that the document forbids is
// refused.
func TestOperationsKeepTheDocument(t *testing.T) {
	t.Parallel()
	db := openDB(t, "mem:")
	c := serving(t, db, serve.Options{Embedders: []vecwire.Embedder{letters}, Limits: serve.Limits{Sample: 20}})
	fill(t, c)
	doc := c.do("GET", "/openapi.json", "").ok()
	f := &fuzzer{t: t, doc: doc, rng: rand.New(rand.NewPCG(1, 2))}
	rounds := 60
	if testing.Short() {
		rounds = 15
	}
	succeeded := map[string]bool{}
	for _, op := range operations(t, doc) {
		for range rounds {
			path := regexp.MustCompile(`\{(\w+)\}`).ReplaceAllStringFunc(op.path, func(name string) string {
				return url.PathEscape(f.pick(map[string][]string{"{collection}": {"docs", "docs", "docs", "none", "ünï"}, "{id}": {"1", "2", "3", "%", "a/b"}, "{index}": {"none"}}[name]))
			})
			query := url.Values{}
			for _, p := range asList(op.spec["parameters"]) {
				if p := p.(map[string]any); p["in"] == "query" && f.rng.IntN(3) == 0 && p["name"] != "namespace" {
					query.Set(p["name"].(string), strings.Trim(f.text(f.make(p["schema"], 0)), `"`))
				}
			}
			var body, media string
			valid := true
			if content, ok := op.spec["requestBody"].(map[string]any); ok {
				for m, of := range content["content"].(map[string]any) {
					if media = m; m != "application/json" {
						body = f.text(f.make(of.(map[string]any)["x-line"], 0)) + "\nnot JSON\n"
						continue
					}
					schema := of.(map[string]any)["schema"]
					v := f.make(schema, 0)
					if f.rng.IntN(2) == 0 {
						v = f.spoil(v)
						valid = f.fits(schema, v) == ""
					}
					body = f.text(v)
				}
			}
			if op.spec["operationId"] == "dropCollection" || op.spec["operationId"] == "deleteRecords" {
				path = strings.Replace(path, "docs", "none", 1) // the others need it
			}
			r := c.send(c.request(op.method, path+"?"+query.Encode(), media, body))
			what := fmt.Sprintf("%s %s?%s %s: %d %s", op.method, path, query.Encode(), body, r.status, r.body)
			require.True(t, r.status < 500, what)
			answers := op.spec["responses"].(map[string]any)
			answer, known := answers[strconv.Itoa(r.status)].(map[string]any)
			require.True(t, known, "the document does not have the status: %s", what)
			if r.status >= 300 {
				require.GreaterOrEqual(t, r.status, 400, what)
				require.Equal(t, "application/problem+json", r.header.Get("Content-Type"), what)
				require.Empty(t, f.fits(map[string]any{"$ref": "#/components/schemas/Problem"}, decode(t, r.body)), what)
				continue
			}
			require.True(t, valid, "the document forbids the body: %s", what)
			succeeded[op.spec["operationId"].(string)] = true
			content, _ := answer["content"].(map[string]any)
			for media, of := range content {
				require.Contains(t, r.header.Get("Content-Type"), strings.Split(media, ";")[0], what)
				of := of.(map[string]any)
				switch {
				case media == "application/json":
					require.Empty(t, f.fits(of["schema"], decode(t, r.body)), what)
				case of["x-line"] != nil:
					for line := range strings.Lines(strings.TrimPrefix(string(r.body), schemaLine(string(r.body)))) {
						require.Empty(t, f.fits(of["x-line"], decode(t, []byte(line))), what)
					}
				}
			}
		}
	}
	require.Greater(t, len(succeeded), 15, "most operations must be reached: %v", succeeded)
}

// schemaLine is the first line of a stream if that is a schema.
func schemaLine(stream string) string {
	if first, _, _ := strings.Cut(stream, "\n"); strings.HasPrefix(first, `{"vecwire":`) {
		return first + "\n"
	}
	return ""
}

// fuzzer makes values of JSON Schema, as far as the document uses it.
type fuzzer struct {
	t   *testing.T
	doc map[string]any
	rng *rand.Rand
}

func (f *fuzzer) pick(all []string) string { return all[f.rng.IntN(len(all))] }

func (f *fuzzer) text(v any) string {
	b, err := json.Marshal(v)
	require.NoError(f.t, err)
	return string(b)
}

var words = []string{"a", "docs", "lang == \"go\"", "n", "words", "\u0000", "ü\\\"", "letters", "1", "{\"n\":1}", "AACAPwAAgD8AAIA/"}

// make makes a value that fits a schema.
func (f *fuzzer) make(of any, depth int) any {
	s := of.(map[string]any)
	if ref, ok := s["$ref"].(string); ok {
		return f.make(resolve(f.doc, ref), depth)
	}
	if ways := asList(s["anyOf"]); ways != nil {
		return f.make(ways[f.rng.IntN(len(ways))], depth)
	}
	if enum := asList(s["enum"]); enum != nil {
		return enum[f.rng.IntN(len(enum))]
	}
	kind, _ := s["type"].(string)
	if kinds := asList(s["type"]); kinds != nil {
		kind = kinds[f.rng.IntN(len(kinds))].(string)
	}
	low, high := bound(s, "minimum", -5), bound(s, "maximum", 40)
	switch kind {
	case "null":
		return nil
	case "boolean":
		return f.rng.IntN(2) == 0
	case "integer":
		return int64(low) + f.rng.Int64N(int64(min(high-low, 50))+1)
	case "number":
		return low + f.rng.Float64()*min(high-low, 10)
	case "array":
		least := int(bound(s, "minItems", 0))
		list := []any{}
		for range least + f.rng.IntN(4) {
			if len(list) < int(bound(s, "maxItems", 9)) {
				list = append(list, f.make(s["items"], depth+1))
			}
		}
		return list
	case "object":
		object := map[string]any{}
		required := asList(s["required"])
		properties, _ := s["properties"].(map[string]any)
		for key, of := range properties {
			if slices.Contains(required, any(key)) || depth < 4 && f.rng.IntN(3) == 0 {
				object[key] = f.make(of, depth+1)
			}
		}
		if properties == nil && f.rng.IntN(2) == 0 {
			object[f.pick(words)] = f.pick(words)
		}
		return object
	}
	if s["pattern"] != nil {
		return f.pick([]string{"docs", "none", "n"})
	}
	return f.pick(words)
}

func bound(s map[string]any, key string, otherwise float64) float64 {
	if n, ok := s[key].(json.Number); ok {
		x, _ := n.Float64()
		return x
	}
	return otherwise
}

// spoil changes a part of a value.
func (f *fuzzer) spoil(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if len(v) > 0 && f.rng.IntN(3) > 0 {
			keys := []string{}
			for key := range v {
				keys = append(keys, key)
			}
			slices.Sort(keys)
			key := f.pick(keys)
			v[key] = f.spoil(v[key])
			return v
		}
		v["surprise"] = 1
		return v
	case []any:
		if len(v) > 0 && f.rng.IntN(2) == 0 {
			v[f.rng.IntN(len(v))] = f.spoil(v[0])
			return v
		}
	}
	return []any{nil, true, -1, 1e30, 2.5, "text", []any{}, []any{"x"}, map[string]any{}, map[string]any{"$x": 1}}[f.rng.IntN(10)]
}

// fits says what of a value does not fit a schema, "" if all does.
func (f *fuzzer) fits(of, v any) string {
	s := of.(map[string]any)
	if ref, ok := s["$ref"].(string); ok {
		return f.fits(resolve(f.doc, ref), v)
	}
	if ways := asList(s["anyOf"]); ways != nil {
		for _, way := range ways {
			if f.fits(way, v) == "" {
				return ""
			}
		}
		return fmt.Sprintf("%v is none of %v", v, ways)
	}
	if enum := asList(s["enum"]); enum != nil && !slices.Contains(enum, v) {
		return fmt.Sprintf("%v is none of %v", v, enum)
	}
	kinds := asList(s["type"])
	if kind, ok := s["type"].(string); ok {
		kinds = []any{kind}
	}
	kind := kindOf(v)
	if kinds != nil && !slices.Contains(kinds, any(kind)) && (kind != "integer" || !slices.Contains(kinds, any("number"))) {
		return fmt.Sprintf("%v is %s, want %v", v, kind, kinds)
	}
	switch v := v.(type) {
	case string:
		if pattern, ok := s["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(v) {
			return v + " does not fit " + pattern
		}
		if len([]rune(v)) < int(bound(s, "minLength", 0)) || len([]rune(v)) > int(bound(s, "maxLength", 1e9)) {
			return v + " has another length"
		}
	case []any:
		if len(v) < int(bound(s, "minItems", 0)) || len(v) > int(bound(s, "maxItems", 1e9)) {
			return fmt.Sprintf("%d items", len(v))
		}
		for _, item := range v {
			if s["items"] != nil {
				if bad := f.fits(s["items"], item); bad != "" {
					return bad
				}
			}
		}
	case map[string]any:
		properties, _ := s["properties"].(map[string]any)
		for key, item := range v {
			if of, ok := properties[key]; ok {
				if bad := f.fits(of, item); bad != "" {
					return key + ": " + bad
				}
			} else if s["additionalProperties"] == false {
				return "unexpected " + key
			}
		}
		for _, key := range asList(s["required"]) {
			if _, ok := v[key.(string)]; !ok {
				return "missing " + key.(string)
			}
		}
	default:
		if kind == "integer" || kind == "number" {
			x, err := strconv.ParseFloat(fmt.Sprint(v), 64)
			if err != nil || x < bound(s, "minimum", -1e300) || x > bound(s, "maximum", 1e300) {
				return fmt.Sprintf("%v is out of range", v)
			}
		}
	}
	return ""
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case float64:
		if v == float64(int64(v)) && v < 1e18 && v > -1e18 {
			return "integer"
		}
		return "number"
	case json.Number:
		if x, err := v.Float64(); err == nil && x == float64(int64(x)) {
			return "integer"
		}
		return "number"
	}
	return "integer"
}

const schemathesis = "4.32.5"

// TestSchemathesis lets a fuzzing client that knows nothing of this package read the
// document and make its requests. It is installed once into the cache.
func TestSchemathesis(t *testing.T) {
	t.Parallel()
	if os.Getenv("VECWIRE_TEST_ALL") != "1" {
		t.Skip("set VECWIRE_TEST_ALL=1 to install schemathesis from PyPI and run it")
	}
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	dir := filepath.Join(cache, "vecwire-schemathesis-"+schemathesis)
	program := filepath.Join(dir, "bin", "st")
	if runtime.GOOS == "windows" {
		program = filepath.Join(dir, "Scripts", "st.exe")
	}
	if _, err := os.Stat(program); err != nil {
		for _, args := range [][]string{{"python3", "-m", "venv", dir}, {filepath.Join(filepath.Dir(program), "python"), "-m", "pip", "install", "--quiet", "schemathesis==" + schemathesis}} {
			if out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
				t.Skipf("schemathesis cannot be installed: %v: %.200s", err, out)
			}
		}
	}
	c := serving(t, openDB(t, "mem:"), serve.Options{
		Tokens: []serve.Token{token(t, "admin", serve.Admin, nil)}, Embedders: []vecwire.Embedder{letters},
		Limits: serve.Limits{Sample: 20, IDs: 10, Queries: 5},
	}).with("the secret of admin")
	fill(t, c)
	out, err := exec.CommandContext(t.Context(), program, "run", c.url+"/openapi.json", "-H", "Authorization: Bearer "+c.token,
		"--phases", "coverage,fuzzing", "--max-time", "60", "--continue-on-failure", "--warnings", "off",
		"--exclude-operation-id", "storeRecords", // schemathesis cannot write lines of JSON
		"--exclude-checks", "positive_data_acceptance", // whether a vector fits is the collection's affair
	).CombinedOutput()
	if err != nil {
		for line := range strings.Lines(string(out)) {
			t.Logf("%.300s", strings.TrimRight(line, "\n"))
		}
	}
	require.NoError(t, err)
}

// TestManyBodies makes sure that a server with a body that is not read to its end
// goes on.
func TestManyBodies(t *testing.T) {
	t.Parallel()
	c := serving(t, openDB(t, "mem:"), serve.Options{})
	for range 3 {
		r := c.request("POST", "/v1/collections/none/records", "application/x-ndjson", strings.Repeat("x", 1<<20))
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			continue // the server may cut the rest off
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, 404, answer.StatusCode)
	}
	c.do("GET", "/v1/health", "").ok()
}
