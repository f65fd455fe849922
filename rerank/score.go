package rerank

import (
	"math"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// scorer computes scores in float64, the same on every CPU: four sums, and
// conversions around products that keep the compiler from fusing them. For Dot
// and L2 the order of operations is that of the embedded engine, and so are the
// results, bit for bit.
type scorer[T codec.Float] struct {
	metric codec.Metric
	query  []float64
	norm   float64 // of query, under Cosine
}

// newScorer takes room for the query in float64.
func newScorer[T codec.Float](metric codec.Metric, query []T, room []float64) scorer[T] {
	s := scorer[T]{metric: metric, query: room[:0]}
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

// moderate says whether a sum of squares has lost nothing that matters to
// overflow or underflow.
func moderate(square float64) bool { return 0x1p-900 <= square && square <= 0x1p+900 }

// score returns the score of x, which is as long as the query, finite, and not
// zero under Cosine.
func (s *scorer[T]) score(x []T) float64 {
	switch s.metric {
	case codec.Dot:
		return dot(s.query, x)
	case codec.L2:
		return 0 - distance(s.query, x) // 0, not -0, for equal vectors
	default:
		d, square := dotSquare(s.query, x)
		if !moderate(square) {
			unit := make([]float64, len(x))
			for i, v := range x {
				unit[i] = float64(v)
			}
			simd.Normalize(unit, unit)
			d, square = dotSquare(s.query, unit)
		}
		return min(1, max(-1, d/(math.Sqrt(square)*s.norm)))
	}
}

// dotSquare returns dot(q, x) and the square of |x|.
func dotSquare[T codec.Float](q []float64, x []T) (dot, square float64) {
	var d0, d1, d2, d3, n0, n1, n2, n3 float64
	for len(q) >= 4 && len(x) >= 4 {
		a, b := (*[4]float64)(q), (*[4]T)(x)
		x0, x1, x2, x3 := float64(b[0]), float64(b[1]), float64(b[2]), float64(b[3])
		d0 += float64(a[0] * x0)
		d1 += float64(a[1] * x1)
		d2 += float64(a[2] * x2)
		d3 += float64(a[3] * x3)
		n0 += float64(x0 * x0)
		n1 += float64(x1 * x1)
		n2 += float64(x2 * x2)
		n3 += float64(x3 * x3)
		q, x = q[4:], x[4:]
	}
	dot, square = (d0+d1)+(d2+d3), (n0+n1)+(n2+n3)
	for i := range min(len(q), len(x)) {
		v := float64(x[i])
		dot += float64(q[i] * v)
		square += float64(v * v)
	}
	return dot, square
}

func dot[T codec.Float](q []float64, x []T) float64 {
	var s0, s1, s2, s3 float64
	y, z := q, x
	for len(y) >= 4 && len(z) >= 4 {
		a, b := (*[4]float64)(y), (*[4]T)(z)
		s0 += float64(a[0] * float64(b[0]))
		s1 += float64(a[1] * float64(b[1]))
		s2 += float64(a[2] * float64(b[2]))
		s3 += float64(a[3] * float64(b[3]))
		y, z = y[4:], z[4:]
	}
	s := (s0 + s1) + (s2 + s3)
	for i := range min(len(y), len(z)) {
		s += float64(y[i] * float64(z[i]))
	}
	if s-s == 0 {
		return s
	}
	// A product or a sum overflowed: scaled by powers of two, which are exact, none
	// does.
	_, eq := math.Frexp(largest(q))
	_, ex := math.Frexp(largest(x))
	s = 0
	for i := range min(len(q), len(x)) {
		s += float64(math.Ldexp(q[i], -eq) * math.Ldexp(float64(x[i]), -ex))
	}
	return math.Ldexp(s, eq+ex)
}

func distance[T codec.Float](q []float64, x []T) float64 {
	var s0, s1, s2, s3 float64
	y, z := q, x
	for len(y) >= 4 && len(z) >= 4 {
		a, b := (*[4]float64)(y), (*[4]T)(z)
		d0, d1 := a[0]-float64(b[0]), a[1]-float64(b[1])
		d2, d3 := a[2]-float64(b[2]), a[3]-float64(b[3])
		s0 += float64(d0 * d0)
		s1 += float64(d1 * d1)
		s2 += float64(d2 * d2)
		s3 += float64(d3 * d3)
		y, z = y[4:], z[4:]
	}
	s := (s0 + s1) + (s2 + s3)
	for i := range min(len(y), len(z)) {
		d := y[i] - float64(z[i])
		s += float64(d * d)
	}
	if 0x1p-960 <= s && s <= math.MaxFloat64 {
		return math.Sqrt(s)
	}
	// Squares underflowed or overflowed, or even a difference did.
	half, m := 1.0, 0.0
	for i := range min(len(q), len(x)) {
		m = max(m, math.Abs(q[i]-float64(x[i])))
	}
	if m == 0 {
		return 0
	}
	if m > math.MaxFloat64 {
		half, m = 0.5, math.MaxFloat64
	}
	_, exp := math.Frexp(m)
	s = 0
	for i := range min(len(q), len(x)) {
		d := math.Ldexp(half*q[i]-half*float64(x[i]), -exp)
		s += float64(d * d)
	}
	return math.Ldexp(math.Sqrt(s)/half, exp)
}

func largest[T codec.Float](x []T) float64 {
	m := 0.0
	for _, v := range x {
		m = max(m, math.Abs(float64(v)))
	}
	return m
}
