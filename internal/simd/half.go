package simd

import (
	"encoding/binary"
	"math"
)

// A half is the upper four bits of each element of a code, two elements to a byte: of
// a half's n bytes, byte j holds element j in its lower four bits and element n+j in
// its upper ones. It is compared as the code whose elements have the middle of their
// lower three bits, which the half does not hold: 8*x+4.

// HalfStep divides the number of bytes of the halves that the kernels take; others
// are left to portable Go.
const HalfStep = 32

// HalfCode sets half to the upper bits of a code of 2*len(half) elements of 0 to 127.
// If the lengths do not fit, half stays as it is.
func HalfCode(half, code []uint8) {
	n := len(half)
	if len(code) != 2*n {
		return
	}
	lower, upper := code[:n], code[n:2*n]
	for i := range half {
		half[i] = lower[i]>>3 | upper[i]>>3<<4
	}
}

// WholeCode sets code to what half is compared as. If the lengths do not fit, code stays as
// it is.
func WholeCode(code, half []uint8) {
	n := len(half)
	if len(code) != 2*n {
		return
	}
	lower, upper := code[:n], code[n:2*n]
	for ; len(half) >= 8; half, lower, upper = half[8:], lower[8:], upper[8:] {
		const bits, middle = 0x7878787878787878, 0x0404040404040404
		b := binary.LittleEndian.Uint64(half)
		binary.LittleEndian.PutUint64(lower, b<<3&bits|middle)
		binary.LittleEndian.PutUint64(upper, b>>1&bits|middle)
	}
	for i, b := range half {
		lower[i], upper[i] = b<<3&0x78|4, b>>1&0x78|4
	}
}

// HalfL2Rows sets dst[i] to the squared Euclidean distance of the code q and half i of
// rows, which holds len(dst) halves of len(q)/2 bytes, one after another. If the lengths
// do not fit, or that of q is odd, all of dst is math.MaxInt32; if q is empty, all of it
// is 0.
func HalfL2Rows(dst []int32, q, rows []uint8) { halfRows(dst, q, rows, math.MaxInt32) }

// HalfDotRows sets dst[i] to the dot product of q and half i of rows. What is said of
// [HalfL2Rows] goes for it, with math.MinInt32 where lengths do not fit.
func HalfDotRows(dst []int32, q []int8, rows []uint8) { halfRows(dst, q, rows, math.MinInt32) }

// HalfL2At sets dst[i] to the squared Euclidean distance of the code q and half at[i] of
// rows, which holds halves of len(q)/2 bytes, one after another. A half that rows does not
// hold gives math.MaxInt32; so does every one if dst and at differ in length, or the length of
// q is odd. If q is empty, all of dst is 0.
func HalfL2At(dst []int32, q, rows []uint8, at []int32) { halfAt(dst, q, rows, at, math.MaxInt32) }

// HalfDotAt sets dst[i] to the dot product of q and half at[i] of rows. What is said of
// [HalfL2At] goes for it, with math.MinInt32 for what rows does not hold.
func HalfDotAt(dst []int32, q []int8, rows []uint8, at []int32) {
	halfAt(dst, q, rows, at, math.MinInt32)
}

func halfAt[Q codeElement](dst []int32, q []Q, rows []uint8, at []int32, bad int32) {
	dim := len(q) / 2
	switch {
	case len(q)%2 != 0 || len(dst) != len(at):
		fill(dst, bad)
	case dim == 0:
		clear(dst)
	case len(rows) < dim:
		fill(dst, bad)
	case accelerated && dim%HalfStep == 0:
		step := perCall(dim)
		for len(at) > 0 {
			n := min(step, len(at))
			did := halfAtKernel(&dst[0], &q[0], &rows[0], dim, &at[0], n, len(rows)/dim)
			if did < n {
				dst[did] = bad
				did++
			}
			dst, at = dst[did:], at[did:]
		}
	default:
		n := len(rows) / dim
		for i, r := range at {
			dst[i] = bad
			if uint(r) < uint(n) {
				dst[i] = halfSum(q, rows[int(r)*dim:(int(r)+1)*dim])
			}
		}
	}
}

func halfRows[Q codeElement](dst []int32, q []Q, rows []uint8, bad int32) {
	n := len(q) / 2
	switch {
	case len(q)%2 != 0 || !fits(len(dst), n, len(rows)):
		fill(dst, bad)
	case n == 0:
		clear(dst)
	case accelerated && n%HalfStep == 0:
		step := perCall(n)
		for i := 0; i < len(dst); i += step {
			halfRowsKernel(&dst[i], &q[0], &rows[i*n], n, min(step, len(dst)-i))
		}
	default:
		for i := range dst {
			dst[i] = halfSum(q, rows[i*n:(i+1)*n])
		}
	}
}

// halfSum is codeSum for a half of len(q)/2 bytes.
func halfSum[Q codeElement](q []Q, half []uint8) (s int32) {
	n := len(half)
	for i, b := range half {
		s += term(q[i], b<<3&0x78|4) + term(q[n+i], b>>1&0x78|4)
	}
	return s
}

// term is one element's part of codeSum.
func term[Q codeElement](x Q, y uint8) int32 {
	if signed[Q]() {
		return int32(x) * int32(y)
	}
	d := int32(x) - int32(y)
	return d * d
}
