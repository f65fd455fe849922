package enginetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// indexing: a schema can decline an index that is built by itself, where one is.
func (s *suite) indexing(t *testing.T) {
	ctx := t.Context()
	schema := vecwire.Schema{Name: s.name(), Dim: 2, Index: vecwire.NoIndex + 1}
	_, err := s.db.CreateCollection(ctx, schema)
	var bad *vecwire.SchemaError
	require.ErrorAs(t, err, &bad)

	is := func(want vecwire.Indexing) {
		t.Helper()
		if !s.caps.AutoIndex {
			want = vecwire.AutoIndex
		}
		c, err := s.db.OpenCollection(ctx, schema.Name)
		require.NoError(t, err)
		require.Equal(t, want, c.Schema().Index)
	}
	ensure := func(index vecwire.Indexing) {
		t.Helper()
		schema.Index = index
		_, err := s.db.EnsureCollection(ctx, schema)
		require.NoError(t, err)
	}
	ensure(vecwire.AutoIndex)
	is(vecwire.AutoIndex)
	ensure(vecwire.NoIndex)
	is(vecwire.NoIndex)
	ensure(vecwire.AutoIndex)
	is(vecwire.NoIndex)

	index := vecwire.AutoIndex
	err = s.db.AlterCollection(ctx, schema.Name, vecwire.Alter{Index: &index})
	if !s.caps.AutoIndex {
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.NoError(t, s.db.DropCollection(ctx, schema.Name))
		return
	}
	require.NoError(t, err)
	is(vecwire.AutoIndex)
	require.NoError(t, s.db.DropCollection(ctx, schema.Name))
	_, err = s.db.CreateCollection(ctx, vecwire.Schema{Name: schema.Name, Dim: 2, Index: vecwire.NoIndex})
	require.NoError(t, err)
	is(vecwire.NoIndex)
	require.NoError(t, s.db.DropCollection(ctx, schema.Name))
}
