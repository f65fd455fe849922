package vecwire

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
)

// A verb that fails in a transaction fails it, also where nobody looks.
func TestTxFailsWithItsVerbs(t *testing.T) {
	ctx := t.Context()
	docs := newDocs(t, Schema{Dim: 2})
	var kept *Tx
	err := docs.db.Tx(ctx, func(tx *Tx) error {
		kept = tx
		in, err := tx.Collection(docs)
		require.NoError(t, err)
		require.NoError(t, in.Upsert(ctx, Record{ID: "good", Vector: []float32{1, 2}}))
		require.Error(t, in.Upsert(ctx, Record{ID: "bad", Vector: []float32{1}}))
		again, err := tx.Collection(in)
		require.NoError(t, err)
		require.Same(t, in, again)
		return nil
	})
	var dimension *DimensionError
	require.ErrorAs(t, err, &dimension)
	n, err := docs.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Zero(t, n, "nothing is stored")

	_, err = kept.Collection(docs)
	require.ErrorContains(t, err, "the transaction has ended")
}
