package ann

import (
	"math"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// score returns the score of x: the definition that the search is exact for. q is
// the query in float64, normalised under Cosine.
//
// Conversions around products keep the compiler from fusing them with a sum, so
// that every CPU computes the same bits.
func score[T codec.Float](metric codec.Metric, q []float64, x []T) float64 {
	switch metric {
	case codec.Dot:
		return dotWide(q, x)
	case codec.L2:
		return 0 - distance(q, x) // 0, not -0, for equal vectors
	default:
		return min(1, max(-1, cosine(q, x)))
	}
}

// cosine returns dot(q, x) / |x|, where |x| is near 1.
func cosine[T codec.Float](q []float64, x []T) float64 {
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
	d, n := (d0+d1)+(d2+d3), (n0+n1)+(n2+n3)
	for i := range min(len(q), len(x)) {
		y := float64(x[i])
		d += float64(q[i] * y)
		n += float64(y * y)
	}
	return d / math.Sqrt(n)
}

func dotWide[T codec.Float](q []float64, x []T) float64 {
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
	if s-s != 0 { // a product or a sum overflowed
		return dotScaled(q, x)
	}
	return s
}

// dotScaled is dotWide for elements whose products overflow.
func dotScaled[T codec.Float](q []float64, x []T) float64 {
	var mq, mx float64
	for i := range min(len(q), len(x)) {
		mq = max(mq, math.Abs(q[i]))
		mx = max(mx, math.Abs(float64(x[i])))
	}
	_, eq := math.Frexp(mq)
	_, ex := math.Frexp(mx)
	s := 0.0
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
	if !(0x1p-960 <= s && s <= math.MaxFloat64) { // squares underflowed or overflowed, or all are 0
		return distanceScaled(q, x)
	}
	return math.Sqrt(s)
}

// distanceScaled is distance for differences whose squares overflow or underflow.
func distanceScaled[T codec.Float](q []float64, x []T) float64 {
	half, m := 1.0, 0.0
	for i := range min(len(q), len(x)) {
		m = max(m, math.Abs(q[i]-float64(x[i])))
	}
	if m == 0 {
		return 0
	}
	if m > math.MaxFloat64 { // even a difference overflows
		half, m = 0.5, math.MaxFloat64
	}
	_, exp := math.Frexp(m)
	s := 0.0
	for i := range min(len(q), len(x)) {
		d := math.Ldexp(half*q[i]-half*float64(x[i]), -exp)
		s += float64(d * d)
	}
	return math.Ldexp(math.Sqrt(s)/half, exp)
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
	kernel := growth(float64(simd.Roundings(dim))+4, u)
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
