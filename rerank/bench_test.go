package rerank_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/pair"
	"github.com/vecwire/vecwire/rerank"
)

// BenchmarkExact pairs scoring 100 candidates again for the 10 best with a plain
// Go loop that does the same in float64.
func BenchmarkExact(b *testing.B) {
	for _, metric := range metrics {
		b.Run(fmt.Sprint("100x128/", metric), func(b *testing.B) {
			query, candidates := benchData(100, 128)
			pair.Run(b,
				func() { exact(b, metric, query, candidates) },
				func() { plainExact(metric, query, candidates, 10) })
		})
	}
}

// BenchmarkExactBandwidth pairs scoring 1,000 candidates of 1,536 dimensions with
// copying as many bytes: the ratio is Exact's share of the copy's speed.
func BenchmarkExactBandwidth(b *testing.B) {
	for _, metric := range metrics {
		b.Run(fmt.Sprint("1000x1536/", metric), func(b *testing.B) {
			query, candidates := benchData(1000, 1536)
			to := make([]float32, 1536*len(candidates))
			pair.Run(b,
				func() { exact(b, metric, query, candidates) },
				func() {
					for i, c := range candidates {
						copy(to[i*1536:], c.Vector)
					}
				})
		})
	}
}

// BenchmarkMMR pairs choosing 10 of 100 candidates with plain Go loops.
func BenchmarkMMR(b *testing.B) {
	query, candidates := benchData(100, 128)
	pair.Run(b,
		func() {
			_, err := rerank.MMR(codec.Cosine, query, candidates, 10, 0.5)
			require.NoError(b, err)
		},
		func() { plainMMR(query, candidates, 10, 0.5) })
}

func exact(b *testing.B, metric codec.Metric, query []float32, candidates []rerank.Candidate[float32]) {
	if _, err := rerank.Exact(metric, query, candidates, 10); err != nil { // require costs more than Exact
		b.Fatal(err)
	}
}

func benchData(n, dim int) ([]float32, []rerank.Candidate[float32]) {
	rng := rand.New(rand.NewPCG(1, 2))
	vector := func() []float32 {
		v := make([]float32, dim)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	candidates := make([]rerank.Candidate[float32], n)
	for i := range candidates {
		candidates[i] = rerank.Candidate[float32]{ID: fmt.Sprint("doc-", i), Vector: vector()}
	}
	return vector(), candidates
}

func plainExact(metric codec.Metric, query []float32, candidates []rerank.Candidate[float32], k int) []rerank.Ranked {
	ranked := make([]rerank.Ranked, len(candidates))
	for i, c := range candidates {
		ranked[i] = rerank.Ranked{Index: i, Score: plainScore(metric, query, c.Vector)}
	}
	slices.SortFunc(ranked, func(a, b rerank.Ranked) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(candidates[a.Index].ID, candidates[b.Index].ID))
	})
	return ranked[:k]
}

func plainScore(metric codec.Metric, x, y []float32) float64 {
	switch metric {
	case codec.Dot:
		dot := 0.0
		for i := range x {
			dot += float64(x[i]) * float64(y[i])
		}
		return dot
	case codec.L2:
		square := 0.0
		for i := range x {
			d := float64(x[i]) - float64(y[i])
			square += d * d
		}
		return -math.Sqrt(square)
	}
	var dot, xx, yy float64
	for i := range x {
		dot += float64(x[i]) * float64(y[i])
		xx += float64(x[i]) * float64(x[i])
		yy += float64(y[i]) * float64(y[i])
	}
	return dot / math.Sqrt(xx*yy)
}

func plainMMR(query []float32, candidates []rerank.Candidate[float32], k int, lambda float64) []int {
	var picked []int
	for range k {
		best, most := -1, math.Inf(-1)
		for i, c := range candidates {
			if slices.Contains(picked, i) {
				continue
			}
			redundant := 0.0
			for j, p := range picked {
				s := plainScore(codec.Cosine, c.Vector, candidates[p].Vector)
				if j == 0 || s > redundant {
					redundant = s
				}
			}
			if m := lambda*plainScore(codec.Cosine, query, c.Vector) - (1-lambda)*redundant; m > most {
				best, most = i, m
			}
		}
		picked = append(picked, best)
	}
	return picked
}

var metrics = []codec.Metric{codec.Cosine, codec.Dot, codec.L2}
