package simd

import (
	"math"

	"github.com/vecwire/vecwire/codec"
)

// The functions of this file are what scores are made of: in float64 whatever the
// element type, in one order of operations, with conversions around products that
// keep the compiler from fusing them with a sum, so that every CPU computes the
// same bits. They compare as many elements as both have.

// DotSquareWide returns dot(q, x) and the square of |x|, in float64. Where squares overflow or
// underflow, it is those of x times a power of two, which leaves dot(q, x) / |x| what it is.
func DotSquareWide[T codec.Float](q []float64, x []T) (dot, square float64) {
	var d0, d1, d2, d3, n0, n1, n2, n3 float64
	y, z := q, x
	for len(y) >= 4 && len(z) >= 4 {
		a, b := (*[4]float64)(y), (*[4]T)(z)
		x0, x1, x2, x3 := float64(b[0]), float64(b[1]), float64(b[2]), float64(b[3])
		d0 += float64(a[0] * x0)
		d1 += float64(a[1] * x1)
		d2 += float64(a[2] * x2)
		d3 += float64(a[3] * x3)
		n0 += float64(x0 * x0)
		n1 += float64(x1 * x1)
		n2 += float64(x2 * x2)
		n3 += float64(x3 * x3)
		y, z = y[4:], z[4:]
	}
	dot, square = (d0+d1)+(d2+d3), (n0+n1)+(n2+n3)
	for i := range min(len(y), len(z)) {
		v := float64(z[i])
		dot += float64(y[i] * v)
		square += float64(v * v)
	}
	if !(minSquares <= square && square <= maxSquares) { // or all are 0
		return dotSquareScaled(q, x)
	}
	return dot, square
}

// dotSquareScaled is DotSquareWide for elements whose squares overflow or underflow.
func dotSquareScaled[T codec.Float](q []float64, x []T) (dot, square float64) {
	m := 0.0
	for _, v := range x {
		m = max(m, math.Abs(float64(v)))
	}
	if m == 0 || m-m != 0 { // nothing to scale, or NaN or an infinity
		return m, m
	}
	_, exp := math.Frexp(m)
	scaled := make([]float64, len(x))
	for i, v := range x {
		scaled[i] = math.Ldexp(float64(v), -exp)
	}
	return DotSquareWide(q, scaled)
}

// DotWide returns the dot product of q and x in float64. It is finite unless the
// result itself is beyond float64.
func DotWide[T codec.Float](q []float64, x []T) float64 {
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

// dotScaled is DotWide for elements whose products overflow.
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

// DistanceWide returns the Euclidean distance of q and x in float64, whatever
// overflows or underflows on the way.
func DistanceWide[T codec.Float](q []float64, x []T) float64 {
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

// distanceScaled is DistanceWide for differences whose squares overflow or underflow.
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
