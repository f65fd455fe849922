package rerank

import (
	"math"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/score"
	"github.com/vecwire/vecwire/internal/simd"
)

// Exact rescores candidates by their vectors and returns the k best, best first, or
// all of them if there are fewer. Candidates of equal score are in the order of
// their IDs; those of equal ID keep the order that was given.
//
// Scores are those of docs/scores.md, computed in float64 from the vectors as
// they are given: the cosine similarity, the dot product or the negated Euclidean
// distance. For Dot and L2 they equal the embedded engine's bit for bit. For
// Cosine that engine scores vectors that it has normalised and rounded, which is
// off by up to about 1e-7 for FLOAT and 1e-15 for DOUBLE.
//
// Exact returns a [*CandidateError] for a vector that is not as long as the query,
// holds NaN or an infinity, or is all zeros under Cosine, and a [*codec.ValueError]
// for such a query or a k below 1.
func Exact[T codec.Float](metric codec.Metric, query []T, candidates []Candidate[T], k int) ([]Ranked, error) {
	if err := checkQuery(metric, query, k); err != nil {
		return nil, err
	}
	return exact(metric, query, candidates, k)
}

// exact is Exact for a query that is checked. It checks the candidates.
func exact[T codec.Float](metric codec.Metric, query []T, candidates []Candidate[T], k int) ([]Ranked, error) {
	k = min(k, len(candidates))
	// Small inputs stay on the stack, where they cost no collection.
	var spansRoom [128]span
	var wideRoom [256]float64
	spans := spansRoom[:0]
	if len(candidates) > len(spansRoom) {
		spans = make([]span, 0, len(candidates))
	}
	spans = newSieve(metric, query).spans(spans, candidates)
	for i := range spans {
		if spans[i] == everything {
			if err := codec.Check(candidates[i].Vector, len(query), metric); err != nil {
				return nil, &CandidateError{Index: i, ID: candidates[i].ID, Err: err}
			}
		}
	}
	floor := math.Inf(-1)
	if k < len(spans) {
		floor = kthLow(spans, k)
	}
	scorer := score.New(metric, query, wideRoom[:0])
	ranked := make([]Ranked, 0, k+k/4+1)
	for i, s := range spans {
		if s.high >= floor {
			ranked = append(ranked, Ranked{i, scorer.Of(candidates[i].Vector)})
		}
	}
	sortRanked(ranked, candidates)
	return ranked[:k], nil
}

// A span holds a candidate's score, or under L2 the negated square of its score.
type span struct{ low, high float64 }

// everything is the span of a candidate about which the kernels say nothing.
var everything = span{math.Inf(-1), math.Inf(1)}

// A sieve finds spans with the kernels of package simd. Scoring in float64 costs
// several times as much, so only the few candidates that may be among the best are
// scored: those whose span reaches the k-th highest lower end.
//
// The widths follow Higham, Accuracy and Stability of Numerical Algorithms, 2nd
// ed., section 3.1. With the unit roundoff u of T, w = 2^-53 of the score, s the
// smallest positive T, n elements, r = simd.Roundings(n) and g(r,u) = r*u/(1-r*u):
//
//   - Dot: the kernel is off by g(r,u)*|q||x| + n*s and the score by g(n,w)*|q||x|.
//     |x|^2 is at most 1+2g(r,u) times what the kernel says, and n*s.
//   - Cosine: the quotient of two kernels, each off by g(r,u), is off by no more
//     than 3*g(r,u) where that is below a tenth, by n*s/|q||x|, and the square of
//     |x| by n*s, which is below u of it unless it is tiny; the score by g(4n,w).
//   - L2: a sum of squares of differences has no cancellation, so that the
//     kernel's square is off by g(r+8,u) of itself + (n+2)*s, and the score's by
//     g(2n+16,w) of itself.
type sieve[T codec.Float] struct {
	metric   codec.Metric
	query    []T
	norm     float64 // of query
	relative float64 // the width, times what the metric says
	square   float64 // under Dot, how much larger |x|^2 may be than the kernel says
	fixed    float64 // for what underflows
	least    float64 // under Cosine, the smallest |x|^2 that is not tiny
}

func newSieve[T codec.Float](metric codec.Metric, query []T) sieve[T] {
	const w = 0x1p-53
	u, tiny := w, math.SmallestNonzeroFloat64
	if codec.ElementOf[T]() == codec.FLOAT {
		u, tiny = 0x1p-24, math.SmallestNonzeroFloat32
	}
	const slack = 1.01 // for the rounding of the bounds themselves
	n, r := float64(len(query)), float64(simd.Roundings(len(query)))
	kernel := growth(r+10, u)
	s := sieve[T]{metric: metric, query: query, fixed: 4 * slack * (n + 2) * tiny}
	switch metric {
	case codec.Dot:
		s.norm = simd.Norm(query)
		s.square = slack * (1 + 2*kernel)
		s.relative = slack * (kernel + growth(n+8, w)) * s.norm
	case codec.L2:
		s.relative = slack * (2*kernel + growth(2*n+32, w))
	default:
		s.norm = simd.Norm(query)
		s.relative = slack * (3*kernel + growth(4*n+32, w))
		s.least = (n + 2) * tiny / u
	}
	if kernel > 0.1 {
		s.relative = math.Inf(1)
	}
	return s
}

// growth is g.
func growth(r, u float64) float64 {
	if r*u >= 0.5 {
		return math.Inf(1)
	}
	return r * u / (1 - r*u)
}

// spans appends the span of each candidate. It is everything where the kernels have
// overflowed or underflowed, and where the vector cannot be compared with the
// query. A kernel's result is not finite if an element is not, so elements need no
// check of their own.
func (s sieve[T]) spans(dst []span, candidates []Candidate[T]) []span {
	q := s.query
	for i := range candidates {
		x := candidates[i].Vector
		if len(x) != len(q) {
			dst = append(dst, everything)
			continue
		}
		var key, width float64
		switch s.metric {
		case codec.Dot:
			key = float64(simd.Dot(q, x))
			width = s.relative*math.Sqrt(s.square*float64(simd.Dot(x, x))+s.fixed) + s.fixed
		case codec.L2:
			key = -float64(simd.SquaredL2(q, x))
			width = s.fixed - s.relative*key
		default:
			width = math.Inf(1)
			if square := float64(simd.Dot(x, x)); s.least <= square && square <= math.MaxFloat64 {
				size := s.norm * math.Sqrt(square)
				key = float64(simd.Dot(q, x)) / size
				width = s.relative + s.fixed/size
			}
		}
		low, high := key-width, key+width
		if low-low != 0 || high-high != 0 {
			low, high = everything.low, everything.high
		}
		dst = append(dst, span{low, high})
	}
	return dst
}

// kthLow returns the k-th highest lower end of at least k spans. It keeps the k
// highest in a heap whose first element is the lowest of them.
func kthLow(spans []span, k int) float64 {
	var room [128]float64
	heap := room[:0]
	if k > len(room) {
		heap = make([]float64, 0, k)
	}
	for i := range spans {
		low := spans[i].low
		if len(heap) < k {
			heap = append(heap, low)
			if len(heap) == k {
				for j := k/2 - 1; j >= 0; j-- {
					sink(heap, j, heap[j])
				}
			}
		} else if low > heap[0] {
			sink(heap, 0, low)
		}
	}
	return heap[0]
}

// sink puts x at place i of a min-heap, or below it.
func sink(heap []float64, i int, x float64) {
	for {
		down := 2*i + 1
		if down >= len(heap) {
			break
		}
		if right := down + 1; right < len(heap) && heap[right] < heap[down] {
			down = right
		}
		if x <= heap[down] {
			break
		}
		heap[i] = heap[down]
		i = down
	}
	heap[i] = x
}
