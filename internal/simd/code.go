package simd

import "math"

// A code is a vector whose elements were quantised to a byte of 0 to 127: seven
// bits, so that the AVX2 kernels cannot saturate and the NEON kernels' sums of four
// squares or two products fit in 16 bits. All compute the same integers as portable
// Go. Codes with a byte above 127 give numbers that mean nothing, and differ from
// CPU to CPU; sums wrap around beyond 133,144 elements, as 127*127*133,144 is the
// largest that an int32 holds.

// codeStep divides the number of elements of the codes that the kernels take;
// others are left to portable Go.
const codeStep = 32

// CodeL2Rows sets dst[i] to the squared Euclidean distance of the code q and row
// i of rows, which holds len(dst) codes of len(q) elements, one after another. If
// the lengths do not fit, all of dst is math.MaxInt32; if q is empty, all of it
// is 0. Elements are 0 to 127; it is fastest if their number is a multiple of 32.
func CodeL2Rows(dst []int32, q, rows []uint8) { codeRows(dst, q, rows, math.MaxInt32) }

// CodeL2At sets dst[i] to the squared Euclidean distance of the code q and row
// at[i] of rows, which holds codes of len(q) elements, one after another. A row
// that rows does not hold gives math.MaxInt32; so does every row if dst and at
// differ in length. If q is empty, all of dst is 0. Elements are those of
// [CodeL2Rows].
func CodeL2At(dst []int32, q, rows []uint8, at []int32) { codeAt(dst, q, rows, at, math.MaxInt32) }

// CodeL2RowsMany is [CodeL2Rows] for several queries in one pass over rows: dst[i]
// is for qs[i]. If dst and qs differ in length, all of dst is math.MaxInt32.
func CodeL2RowsMany(dst [][]int32, qs [][]uint8, rows []uint8) {
	codeRowsMany(dst, qs, rows, math.MaxInt32)
}

// CodeDotRows sets dst[i] to the dot product of q, of any int8, and row i of rows,
// which holds len(dst) codes of len(q) elements of 0 to 127, one after another.
// If the lengths do not fit, all of dst is math.MinInt32; if q is empty, all of it
// is 0. It is fastest if len(q) is a multiple of 32.
func CodeDotRows(dst []int32, q []int8, rows []uint8) { codeRows(dst, q, rows, math.MinInt32) }

// CodeDotAt sets dst[i] to the dot product of q and row at[i] of rows, which
// holds codes of len(q) elements, one after another. A row that rows does not
// hold gives math.MinInt32; so does every row if dst and at differ in length. If
// q is empty, all of dst is 0. Elements are those of [CodeDotRows].
func CodeDotAt(dst []int32, q []int8, rows []uint8, at []int32) {
	codeAt(dst, q, rows, at, math.MinInt32)
}

// CodeDotRowsMany is [CodeDotRows] for several queries in one pass over rows:
// dst[i] is for qs[i]. If dst and qs differ in length, all of dst is
// math.MinInt32.
func CodeDotRowsMany(dst [][]int32, qs [][]int8, rows []uint8) {
	codeRowsMany(dst, qs, rows, math.MinInt32)
}

// codeElement is the type of a query's elements. It says what is computed: the
// distance for uint8, the dot product for int8.
type codeElement interface{ uint8 | int8 }

func codeRows[Q codeElement](dst []int32, q []Q, rows []uint8, bad int32) {
	dim := len(q)
	switch {
	case !fits(len(dst), dim, len(rows)):
		fill(dst, bad)
	case dim == 0:
		clear(dst)
	case accelerated && dim%codeStep == 0:
		step := perCall(dim)
		for i := 0; i < len(dst); i += step {
			codeRowsKernel(&dst[i], &q[0], &rows[i*dim], dim, min(step, len(dst)-i))
		}
	default:
		for i := range dst {
			dst[i] = codeSum(q, rows[i*dim:(i+1)*dim])
		}
	}
}

func codeAt[Q codeElement](dst []int32, q []Q, rows []uint8, at []int32, bad int32) {
	dim := len(q)
	switch {
	case len(dst) == len(at) && dim == 0:
		clear(dst)
	case len(dst) != len(at) || len(rows) < dim:
		fill(dst, bad)
	case accelerated && dim%codeStep == 0:
		step := perCall(dim)
		for len(at) > 0 {
			n := min(step, len(at))
			did := codeAtKernel(&dst[0], &q[0], &rows[0], dim, &at[0], n, len(rows)/dim)
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
				dst[i] = codeSum(q, rows[int(r)*dim:(int(r)+1)*dim])
			}
		}
	}
}

// manyBytes is how much of the rows all queries read before the next part: it
// stays in the first-level cache.
const manyBytes = 16 << 10

func codeRowsMany[Q codeElement](dst [][]int32, qs [][]Q, rows []uint8, bad int32) {
	if len(dst) != len(qs) {
		for _, d := range dst {
			fill(d, bad)
		}
		return
	}
	if !sameShape(dst, qs, len(rows)) {
		for i, q := range qs {
			codeRows(dst[i], q, rows, bad)
		}
		return
	}
	n, dim := len(dst[0]), len(qs[0])
	step := max(4, manyBytes/dim&^3)
	for start := 0; start < n; start += step {
		end := min(start+step, n)
		part := rows[start*dim : end*dim]
		i := 0
		if accelerated && dim%codeStep == 0 && end-start >= 2 {
			even := (end - start) &^ 1
			for ; i+4 <= len(qs); i += 4 {
				d := [4]*int32{&dst[i][start], &dst[i+1][start], &dst[i+2][start], &dst[i+3][start]}
				q := [4]*Q{&qs[i][0], &qs[i+1][0], &qs[i+2][0], &qs[i+3][0]}
				codeRowsManyKernel(&d, &q, &part[0], dim, even)
				for j := i; even < end-start && j < i+4; j++ {
					codeRows(dst[j][end-1:end], qs[j], part[even*dim:], bad)
				}
			}
		}
		for ; i < len(qs); i++ {
			codeRows(dst[i][start:end], qs[i], part, bad)
		}
	}
}

// sameShape reports whether there are queries and rows, and all queries have
// dim elements and n sums, and size bytes are n rows of dim.
func sameShape[Q codeElement](dst [][]int32, qs [][]Q, size int) bool {
	if len(qs) == 0 || len(qs[0]) == 0 || len(dst[0]) == 0 || !fits(len(dst[0]), len(qs[0]), size) {
		return false
	}
	for i := range qs {
		if len(qs[i]) != len(qs[0]) || len(dst[i]) != len(dst[0]) {
			return false
		}
	}
	return true
}
