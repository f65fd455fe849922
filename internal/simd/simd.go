// Package simd holds the kernels that searches are made of: dot products,
// distances and norms of float32 and float64 vectors, one pair at a time or one
// query against many rows.
//
// It runs vek's AVX2 code where the CPU has AVX2 and FMA, and portable Go
// everywhere else (vek's own portable code is half as fast). The choice is made
// once, when the program starts.
//
// The element type is told apart once a call. That costs 2 ns, a fifth of a
// [Dot] of 128 elements and nothing in the block forms [DotRows] and [DotAt].
//
// Nothing here panics, whatever the lengths and values. Kernels round in the
// element type and overflow to infinities, or NaN where two of them meet;
// [Norm] and [Normalize] alone compute in float64 and scale. A caller that needs
// a proven result bounds the error with [Roundings]. The package knows no
// metric, no index and no row that is not given to it.
package simd

import (
	"math"

	"github.com/viterin/vek"
	"github.com/viterin/vek/vek32"

	"github.com/vecwire/vecwire/codec"
)

// accelerated reports whether vek runs AVX2 code on this machine.
var accelerated = vek.Info().Acceleration

// maxMatMul is the number of elements from which vek's MatMul starts goroutines.
const maxMatMul = 100_000

// Dot returns the dot product of x and y, summed in T: 0 if both are empty, NaN
// if their lengths differ. It overflows to ±Inf or NaN when a partial sum does.
func Dot[T codec.Float](x, y []T) T {
	if len(x) != len(y) {
		return T(math.NaN())
	}
	if len(x) == 0 || !accelerated {
		return dot(x, y)
	}
	switch x := any(x).(type) {
	case []float32:
		return T(vek32.Dot(x, any(y).([]float32)))
	case []float64:
		return T(vek.Dot(x, any(y).([]float64)))
	}
	return 0
}

// SquaredL2 returns the squared Euclidean distance of x and y, summed in T: 0 if
// both are empty, NaN if their lengths differ. It overflows to +Inf, and is 0
// where every squared difference underflows.
func SquaredL2[T codec.Float](x, y []T) T {
	if len(x) != len(y) {
		return T(math.NaN())
	}
	if len(x) == 0 || !accelerated {
		return squaredL2(x, y)
	}
	switch x := any(x).(type) {
	case []float32:
		d := vek32.Distance(x, any(y).([]float32))
		return T(d * d)
	case []float64:
		d := vek.Distance(x, any(y).([]float64))
		return T(d * d)
	}
	return 0
}

// DotRows sets dst[i] to the dot product of q and row i of rows, which holds
// len(dst) rows of len(q) elements, one after another. Each is what [Dot] returns
// up to the order of summation. If the lengths do not fit, all of dst is NaN; if q
// is empty, all of it is 0. dst must not overlap q or rows.
func DotRows[T codec.Float](dst, q, rows []T) {
	dim := len(q)
	switch {
	case len(dst) == 0:
		return
	case len(rows)%len(dst) != 0 || len(rows)/len(dst) != dim:
		fill(dst, T(math.NaN()))
		return
	case dim == 0:
		clear(dst)
		return
	}
	if !accelerated {
		for i := range dst {
			dst[i] = dot(q, rows[i*dim:(i+1)*dim])
		}
		return
	}
	step := max(1, (maxMatMul-1)/dim)
	switch dst := any(dst).(type) {
	case []float32:
		q, rows := any(q).([]float32), any(rows).([]float32)
		for i := 0; i < len(dst); i += step {
			j := min(i+step, len(dst))
			vek32.MatMul_Into(dst[i:j], rows[i*dim:j*dim], q, dim)
		}
	case []float64:
		q, rows := any(q).([]float64), any(rows).([]float64)
		for i := 0; i < len(dst); i += step {
			j := min(i+step, len(dst))
			vek.MatMul_Into(dst[i:j], rows[i*dim:j*dim], q, dim)
		}
	}
}

// DotAt sets dst[i] to the dot product of q and row at[i] of rows, which holds
// rows of len(q) elements, one after another. A row that rows does not hold gives
// NaN; so does every row if dst and at differ in length. If q is empty, all of
// dst is 0.
func DotAt[T codec.Float](dst, q, rows []T, at []int32) {
	dim := len(q)
	if len(dst) != len(at) {
		fill(dst, T(math.NaN()))
		return
	}
	if dim == 0 {
		clear(dst)
		return
	}
	if !accelerated {
		dotAt(dst, q, rows, at, dot[T])
		return
	}
	switch dst := any(dst).(type) {
	case []float32:
		dotAt(dst, any(q).([]float32), any(rows).([]float32), at, vek32.Dot)
	case []float64:
		dotAt(dst, any(q).([]float64), any(rows).([]float64), at, vek.Dot)
	}
}

func dotAt[T codec.Float](dst, q, rows []T, at []int32, dot func(x, y []T) T) {
	dim := len(q)
	n := len(rows) / dim
	for i, r := range at {
		if r < 0 || int(r) >= n {
			dst[i] = T(math.NaN())
			continue
		}
		dst[i] = dot(q, rows[int(r)*dim:(int(r)+1)*dim])
	}
}

// Sub subtracts y from x, element by element, as far as both reach. The two must
// not overlap.
func Sub[T codec.Float](x, y []T) {
	n := min(len(x), len(y))
	x, y = x[:n], y[:n]
	if n == 0 || !accelerated {
		for i := range x {
			x[i] -= y[i]
		}
		return
	}
	switch x := any(x).(type) {
	case []float32:
		vek32.Sub_Inplace(x, any(y).([]float32))
	case []float64:
		vek.Sub_Inplace(x, any(y).([]float64))
	}
}

// Max returns the largest element of x, or -Inf if x is empty. With NaN among
// the elements the result is any of them.
func Max[T codec.Float](x []T) T {
	if len(x) == 0 || !accelerated {
		m := T(math.Inf(-1))
		for _, v := range x {
			if v > m {
				m = v
			}
		}
		return m
	}
	switch x := any(x).(type) {
	case []float32:
		return T(vek32.Max(x))
	case []float64:
		return T(vek.Max(x))
	}
	return 0
}

// Roundings returns a bound on how many roundings any one product of an
// n-element [Dot], [DotRows] or [DotAt] passes through, on every CPU. With r of
// them and the unit roundoff u (2^-24 for float32, 2^-53 for float64),
//
//	|computed - exact| <= r*u/(1-r*u) * sum |x[i]*y[i]|
//
// if nothing overflows, plus n times the smallest positive T for what
// underflows (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
// section 3.1, where any order of summation gives n). Every kernel here keeps
// at least eight sums, adds them up in at most seven steps, and adds a tail of at
// most 31 elements one by one: n/8 + 1 + 7 + 31.
func Roundings(n int) int { return min(n, n/8+39) }

func fill[T codec.Float](dst []T, v T) {
	for i := range dst {
		dst[i] = v
	}
}
