package local

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// A search whose filter lets few rows pass finds the same by their list as by their set,
// whatever was changed before, also inside a transaction.
func TestSearchFew(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "test.db"))
	c := create(t, s, columnSchema).(*collection)
	rng := rand.New(rand.NewPCG(3, 14))
	for range 40 {
		changeColumns(t, t.Context(), rng, c)
	}
	listed, found := 0, 0
	for range 30 {
		for range 30 {
			f := randomFilter(t, rng, 2)
			if f.IsZero() {
				continue
			}
			if rng.IntN(3) == 0 { // a namespace's
				f = filter.And(filter.Eq("i", int64(7)), f)
			}
			search := engine.Search{
				Vector: engine.Vector{F32: []float32{1, rng.Float32()}}, K: 1 + rng.IntN(8), Filter: f,
				Payload: rng.IntN(2) == 0, Vectors: rng.IntN(2) == 0, Exact: rng.IntN(2) == 0,
			}
			one, err := c.Search(t.Context(), []engine.Search{search})
			require.NoError(t, err)
			two, err := c.Search(t.Context(), []engine.Search{search, search}) // which make sets
			require.NoError(t, err)
			require.Equal(t, two[:1], one, f)
			if rng.IntN(10) == 0 {
				require.NoError(t, s.Tx(t.Context(), func(ctx context.Context) error {
					in, err := c.Search(ctx, []engine.Search{search})
					require.NoError(t, err)
					require.Equal(t, one[0].Hits, in[0].Hits, f)
					return nil
				}))
			}
			e, err := c.evaluation(t.Context(), f)
			require.NoError(t, err)
			if _, ok := e.Few(f, mostListed(len(e.Live))); ok {
				listed++
				found += len(one[0].Hits)
			}
		}
		changeColumns(t, t.Context(), rng, c)
	}
	require.Greater(t, listed, 50)
	require.Greater(t, found, 50)
}
