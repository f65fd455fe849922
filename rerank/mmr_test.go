package rerank_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/rerank"
)

// TestMMR checks the definition: each candidate that is taken has the highest
// value of those left, up to rounding.
func TestMMR(t *testing.T) {
	t.Run("FLOAT", func(t *testing.T) { mmr[float32](t, 1e-5) })
	t.Run("DOUBLE", func(t *testing.T) { mmr[float64](t, 1e-12) })
}

func mmr[T codec.Float](t *testing.T, relative float64) {
	rng := rand.New(rand.NewPCG(7, 8))
	for name, shape := range shapes {
		for _, metric := range metrics {
			for _, lambda := range []float64{0, 0.3, 0.7, 1} {
				n := 1 + rng.IntN(15)
				query, candidates := generate[T](rng, shape, n, 6)
				k := 1 + rng.IntN(n+2)
				got, err := rerank.MMR(metric, query, candidates, k, lambda)
				require.NoError(t, err)
				require.Len(t, got, min(k, n))
				all, err := rerank.Exact(metric, query, candidates, n)
				require.NoError(t, err)
				require.Equal(t, all[0], got[0], "the best comes first")
				if lambda == 1 {
					require.Equal(t, all[:len(got)], got)
				}
				requireGreedy(t, metric, candidates, all, got, lambda, relative, name)
			}
		}
	}
}

func requireGreedy[T codec.Float](t *testing.T, metric codec.Metric, candidates []rerank.Candidate[T], all, got []rerank.Ranked, lambda, relative float64, name string) {
	t.Helper()
	scores, size := map[int]float64{}, 0.0
	for _, r := range all {
		scores[r.Index] = r.Score
		s, _ := precise(codec.Dot, candidates[r.Index].Vector, candidates[r.Index].Vector)
		size = max(size, s)
	}
	switch metric {
	case codec.Cosine:
		size = 1
	case codec.L2:
		size = math.Sqrt(size)
	}
	taken := map[int]bool{}
	value := func(i int) float64 {
		closest := math.Inf(-1)
		for j := range taken {
			s, _ := precise(metric, candidates[i].Vector, candidates[j].Vector)
			closest = max(closest, s)
		}
		return lambda*scores[i] - (1-lambda)*closest
	}
	for step, r := range got {
		require.False(t, taken[r.Index])
		require.Equal(t, scores[r.Index], r.Score)
		if step > 0 {
			v := value(r.Index)
			for i := range candidates {
				if !taken[i] {
					require.GreaterOrEqual(t, v+relative*size+1e-35, value(i), "%s %s, lambda %g, step %d", name, metric, lambda, step)
				}
			}
		}
		taken[r.Index] = true
	}
}

func TestMMRLeavesOutWhatIsAlike(t *testing.T) {
	candidates := []rerank.Candidate[float32]{
		{ID: "a", Vector: []float32{1, 0.1, 0}},
		{ID: "a again", Vector: []float32{1, 0.1, 0}},
		{ID: "b", Vector: []float32{1, 0, 0.5}},
	}
	query := []float32{1, 0, 0}
	for lambda, want := range map[float64][]int{0.5: {0, 2}, 1: {0, 1}} {
		got, err := rerank.MMR(codec.Cosine, query, candidates, 2, lambda)
		require.NoError(t, err)
		require.Equal(t, want, places(got))
	}
	for _, bad := range []float64{-0.1, 1.1, math.NaN(), math.Inf(1)} {
		_, err := rerank.MMR(codec.Cosine, query, candidates, 2, bad)
		require.ErrorContains(t, err, "want a number from 0 to 1")
	}
	got, err := rerank.MMR[float32](codec.Cosine, query, nil, 2, 0.5)
	require.NoError(t, err)
	require.Empty(t, got)
}
