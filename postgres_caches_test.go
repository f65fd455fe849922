package vecwire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// TestPgxTxMaxRecords makes room within a transaction of the caller's, which has the only
// connection, and that of what was used outside it.
func TestPgxTxMaxRecords(t *testing.T) {
	s := newPgxTx(t)
	c, err := s.db.CreateCollection(t.Context(), vecwire.Schema{Name: "cache", Dim: 2, MaxRecords: 2})
	require.NoError(t, err)
	record := func(id string) vecwire.Record { return vecwire.Record{ID: id, Vector: []float32{1, 1}} }
	require.NoError(t, c.Upsert(t.Context(), record("a"), record("b")))
	_, err = c.Get(t.Context(), "a")
	require.NoError(t, err)
	ctx, tx := s.begin("1")
	require.NoError(t, c.Upsert(ctx, record("c")))
	found, err := c.Get(ctx, "a", "b", "c")
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.ErrorAs(t, c.Insert(ctx, record("d"), record("e"), record("f")), new(*vecwire.ValueError))
	require.NoError(t, tx.Rollback(t.Context()))
	n, err := c.Count(t.Context(), filter.Eq("id", "b"))
	require.NoError(t, err)
	require.Equal(t, 1, n, "it is undone with the rest")

	ctx, tx = s.begin("2")
	require.NoError(t, c.Upsert(ctx, record("c")))
	require.NoError(t, tx.Commit(t.Context()))
	found, err = c.Get(t.Context(), "a", "b", "c")
	require.NoError(t, err)
	require.Equal(t, []string{"a", "c"}, []string{found[0].ID, found[1].ID})
}
