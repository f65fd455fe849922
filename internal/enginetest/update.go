package enginetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// update: what a change names is other than before, and nothing else.
func (s *suite) update(t *testing.T) {
	if !s.caps.Update {
		c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "s"}}})
		_, err := c.UpdateWhere(t.Context(), filter.Filter{}, vecwire.Fields{"s": "x"})
		for _, err := range []error{err, c.Update(t.Context(), vecwire.Change{ID: "1"})} {
			require.ErrorIs(t, err, vecwire.ErrUnsupported)
			require.ErrorContains(t, err, s.caps.Engine)
		}
		return
	}
	run(t, "names", s.updateNames)
	run(t, "kinds", s.updateKinds)
	run(t, "refusals", s.updateRefusals)
	run(t, "conditions", s.updateConditions)
	run(t, "either", s.updateIfEither)
	run(t, "texts", s.updateTexts)
	run(t, "words", s.updateWords)
	run(t, "where", s.updateWhere)
	run(t, "transactions", s.updateInTx)
	run(t, "namespaces", s.updateNamespaces)
	run(t, "mirror", s.updateMirror)
	run(t, "all at once", s.updateConcurrency)
	run(t, "not at all", s.updateInVain)
}

// change does to the model what Update does to a collection.
func (m *model) change(changes ...vecwire.Change) {
	for _, ch := range changes {
		r := m.records[ch.ID]
		fields := vecwire.Fields{}
		for name, v := range r.Fields {
			fields[name] = v
		}
		for name, v := range ch.Set {
			fields[name] = v
		}
		for _, name := range ch.Unset {
			delete(fields, name)
			if name == "text" {
				r.Text = ""
			}
		}
		r.Fields = fields
		if ch.Text != "" {
			r.Text = ch.Text
		}
		if ch.Vector != nil || ch.Vector64 != nil {
			r.Vector, r.Vector64 = ch.Vector, ch.Vector64
		}
		m.upsert(r)
	}
}

// updateNames changes each part of a record by itself, and several at once.
func (s *suite) updateNames(t *testing.T) {
	ctx := t.Context()
	schema := vecwire.Schema{Dim: 2, Fields: allTypes()}
	c := s.create(t, schema)
	full := func(id string, at int) vecwire.Record {
		r := vecwire.Record{ID: id, Vector: []float32{1, float32(at)}, Text: "text of " + id, Fields: vecwire.Fields{}}
		for _, f := range schema.Fields {
			r.Fields[f.Name] = pools[f.Type][at%len(pools[f.Type])]
		}
		return r
	}
	m := newModel(c.Schema(), full("1", 1), full("2", 2), full("3", 3), full("007", 1))
	require.NoError(t, c.Upsert(ctx, m.all()...))
	apply := func(changes ...vecwire.Change) {
		t.Helper()
		m.change(changes...)
		require.NoError(t, c.Update(ctx, changes...))
		m.expectAll(t, c)
	}
	for _, f := range schema.Fields {
		pool := pools[f.Type]
		apply(vecwire.Change{ID: "2", Set: vecwire.Fields{f.Name: pool[len(pool)-1]}})
		require.Equal(t, m.ids(filter.Eq(f.Name, pool[len(pool)-1])), idsOf(collect(t, c, vecwire.Scan{Filter: filter.Eq(f.Name, pool[len(pool)-1])})), "field %s", f.Name)
		apply(vecwire.Change{ID: "2", Set: vecwire.Fields{f.Name: nil}})
		require.Equal(t, []string{"2"}, idsOf(collect(t, c, vecwire.Scan{Filter: filter.IsNull(f.Name)})), "field %s kept a value", f.Name)
		apply(vecwire.Change{ID: "2", Set: vecwire.Fields{f.Name: pool[0]}})
		apply(vecwire.Change{ID: "3", Unset: []string{f.Name}})
	}
	apply(vecwire.Change{ID: "007", Text: "007"})
	apply(vecwire.Change{ID: "007", Unset: []string{"text"}})
	apply(vecwire.Change{ID: "007", Text: "it's 1e5\n@%SYS.Python ~"})
	apply(vecwire.Change{ID: "1", Vector: []float32{-3, 1}})
	for _, q := range [][]float32{{1, 2}, {-3, 1}} {
		m.expectSearch(t, c, vecwire.Query{Vector: q, Vectors: true, K: 9})
	}
	apply(
		vecwire.Change{ID: "3", Set: vecwire.Fields{"s": "s", "ii": 7}, Unset: []string{"y", "yi", "y"}, Text: "all", Vector: []float32{2, 5}},
		vecwire.Change{ID: "1"},
		vecwire.Change{ID: "007", Set: vecwire.Fields{"s": "last", "b": nil}, Unset: []string{"b"}},
	)
	m.expectSearch(t, c, vecwire.Query{Vector: []float32{2, 5}, Filter: filter.Eq("ii", 7), Vectors: true})
	apply()

	// Nothing is shared with the caller.
	blob, v := []byte("abc"), []float32{4, 4}
	apply(vecwire.Change{ID: "1", Set: vecwire.Fields{"y": blob}, Vector: v})
	m.change(vecwire.Change{ID: "1", Set: vecwire.Fields{"y": []byte("abc")}, Vector: []float32{4, 4}})
	blob[0], v[0] = 'X', 99
	m.expectAll(t, c)
	m.expectSearch(t, c, vecwire.Query{Vector: []float32{1, 0}, Vectors: true})
}

func (s *suite) updateKinds(t *testing.T) {
	s.eachKind(t, func(t *testing.T, element vecwire.Element, metric vecwire.Metric) {
		ctx := t.Context()
		c := s.create(t, vecwire.Schema{Dim: 4, Element: element, Metric: metric, Fields: allTypes()})
		g := newGenerator(310, c.Schema())
		m := newModel(c.Schema(), g.records(20)...)
		require.NoError(t, c.Upsert(ctx, m.all()...))
		ids := idsOf(m.all())
		for range s.sample(10) {
			var changes []vecwire.Change
			for _, at := range g.Perm(len(ids))[:3] {
				r := g.records(1)[0]
				ch := vecwire.Change{ID: ids[at], Set: r.Fields, Text: r.Text}
				if g.IntN(2) == 0 {
					ch.Vector, ch.Vector64 = r.Vector, r.Vector64
				}
				changes = append(changes, ch)
			}
			m.change(changes...)
			require.NoError(t, c.Update(ctx, changes...))
			m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), K: 20, Vectors: true})
		}
		m.expectAll(t, c)
	})
}

func (s *suite) updateRefusals(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "s"}, {Name: "i", Type: vecwire.Int}}})
	m := newModel(c.Schema(), vecwire.Record{ID: "1", Vector: []float32{1, 2}, Text: "one", Fields: vecwire.Fields{"s": "a", "i": 1}})
	require.NoError(t, c.Upsert(ctx, m.all()...))
	good := vecwire.Change{ID: "1", Set: vecwire.Fields{"i": 2}}
	var value *vecwire.ValueError
	var schema *vecwire.SchemaError
	var dimension *vecwire.DimensionError
	var found *vecwire.FilterError
	for name, test := range map[string]struct {
		bad vecwire.Change
		as  any
	}{
		"no ID":                {vecwire.Change{Set: vecwire.Fields{"i": 2}}, &value},
		"an ID twice":          {vecwire.Change{ID: "1", Text: "two"}, &value},
		"another type":         {vecwire.Change{ID: "2", Set: vecwire.Fields{"i": "x"}}, &value},
		"an unknown field":     {vecwire.Change{ID: "2", Set: vecwire.Fields{"x": 1}}, &schema},
		"the text as a field":  {vecwire.Change{ID: "2", Set: vecwire.Fields{"text": "x"}}, &schema},
		"an unknown one unset": {vecwire.Change{ID: "2", Unset: []string{"x"}}, &schema},
		"the vector unset":     {vecwire.Change{ID: "2", Unset: []string{"vector"}}, &schema},
		"set and unset":        {vecwire.Change{ID: "2", Set: vecwire.Fields{"i": 1}, Unset: []string{"i"}}, &schema},
		"a text and none":      {vecwire.Change{ID: "2", Text: "x", Unset: []string{"text"}}, &value},
		"a text with NUL":      {vecwire.Change{ID: "2", Text: "a\x00b"}, &value},
		"a short vector":       {vecwire.Change{ID: "2", Vector: []float32{1}}, &dimension},
		"a vector of nothing":  {vecwire.Change{ID: "2", Vector: []float32{}}, &dimension},
		"two vectors":          {vecwire.Change{ID: "2", Vector: []float32{1, 1}, Vector64: []float64{1, 1}}, &value},
		"an unknown condition": {vecwire.Change{ID: "2", If: filter.Eq("x", 1)}, &found},
	} {
		if !test.bad.If.IsZero() && !s.caps.UpdateIf {
			continue
		}
		err := c.Update(ctx, good, test.bad)
		var batch *vecwire.BatchError
		require.ErrorAs(t, err, &batch, name)
		require.Equal(t, 2, batch.Total, name)
		require.Len(t, batch.Failed, 1, name)
		require.Equal(t, 1, batch.Failed[0].Index, name)
		require.Equal(t, test.bad.ID, batch.Failed[0].ID, name)
		require.ErrorAs(t, err, test.as, name)
		m.expectAll(t, c)
	}
	err := c.Update(ctx, vecwire.Change{ID: "none", Set: vecwire.Fields{"i": 3}}, good, vecwire.Change{ID: "other", Text: "x"})
	var batch *vecwire.BatchError
	require.ErrorAs(t, err, &batch)
	require.Len(t, batch.Failed, 2, "every missing record is named")
	for i, id := range []string{"none", "other"} {
		require.Equal(t, id, batch.Failed[i].ID)
		require.Equal(t, 2*i, batch.Failed[i].Index)
		require.ErrorIs(t, batch.Failed[i].Err, vecwire.ErrNotFound)
	}
	m.expectAll(t, c)
}

func (s *suite) updateConditions(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "s"}, {Name: "version", Type: vecwire.Int, Index: true}}})
	m := newModel(c.Schema(),
		vecwire.Record{ID: "1", Vector: []float32{1, 2}, Text: "one", Fields: vecwire.Fields{"s": "a", "version": 1}},
		vecwire.Record{ID: "2", Vector: []float32{2, 2}, Fields: vecwire.Fields{"s": "b", "version": 2}},
		vecwire.Record{ID: "3", Vector: []float32{3, 2}},
	)
	require.NoError(t, c.Upsert(ctx, m.all()...))
	to := func(id string, version int, f filter.Filter) vecwire.Change {
		return vecwire.Change{ID: id, Set: vecwire.Fields{"version": version}, If: f}
	}
	if !s.caps.UpdateIf {
		err := c.Update(ctx, to("1", 2, filter.Eq("version", 1)))
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.ErrorContains(t, err, s.caps.Engine)
		m.expectAll(t, c)
		return
	}
	apply := func(changes ...vecwire.Change) {
		t.Helper()
		m.change(changes...)
		require.NoError(t, c.Update(ctx, changes...))
		m.expectAll(t, c)
	}
	apply(to("1", 2, filter.Eq("version", 1)), to("2", 3, filter.And(filter.Eq("id", "2"), filter.Prefix("s", "b"))), to("3", 1, filter.IsNull("version")))
	apply(vecwire.Change{ID: "1", Text: "uno", Vector: []float32{5, 1}, If: filter.Eq("version", 2)})
	apply(vecwire.Change{ID: "1", If: filter.Ne("version", 1)})

	err := c.Update(ctx,
		to("1", 9, filter.Eq("version", 1)),                                        // another version
		to("2", 9, filter.Eq("version", 3)),                                        // passes
		to("none", 9, filter.Eq("version", 1)),                                     // missing
		vecwire.Change{ID: "3", Text: "tres", If: filter.Not(filter.Eq("s", "x"))}, // unknown is not true
	)
	var batch *vecwire.BatchError
	require.ErrorAs(t, err, &batch)
	require.Zero(t, batch.Stored)
	require.Len(t, batch.Failed, 3)
	for i, want := range []struct {
		index int
		id    string
		err   error
	}{{0, "1", vecwire.ErrConflict}, {2, "none", vecwire.ErrNotFound}, {3, "3", vecwire.ErrConflict}} {
		require.Equal(t, want.index, batch.Failed[i].Index)
		require.Equal(t, want.id, batch.Failed[i].ID)
		require.ErrorIs(t, batch.Failed[i].Err, want.err)
	}
	m.expectAll(t, c)
}

func (s *suite) updateWhere(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 3, Fields: allTypes()})
	g := newGenerator(320, c.Schema())
	m := newModel(c.Schema(), g.records(60)...)
	require.NoError(t, c.Upsert(ctx, m.all()...))
	for range s.sample(15) + 3 {
		f, r := g.filter(2), g.records(1)[0]
		set := vecwire.Fields{"s": r.Fields["s"], "ii": r.Fields["ii"], "t": r.Fields["t"]}
		ids := m.ids(f)
		n, err := c.UpdateWhere(ctx, f, set)
		require.NoError(t, err, "%s", f)
		require.Equal(t, len(ids), n, "%s", f)
		for _, id := range ids {
			m.change(vecwire.Change{ID: id, Set: set})
		}
		m.expectAll(t, c)
		m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), Filter: f, K: 60})
	}
	n, err := c.UpdateWhere(ctx, filter.Filter{}, vecwire.Fields{"si": "all", "y": nil})
	require.NoError(t, err)
	require.Equal(t, len(m.records), n)
	for _, id := range idsOf(m.all()) {
		m.change(vecwire.Change{ID: id, Set: vecwire.Fields{"si": "all", "y": nil}})
	}
	m.expectAll(t, c)

	var value *vecwire.ValueError
	var schema *vecwire.SchemaError
	var found *vecwire.FilterError
	for _, test := range []struct {
		f   filter.Filter
		set vecwire.Fields
		as  any
	}{
		{filter.Filter{}, nil, &value}, {filter.Filter{}, vecwire.Fields{"i": "x"}, &value}, {filter.Filter{}, vecwire.Fields{"x": 1}, &schema},
		{filter.Filter{}, vecwire.Fields{"text": "x"}, &schema}, {filter.Eq("x", 1), vecwire.Fields{"i": 1}, &found},
	} {
		n, err := c.UpdateWhere(ctx, test.f, test.set)
		require.ErrorAs(t, err, test.as)
		require.Zero(t, n)
	}
	m.expectAll(t, c)
}
