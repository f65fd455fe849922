package ann

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

// What a walk loads in one pass is to the bit what is made of a query step by step.
func TestQueriesAreLoadedInOnePass(t *testing.T) {
	rng := rand.New(rand.NewPCG(43, 43))
	for _, metric := range []codec.Metric{codec.L2, codec.Cosine} {
		for _, shape := range shapes {
			for _, dim := range []int{3, 33, 128} {
				g := emptyGraph[float32](t, dim, metric)
				for row := range int32(300) {
					require.NoError(t, g.arena.Set(row, vector[float32](rng, shape, dim, metric)))
				}
				retrain(g.arena)
				for range 10 {
					q := vector[float32](rng, shape, dim, metric)
					s := g.borrowFinder()
					require.True(t, g.loadSingle(s, q))
					wide := g.arena.widen(nil, q)
					require.Equal(t, wide, s.wide)
					require.Equal(t, g.arena.narrow(nil, q, wide), s.q)
					var want codeQuery
					g.arena.codes.encodeQuery(&want, wide)
					require.Equal(t, want.l2, s.query.l2)
					require.Equal(t, want.err, s.query.err)
					require.Equal(t, g.arena.codes.isFar(want.err), s.exact != nil)
				}
			}
		}
	}
	require.False(t, emptyGraph[float32](t, 8, codec.Dot).loadSingle(new(finder[float32]), nil))
	require.False(t, emptyGraph[float64](t, 8, codec.L2).loadSingle(new(finder[float64]), nil))
}
