package ann

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSearchRows(t *testing.T) {
	skipRace(t)
	const n = 8000
	for _, metric := range metrics {
		data := newClusters(4, 64)
		g := newGraph[float32](t, data, n, metric)
		for row := int32(5); row < n; row += 7 {
			del(g, row)
		}
		rng := rand.New(rand.NewPCG(2, 2))
		all := rng.Perm(n)
		for _, count := range []int{0, 1, 9, 100, 255, 300, 3000, n} {
			set, rows := new(Bitmap), []int32{n + 5, 1 << 30} // which hold no vector
			for _, row := range all[:count] {
				rows = append(rows, int32(row))
				set.Set(int32(row))
			}
			given := slices.Clone(rows)
			for _, q := range queries[float32](data, 3) {
				for _, k := range []int{1, 10, 300, n} {
					want, err := g.arena.Search(t.Context(), nil, q, k, set)
					require.NoError(t, err)
					got, err := g.arena.SearchRows(t.Context(), nil, q, k, rows)
					require.NoError(t, err)
					require.Equal(t, want, got, "%s, %d, %d", metric, count, k)
					got, ok, err := g.SearchRows(t.Context(), nil, q, k, 50, rows)
					require.NoError(t, err)
					if count <= 100 || ok {
						require.True(t, ok)
						require.Equal(t, want, got)
					}
				}
			}
			require.Equal(t, given, rows)
		}
		var every []int32
		for row := range int32(n) {
			every = append(every, row)
		}
		_, ok, err := g.SearchRows(t.Context(), nil, g.arena.row(1), 10, 50, every)
		require.NoError(t, err)
		require.False(t, ok, "a walk is faster among all")
		_, err = g.arena.SearchRows(t.Context(), nil, g.arena.row(1), 0, []int32{1})
		require.Error(t, err)
	}
}
