package dataset

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Made-up embeddings have the neighbours that those of MiniLM have: the cosines of
// the nearest, the tenth and the hundredth of 30,000, and of any two.
func TestModelledIsLikeMiniLM(t *testing.T) {
	base, queries := Modelled(384, 30_000, 20)
	require.Len(t, base, 30_000)
	require.Len(t, queries, 20)
	var at [3]float64
	all := 0.0
	for _, q := range queries {
		cosines := make([]float64, len(base))
		for i, v := range base {
			for j := range v {
				cosines[i] += float64(q[j]) * float64(v[j])
			}
			all += cosines[i] / float64(len(base)*len(queries))
		}
		slices.Sort(cosines)
		for i, n := range []int{1, 10, 100} {
			at[i] += cosines[len(cosines)-n] / float64(len(queries))
		}
	}
	for i, want := range []float64{0.640, 0.506, 0.396} {
		require.InDelta(t, want, at[i], 0.05)
	}
	require.InDelta(t, 0.092, all, 0.02)
}
