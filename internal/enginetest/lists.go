package enginetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/typed"
)

// listTypes is a field of each type of list, and each once more with an index.
func listTypes() []vecwire.Field {
	return []vecwire.Field{
		{Name: "s", Type: vecwire.Strings}, {Name: "i", Type: vecwire.Ints}, {Name: "f", Type: vecwire.Floats},
		{Name: "si", Type: vecwire.Strings, Index: true}, {Name: "ii", Type: vecwire.Ints, Index: true}, {Name: "fi", Type: vecwire.Floats, Index: true},
		{Name: "lang", Type: vecwire.String, Index: true},
	}
}

// hardStrings are elements that are easily taken for something between elements.
var hardStrings = []string{
	"", " ", "a", "A", "b", "c", ",", `"`, `","`, `\`, `\"`, "\n", "\na\n", "[", "]", "{", "}", "{}", "NULL", "null", "é", "e\u0301", "日本", "😀", "\u2028", "a,b", "a b", "'", "\u007f", "<&>", "1",
}

// list returns a random list: short, often with an element twice, sometimes empty.
func (g *generator) list(elem vecwire.FieldType) any {
	n := g.IntN(5)
	switch elem {
	case vecwire.Int:
		return some(g, n, func() int64 { return g.value(elem).(int64) })
	case vecwire.Float:
		return some(g, n, func() float64 { return g.value(elem).(float64) })
	}
	return some(g, n, func() string { return hardStrings[g.IntN(len(hardStrings))] })
}

func some[T any](g *generator, n int, one func() T) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = one()
		if i > 0 && g.IntN(6) == 0 {
			list[i] = list[i-1]
		}
	}
	return list
}

func (g *generator) element(elem vecwire.FieldType) any {
	if elem == vecwire.String {
		return hardStrings[g.IntN(len(hardStrings))]
	}
	return g.value(elem)
}

// listComparisons returns a filter of each operation that a list has.
func (g *generator) listComparisons(f vecwire.Field, elem vecwire.FieldType) []filter.Filter {
	name, e := f.Name, func() any { return g.element(elem) }
	many := make([]any, 2+g.IntN(20))
	for i := range many {
		many[i] = e()
	}
	twice := e()
	all := []filter.Filter{
		filter.Eq(name, g.list(elem)), filter.Ne(name, g.list(elem)), filter.Eq(name, []any{}), filter.Ne(name, []any{e()}), filter.IsNull(name),
		filter.ContainsAny(name, e()), filter.ContainsAny(name, e(), e(), e()), filter.ContainsAny(name, many...), filter.ContainsAny[any](name),
		filter.ContainsAll(name, e()), filter.ContainsAll(name, e(), e()), filter.ContainsAll(name, many...), filter.ContainsAll[any](name), filter.ContainsAll(name, twice, twice),
		filter.In(name, e(), e()), filter.NotIn(name, e(), e()), filter.NotIn[any](name),
	}
	for _, f := range all[:len(all):len(all)] {
		all = append(all, filter.Not(f))
	}
	return all
}

// lists: fields that hold lists keep them as they are, and filters over them mean
// what the model says.
func (s *suite) lists(t *testing.T) {
	ctx := t.Context()
	if !s.caps.Lists {
		for _, f := range listTypes()[:6] {
			_, err := s.db.CreateCollection(ctx, vecwire.Schema{Name: s.name(), Dim: 2, Fields: []vecwire.Field{f}})
			require.ErrorIs(t, err, vecwire.ErrUnsupported)
			require.ErrorContains(t, err, f.Name)
			require.ErrorContains(t, err, f.Type.String())
		}
		return
	}
	c := s.create(t, vecwire.Schema{Dim: 3, Fields: listTypes()})
	g := newGenerator(61, c.Schema())
	m := newModel(c.Schema(), g.records(200)...)
	add := func(id string, fields vecwire.Fields) {
		m.upsert(vecwire.Record{ID: id, Vector: g.vector(), Fields: fields})
	}
	type tag string
	add("empty", vecwire.Fields{"s": []string{}, "i": []int64{}, "f": []float64{}, "si": []string{}, "ii": []int64{}, "fi": []float64{}})
	add("nil", vecwire.Fields{"s": []string(nil), "i": []int64(nil), "f": []float64(nil)})
	add("kinds", vecwire.Fields{"s": []tag{"b", "a"}, "f": []int{3}, "ii": [2]int{2, 1}, "si": []any{"x", tag("y")}})
	add("hard", vecwire.Fields{"s": hardStrings, "si": hardStrings})
	add("numbers", vecwire.Fields{"i": pools[vecwire.Int], "ii": pools[vecwire.Int], "f": pools[vecwire.Float], "fi": pools[vecwire.Float]})
	add("zero", vecwire.Fields{"f": []float64{math.Copysign(0, -1)}, "fi": []float64{0}})
	require.NoError(t, c.Upsert(ctx, m.all()...))
	m.expectAll(t, c)

	// operations asks every operation of every field, and random filters: an n-th of as
	// many as there could be.
	operations := func(t *testing.T, n int) {
		for _, f := range c.Schema().Fields[:6] {
			for range s.sample(10 / n) {
				for _, f := range g.comparisons(f) {
					m.expectFiltered(t, c, f)
				}
			}
		}
		for range s.sample(200 / n) {
			m.expectFiltered(t, c, g.filter(3))
		}
		for _, e := range turn(s, hardStrings) {
			m.expectFiltered(t, c, filter.ContainsAny("s", e))
			m.expectFiltered(t, c, filter.ContainsAll("si", e, "a"))
			m.expectFiltered(t, c, filter.Contains("s", e))
			m.expectFiltered(t, c, filter.Eq("si", []string{e}))
		}
		for range s.sample(40 / n) {
			m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), K: 1 + g.IntN(12), Filter: g.filter(2)})
		}
	}
	run(t, "filters", func(t *testing.T) { operations(t, 1) })
	run(t, "filters after changes", func(t *testing.T) {
		others := g.records(60) // of the same IDs, with other lists
		require.NoError(t, c.Upsert(ctx, others...))
		m.upsert(others...)
		n, err := c.Delete(ctx, "0100", "0101", "hard")
		require.NoError(t, err)
		require.Equal(t, 3, n)
		delete(m.records, "0100")
		delete(m.records, "0101")
		delete(m.records, "hard")
		gone := m.ids(filter.ContainsAny("si", "a"))
		n, err = c.DeleteWhere(ctx, filter.ContainsAny("si", "a"))
		require.NoError(t, err)
		require.Equal(t, len(gone), n)
		for _, id := range gone {
			delete(m.records, id)
		}
		m.expectAll(t, c)
		operations(t, 5)
	})
	run(t, "long", func(t *testing.T) {
		c := s.create(t, vecwire.Schema{Dim: 3, Fields: listTypes()})
		long := make([]string, filter.MaxListElements)
		for i := range long {
			long[i] = fmt.Sprint("element ", i)
		}
		long[7] = strings.Repeat("x", filter.MaxListString)
		m := newModel(c.Schema(), g.records(5)...)
		m.upsert(vecwire.Record{ID: "long", Vector: g.vector(), Fields: vecwire.Fields{"s": long, "si": long}})
		require.NoError(t, c.Upsert(ctx, m.all()...))
		m.expectAll(t, c)
		for _, name := range []string{"s", "si"} {
			for _, f := range turn(s, []filter.Filter{filter.ContainsAny(name, long...), filter.ContainsAll(name, long...), filter.Eq(name, long)}) {
				m.expectFiltered(t, c, f)
				m.expectFiltered(t, c, filter.Not(f))
			}
		}
	})
	run(t, "refused", func(t *testing.T) { s.listRefusals(t, c) })
	run(t, "a large batch", func(t *testing.T) {
		c := s.create(t, vecwire.Schema{Dim: 3, Fields: listTypes()})
		m := newModel(c.Schema(), g.records(s.sample(6000))...)
		require.NoError(t, c.Upsert(ctx, m.all()...))
		m.expectFiltered(t, c, filter.ContainsAny("si", "a", "日本"))
		expectRecords(t, m.all(), collect(t, c, vecwire.Scan{}), payload)
		report, err := c.Ingest(ctx, input(m.all()...), vecwire.IngestOptions{})
		require.NoError(t, err)
		require.EqualValues(t, len(m.records), report.Unchanged, "equal lists are no change")
	})
	if s.caps.Transactions {
		run(t, "in a transaction", func(t *testing.T) {
			undo := errors.New("undo")
			err := s.db.Tx(ctx, func(ctx context.Context) error {
				if err := c.Upsert(ctx, vecwire.Record{ID: "tx", Vector: g.vector(), Fields: vecwire.Fields{"si": []string{"only here"}, "i": []int{5}}}); err != nil {
					return err
				}
				n, err := c.Count(ctx, filter.ContainsAny("si", "only here"))
				require.Equal(t, 1, n)
				require.NoError(t, err)
				return undo
			})
			require.ErrorIs(t, err, undo)
			n, err := c.Count(ctx, filter.ContainsAny("si", "only here"))
			require.NoError(t, err)
			require.Zero(t, n)
		})
	}
	run(t, "in a mirror", func(t *testing.T) {
		mirror := mirrored(t, c, vecwire.MirrorOptions{})
		for range s.sample(20) {
			f := g.filter(2)
			hits, err := mirror.Search(ctx, vecwire.Query{Vector: g.vector(), K: 20, Filter: f})
			require.NoError(t, err)
			for _, h := range hits {
				require.Contains(t, m.ids(f), h.ID, f)
				expectRecord(t, m.records[h.ID], h.Record, payload)
			}
			require.Len(t, hits, min(20, len(m.ids(f))), f)
		}
	})
	run(t, "groups", s.listGroups)
	run(t, "structs", s.listStructs)
}

// listRefusals: what no list can hold is refused by record, field and element.
func (s *suite) listRefusals(t *testing.T, c *vecwire.Collection) {
	ctx := t.Context()
	for _, tt := range []struct {
		field string
		value any
		pos   int
	}{
		{"s", "x", -1}, {"s", []any{"x", nil}, 1}, {"s", []string{"a", "a\x00"}, 1}, {"si", []string{"\xff"}, 0}, {"s", []int{1}, 0},
		{"si", []string{strings.Repeat("x", filter.MaxListString+1)}, 0}, {"i", make([]int, filter.MaxListElements+1), -1},
		{"i", []float64{1, 2, 2.5}, 2}, {"i", 7, -1}, {"f", []float64{math.NaN()}, 0}, {"fi", []float64{0, math.Inf(1)}, 1}, {"lang", []string{"x"}, -1},
	} {
		err := c.Upsert(ctx, vecwire.Record{ID: "fine", Vector: []float32{1, 2, 3}}, vecwire.Record{ID: "bad", Vector: []float32{1, 2, 3}, Fields: vecwire.Fields{tt.field: tt.value}})
		var batch *vecwire.BatchError
		require.ErrorAs(t, err, &batch, tt.field)
		require.Equal(t, "bad", batch.Failed[0].ID)
		var e *vecwire.ValueError
		require.ErrorAs(t, err, &e)
		require.Equal(t, tt.field, e.Field)
		require.Equal(t, tt.pos, e.Pos, "%s: %v", tt.field, err)
	}
	got, err := c.Get(ctx, "fine", "bad")
	require.NoError(t, err)
	require.Empty(t, got)
	for _, f := range []filter.Filter{
		filter.Gt("i", []int{1}), filter.Prefix("s", "x"), filter.ContainsAny("lang", "x"), filter.Between("f", 1, 2), filter.ContainsAny("nope", 1),
	} {
		_, err := c.Count(ctx, f)
		var e *vecwire.FilterError
		require.ErrorAs(t, err, &e, f)
		require.Equal(t, f.Field(), e.Field)
	}
	for _, f := range []filter.Filter{filter.Eq("s", "x"), filter.ContainsAny("i", "x"), filter.ContainsAll("s", 1), filter.Eq("f", []string{"x"})} {
		_, err := c.Count(ctx, f)
		var e *vecwire.ValueError
		require.ErrorAs(t, err, &e, f)
		require.Equal(t, f.Field(), e.Field)
	}
}

// listGroups: a hit belongs to the group of each element.
func (s *suite) listGroups(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Metric: vecwire.Dot, Fields: []vecwire.Field{{Name: "tags", Type: vecwire.Strings}, {Name: "n", Type: vecwire.Ints}}})
	var records []vecwire.Record
	for i, tags := range [][]string{{"a"}, {"a", "b"}, {"a"}, {"b", "b"}, {"a", "c"}, nil, {}, {"b", "a"}} {
		r := vecwire.Record{ID: fmt.Sprint(i), Vector: []float32{float32(100 - i), 1}, Fields: vecwire.Fields{}}
		if tags != nil {
			r.Fields["tags"] = tags
		}
		records = append(records, r)
	}
	require.NoError(t, c.Upsert(ctx, records...))
	for size, want := range map[int][]string{
		1: {"0", "1", "4", "5"},           // a; b of 1, and a is full; c of 4; none
		2: {"0", "1", "3", "4", "5", "6"}, // of b 1 and 3
	} {
		hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 0}, K: 10, GroupBy: "tags", GroupSize: size})
		require.NoError(t, err)
		require.Equal(t, want, hitIDs(hits), size)
	}
}

// tagged is a struct with lists.
type tagged struct {
	ID     string
	Vector []float32 `vecwire:",dim=2"`
	Tags   []string  `vecwire:"tags,index"`
	Years  []int
	Prices []float32 `vecwire:",omitzero"`
}

func (s *suite) listStructs(t *testing.T) {
	ctx := t.Context()
	schema, err := typed.SchemaOf[tagged](s.name())
	require.NoError(t, err)
	s.create(t, schema)
	c, err := typed.Ensure[tagged](ctx, s.db, schema.Name)
	require.NoError(t, err)
	want := []tagged{
		{ID: "1", Vector: []float32{1, 2}, Tags: []string{"go", "slices"}, Years: []int{2020, -1}, Prices: []float32{0.5, 0.1}},
		{ID: "2", Vector: []float32{1, 2}, Tags: []string{}},
		{ID: "3", Vector: []float32{1, 2}},
	}
	require.NoError(t, c.Upsert(ctx, want...))
	got, err := c.Get(ctx, "1", "2", "3")
	require.NoError(t, err)
	require.Equal(t, want, got)
	n, err := c.Collection.Count(ctx, filter.And(filter.ContainsAny("tags", "go"), filter.ContainsAll("years", 2020)))
	require.NoError(t, err)
	require.Equal(t, 1, n)
}
