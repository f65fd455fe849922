package enginetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// lifecycle: collections are made, found, listed and dropped by name.
func (s *suite) lifecycle(t *testing.T) {
	ctx := t.Context()

	run(t, "a new collection is empty", func(t *testing.T) {
		c := s.create(t, vecwire.Schema{Dim: 3, Fields: allTypes()})
		m := newModel(c.Schema())
		m.expectAll(t, c)
		m.expectSearch(t, c, vecwire.Query{Vector: []float32{1, 0, 0}})
		records, err := c.Get(ctx, "x")
		require.NoError(t, err)
		require.Empty(t, records)
	})

	run(t, "create what exists", func(t *testing.T) {
		c := s.create(t, vecwire.Schema{Name: "Mixed_Case", Dim: 3})
		require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 2, 3}}))
		for _, name := range []string{"Mixed_Case", "mixed_case", "MIXED_CASE"} {
			_, err := s.db.CreateCollection(ctx, vecwire.Schema{Name: name, Dim: 7})
			require.ErrorIs(t, err, vecwire.ErrExists, "names that differ only in case are the same")
		}
		n, err := c.Count(ctx, filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, 1, n, "the collection that was there lost its record")
	})

	run(t, "open by a name in another case", func(t *testing.T) {
		s.create(t, vecwire.Schema{Name: "Case_Two", Dim: 3})
		for _, name := range []string{"Case_Two", "case_two", "CASE_TWO"} {
			c, err := s.db.OpenCollection(ctx, name)
			require.NoError(t, err, "names that differ only in case are the same")
			require.Equal(t, "Case_Two", c.Schema().Name, "the name is the one that it was made with")
		}
		require.NoError(t, s.db.DropCollection(ctx, "case_TWO"))
		_, err := s.db.OpenCollection(ctx, "Case_Two")
		require.ErrorIs(t, err, vecwire.ErrNotFound)
	})

	run(t, "what is not there", func(t *testing.T) {
		for _, name := range []string{"missing", "", "a b", `x"; DROP TABLE y; --`, strings.Repeat("x", 5000), "vecwire_collections", "é", "\x00"} {
			_, err := s.db.OpenCollection(ctx, name)
			require.ErrorIs(t, err, vecwire.ErrNotFound, "open %.40q", name)
			require.ErrorIs(t, s.db.DropCollection(ctx, name), vecwire.ErrNotFound, "drop %.40q", name)
		}
	})

	run(t, "two handles are the same collection", func(t *testing.T) {
		one := s.create(t, vecwire.Schema{Dim: 2})
		two, err := s.db.OpenCollection(ctx, one.Schema().Name)
		require.NoError(t, err)
		m := newModel(one.Schema(), vecwire.Record{ID: "1", Vector: []float32{1, 2}}, vecwire.Record{ID: "2", Vector: []float32{3, 4}})
		require.NoError(t, one.Upsert(ctx, m.all()[0]))
		require.NoError(t, two.Upsert(ctx, m.all()[1]))
		m.expectAll(t, one)
		m.expectAll(t, two)
		m.expectSearch(t, two, vecwire.Query{Vector: []float32{1, 1}})
	})

	run(t, "list", func(t *testing.T) {
		names := []string{"zebra", "alpha", "alpha_rows", "alpha_data", "m1", "m10", "m2"}
		for i, name := range names {
			s.create(t, vecwire.Schema{Name: name, Dim: i + 1})
		}
		schemas, err := s.db.Collections(ctx)
		require.NoError(t, err)
		var listed []string
		for _, schema := range schemas {
			listed = append(listed, schema.Name)
			if i := slices.Index(names, schema.Name); i >= 0 {
				require.Equal(t, i+1, schema.Dim, "the dimension of %s", schema.Name)
			}
		}
		require.True(t, slices.IsSorted(listed), "sorted by name: %v", listed)
		require.Subset(t, listed, names)
		require.NotContains(t, listed, "vecwire_collections")
	})

	run(t, "drop", func(t *testing.T) {
		c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int, Index: true}}})
		schema := c.Schema()
		other, err := s.db.OpenCollection(ctx, schema.Name)
		require.NoError(t, err)
		require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 2}, Fields: vecwire.Fields{"n": 1}}))

		require.NoError(t, s.db.DropCollection(ctx, schema.Name))
		require.ErrorIs(t, s.db.DropCollection(ctx, schema.Name), vecwire.ErrNotFound)
		_, err = s.db.OpenCollection(ctx, schema.Name)
		require.ErrorIs(t, err, vecwire.ErrNotFound)
		schemas, err := s.db.Collections(ctx)
		require.NoError(t, err)
		require.False(t, slices.ContainsFunc(schemas, func(l vecwire.Schema) bool { return l.Name == schema.Name }), "it is still listed")
		for _, handle := range []*vecwire.Collection{c, other} {
			for verb, call := range verbs(handle) {
				require.ErrorIs(t, call(ctx), vecwire.ErrNotFound, "%s through a handle to what was dropped", verb)
			}
		}

		schema.Fields = []vecwire.Field{{Name: "n", Type: vecwire.String, Index: true}}
		again := s.create(t, schema)
		newModel(schema).expectAll(t, again)
		require.NoError(t, again.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{3, 4}, Fields: vecwire.Fields{"n": "x"}}))
	})
}
