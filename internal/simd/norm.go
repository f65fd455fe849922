package simd

import (
	"math"

	"github.com/vecwire/vecwire/codec"
)

// A sum of squares within these limits has lost nothing that matters to
// overflow or underflow. Squares of float32 are always within, or zero.
const (
	minSquares = 0x1p-960
	maxSquares = 0x1p+1000
)

// Norm returns the Euclidean norm of x, computed in float64 with a relative error
// of at most (len(x)/2 + 2) * 2^-53. Squares that would overflow or underflow are
// scaled by a power of two first: it is +Inf only if the norm itself is beyond
// float64, and 0 only for an empty x or all zeros. It is NaN or +Inf if x holds
// NaN or an infinity.
func Norm[T codec.Float](x []T) float64 {
	n, exp := norm(x)
	return math.Ldexp(n, exp)
}

// Normalize sets dst to x divided by its norm and returns that norm, as [Norm]
// does. Each element has the relative error of rounding to T, the norm's own and
// one more of 2^-53; one below T's smallest normal number has at most half its
// smallest subnormal number besides. If x is all zeros or empty, so is dst; if x
// holds NaN or an infinity, dst is of no use. dst may be x; if their lengths
// differ, dst becomes all zeros and Normalize returns NaN.
func Normalize[T codec.Float](dst, x []T) float64 {
	if len(dst) != len(x) {
		clear(dst)
		return math.NaN()
	}
	n, exp := norm(x)
	switch {
	case n == 0:
		clear(dst)
		return 0
	case exp == 0:
		for i, v := range x {
			dst[i] = T(float64(v) / n)
		}
	default:
		for i, v := range x {
			dst[i] = T(math.Ldexp(float64(v), -exp) / n)
		}
	}
	return math.Ldexp(n, exp)
}

// norm returns the norm of x as n * 2^exp. exp is 0 unless x had to be scaled.
func norm[T codec.Float](x []T) (n float64, exp int) {
	s := squares(x)
	if minSquares <= s && s <= maxSquares {
		return math.Sqrt(s), 0
	}
	var m float64
	for _, v := range x {
		m = max(m, math.Abs(float64(v)))
	}
	if m == 0 || m-m != 0 { // all zeros, or NaN or an infinity among them
		return m, 0
	}
	_, exp = math.Frexp(m)
	s = 0
	for _, v := range x {
		w := math.Ldexp(float64(v), -exp)
		s += w * w
	}
	return math.Sqrt(s), exp
}

func squares[T codec.Float](x []T) float64 {
	var s0, s1, s2, s3 float64
	for len(x) >= 4 {
		a := (*[4]T)(x)
		s0 += float64(a[0]) * float64(a[0])
		s1 += float64(a[1]) * float64(a[1])
		s2 += float64(a[2]) * float64(a[2])
		s3 += float64(a[3]) * float64(a[3])
		x = x[4:]
	}
	s := (s0 + s1) + (s2 + s3)
	for _, v := range x {
		s += float64(v) * float64(v)
	}
	return s
}
