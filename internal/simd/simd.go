// Package simd holds the kernels that searches are made of: dot products,
// distances and norms of float32 and float64 vectors, the same of 8-bit codes and of
// halves of these,
// one query against many rows, and the transform that rotates a vector before it
// becomes a code.
//
// Where the CPU has AVX2 and FMA it runs assembly: vek's for one pair of vectors,
// where it is the fastest, and else our own, which the module in gen writes. Codes
// are compared in fewer instructions where it has AVX-512 with VNNI, too. On
// arm64, where every CPU has NEON, it runs our own for all of that; it was tested
// under emulation, and nobody has timed it yet. Elsewhere, and with the build tag
// purego, it runs portable Go. The choice is made once, when the program starts.
//
// Nothing here panics, whatever the lengths and values. The float kernels round
// in the element type and overflow to infinities, or NaN where two of them meet;
// [Norm] and [Normalize] alone compute in float64 and scale. A caller that needs
// a proven result bounds the error with [Roundings]. The code kernels compute the
// same integers everywhere. The package knows no metric, no index and no row that
// is not given to it.
package simd

import (
	"math"
	"unsafe"

	"github.com/vecwire/vecwire/codec"
)

// Dot returns the dot product of x and y, summed in T: 0 if both are empty, NaN
// if their lengths differ. It overflows to ±Inf or NaN when a partial sum does.
func Dot[T codec.Float](x, y []T) T {
	switch {
	case len(x) != len(y):
		return T(math.NaN())
	case len(x) == 0 || !accelerated:
		return dot(x, y)
	}
	var s T
	switch pair := len(x) >= viaVek && vekAccelerated; {
	case unsafe.Sizeof(s) == 8 && pair:
		return T(vekDot64(unsafe.Slice(as64(&x[0]), len(x)), unsafe.Slice(as64(&y[0]), len(x))))
	case unsafe.Sizeof(s) == 8:
		dot64Rows(as64(&s), as64(&x[0]), as64(&y[0]), len(x), 1)
	case pair:
		return T(vekDot32(unsafe.Slice(as32(&x[0]), len(x)), unsafe.Slice(as32(&y[0]), len(x))))
	default:
		dot32Rows(as32(&s), as32(&x[0]), as32(&y[0]), len(x), 1)
	}
	return s
}

// SquaredL2 returns the squared Euclidean distance of x and y, summed in T: 0 if
// both are empty, NaN if their lengths differ. It overflows to +Inf, and is 0
// where every squared difference underflows.
func SquaredL2[T codec.Float](x, y []T) T {
	switch {
	case len(x) != len(y):
		return T(math.NaN())
	case len(x) == 0 || !accelerated:
		return squaredL2(x, y)
	}
	var s T
	if unsafe.Sizeof(s) == 4 {
		l2x32Pair(as32(&s), as32(&x[0]), as32(&y[0]), len(x))
	} else {
		l2x64Pair(as64(&s), as64(&x[0]), as64(&y[0]), len(x))
	}
	return s
}

// Sub subtracts y from x, element by element, as far as both reach. The two must
// not overlap.
func Sub[T codec.Float](x, y []T) {
	n := min(len(x), len(y))
	x, y = x[:n], y[:n]
	if whole := n &^ 7; accelerated && whole > 0 {
		if unsafe.Sizeof(x[0]) == 4 {
			sub32(as32(&x[0]), as32(&y[0]), whole)
		} else {
			sub64(as64(&x[0]), as64(&y[0]), whole)
		}
		x, y = x[whole:], y[whole:]
	}
	for i := range x {
		x[i] -= y[i]
	}
}

// Max returns the largest element of x, or -Inf if x is empty. With NaN among
// the elements the result is any of them, or -Inf.
func Max[T codec.Float](x []T) T {
	m := T(math.Inf(-1))
	if whole := len(x) &^ 7; accelerated && whole > 0 {
		if unsafe.Sizeof(m) == 4 {
			m = T(max32(as32(&x[0]), whole))
		} else {
			m = T(max64(as64(&x[0]), whole))
		}
		x = x[whole:]
	}
	for _, v := range x {
		if v > m {
			m = v
		}
	}
	return m
}

// Prefetch asks the CPU to load the two cache lines from x[i] on, if there is
// such an element. It reads nothing and waits for nothing.
func Prefetch[T any](x []T, i int) {
	if accelerated && uint(i) < uint(len(x)) {
		prefetch((*byte)(unsafe.Pointer(&x[i])))
	}
}

// PrefetchRow is [Prefetch] for all of x[i:i+n], if x has that.
func PrefetchRow[T any](x []T, i, n int) {
	if !accelerated || i < 0 || n < 0 || i > len(x)-n {
		return
	}
	const lines = 128 // that one prefetch asks for
	p := unsafe.Pointer(unsafe.SliceData(x[i:]))
	for at := range (n*int(unsafe.Sizeof(x[0])) + lines - 1) / lines {
		prefetch((*byte)(unsafe.Add(p, at*lines)))
	}
}

// Roundings returns a bound on how many roundings any one product of an
// n-element [Dot], [DotRows] or [DotAt] passes through, on every CPU. With r of
// them and the unit roundoff u (2^-24 for float32, 2^-53 for float64),
//
//	|computed - exact| <= r*u/(1-r*u) * sum |x[i]*y[i]|
//
// if nothing overflows, plus n times the smallest positive T for what
// underflows (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
// section 3.1, where any order of summation gives n).
//
// Every kernel keeps at least eight sums of n/8 products or fewer, adds them up in
// at most seven steps, and adds at most 31 further products one by one: n/8 + 1 +
// 7 + 31. vek's, for one pair, is the one that comes near. Portable Go has n/8 + 11:
// eight sums, three steps, 7 products. The AVX2 kernels keep four registers of 4
// or 8 sums, one of which takes up to 4 products more, fused, so that each addition
// rounds once, and add the sums up in 4 or 5 steps: at most n/16 + 8 and n/32 + 9.
// The NEON kernels keep eight registers of 2 or 4 sums, which take up to 1 or 2
// products more, fused too, and add them up in as many steps: at most n/16 + 5 and
// n/32 + 7.
//
// [SquaredL2] and [SquaredL2At] take the same steps with two roundings more for
// each term, those of the difference, which is squared. As no term is negative,
// with r = Roundings(n) + 2 their relative error is at most r*u/(1-r*u), if nothing
// overflows or underflows.
func Roundings(n int) int { return min(n, n/8+39) }
