package enginetest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// alterLists: lists, and what finds them, go through every alteration.
func (s *suite) alterLists(t *testing.T) {
	if !s.caps.Lists {
		t.Skip("the engine has no lists")
	}
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 3, Fields: listTypes()})
	name := c.Schema().Name
	g := newGenerator(409, c.Schema())
	m := newModel(c.Schema(), g.records(40)...)
	require.NoError(t, c.Upsert(ctx, m.all()...))
	for _, step := range []struct {
		what  string
		alter vecwire.Alter
		names map[string]string
	}{
		{"add", vecwire.Alter{AddFields: []vecwire.Field{{Name: "n", Type: vecwire.Strings, Index: true}, {Name: "k", Type: vecwire.Ints}}}, nil},
		{"rename", vecwire.Alter{RenameFields: map[string]string{"si": "tags", "f": "Sizes"}}, map[string]string{"si": "tags", "f": "Sizes"}},
		{
			"exchange names", vecwire.Alter{RenameFields: map[string]string{"tags": "n", "n": "tags", "ii": "fi", "fi": "ii"}},
			map[string]string{"tags": "n", "n": "tags", "ii": "fi", "fi": "ii"},
		},
		{"indexes", vecwire.Alter{Indexed: map[string]bool{"s": true, "i": true, "tags": false, "fi": false}}, nil},
		{"indexes again", vecwire.Alter{Indexed: map[string]bool{"tags": true, "fi": true}}, nil},
		{
			"all at once", vecwire.Alter{
				DropFields: []string{"n"}, RenameFields: map[string]string{"tags": "n", "s": "tags"},
				AddFields: []vecwire.Field{{Name: "s", Type: vecwire.Floats, Index: true}}, Indexed: map[string]bool{"n": false},
			},
			map[string]string{"n": "", "tags": "n", "s": "tags"},
		},
		{"drop", vecwire.Alter{DropFields: []string{"i", "ii", "tags", "k"}}, map[string]string{"i": "", "ii": "", "tags": "", "k": ""}},
		{"the collection", vecwire.Alter{Rename: name + "_x", RenameFields: map[string]string{"s": "r"}}, map[string]string{"s": "r"}},
	} {
		require.NoError(t, s.db.AlterCollection(ctx, name, step.alter), step.what)
		name = c.Schema().Name
		m.rename(c.Schema(), step.names)
		g.schema = c.Schema()
		for range 2 {
			m.expectAll(t, c)
			for _, f := range c.Schema().Fields {
				for _, condition := range g.comparisons(f) {
					n, err := c.Count(ctx, condition)
					require.NoError(t, err, "%s: %s", step.what, condition)
					require.Len(t, m.ids(condition), n, "%s: %s", step.what, condition)
				}
			}
			records := g.records(20)
			m.upsert(records...)
			require.NoError(t, c.Upsert(ctx, records...), step.what)
		}
	}
}

// alterJSON: so do JSON fields, with their paths, and what they gather.
func (s *suite) alterJSON(t *testing.T) {
	if !s.caps.JSON {
		t.Skip("the engine has no JSON")
	}
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{
		Dim: 2, Extra: "meta", Fields: []vecwire.Field{{Name: "meta", Type: vecwire.JSON, Paths: []string{"a.b", "color"}}, {Name: "n", Type: vecwire.Int}},
	})
	name := c.Schema().Name
	value := func(n int) map[string]any { return map[string]any{"a": map[string]any{"b": n}, "color": "red"} }
	put := func(id string, fields vecwire.Fields) {
		t.Helper()
		require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: id, Vector: []float32{1, 2}, Fields: fields}))
	}
	expect := func(want int, f filter.Filter) {
		t.Helper()
		n, err := c.Count(ctx, f)
		require.NoError(t, err)
		require.Equal(t, want, n, f)
	}
	alter := func(a vecwire.Alter) {
		t.Helper()
		require.NoError(t, s.db.AlterCollection(ctx, name, a))
		name = c.Schema().Name
	}
	put("1", vecwire.Fields{"meta": value(1)})
	put("2", vecwire.Fields{"a": map[string]any{"b": 2}})

	alter(vecwire.Alter{RenameFields: map[string]string{"meta": "info"}})
	require.Equal(t, "info", c.Schema().Extra)
	require.Equal(t, []string{"a.b", "color"}, c.Schema().Fields[0].Paths)
	put("3", vecwire.Fields{"color": "red", "a": map[string]any{"b": 3}})
	expect(2, filter.Eq("info.color", "red"))
	expect(2, filter.Ge("info.a.b", 2))

	more := vecwire.Field{Name: "meta", Type: vecwire.JSON, Paths: []string{"a.b", `it's "x`}}
	alter(vecwire.Alter{AddFields: []vecwire.Field{more, {Name: "plain", Type: vecwire.JSON}}})
	require.Equal(t, more, c.Schema().Fields[2])
	put("4", vecwire.Fields{"meta": value(4), "plain": []any{1, "x"}, "info": map[string]any{`it's "x`: 1}})
	require.NoError(t, c.Update(ctx, vecwire.Change{ID: "1", Set: vecwire.Fields{"meta": map[string]any{`it's "x`: 5}}}))
	n, err := c.UpdateWhere(ctx, filter.Eq("n", 9), vecwire.Fields{"plain": []any{map[string]any{"a": nil}}})
	require.NoError(t, err)
	require.Zero(t, n)
	expect(1, filter.Eq("meta.a.b", 4))
	expect(1, filter.Eq(`meta.it's "x`, 5))
	expect(1, filter.ContainsAny("plain", "x"))

	alter(vecwire.Alter{RenameFields: map[string]string{"meta": "info", "info": "meta"}})
	require.Equal(t, "meta", c.Schema().Extra)
	expect(1, filter.Eq("info.a.b", 4))
	expect(2, filter.Eq("meta.color", "red"))

	alter(vecwire.Alter{DropFields: []string{"meta", "plain"}, Rename: name + "_x"})
	require.Empty(t, c.Schema().Extra)
	expect(1, filter.Eq("info.a.b", 4))
	err = c.Upsert(ctx, vecwire.Record{ID: "5", Vector: []float32{1, 2}, Fields: vecwire.Fields{"color": "red"}})
	var schema *vecwire.SchemaError
	require.ErrorAs(t, err, &schema, "nothing gathers any more")

	for what, a := range map[string]vecwire.Alter{
		"an index over all of it": {Indexed: map[string]bool{"info": true}},
		"paths of no JSON":        {AddFields: []vecwire.Field{{Name: "x", Type: vecwire.Strings, Paths: []string{"a"}}}},
		"a path that is none":     {AddFields: []vecwire.Field{{Name: "x", Type: vecwire.JSON, Paths: []string{"a..b"}}}},
	} {
		require.ErrorAs(t, s.db.AlterCollection(ctx, name, a), &schema, what)
	}

	// What a collection gathers is a part of its schema.
	wanted := vecwire.Schema{Name: name, Dim: 2, Extra: "rest", Fields: []vecwire.Field{{Name: "rest", Type: vecwire.JSON, Paths: []string{"color"}}}}
	again, err := s.db.EnsureCollection(ctx, wanted)
	require.NoError(t, err)
	require.Equal(t, "rest", again.Schema().Extra)
	put("5", vecwire.Fields{"color": "red"})
	expect(1, filter.Eq("rest.color", "red"))
	wanted.Fields[0].Paths = nil
	_, err = s.db.EnsureCollection(ctx, wanted)
	require.NoError(t, err, "which paths are indexed does not count")
	for _, other := range []vecwire.Schema{
		{Name: name, Dim: 2, Fields: wanted.Fields},
		{Name: name, Dim: 2, Extra: "info", Fields: []vecwire.Field{{Name: "info", Type: vecwire.JSON}}},
		{Name: name, Dim: 2, Extra: "other", Fields: []vecwire.Field{{Name: "other", Type: vecwire.JSON}}},
		{Name: name, Dim: 2, Fields: []vecwire.Field{{Name: "info", Type: vecwire.Strings}}},
	} {
		_, err := s.db.EnsureCollection(ctx, other)
		require.ErrorAs(t, err, &schema, "%v", other)
	}
	if s.caps.Transactions {
		err := s.db.Tx(ctx, func(ctx context.Context) error {
			return s.db.AlterCollection(ctx, name, vecwire.Alter{DropFields: []string{"n"}})
		})
		require.ErrorContains(t, err, "outside transactions")
	}
}
