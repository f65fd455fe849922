package ann

import (
	"math"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// score returns the score of x: the definition that the search is exact for. q is
// the query in float64, normalised under Cosine.
func score[T codec.Float](metric codec.Metric, q []float64, x []T) float64 {
	switch metric {
	case codec.Dot:
		return simd.DotWide(q, x)
	case codec.L2:
		return 0 - simd.DistanceWide(q, x) // 0, not -0, for equal vectors
	default:
		return min(1, max(-1, cosine(q, x)))
	}
}

// rescore sets the score of each candidate's row, for a query as widen makes it, four at a
// time.
func (a *Arena[T]) rescore(v *view[T], q []float64, found []Candidate) {
	for ; len(found) > 2; found = found[min(4, len(found)):] {
		var x [4][]T
		for i := range x { // one of them twice if there are three
			x[i] = a.vector(v, found[min(i, len(found)-1)].Row)
		}
		scores := scores(a.metric, q, &x)
		for i := range found[:min(4, len(found))] {
			found[i].Score = scores[i]
		}
	}
	for i := range found {
		found[i].Score = score(a.metric, q, a.vector(v, found[i].Row))
	}
}

// scores returns the score of each of x.
func scores[T codec.Float](metric codec.Metric, q []float64, x *[4][]T) (s [4]float64) {
	switch metric {
	case codec.Dot:
		return simd.DotWide4(q, x)
	case codec.L2:
		s = simd.DistanceWide4(q, x)
		for i, d := range s {
			s[i] = 0 - d
		}
		return s
	default:
		dots, squares := simd.DotSquareWide4(q, x)
		for i, d := range dots {
			s[i] = min(1, max(-1, d/math.Sqrt(squares[i])))
		}
		return s
	}
}

// cosine returns dot(q, x) / |x|, where |x| is near 1.
func cosine[T codec.Float](q []float64, x []T) float64 {
	d, square := simd.DotSquareWide(q, x)
	return d / math.Sqrt(square)
}

// bounds says how far a row's score, as a key, can be from the key that the scan
// computes, for one query. See the package comment.
type bounds struct {
	metric codec.Metric
	q      float64 // |q|
	dot    float64 // times |q||x|
	square float64 // times (|q|+|x|)^2
	fixed  float64
	limit  float64 // from where a key may overflow the element type
	tiny   float64 // the smallest positive element
	unit   float64 // u of the package comment
}

func newBounds[T codec.Float](metric codec.Metric, dim int, norm float64) bounds {
	u, tiny, limit := 0x1p-53, math.SmallestNonzeroFloat64, math.MaxFloat64/8
	if codec.ElementOf[T]() == codec.FLOAT {
		u, tiny, limit = 0x1p-24, math.SmallestNonzeroFloat32, math.MaxFloat32/8
	}
	n := float64(dim)
	kernel := growth(float64(simd.Roundings(dim))+6, u)
	// The factor covers the rounding of the bounds themselves and of norms.
	const slack = 1.01
	b := bounds{metric: metric, q: norm, limit: limit, tiny: tiny, unit: u, fixed: slack * 2 * (n + 2) * tiny}
	switch metric {
	case codec.Dot:
		b.dot = slack * (kernel + growth(n+8, 0x1p-53))
	case codec.L2:
		b.dot = slack * kernel
		b.square = slack * (u + growth(n+16, 0x1p-53))
	default:
		// The kernel's part has room for an inverse norm, its rounding and that of the product.
		b.fixed += slack * (kernel + growth(4*n+32, 0x1p-53))
	}
	return b
}

// of returns e for rows whose half squared norm, as the arena stores it, is at
// most half. It is +Inf if a key may overflow.
func (b *bounds) of(half float64) float64 {
	if b.metric == codec.Cosine {
		return b.fixed
	}
	x := math.Sqrt(2 * (half + b.tiny))
	e := b.dot*b.q*x + b.fixed
	size := b.q * x
	if b.metric == codec.L2 {
		size = (b.q + x) * (b.q + x)
		e += b.square * size
	}
	if !(size < b.limit) {
		return math.Inf(1)
	}
	return e
}

// growth is g of the package comment: +Inf where r roundings could leave nothing
// of a sum.
func growth(r, u float64) float64 {
	if r*u >= 0.5 {
		return math.Inf(1)
	}
	return r * u / (1 - r*u)
}
