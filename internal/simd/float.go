package simd

import (
	"unsafe"

	"github.com/vecwire/vecwire/codec"
)

// dotRowsKernel and floatAtKernel call the kernel for T. The compiler knows which T
// it is, and drops the other branch.

func dotRowsKernel[T codec.Float](dst, q, rows *T, dim, n int) {
	if unsafe.Sizeof(*q) == 4 {
		dot32Rows(as32(dst), as32(q), as32(rows), dim, n)
	} else {
		dot64Rows(as64(dst), as64(q), as64(rows), dim, n)
	}
}

func floatAtKernel[T codec.Float](o op, dst, q, rows *T, dim int, at *int32, n, limit int) int {
	if unsafe.Sizeof(*q) == 4 {
		dst, q, rows := as32(dst), as32(q), as32(rows)
		if o == product {
			return dot32At(dst, q, rows, dim, at, n, limit)
		}
		return l2x32At(dst, q, rows, dim, at, n, limit)
	}
	d, q64, r := as64(dst), as64(q), as64(rows)
	if o == product {
		return dot64At(d, q64, r, dim, at, n, limit)
	}
	return l2x64At(d, q64, r, dim, at, n, limit)
}

func as32[T codec.Float](p *T) *float32 { return (*float32)(unsafe.Pointer(p)) }
func as64[T codec.Float](p *T) *float64 { return (*float64)(unsafe.Pointer(p)) }
