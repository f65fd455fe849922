package enginetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// filters: every operation on every type, with missing values, means what the
// model says.
func (s *suite) filters(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 3, Fields: allTypes()})
	g := newGenerator(51, c.Schema())
	m := newModel(c.Schema(), g.records(150)...)
	for i, x := range pools[vecwire.String] { // every string is there, to be found by the others
		m.upsert(vecwire.Record{ID: fmt.Sprintf("s%02d", i), Vector: g.vector(), Fields: vecwire.Fields{"s": x, "si": x}})
	}
	require.NoError(t, c.Upsert(ctx, m.all()...))

	run(t, "each operation", func(t *testing.T) {
		for _, f := range c.Schema().Fields {
			if f.Index && s.target.Light {
				continue
			}
			run(t, fmt.Sprintf("%s indexed %v", f.Type, f.Index), func(t *testing.T) {
				for _, f := range turn(s, g.comparisons(f)) {
					m.expectFiltered(t, c, f)
				}
			})
		}
	})
	run(t, "each value", func(t *testing.T) {
		for typ, name := range map[vecwire.FieldType]string{vecwire.Int: "i", vecwire.Float: "f", vecwire.Time: "t", vecwire.Bytes: "y"} {
			for _, v := range pools[typ][:s.sample(len(pools[typ]))] {
				m.expectFiltered(t, c, filter.Eq(name, v))
				if typ != vecwire.Bytes {
					m.expectFiltered(t, c, filter.Gt(name, v))
				}
			}
		}
	})
	run(t, "strings are compared byte by byte", func(t *testing.T) {
		for _, v := range pools[vecwire.String][:s.sample(len(pools[vecwire.String]))] {
			m.expectFiltered(t, c, filter.Eq("si", v))
			m.expectFiltered(t, c, filter.Lt("s", v))
			m.expectFiltered(t, c, filter.Ge("si", v))
		}
	})
	run(t, "Prefix and Contains", func(t *testing.T) {
		parts := []string{"", "a", "A", "%", "_", `\`, "a%", "a_", `a\`, "'", `"`, "é", "e", "e\u0301", "日", "😀", "\uffff", "\u007f", "ß", "s", "I", " ", "\n", "\U0010ffff"}
		for _, part := range turn(s, parts) {
			for _, name := range []string{"s", "si"} {
				m.expectFiltered(t, c, filter.Prefix(name, part))
				m.expectFiltered(t, c, filter.Contains(name, part))
			}
		}
	})
	run(t, "the constants", func(t *testing.T) {
		none, missing := filter.Or(), filter.Eq("s", "no such value")
		for _, f := range []filter.Filter{
			{}, none, filter.Not(none), filter.Not(filter.Filter{}), filter.And(none, missing), filter.Or(none, filter.IsNull("s")), filter.Not(missing),
			filter.Not(filter.Not(missing)), filter.Between("i", 5, -5), filter.And(filter.IsNull("s"), filter.Not(filter.IsNull("s"))),
			filter.Or(filter.Eq("i", 1), filter.Not(filter.Eq("i", 1))), // not everything: a missing value is neither
		} {
			m.expectFiltered(t, c, f)
		}
	})
	run(t, "random", func(t *testing.T) {
		for range s.sample(200) {
			m.expectFiltered(t, c, g.filter(3))
		}
	})
	run(t, "large and deep", func(t *testing.T) {
		few := filter.Lt("id", "0030") // all records would keep the model busy
		values := make([]int, 9_999)   // with the ID above as many as a filter may have
		each := make([]filter.Filter, 2_000)
		for i := range values {
			values[i] = i - 100
		}
		for i := range each {
			each[i] = filter.And(filter.Eq("i", i-10), filter.Not(filter.IsNull("s")))
		}
		deep := filter.Eq("b", true)
		for i := range 49 {
			deep = filter.Not(filter.Or(filter.Eq("i", i), deep))
		}
		// Of every kind so many that an engine may write them in another way.
		equal, other, mixed := make([]filter.Filter, 300), make([]filter.Filter, 300), make([]filter.Filter, 300)
		for i := range equal {
			equal[i], other[i] = filter.Eq("i", i-10), filter.Ne("i", i-10)
			mixed[i] = []filter.Filter{
				filter.Lt("f", -float64(i)), filter.Prefix("si", fmt.Sprint(i, "%")), filter.Contains("s", fmt.Sprint("a", i)),
				filter.Between("ti", fmt.Sprintf("%d-01-01", 1000+i), fmt.Sprintf("%d-03-01", 1000+i)), filter.In("i", i, i+1), filter.NotIn("ii", i, -i, i+1),
				filter.And(filter.Eq("bi", true), filter.Eq("y", []byte{byte(i)})),
			}[i%7]
		}
		anyOf := filter.Or(append(equal[:150:150], filter.In("ii", 1, 2), filter.Eq("ii", 9), filter.In[int]("ii"), filter.IsNull("s"))...)
		noneOf := filter.And(append(other[:150:150], filter.NotIn("ii", 1, 2), filter.Ne("ii", 9), filter.NotIn[int]("ii"))...)
		for _, f := range turn(s, []filter.Filter{
			filter.And(few, filter.In("i", values...)), filter.And(few, filter.NotIn("ii", values...)), filter.Or(each...), deep,
			filter.Or(equal...), filter.Not(filter.Or(equal...)), filter.And(other...), filter.Not(filter.And(other...)), anyOf, noneOf, filter.Not(anyOf), filter.Not(noneOf),
			filter.Or(mixed...), filter.Not(filter.Or(mixed...)), filter.And(mixed...), filter.Not(filter.And(mixed...)),
		}) {
			require.Equal(t, m.ids(f), idsOf(collect(t, c, vecwire.Scan{Filter: f})), "%.60s…", f.String())
		}
	})

	run(t, "in searches", func(t *testing.T) {
		for range s.sample(40) {
			m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), K: 1 + g.IntN(12), Filter: g.filter(2)})
		}
		for _, id := range []string{"0003", "s05"} { // one record of all: whichever way the engine goes, it is found
			m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), K: 5, Filter: filter.Eq("id", id)})
		}
		f := filter.Not(filter.IsNull("i"))
		m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), K: len(m.ids(f)), Filter: f})
		m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), K: len(m.ids(f)) + 1, Filter: f})
	})
}

// expectFiltered checks which records a filter lets pass. It lets the test go
// on, so that a run shows all filters that are wrong.
func (m *model) expectFiltered(t *testing.T, c *vecwire.Collection, f filter.Filter) {
	t.Helper()
	want := m.ids(f)
	got := []string{}
	for r, err := range c.All(t.Context(), vecwire.Scan{Filter: f}) {
		if err != nil {
			t.Errorf("%s: %v", f, err)
			return
		}
		got = append(got, r.ID)
	}
	for _, id := range want {
		if !slices.Contains(got, id) {
			t.Errorf("%s does not find %s, fields %v", f, id, m.records[id].Fields)
			return
		}
	}
	for _, id := range got {
		if !slices.Contains(want, id) {
			t.Errorf("%s finds %s, fields %v", f, id, m.records[id].Fields)
			return
		}
	}
	require.Equal(t, want, got, "%s: the order", f)
}

// filterRefusals: a filter that does not fit is refused by every verb that
// takes one, with the field's name.
func (s *suite) filterRefusals(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: allTypes()})
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 2}}))

	verbs := map[string]func(filter.Filter) error{
		"Search": func(f filter.Filter) error {
			_, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 2}, Filter: f})
			return err
		},
		"Count":       func(f filter.Filter) error { _, err := c.Count(ctx, f); return err },
		"DeleteWhere": func(f filter.Filter) error { _, err := c.DeleteWhere(ctx, f); return err },
		"All": func(f filter.Filter) error {
			n := 0
			var last error
			for _, err := range c.All(ctx, vecwire.Scan{Filter: f}) {
				n, last = n+1, err
			}
			require.Equal(t, 1, n, "an error is the only thing that comes")
			return last
		},
	}
	for _, tt := range []struct {
		f     filter.Filter
		field string
		value bool // a *ValueError, not a *FilterError
	}{
		{filter.Eq("nope", 1), "nope", false},
		{filter.Eq("S", "case counts"), "S", false},
		{filter.Eq("text", "x"), "text", false},
		{filter.Eq("vector", "x"), "vector", false},
		{filter.Not(filter.And(filter.Eq("i", 1), filter.IsNull(`"; DROP TABLE victim; --`))), `"; DROP TABLE victim; --`, false},
		{filter.Eq("s", nil), "s", false},
		{filter.Gt("b", true), "b", false},
		{filter.Lt("y", []byte("x")), "y", false},
		{filter.Prefix("i", "1"), "i", false},
		{filter.Contains("t", "2024"), "t", false},
		{filter.Eq("i", "1"), "i", true},
		{filter.Eq("s", 1), "s", true},
		{filter.Eq("id", 1), "id", true},
		{filter.In("f", "x"), "f", true},
		{filter.Eq("s", "a\x00"), "s", true},
		{filter.Prefix("si", "\xff"), "si", true},
	} {
		run(t, tt.f.String(), func(t *testing.T) {
			for verb, call := range verbs {
				err := call(tt.f)
				if tt.value {
					var e *vecwire.ValueError
					require.ErrorAs(t, err, &e, verb)
					require.Equal(t, tt.field, e.Field, verb)
					continue
				}
				var e *vecwire.FilterError
				require.ErrorAs(t, err, &e, verb)
				require.Equal(t, tt.field, e.Field, verb)
			}
		})
	}
	n, err := c.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, 1, n, "a refused DeleteWhere deleted")
}
