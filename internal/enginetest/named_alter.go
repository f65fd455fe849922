package enginetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// namedAlterNothing alters nothing of a collection that has no index any more: its named
// vectors are to have none either, and handles go on with them.
func (s *suite) namedAlterNothing(t *testing.T) {
	ctx := t.Context()
	if !s.caps.Alter || !s.caps.Indexes {
		t.Skip("the engine does not alter collections, or has no indexes")
	}
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "s", Index: true}}, Vectors: []vecwire.VectorField{{Name: "title", Dim: 2}}})
	store := func(id string) {
		t.Helper()
		require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: id, Vector: []float32{1, 2}, Vectors: map[string][]float32{"title": {2, 1}}}))
		found, err := c.Search(ctx, vecwire.Query{Vector: []float32{2, 1}, In: "title", Filter: filter.Eq("id", id)})
		require.NoError(t, err)
		require.Equal(t, []string{id}, hitIDs(found))
	}
	store("1")
	require.NoError(t, c.BuildIndex(ctx, vecwire.IndexOptions{}))
	indexes, err := c.Indexes(ctx)
	require.NoError(t, err)
	for _, x := range indexes {
		require.NoError(t, c.DropIndex(ctx, x.Name))
	}
	for _, id := range []string{"2", "3"} {
		require.NoError(t, s.db.AlterCollection(ctx, c.Schema().Name, vecwire.Alter{Indexed: map[string]bool{"s": true}}))
		store(id)
	}
	n, err := c.Delete(ctx, "1", "2", "3")
	require.NoError(t, err)
	require.Equal(t, 3, n)
}
