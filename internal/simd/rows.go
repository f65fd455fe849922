package simd

import (
	"math"
	"unsafe"

	"github.com/vecwire/vecwire/codec"
)

// DotRows sets dst[i] to the dot product of q and row i of rows, which holds
// len(dst) rows of len(q) elements, one after another: to the bit what [Dot]
// returns for the two. If the lengths do not fit, all of dst is NaN; if q is
// empty, all of it is 0. dst must not overlap q or rows.
func DotRows[T codec.Float](dst, q, rows []T) {
	dim := len(q)
	switch {
	case !fits(len(dst), dim, len(rows)):
		fill(dst, T(math.NaN()))
	case dim == 0:
		clear(dst)
	case accelerated:
		step := perCall(dim * int(unsafe.Sizeof(q[0])))
		for i := 0; i < len(dst); i += step {
			dotRowsKernel(&dst[i], &q[0], &rows[i*dim], dim, min(step, len(dst)-i))
		}
	default:
		for i := range dst {
			dst[i] = dot(q, rows[i*dim:(i+1)*dim])
		}
	}
}

// DotAt sets dst[i] to the dot product of q and row at[i] of rows, which holds
// rows of len(q) elements, one after another: to the bit what [Dot] returns for
// the two. A row that rows does not hold gives NaN; so does every row if dst and
// at differ in length. If q is empty, all of dst is 0. dst must not overlap q or
// rows.
func DotAt[T codec.Float](dst, q, rows []T, at []int32) { floatAt(product, dst, q, rows, at) }

// SquaredL2At sets dst[i] to the squared Euclidean distance of q and row at[i] of
// rows: to the bit what [SquaredL2] returns for the two. Shapes, and what is set
// where they do not fit, are those of [DotAt].
func SquaredL2At[T codec.Float](dst, q, rows []T, at []int32) { floatAt(squared, dst, q, rows, at) }

// op is what is summed over the elements of two vectors.
type op int

const (
	product op = iota // x*y
	squared           // (x-y)^2
)

func floatAt[T codec.Float](o op, dst, q, rows []T, at []int32) {
	dim := len(q)
	switch {
	case len(dst) == len(at) && dim == 0:
		clear(dst)
	case len(dst) != len(at) || len(rows) < dim:
		fill(dst, T(math.NaN()))
	case accelerated:
		step := perCall(dim * int(unsafe.Sizeof(q[0])))
		for len(at) > 0 {
			n := min(step, len(at))
			did := floatAtKernel(o, &dst[0], &q[0], &rows[0], dim, &at[0], n, len(rows)/dim)
			if did < n {
				dst[did] = T(math.NaN())
				did++
			}
			dst, at = dst[did:], at[did:]
		}
	default:
		n := len(rows) / dim
		for i, r := range at {
			dst[i] = T(math.NaN())
			if uint(r) < uint(n) {
				dst[i] = sum(o, q, rows[int(r)*dim:(int(r)+1)*dim])
			}
		}
	}
}

// A kernel cannot be preempted, so one call of it takes only so many rows and
// bytes: some 20 microseconds where memory gives 15 GB/s.
const (
	callRows  = 1024
	callBytes = 256 << 10
)

// perCall returns how many rows of size bytes one call takes: a multiple of four,
// as kernels are fastest on those.
func perCall(size int) int { return max(4, min(callRows, callBytes/size)&^3) }

// fits reports whether size elements are n rows of dim elements each.
func fits(n, dim, size int) bool {
	if n == 0 || dim == 0 {
		return size == 0
	}
	return size%n == 0 && size/n == dim
}

func fill[T any](dst []T, v T) {
	for i := range dst {
		dst[i] = v
	}
}
