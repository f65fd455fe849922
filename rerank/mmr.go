package rerank

import (
	"fmt"
	"math"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/score"
	"github.com/vecwire/vecwire/internal/simd"
)

// MMR returns k candidates, or all if there are fewer, that are near the query and
// unlike each other, by maximal marginal relevance (Carbonell and Goldstein, "The
// Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing
// Summaries", SIGIR 1998). One after another, it takes the candidate c with the
// highest
//
//	lambda * score(query, c) - (1-lambda) * max over those taken of score(taken, c)
//
// where score is the metric's: higher for nearer. The candidate with the best score
// comes first, also for lambda = 0. With lambda = 1 the answer is [Exact]'s; 0.5 to
// 0.7 is usual. Candidates of equal value are in the order of their scores, then of
// their IDs; those of equal ID keep the order that was given.
//
// Each Score is against the query, as Exact gives it, so scores are not in order.
// Scores between candidates are computed in T. Fetch more candidates than k, or
// there is nothing to choose from; the time grows with k times their number.
//
// MMR returns the errors of Exact, and a [*codec.ValueError] for a lambda outside
// [0, 1].
func MMR[T codec.Float](metric codec.Metric, query []T, candidates []Candidate[T], k int, lambda float64) ([]Ranked, error) {
	if !(lambda >= 0 && lambda <= 1) {
		return nil, refuse("lambda", "a number from 0 to 1", fmt.Sprint(lambda))
	}
	if err := checkQuery(metric, query, k); err != nil {
		return nil, err
	}
	if len(candidates) == 0 {
		return []Ranked{}, nil
	}
	all, err := exact(metric, query, candidates, len(candidates))
	if err != nil || lambda == 1 {
		return all[:min(k, len(all))], err
	}
	like := newLikeness(metric, candidates)
	// The best are at the front of all, so the first of several equals is kept.
	closest := make([]float64, len(all)) // the highest score against a candidate that is taken
	for i := range closest {
		closest[i] = math.Inf(-1)
	}
	out := make([]Ranked, 0, min(k, len(all)))
	for next := 0; ; {
		taken := all[next]
		out = append(out, taken)
		all = append(all[:next], all[next+1:]...)
		closest = append(closest[:next], closest[next+1:]...)
		if len(out) == cap(out) {
			return out, nil
		}
		most := math.Inf(-1)
		next = 0
		for i, c := range all {
			closest[i] = max(closest[i], like.score(taken.Index, c.Index))
			if value := lambda*c.Score - (1-lambda)*closest[i]; value > most {
				next, most = i, value
			}
		}
	}
}

// likeness computes scores between candidates.
type likeness[T codec.Float] struct {
	metric  codec.Metric
	vectors [][]T
	inverse []float64 // under Cosine, one over each norm
}

func newLikeness[T codec.Float](metric codec.Metric, candidates []Candidate[T]) likeness[T] {
	l := likeness[T]{metric: metric, vectors: make([][]T, len(candidates))}
	for i, c := range candidates {
		l.vectors[i] = c.Vector
	}
	if metric != codec.Cosine {
		return l
	}
	l.inverse = make([]float64, len(candidates))
	for i, v := range l.vectors {
		norm := simd.Norm(v)
		if !(0x1p-40 <= norm && norm <= 0x1p40) { // products of such elements may leave T's range
			unit := make([]T, len(v))
			simd.Normalize(unit, v)
			l.vectors[i], norm = unit, 1
		}
		l.inverse[i] = 1 / norm
	}
	return l
}

func (l *likeness[T]) score(i, j int) float64 {
	x, y := l.vectors[i], l.vectors[j]
	var s T
	switch l.metric {
	case codec.Cosine:
		return min(1, max(-1, float64(simd.Dot(x, y))*l.inverse[i]*l.inverse[j]))
	case codec.Dot:
		s = simd.Dot(x, y)
	case codec.L2:
		s = simd.SquaredL2(x, y)
	}
	if size := math.Abs(float64(s)); !(0x1p-80 <= size && size <= math.MaxFloat32) { // products may have left T's range
		exact := score.New(l.metric, x, nil)
		return exact.Of(y)
	}
	if l.metric == codec.L2 {
		return -math.Sqrt(float64(s))
	}
	return float64(s)
}
