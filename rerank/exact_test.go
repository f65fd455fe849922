package rerank_test

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/rerank"
)

// shapes are kinds of data on which a fast and a slow computation may disagree.
var shapes = map[string]func(rng *rand.Rand, i int) float64{
	"normal":    func(rng *rand.Rand, _ int) float64 { return rng.NormFloat64() },
	"near":      func(rng *rand.Rand, i int) float64 { return math.Sin(float64(i)) + 1e-6*rng.NormFloat64() },
	"far":       func(rng *rand.Rand, _ int) float64 { return 1000 + 1e-3*rng.NormFloat64() },
	"few":       func(rng *rand.Rand, _ int) float64 { return float64(rng.IntN(3)) - 0.5 },
	"tiny":      func(rng *rand.Rand, _ int) float64 { return 1e-30 * rng.NormFloat64() },
	"huge":      func(rng *rand.Rand, _ int) float64 { return 1e30 * rng.NormFloat64() },
	"of a size": func(rng *rand.Rand, _ int) float64 { return math.Ldexp(rng.NormFloat64(), rng.IntN(60)-30) },
	"subnormal": func(rng *rand.Rand, _ int) float64 { return 1e-42 * (1 + rng.Float64()) },
}

func generate[T codec.Float](rng *rand.Rand, shape func(*rand.Rand, int) float64, n, dim int) ([]T, []rerank.Candidate[T]) {
	vector := func() []T {
		v := make([]T, dim)
		for i := range v {
			v[i] = T(shape(rng, i))
		}
		return v
	}
	query := vector()
	candidates := make([]rerank.Candidate[T], n)
	for i := range candidates {
		candidates[i] = rerank.Candidate[T]{ID: fmt.Sprint(rng.IntN(n)), Vector: vector()}
		switch {
		case i > 0 && rng.IntN(5) == 0: // ties, some with equal IDs
			candidates[i].Vector = candidates[rng.IntN(i)].Vector
		case rng.IntN(20) == 0:
			candidates[i].Vector = query
		}
	}
	return query, candidates
}

// TestExactDropsNone compares the k best with the first k of all, for which no
// candidate can be dropped.
func TestExactDropsNone(t *testing.T) {
	t.Run("FLOAT", func(t *testing.T) { exactDropsNone[float32](t) })
	t.Run("DOUBLE", func(t *testing.T) { exactDropsNone[float64](t) })
}

func exactDropsNone[T codec.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, shape := range shapes {
		for _, metric := range metrics {
			for _, dim := range []int{1, 3, 8, 100, 129} {
				n := 1 + rng.IntN(300)
				query, candidates := generate[T](rng, shape, n, dim)
				all, err := rerank.Exact(metric, query, candidates, n)
				require.NoError(t, err)
				require.Len(t, all, n)
				requireSorted(t, all, candidates)
				for _, k := range []int{1, 2, 10, n - 1, n, n + 1} {
					if k < 1 {
						continue
					}
					some, err := rerank.Exact(metric, query, candidates, k)
					require.NoError(t, err)
					require.Equal(t, all[:min(k, n)], some, "%s %s %d of %d x %d", name, metric, k, n, dim)
				}
			}
		}
	}
}

func requireSorted[T codec.Float](t *testing.T, ranked []rerank.Ranked, candidates []rerank.Candidate[T]) {
	t.Helper()
	seen := map[int]bool{}
	for i, r := range ranked {
		require.False(t, seen[r.Index], "candidate %d twice", r.Index)
		seen[r.Index] = true
		require.False(t, math.IsNaN(r.Score))
		if i > 0 {
			p := ranked[i-1]
			require.Negative(t, cmp.Or(cmp.Compare(r.Score, p.Score),
				cmp.Compare(candidates[p.Index].ID, candidates[r.Index].ID), cmp.Compare(p.Index, r.Index)))
		}
	}
}

// TestExactScores compares scores with arithmetic of 300 bits.
func TestExactScores(t *testing.T) {
	t.Run("FLOAT", func(t *testing.T) { exactScores[float32](t) })
	t.Run("DOUBLE", func(t *testing.T) { exactScores[float64](t) })
}

func exactScores[T codec.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for name, shape := range shapes {
		for _, metric := range metrics {
			query, candidates := generate[T](rng, shape, 20, 50)
			ranked, err := rerank.Exact(metric, query, candidates, 20)
			require.NoError(t, err)
			for _, r := range ranked {
				want, tolerance := precise(metric, query, candidates[r.Index].Vector)
				require.InDelta(t, want, r.Score, tolerance, "%s %s", name, metric)
				if metric == codec.Cosine {
					require.LessOrEqual(t, math.Abs(r.Score), 1.0)
				}
			}
		}
	}
}

// precise returns the score and how far from it one in float64 may be.
func precise[T codec.Float](metric codec.Metric, q, x []T) (score, tolerance float64) {
	number := func(v float64) *big.Float { return new(big.Float).SetPrec(300).SetFloat64(v) }
	sum := func(f func(a, b *big.Float) *big.Float) *big.Float {
		s := number(0)
		for i := range q {
			s.Add(s, f(number(float64(q[i])), number(float64(x[i]))))
		}
		return s
	}
	times := func(a, b *big.Float) *big.Float { return number(0).Mul(a, b) }
	root := func(a *big.Float) *big.Float { return number(0).Sqrt(a) }
	float := func(a *big.Float) float64 { f, _ := a.Float64(); return f }
	dot := sum(times)
	size := times(root(sum(func(a, _ *big.Float) *big.Float { return times(a, a) })), root(sum(func(_, b *big.Float) *big.Float { return times(b, b) })))
	const relative = 1e-14
	switch metric {
	case codec.Dot:
		return float(dot), relative*float(size) + 1e-300
	case codec.L2:
		d := root(sum(func(a, b *big.Float) *big.Float { d := number(0).Sub(a, b); return times(d, d) }))
		return -float(d), relative * float(d)
	}
	return float(number(0).Quo(dot, size)), relative
}

// TestExactIsTheEnginesScore compares with the embedded engine's index.
func TestExactIsTheEnginesScore(t *testing.T) {
	t.Run("FLOAT", func(t *testing.T) { exactIsTheEnginesScore[float32](t, 2e-7) })
	t.Run("DOUBLE", func(t *testing.T) { exactIsTheEnginesScore[float64](t, 1e-15) })
}

func exactIsTheEnginesScore[T codec.Float](t *testing.T, cosine float64) {
	rng := rand.New(rand.NewPCG(5, 6))
	for name, shape := range shapes {
		for _, metric := range metrics {
			const n, dim, k = 200, 100, 20
			query, candidates := generate[T](rng, shape, n, dim)
			arena, err := ann.New[T](dim, metric)
			require.NoError(t, err)
			for i := range candidates {
				candidates[i].ID = fmt.Sprintf("%03d", i)
				require.NoError(t, arena.Set(int32(i), candidates[i].Vector))
			}
			want, err := arena.Search(t.Context(), nil, query, k, nil)
			require.NoError(t, err)
			got, err := rerank.Exact(metric, query, candidates, k)
			require.NoError(t, err)
			for i, r := range got {
				if metric == codec.Cosine {
					require.InDelta(t, want[i].Score, r.Score, cosine, name)
				} else {
					require.Equal(t, rerank.Ranked{Index: int(want[i].Row), Score: want[i].Score}, r, "%s %s", name, metric)
				}
			}
		}
	}
}

// TestExtremes asks for as many as an int can say: it means all.
func TestExtremes(t *testing.T) {
	query, candidates := generate[float32](rand.New(rand.NewPCG(1, 2)), shapes["normal"], 9, 4)
	all, err := rerank.Exact(codec.Dot, query, candidates, 9)
	require.NoError(t, err)
	for _, k := range []int{math.MaxInt, math.MaxInt / 2, math.MaxInt32} {
		got, err := rerank.Exact(codec.Dot, query, candidates, k)
		require.NoError(t, err)
		require.Equal(t, all, got)
		got, err = rerank.MMR(codec.Dot, query, candidates, k, 0.5)
		require.NoError(t, err)
		require.Len(t, got, 9)
		got, err = rerank.Texts(t.Context(), rerank.Batch(lengths, k), "q", []string{"a", "b"}, k)
		require.NoError(t, err)
		require.Len(t, got, 2)
		require.Len(t, rerank.Group([]int{1, 1, 2}, k, func(i int) int { return i }), 3)
	}
}

func TestExactTies(t *testing.T) {
	same := []float32{1, 2}
	candidates := []rerank.Candidate[float32]{{ID: "b", Vector: same}, {ID: "", Vector: same}, {ID: "a", Vector: same}, {ID: "", Vector: same}, {ID: "c", Vector: []float32{2, 1}}}
	for _, metric := range metrics {
		got, err := rerank.Exact(metric, []float32{0, 1}, candidates, 4)
		require.NoError(t, err)
		require.Equal(t, []int{1, 3, 2, 0}, places(got))
	}
}

func TestExactRefuses(t *testing.T) {
	good := []float32{1, 2}
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for name, tt := range map[string]struct {
		query     []float32
		candidate []float32
		k         int
		want      string
	}{
		"short":           {good, []float32{1}, 1, `candidate 1 (id "x"): vector has 1 dimensions, want 2`},
		"missing":         {good, nil, 1, `candidate 1 (id "x"): vector has 0 dimensions, want 2`},
		"NaN":             {good, []float32{1, nan}, 1, `candidate 1 (id "x"): vector[1] is NaN, want a finite number`},
		"infinite":        {good, []float32{inf, 1}, 1, `candidate 1 (id "x"): vector[0] is -Infinity, want a finite number`},
		"infinite by 0":   {[]float32{0, 1}, []float32{inf, 1}, 1, `candidate 1 (id "x"): vector[0] is -Infinity, want a finite number`},
		"k":               {good, good, 0, "k is 0, want 1 or more"},
		"query NaN":       {[]float32{nan, 1}, good, 1, "vector[0] is NaN, want a finite number"},
		"query empty":     {nil, good, 1, "vector is empty, want at least one element"},
		"a negative k":    {good, good, -3, "k is -3, want 1 or more"},
		"query of length": {[]float32{1, 2, 3}, good, 1, `candidate 0 (id ""): vector has 2 dimensions, want 3`},
	} {
		for _, metric := range metrics {
			candidates := []rerank.Candidate[float32]{{Vector: good}, {ID: "x", Vector: tt.candidate}}
			_, err := rerank.Exact(metric, tt.query, candidates, tt.k)
			require.EqualError(t, err, tt.want, "%s %s", name, metric)
			_, err = rerank.MMR(metric, tt.query, candidates, tt.k, 0.5)
			require.EqualError(t, err, tt.want, "%s %s", name, metric)
		}
	}
	zero := []float32{0, 0}
	_, err := rerank.Exact(codec.Cosine, good, []rerank.Candidate[float32]{{Vector: zero}}, 1)
	require.EqualError(t, err, `candidate 0 (id ""): vector is all zeros, want a vector with a direction`)
	var candidate *rerank.CandidateError
	require.ErrorAs(t, err, &candidate)
	var value *codec.ValueError
	require.ErrorAs(t, err, &value)
	_, err = rerank.Exact(codec.Cosine, zero, []rerank.Candidate[float32]{{Vector: good}}, 1)
	require.EqualError(t, err, "vector is all zeros, want a vector with a direction")
	_, err = rerank.Exact(codec.Metric(7), good, []rerank.Candidate[float32]{{Vector: good}}, 1)
	require.EqualError(t, err, "metric is 7, want Cosine, Dot or L2")
	got, err := rerank.Exact(codec.Dot, good, []rerank.Candidate[float32]{{Vector: zero}}, 1)
	require.NoError(t, err)
	require.Equal(t, []rerank.Ranked{{Index: 0, Score: 0}}, got)
	got, err = rerank.Exact(codec.Dot, good, nil, 1)
	require.NoError(t, err)
	require.Empty(t, got)
}

// FuzzExact makes vectors of any bytes: the k best are the first k of all, or the
// vector that is refused cannot be stored either.
func FuzzExact(f *testing.F) {
	f.Add([]byte{0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64, 0, 0, 128, 64, 1, 0, 0, 0, 2, 0, 0, 0}, uint8(0), uint8(1))
	f.Add([]byte{0, 0, 128, 127, 1, 0, 0, 0, 255, 255, 127, 127, 255, 255, 127, 255, 0, 0, 0, 0, 0, 0, 0, 128}, uint8(1), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, metric, k uint8) {
		const dim = 2
		elements, err := codec.ParseBlob[float32](nil, data[:len(data)/8*8])
		if err != nil {
			t.Skip("not what Exact is given: it cannot be stored either")
		}
		var candidates []rerank.Candidate[float32]
		for v := range slices.Chunk(elements, dim) {
			candidates = append(candidates, rerank.Candidate[float32]{Vector: v})
		}
		query, m := candidates[0].Vector, metrics[metric%3]
		all, err := rerank.Exact(m, query, candidates, len(candidates))
		if err != nil {
			require.True(t, slices.ContainsFunc(candidates, func(c rerank.Candidate[float32]) bool { return codec.Check(c.Vector, dim, m) != nil }))
			return
		}
		requireSorted(t, all, candidates)
		some, err := rerank.Exact(m, query, candidates, 1+int(k))
		require.NoError(t, err)
		require.Equal(t, all[:len(some)], some)
		require.Len(t, some, min(1+int(k), len(all)))
	})
}

func places(ranked []rerank.Ranked) []int {
	out := make([]int, len(ranked))
	for i, r := range ranked {
		out[i] = r.Index
	}
	return out
}
