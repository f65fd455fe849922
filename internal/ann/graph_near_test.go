package ann

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

// The rows that codes put far behind the k-th are not among the k best, and most others are
// not compared.
func TestRowsFarBehindAreNotCompared(t *testing.T) {
	for _, metric := range metrics {
		rng := rand.New(rand.NewPCG(15, 15))
		const dim, rows, k, most = 130, 3000, 10, 100
		g := emptyGraph[float32](t, dim, metric)
		for row := range int32(rows) {
			require.NoError(t, g.arena.Set(row, vector[float32](rng, shapes[0], dim, metric)))
			g.Changed(row)
		}
		retrain(g.arena)
		s := g.borrowFinder()
		compared := 0
		for range 50 {
			q := vector[float32](rng, shapes[0], dim, metric)
			g.load(s, q)
			at, keys := make([]int32, rows), make([]int32, rows)
			for i := range at {
				at[i] = int32(i)
			}
			s.measure(keys, at)
			s.found = s.found[:0]
			for i, key := range keys {
				s.found = append(s.found, newSpot(key, int32(i)))
			}
			slices.Sort(s.found)
			n := g.near(s, k, most)
			compared += n
			for _, c := range brute(g.arena, q, k, g.arena.Has) {
				place := slices.IndexFunc(s.found, func(p spot) bool { return p.row() == c.Row })
				require.Less(t, place, n, "row %d", c.Row)
			}
		}
		if metric == codec.Dot {
			require.Equal(t, 50*most, compared)
		} else {
			require.Less(t, compared, 50*most/2)
		}
	}
}
