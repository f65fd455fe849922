package vecwire_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

// TestIRISTx has transactions where they roll back, and ErrUnsupported elsewhere.
func TestIRISTx(t *testing.T) {
	eachIRIS(t, func(t *testing.T, server *testenv.IRISServer, db *vecwire.DB) {
		ctx := t.Context()
		c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "moved", Dim: 2})
		require.NoError(t, err)
		one, two := vecwire.Record{ID: "1", Vector: []float32{1, 2}}, vecwire.Record{ID: "2", Vector: []float32{3, 4}}
		require.NoError(t, c.Upsert(ctx, one))
		count := func(want int) {
			t.Helper()
			n, err := c.Count(ctx, filter.Filter{})
			require.NoError(t, err)
			require.Equal(t, want, n)
		}
		defer func() { require.NoError(t, db.DropCollection(ctx, "moved")) }()

		own := errors.New("own")
		err = db.Tx(ctx, func(ctx context.Context) error {
			require.NoError(t, c.Upsert(ctx, two))
			_, err := c.Delete(ctx, "1")
			require.NoError(t, err)
			got, err := c.Get(ctx, "1", "2")
			require.NoError(t, err)
			require.Len(t, got, 1, "a transaction sees what it did")
			return own
		})
		if server.Real {
			t.Logf("Tx: %v", err)
			return
		}
		if server.Mode != testenv.IRISDBAPI {
			require.ErrorIs(t, err, vecwire.ErrUnsupported)
			require.ErrorContains(t, err, "transactions")
			count(1)
			return
		}
		require.ErrorIs(t, err, own)
		got, err := c.Get(ctx, "1", "2")
		require.NoError(t, err)
		require.Len(t, got, 1)
		require.Equal(t, "1", got[0].ID, "what it did is undone")

		var kept context.Context
		require.NoError(t, db.Tx(ctx, func(ctx context.Context) error {
			kept = ctx
			return c.Upsert(ctx, two)
		}))
		count(2)
		require.Error(t, c.Upsert(kept, one), "it has ended")
		require.Error(t, db.Tx(ctx, func(ctx context.Context) error {
			require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "3", Vector: []float32{1, 1}}))
			_, err := bareIRIS(t, server).Exec(ctx, "SELECT 1")
			require.NoError(t, err)
			return c.BuildIndex(ctx, vecwire.IndexOptions{})
		}))
		count(2)
	})
}
