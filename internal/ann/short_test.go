package ann

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

// Codes of four bits take half of what those of seven do, where that saves something.
func TestShortCodesTakeHalf(t *testing.T) {
	for dim, share := range map[int]float64{24: 1, 32: 1, 48: 0.5, 100: 0.5, 128: 0.5, 384: 0.5, 1536: 0.5} {
		rng := rand.New(rand.NewPCG(1, 1))
		var taken [2]float64
		for i := range taken {
			a := newArena[float32](t, dim, codec.Cosine)
			a.SetShortCodes(i == 1)
			for row := range int32(trainFrom + 10) {
				require.NoError(t, a.Set(row, vector[float32](rng, shapes[0], dim, codec.Cosine)))
			}
			require.NoError(t, a.Maintain(t.Context(), new(sync.RWMutex)))
			require.False(t, a.HasOtherCodes())
			requireCodes(t, a)
			for range 2 * halvesFrom {
				_, err := a.Search(t.Context(), nil, a.row(3), 3, nil)
				require.NoError(t, err)
			}
			taken[i] = float64(len(a.codes.rows.all))
			require.True(t, i == 0 || share == 1 || a.codes.half.Load() == nil)
		}
		require.Equal(t, share, taken[1]/taken[0], "%d dimensions", dim) //nolint:testifylint // both are integers
	}
}

// Codes are replaced by those of the other kind while there is a graph, beside changes, and
// searches find what they should before and after.
func TestCodesAreReplacedByTheOtherKind(t *testing.T) {
	skipRace(t)
	for _, metric := range metrics {
		data := newClusters(4, 128)
		g := newGraph[float64](t, data, 4000, metric)
		qs := queries[float64](data, 60)
		var mu sync.RWMutex
		for turn := range 4 {
			short := turn%2 == 0
			g.arena.SetShortCodes(short)
			require.True(t, g.arena.HasOtherCodes())
			if turn == 3 { // they were begun, and are not wanted any more
				require.False(t, g.arena.maintain(&mu))
				require.NotNil(t, g.arena.next)
				g.arena.SetShortCodes(!short)
				require.Nil(t, g.arena.next)
				g.arena.SetShortCodes(short)
			}
			for range 100 {
				require.NoError(t, set(g, data.rng.Int32N(4000), vectorOf[float64](data)))
			}
			require.NoError(t, g.arena.Maintain(t.Context(), &mu))
			require.False(t, g.arena.HasOtherCodes())
			require.Equal(t, strideOf(128, short), g.arena.codes.stride)
			require.True(t, g.plan(1, 1, nil).exact, "nobody knows what walks find by the new codes")
			require.NoError(t, g.Link(t.Context(), mu.RLocker(), 2, nil))
			require.False(t, g.plan(1, 1, nil).exact)
			share, few := recall(t, g, qs, 10, 64, nil)
			require.Zero(t, few)
			require.Greater(t, share, 0.96)
		}
	}
}

// A snapshot with codes of the other kind is not refused: the codes are replaced later.
func TestSnapshotWithOtherCodes(t *testing.T) {
	skipRace(t)
	data := newClusters(2, 40)
	for _, short := range []bool{true, false} {
		g := newCodedGraph[float32](t, data, 2500, codec.L2, short)
		b := snapshot(t, g, "x")
		same, other := emptyGraph[float32](t, 40, codec.L2), emptyGraph[float32](t, 40, codec.L2)
		same.arena.SetShortCodes(short)
		other.arena.SetShortCodes(!short)
		for _, h := range []*Graph[float32]{same, other} {
			_, err := h.Load(b)
			require.NoError(t, err)
			for row := range h.arena.live.All() {
				require.NoError(t, h.arena.CheckRow(row, g.arena.row(row)))
			}
			requireSame(t, data, g, h)
		}
		require.False(t, same.arena.HasOtherCodes())
		require.True(t, other.arena.HasOtherCodes())
		link(t, other)
		require.False(t, other.arena.HasOtherCodes())
		for row := range other.arena.live.All() {
			require.NoError(t, other.arena.CheckRow(row, g.arena.row(row)))
		}
		require.Error(t, other.arena.CheckRow(0, g.arena.row(1)))
	}
}
