package enginetest

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/typed"
)

// jsonPaths are paths that random JSON has, most of them with values of every kind.
var jsonPaths = []string{"a", "b", "a.b", "a.b.c", "tags", "a.tags", "content-type", "naïve.日本", "it's", `back\slash`, "0", "missing"}

// jsonScalars are values that are easily taken for others.
var jsonScalars = []any{
	"", "a", "A", "ab", "é", "日本", "z", "true", "1", "10", "null", `"`, `\`, "😀", "<&>", "a\nb",
	true, false,
	json.Number("0"), json.Number("1"), json.Number("-1"), json.Number("1.0"), json.Number("1.50"), json.Number("10"), json.Number("9"), json.Number("-10"), json.Number("-9.5"),
	json.Number("9007199254740992"), json.Number("9007199254740993"), json.Number("-9007199254740993"), json.Number("9223372036854775808"),
	json.Number("0.1"), json.Number("0.10000000000000000001"), json.Number("-0.1"), json.Number("0.001"), json.Number("100000000000000000000000000000"), json.Number("0.00000000000000000001"),
}

func (g *generator) scalar() any { return jsonScalars[g.IntN(len(jsonScalars))] }

// json returns a random value: a scalar, a list of scalars, an object, or null.
func (g *generator) json(depth int) any {
	switch n := g.IntN(8); {
	case n < 3 && depth > 0:
		return g.jsonObject(depth - 1)
	case n == 3:
		list := make([]any, g.IntN(4))
		for i := range list {
			list[i] = g.scalar()
			if g.IntN(10) == 0 {
				list[i] = []any{nil, []any{g.scalar()}, map[string]any{"a": g.scalar()}}[g.IntN(3)]
			}
		}
		return list
	case n == 4:
		return nil
	}
	return g.scalar()
}

func (g *generator) jsonObject(depth int) map[string]any {
	object := map[string]any{}
	for _, path := range jsonPaths {
		if key, _, _ := strings.Cut(path, "."); g.IntN(2) == 0 {
			object[key] = g.json(depth)
		}
	}
	for _, key := range []string{"c", "日本"} {
		if g.IntN(3) == 0 {
			object[key] = g.json(depth)
		}
	}
	return object
}

// jsonComparisons returns a filter of each operation over a path.
func (g *generator) jsonComparisons(name string) []filter.Filter {
	v := g.scalar
	number := func() any {
		for {
			if n, ok := v().(json.Number); ok {
				return n
			}
		}
	}
	text := func() string {
		for {
			if s, ok := v().(string); ok {
				return s
			}
		}
	}
	many := make([]any, 20)
	for i := range many {
		many[i] = v()
	}
	all := []filter.Filter{
		filter.Eq(name, v()), filter.Ne(name, v()), filter.Eq(name, number()), filter.Eq(name, text()), filter.IsNull(name), filter.Exists(name),
		filter.In(name, v(), v(), v()), filter.NotIn(name, v(), v(), v()), filter.In[any](name), filter.NotIn[any](name), filter.In(name, many...),
		filter.Gt(name, number()), filter.Ge(name, number()), filter.Lt(name, number()), filter.Le(name, number()), filter.Between(name, number(), number()),
		filter.Gt(name, text()), filter.Ge(name, text()), filter.Lt(name, text()), filter.Le(name, text()), filter.Between(name, text(), text()),
		filter.Prefix(name, text()), filter.Contains(name, text()), filter.Prefix(name, ""), filter.Contains(name, ""),
		filter.ContainsAny(name, v()), filter.ContainsAny(name, many...), filter.ContainsAny[any](name),
		filter.ContainsAll(name, v()), filter.ContainsAll(name, v(), v()), filter.ContainsAll[any](name),
	}
	for _, f := range all[:len(all):len(all)] {
		all = append(all, filter.Not(f))
	}
	return all
}

// evaluateJSON says whether what a path leads to passes a checked filter.
func evaluateJSON(f filter.Filter, v any) truth {
	_, keys := f.Path()
	for _, key := range keys {
		object, _ := v.(map[string]any)
		v = object[key]
	}
	values := f.Values()
	same := func(w any) bool { return sameJSON(v, w) }
	list, isList := v.([]any)
	inList := func(w any) bool { return slices.ContainsFunc(list, func(x any) bool { return sameJSON(x, w) }) }
	switch f.Op() {
	case filter.OpIsNull:
		return truthOf(v == nil)
	case filter.OpIn, filter.OpContainsAny:
		if len(values) == 0 {
			return no
		}
	case filter.OpNotIn, filter.OpContainsAll:
		if len(values) == 0 {
			return yes
		}
	}
	if v == nil {
		return unknown
	}
	switch f.Op() {
	case filter.OpEq:
		return truthOf(same(values[0]))
	case filter.OpNe:
		return truthOf(!same(values[0]))
	case filter.OpIn:
		return truthOf(slices.ContainsFunc(values, same))
	case filter.OpNotIn:
		return truthOf(!slices.ContainsFunc(values, same))
	case filter.OpContainsAny, filter.OpContainsAll:
		if !isList {
			return unknown
		}
		if f.Op() == filter.OpContainsAny {
			return truthOf(slices.ContainsFunc(values, inList))
		}
		return truthOf(!slices.ContainsFunc(values, func(w any) bool { return !inList(w) }))
	}
	if fmt.Sprintf("%T", v) != fmt.Sprintf("%T", values[0]) {
		return unknown
	}
	text, _ := v.(string)
	order := func(w any) int {
		if n, ok := v.(json.Number); ok {
			return rational(n).Cmp(rational(w.(json.Number)))
		}
		return strings.Compare(text, w.(string))
	}
	switch f.Op() {
	case filter.OpGt:
		return truthOf(order(values[0]) > 0)
	case filter.OpGe:
		return truthOf(order(values[0]) >= 0)
	case filter.OpLt:
		return truthOf(order(values[0]) < 0)
	case filter.OpLe:
		return truthOf(order(values[0]) <= 0)
	case filter.OpBetween:
		return truthOf(order(values[0]) >= 0 && order(values[1]) <= 0)
	case filter.OpPrefix:
		return truthOf(strings.HasPrefix(text, values[0].(string)))
	case filter.OpContains:
		return truthOf(strings.Contains(text, values[0].(string)))
	}
	panic("unknown operation " + f.Op().String())
}

func rational(n json.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		panic("no number: " + string(n))
	}
	return r
}

func sameJSON(a, b any) bool {
	x, isNumber := a.(json.Number)
	y, too := b.(json.Number)
	if isNumber && too {
		return rational(x).Cmp(rational(y)) == 0
	}
	switch a.(type) {
	case string, bool:
		return a == b
	}
	return false
}

// json: fields that hold JSON keep it as it is, and filters by path mean what the
// model says.
func (s *suite) json(t *testing.T) {
	ctx := t.Context()
	fields := []vecwire.Field{{Name: "m", Type: vecwire.JSON}, {Name: "p", Type: vecwire.JSON, Paths: jsonPaths}, {Name: "i", Type: vecwire.Int}}
	if !s.caps.JSON {
		for _, f := range fields[:2] {
			_, err := s.db.CreateCollection(ctx, vecwire.Schema{Name: s.name(), Dim: 2, Fields: []vecwire.Field{f}})
			require.ErrorIs(t, err, vecwire.ErrUnsupported)
			require.ErrorContains(t, err, f.Name)
			require.ErrorContains(t, err, "JSON")
		}
		return
	}
	c := s.create(t, vecwire.Schema{Dim: 3, Fields: fields})
	require.Equal(t, jsonPaths, c.Schema().Fields[1].Paths)
	g := newGenerator(71, c.Schema())
	records := func(n, depth int) []vecwire.Record {
		records := make([]vecwire.Record, n)
		for i := range records {
			m := g.jsonObject(depth)
			records[i] = vecwire.Record{ID: fmt.Sprintf("%04d", i), Vector: g.vector(), Fields: vecwire.Fields{"m": m, "p": m, "i": i}}
		}
		return records
	}
	m := newModel(c.Schema(), records(s.sample(200), 2)...)
	m.upsert(
		vecwire.Record{ID: "none", Vector: g.vector()},
		vecwire.Record{ID: "empty", Vector: g.vector(), Fields: vecwire.Fields{"m": map[string]any{}, "p": []any{}}},
		vecwire.Record{ID: "list", Vector: g.vector(), Fields: vecwire.Fields{"m": jsonScalars, "p": []any{map[string]any{"a": 1}, "a"}}},
		vecwire.Record{ID: "raw", Vector: g.vector(), Fields: vecwire.Fields{"m": json.RawMessage(` {"a": {"b": 1.5e3, "c": 12.50}, "b": "\u00e9"} `), "p": map[string]int{"a": 7}}},
		vecwire.Record{ID: "long", Vector: g.vector(), Fields: vecwire.Fields{"p": map[string]any{"a": strings.Repeat("long ", 600), "b": json.Number(strings.Repeat("9", 1000))}}},
	)
	require.NoError(t, c.Upsert(ctx, m.all()...))
	m.expectAll(t, c)
	paths := []string{"m", "p"}
	for _, path := range jsonPaths {
		paths = append(paths, "m."+path, "p."+path)
	}
	// operations asks every operation of every n-th path, and random filters.
	operations := func(t *testing.T, n int) {
		for i, path := range paths {
			for _, f := range share(s, g.jsonComparisons(path), n, i) {
				m.expectFiltered(t, c, f)
			}
		}
		for range s.sample(200 / n) {
			m.expectFiltered(t, c, g.jsonFilter(3))
		}
		for range s.sample(40 / n) {
			m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), K: 1 + g.IntN(12), Filter: g.jsonFilter(2)})
		}
		m.expectFiltered(t, c, filter.Eq("p.a", strings.Repeat("long ", 600)))
		m.expectFiltered(t, c, filter.Gt("p.b", json.Number(strings.Repeat("8", 1000))))
	}
	run(t, "filters", func(t *testing.T) { operations(t, 1) })
	run(t, "filters after changes", func(t *testing.T) {
		others := records(s.sample(100), 2)
		require.NoError(t, c.Upsert(ctx, others...))
		m.upsert(others...)
		gone := m.ids(filter.Eq("p.a.b", 1))
		n, err := c.DeleteWhere(ctx, filter.Eq("p.a.b", 1))
		require.NoError(t, err)
		require.Equal(t, len(gone), n)
		for _, id := range gone {
			delete(m.records, id)
		}
		m.expectAll(t, c)
		operations(t, 5)
	})
	run(t, "text and JSON", func(t *testing.T) {
		for _, text := range []string{`m.a.b == 1`, `m["content-type"] == "a" || p["naïve"].日本 > 0`, `containsAny(m.tags, "a", 1)`, `!isNull(p.a.tags)`,
			`m.a.b == 9223372036854775808`, `in(m.a.b, 9007199254740993.0, -9_007_199_254_740_993, 0.10000000000000000001)`,
			`m.a.b > 0.00000000000000000001 && m.a.b < 1e400`, `m.a.b > 1e-400 || p.b >= .1000000000000000000001`} {
			f, err := filter.Parse(text)
			require.NoError(t, err)
			m.expectFiltered(t, c, f)
		}
		for _, text := range []string{`{"m.a.b": {"$gte": 1}}`, `{"p.tags": {"$all": ["a"]}}`, `{"m.a": {"$exists": true}, "p.b": null}`} {
			f, err := filter.FromJSON([]byte(text))
			require.NoError(t, err)
			m.expectFiltered(t, c, f)
		}
	})
	run(t, "a large batch", func(t *testing.T) {
		c := s.create(t, vecwire.Schema{Dim: 3, Fields: fields})
		m := newModel(c.Schema(), records(s.sample(5100), 0)...)
		require.NoError(t, c.Upsert(ctx, m.all()...))
		expectRecords(t, m.all(), collect(t, c, vecwire.Scan{}), payload)
		report, err := c.Ingest(ctx, input(m.all()...), vecwire.IngestOptions{})
		require.NoError(t, err)
		require.EqualValues(t, len(m.records), report.Unchanged, "equal JSON is no change")
	})
	run(t, "in a mirror", func(t *testing.T) {
		mirror := mirrored(t, c, vecwire.MirrorOptions{})
		for range s.sample(20) {
			f := g.jsonFilter(2)
			hits, err := mirror.Search(ctx, vecwire.Query{Vector: g.vector(), K: 20, Filter: f})
			require.NoError(t, err)
			for _, h := range hits {
				require.Contains(t, m.ids(f), h.ID, f)
				expectRecord(t, m.records[h.ID], h.Record, payload)
			}
			require.Len(t, hits, min(20, len(m.ids(f))), f)
		}
	})
	run(t, "what is returned is the caller's", func(t *testing.T) {
		for range 2 { // the second is from what the engine keeps
			hits, err := c.Search(ctx, vecwire.Query{Vector: g.vector(), K: 1, Filter: filter.Eq("id", "raw")})
			require.NoError(t, err)
			expectRecord(t, m.records["raw"], hits[0].Record, payload)
			hits[0].Fields["m"].(map[string]any)["a"].(map[string]any)["b"] = "changed"
		}
	})
	run(t, "refused", func(t *testing.T) { s.jsonRefusals(t, c) })
	run(t, "extra", s.extra)
	run(t, "structs", s.jsonStructs)
}

// jsonFilter returns a random filter over JSON.
func (g *generator) jsonFilter(depth int) filter.Filter {
	if depth > 0 && g.IntN(3) > 0 {
		switch g.IntN(3) {
		case 0:
			return filter.Not(g.jsonFilter(depth - 1))
		case 1:
			return filter.And(g.jsonFilter(depth-1), g.jsonFilter(depth-1))
		default:
			return filter.Or(g.jsonFilter(depth-1), g.jsonFilter(depth-1), g.jsonFilter(depth-1))
		}
	}
	all := g.jsonComparisons([]string{"m.", "p."}[g.IntN(2)] + jsonPaths[g.IntN(len(jsonPaths))])
	return all[g.IntN(len(all))]
}

func (s *suite) jsonRefusals(t *testing.T, c *vecwire.Collection) {
	ctx := t.Context()
	for field, value := range map[string]any{
		"m": "x", "m.a": map[string]any{"a": "\x00"}, "m.a[1]": map[string]any{"a": []any{1, "\xff"}}, "p": 7, "p.a": map[string]any{"a": json.Number("1e5000")},
	} {
		name, _, _ := strings.Cut(field, ".")
		err := c.Upsert(ctx, vecwire.Record{ID: "bad", Vector: []float32{1, 2, 3}, Fields: vecwire.Fields{name: value}})
		var batch *vecwire.BatchError
		require.ErrorAs(t, err, &batch, field)
		var e *vecwire.ValueError
		require.ErrorAs(t, err, &e)
		require.Equal(t, field, e.Field)
	}
	for _, f := range []filter.Filter{filter.Eq("nope.a", 1), filter.Eq("i.a", 1), filter.Gt("m.a", true), filter.Eq("m..a", 1), filter.Eq("m.a\x00", 1), filter.Between("m.a", 1, "x")} {
		_, err := c.Count(ctx, f)
		var e *vecwire.FilterError
		require.ErrorAs(t, err, &e, f)
		require.Equal(t, f.Field(), e.Field)
	}
	_, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 2, 3}, GroupBy: "m"})
	require.ErrorAs(t, err, new(*vecwire.SchemaError))
	for _, f := range []vecwire.Field{
		{Name: "m", Type: vecwire.JSON, Index: true}, {Name: "m", Type: vecwire.String, Paths: []string{"a"}}, {Name: "m", Type: vecwire.JSON, Paths: []string{"a..b"}},
		{Name: "m", Type: vecwire.JSON, Paths: []string{"a", "a"}}, {Name: "m", Type: vecwire.JSON, Paths: make([]string, 21)},
	} {
		_, err := s.db.CreateCollection(ctx, vecwire.Schema{Name: s.name(), Dim: 2, Fields: []vecwire.Field{f}})
		var e *vecwire.SchemaError
		require.ErrorAs(t, err, &e, f)
		require.Equal(t, "m", e.Field)
	}
	_, err = s.db.CreateCollection(ctx, vecwire.Schema{Name: s.name(), Dim: 2, Extra: "m"})
	require.ErrorAs(t, err, new(*vecwire.SchemaError))
}

// extra: what no field is for is gathered.
func (s *suite) extra(t *testing.T) {
	ctx := t.Context()
	schema := vecwire.Schema{Name: s.name(), Dim: 2, Extra: "meta", Fields: []vecwire.Field{{Name: "lang"}, {Name: "meta", Type: vecwire.JSON, Paths: []string{"color"}}}}
	c := s.create(t, schema)
	opened, err := s.db.EnsureCollection(ctx, schema)
	require.NoError(t, err)
	require.Equal(t, "meta", opened.Schema().Extra)
	v := []float32{1, 2}
	require.NoError(t, c.Upsert(ctx,
		vecwire.Record{ID: "1", Vector: v, Fields: vecwire.Fields{"lang": "go", "color": "red", "size": 7, "tags": []string{"a"}}},
		vecwire.Record{ID: "2", Vector: v, Fields: vecwire.Fields{"meta": map[string]any{"color": "blue"}, "size": 1.5}},
		vecwire.Record{ID: "3", Vector: v, Fields: vecwire.Fields{"meta": map[string]any{"color": "blue"}}},
		vecwire.Record{ID: "4", Vector: v, Fields: vecwire.Fields{"lang": "go"}},
	))
	want := []vecwire.Fields{
		{"lang": "go", "meta": map[string]any{"color": "red", "size": json.Number("7"), "tags": []any{"a"}}},
		{"meta": map[string]any{"color": "blue", "size": json.Number("1.5")}}, {"meta": map[string]any{"color": "blue"}}, {"lang": "go"},
	}
	got, err := c.Get(ctx, "1", "2", "3", "4")
	require.NoError(t, err)
	for i, r := range got {
		require.Equal(t, want[i], r.Fields)
	}
	require.NoError(t, c.Upsert(ctx, got...), "what was read can be written")
	if s.caps.Update {
		s.extraUpdated(t, c)
		require.NoError(t, c.Upsert(ctx, got...))
	}
	for _, f := range []filter.Filter{filter.Eq("meta.color", "blue"), filter.Exists("meta.size")} {
		n, err := c.Count(ctx, f)
		require.NoError(t, err)
		require.Equal(t, 2, n)
	}
	for _, fields := range []vecwire.Fields{
		{"meta": []any{1}, "color": "red"}, {"meta": map[string]any{"color": 1}, "color": "red"}, {"color": make(chan int)}, {"a\xff": 1},
	} {
		require.ErrorAs(t, c.Upsert(ctx, vecwire.Record{ID: "5", Vector: v, Fields: fields}), new(*vecwire.ValueError))
	}
}

// post is a struct with JSON.
type post struct {
	ID     string
	Vector []float32       `vecwire:",dim=2"`
	Meta   map[string]any  `vecwire:"meta"`
	Raw    json.RawMessage `vecwire:"raw,json"`
	Author person          `vecwire:"author,json"`
	Editor *person         `vecwire:"editor,json"`
}

type person struct {
	Name string   `json:"name"`
	Age  int64    `json:"age"`
	Tags []string `json:"tags,omitempty"`
}

func (s *suite) jsonStructs(t *testing.T) {
	ctx := t.Context()
	schema, err := typed.SchemaOf[post](s.name())
	require.NoError(t, err)
	s.create(t, schema)
	c, err := typed.Ensure[post](ctx, s.db, schema.Name)
	require.NoError(t, err)
	want := []post{
		{ID: "1", Vector: []float32{1, 2}, Meta: map[string]any{"a": json.Number("9007199254740993")}, Raw: json.RawMessage(`{"x":[1.50]}`), Author: person{"ann", 9007199254740993, []string{"a"}}, Editor: &person{Name: "bob"}},
		{ID: "2", Vector: []float32{1, 2}},
	}
	require.NoError(t, c.Upsert(ctx, want...))
	got, err := c.Get(ctx, "1", "2")
	require.NoError(t, err)
	require.Equal(t, want, got)
	n, err := c.Collection.Count(ctx, filter.And(filter.Eq("author.age", int64(9007199254740993)), filter.Eq("meta.a", int64(9007199254740993)), filter.Ne("meta.a", int64(9007199254740992))))
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

// extraUpdated: an update changes the field that gathers as a whole, and nothing in it.
func (s *suite) extraUpdated(t *testing.T, c *vecwire.Collection) {
	ctx := t.Context()
	before, err := c.Get(ctx, "1")
	require.NoError(t, err)
	for _, ch := range []vecwire.Change{{ID: "1", Set: vecwire.Fields{"color": "blue"}}, {ID: "1", Unset: []string{"color"}}} {
		err := c.Update(ctx, ch)
		var bad *vecwire.SchemaError
		require.ErrorAs(t, err, &bad)
		require.Equal(t, "color", bad.Field)
		require.Contains(t, bad.Msg, `set "meta" to the object`)
	}
	_, err = c.UpdateWhere(ctx, filter.Eq("meta.color", "red"), vecwire.Fields{"color": "blue"})
	require.ErrorAs(t, err, new(*vecwire.SchemaError))
	after, err := c.Get(ctx, "1")
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.NoError(t, c.Update(ctx, vecwire.Change{ID: "1", Set: vecwire.Fields{"meta": map[string]any{"color": "blue"}}}))
	after, err = c.Get(ctx, "1")
	require.NoError(t, err)
	require.Equal(t, vecwire.Fields{"lang": "go", "meta": map[string]any{"color": "blue"}}, after[0].Fields)
}
