// Package score defines what a score is: one function of two vectors, in float64,
// for what compares vectors outside an index. It knows vectors and metrics, and
// neither records nor who asks.
package score

import (
	"math"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// Scorer computes the scores of docs/scores.md of one query. They are the same
// on every CPU, and for Dot and L2 the embedded engine's, bit for bit. Whatever
// overflows or underflows on the way, a score is right unless it is itself beyond
// float64.
type Scorer[T codec.Float] struct {
	metric codec.Metric
	query  []float64
	norm   float64 // of query, under Cosine
}

// New returns the scorer of a query, which takes room for the query in float64.
func New[T codec.Float](metric codec.Metric, query []T, room []float64) Scorer[T] {
	s := Scorer[T]{metric: metric, query: room[:0]}
	for _, x := range query {
		s.query = append(s.query, float64(x))
	}
	if metric == codec.Cosine {
		s.norm = simd.Norm(query)
		if !moderate(s.norm * s.norm) {
			simd.Normalize(s.query, s.query)
			s.norm = 1
		}
	}
	return s
}

// moderate reports whether a sum of squares has lost nothing that matters to
// overflow or underflow.
func moderate(square float64) bool { return 0x1p-900 <= square && square <= 0x1p+900 }

// Of returns the score of x, which is as long as the query, finite, and not zero
// under Cosine.
func (s *Scorer[T]) Of(x []T) float64 {
	switch s.metric {
	case codec.Dot:
		return simd.DotWide(s.query, x)
	case codec.L2:
		return 0 - simd.DistanceWide(s.query, x) // 0, not -0, for equal vectors
	default:
		d, square := simd.DotSquareWide(s.query, x)
		return min(1, max(-1, d/(math.Sqrt(square)*s.norm)))
	}
}
