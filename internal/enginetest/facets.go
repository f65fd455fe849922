package enginetest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// facet returns what Facet must count.
func (m *model) facet(field string, o vecwire.FacetOptions) []vecwire.FacetCount {
	counts := []vecwire.FacetCount{}
	missing := 0
	for _, id := range m.ids(o.Filter) {
		v := m.records[id].Fields[field]
		if v == nil {
			missing++
			continue
		}
		for _, v := range countedValues(v) {
			i := slices.IndexFunc(counts, func(c vecwire.FacetCount) bool { return compare(c.Value, v) == 0 })
			if i < 0 {
				counts = append(counts, vecwire.FacetCount{Value: v, Count: 1})
			} else {
				counts[i].Count++
			}
		}
	}
	slices.SortFunc(counts, func(a, b vecwire.FacetCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), compare(a.Value, b.Value))
	})
	if o.Limit > 0 {
		counts = counts[:min(o.Limit, len(counts))]
	}
	if missing > 0 {
		counts = append(counts, vecwire.FacetCount{Count: missing})
	}
	return counts
}

// countedValues returns a value, or the different values in a list.
func countedValues(v any) (values []any) {
	add := func(v any) {
		if !slices.ContainsFunc(values, func(w any) bool { return compare(w, v) == 0 }) {
			values = append(values, v)
		}
	}
	switch list := v.(type) {
	case []string:
		for _, v := range list {
			add(v)
		}
	case []int64:
		for _, v := range list {
			add(v)
		}
	case []float64:
		for _, v := range list {
			add(v)
		}
	default:
		add(v)
	}
	return values
}

// expectFacet checks what is counted under a filter.
func (m *model) expectFacet(t testing.TB, c *vecwire.Collection, field string, o vecwire.FacetOptions) {
	t.Helper()
	got, err := c.Facet(t.Context(), field, o)
	require.NoError(t, err)
	want := m.facet(field, o)
	require.Len(t, got, len(want), "%s under %s: %v", field, o.Filter, got)
	for i, w := range want {
		require.Equal(t, w.Count, got[i].Count, "%s under %s: the count of %v", field, o.Filter, got[i].Value)
		if w.Value == nil {
			require.Nil(t, got[i].Value)
		} else {
			require.True(t, sameValue(w.Value, got[i].Value), "%s under %s: %v, want %v", field, o.Filter, got[i].Value, w.Value)
		}
	}
}

// facets: Facet counts the records that pass a filter by each value of a field.
func (s *suite) facets(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: allTypes()})
	if !s.caps.Facets {
		_, err := c.Facet(ctx, "s", vecwire.FacetOptions{})
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.ErrorContains(t, err, s.caps.Engine)
		return
	}
	g := newGenerator(141, c.Schema())
	m := newModel(c.Schema(), g.records(s.sample(400))...)
	require.NoError(t, c.Upsert(ctx, m.all()...))
	// Strings that are alike for a long way, and numbers that are alike for many digits.
	long := strings.Repeat("long ", 600)
	for i, v := range []string{long, long + "1", long + "2", long + "1", "a\u00adb", "ab", "A", "a"} {
		r := g.record("x" + v[len(v)-1:] + string(rune('a'+i)))
		r.Fields["s"], r.Fields["f"] = v, 0.1+float64(i/2)*1e-16
		m.upsert(r)
		require.NoError(t, c.Upsert(ctx, r))
	}
	for _, f := range c.Schema().Fields {
		if f.Type == vecwire.Bytes {
			continue
		}
		run(t, f.Name, func(t *testing.T) {
			m.expectFacet(t, c, f.Name, vecwire.FacetOptions{})
			for _, limit := range []int{1, 2, 3, 1000} {
				m.expectFacet(t, c, f.Name, vecwire.FacetOptions{Limit: limit})
			}
			for range s.sample(15) {
				m.expectFacet(t, c, f.Name, vecwire.FacetOptions{Filter: g.filter(2), Limit: g.IntN(5)})
			}
			m.expectFacet(t, c, f.Name, vecwire.FacetOptions{Filter: filter.IsNull(f.Name), Limit: 1})
			m.expectFacet(t, c, f.Name, vecwire.FacetOptions{Filter: filter.Not(filter.IsNull(f.Name)), Limit: 1})
			m.expectFacet(t, c, f.Name, vecwire.FacetOptions{Filter: filter.Or()})
		})
	}
	run(t, "after changes", func(t *testing.T) {
		for id := range m.records {
			if g.IntN(3) > 0 {
				continue
			}
			if g.IntN(2) == 0 {
				delete(m.records, id)
				_, err := c.Delete(ctx, id)
				require.NoError(t, err)
				continue
			}
			r := g.record(id)
			m.upsert(r)
			require.NoError(t, c.Upsert(ctx, r))
			if !s.target.Light {
				m.expectFacet(t, c, "si", vecwire.FacetOptions{})
			}
		}
		m.expectFacet(t, c, "si", vecwire.FacetOptions{})
		m.expectFacet(t, c, "bi", vecwire.FacetOptions{Filter: filter.Gt("ii", 0)})
	})
	run(t, "in a transaction", func(t *testing.T) {
		if !s.db.Capabilities().Transactions {
			t.Skip("the engine has none")
		}
		undone := errors.New("undone")
		err := s.db.Tx(ctx, func(ctx context.Context) error {
			r := g.record("new")
			r.Fields["si"] = "only here"
			if err := c.Upsert(ctx, r); err != nil {
				return err
			}
			got, err := c.Facet(ctx, "si", vecwire.FacetOptions{Filter: filter.Eq("si", "only here")})
			require.NoError(t, err)
			require.Equal(t, []vecwire.FacetCount{{Value: "only here", Count: 1}}, got)
			return undone
		})
		require.ErrorIs(t, err, undone)
		m.expectFacet(t, c, "si", vecwire.FacetOptions{})
	})
	run(t, "lists", s.facetLists)
	run(t, "refusals", func(t *testing.T) {
		_, err := c.Facet(ctx, "s", vecwire.FacetOptions{Limit: -1})
		var v *vecwire.ValueError
		require.ErrorAs(t, err, &v)
		require.Equal(t, "Limit", v.Field)
		for _, field := range []string{"nope", "S", "y", "id", "text", "vector", "", `"; DROP TABLE victim; --`} {
			_, err := c.Facet(ctx, field, vecwire.FacetOptions{})
			var e *vecwire.SchemaError
			require.ErrorAs(t, err, &e, field)
			require.Equal(t, field, e.Field)
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		_, err = c.Facet(cancelled, "s", vecwire.FacetOptions{})
		require.ErrorIs(t, err, context.Canceled)
		_, err = c.Facet(ctx, "s", vecwire.FacetOptions{Filter: filter.Eq("nope", 1)})
		var f *vecwire.FilterError
		require.ErrorAs(t, err, &f)
	})
}

// facetLists: a list counts for each of the values in it.
func (s *suite) facetLists(t *testing.T) {
	if !s.caps.Lists {
		t.Skip("the engine has no lists")
	}
	ctx := t.Context()
	fields := listTypes()
	if s.caps.JSON {
		fields = append(fields, vecwire.Field{Name: "j", Type: vecwire.JSON})
	}
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: fields})
	schema := c.Schema()
	schema.Fields = listTypes()
	g := newGenerator(149, schema)
	m := newModel(schema, g.records(s.sample(300))...)
	require.NoError(t, c.Upsert(ctx, m.all()...))
	for range 2 {
		for _, f := range schema.Fields {
			for _, limit := range []int{0, 1, 3, 1000} {
				m.expectFacet(t, c, f.Name, vecwire.FacetOptions{Limit: limit})
			}
			for range s.sample(15) {
				m.expectFacet(t, c, f.Name, vecwire.FacetOptions{Filter: g.filter(2), Limit: g.IntN(5)})
			}
			m.expectFacet(t, c, f.Name, vecwire.FacetOptions{Filter: filter.IsNull(f.Name)})
			m.expectFacet(t, c, f.Name, vecwire.FacetOptions{Filter: filter.Not(filter.IsNull(f.Name)), Limit: 2})
			m.expectFacet(t, c, f.Name, vecwire.FacetOptions{Filter: filter.Or()})
		}
		records := g.records(len(m.records) / 3)
		m.upsert(records...)
		require.NoError(t, c.Upsert(ctx, records...))
	}
	var e *vecwire.SchemaError
	if s.caps.JSON {
		_, err := c.Facet(ctx, "j", vecwire.FacetOptions{})
		require.ErrorAs(t, err, &e)
		require.Equal(t, "j", e.Field)
	}
	_, _, err := c.Range(ctx, "si", filter.Filter{})
	require.ErrorAs(t, err, &e)
	require.ErrorAs(t, firstError(t, c, vecwire.Scan{OrderBy: "fi"}), &e)
}
