package simd

import (
	"math"
	"unsafe"

	"github.com/vecwire/vecwire/codec"
)

// The functions of this file compute what those of wide.go do, to the bit, for four rows
// that need not wait for each other.

// DotSquareWide4 returns [DotSquareWide] of q and each of x.
func DotSquareWide4[T codec.Float](q []float64, x *[4][]T) (dots, squares [4]float64) {
	var sums [8][4]float64
	whole := wide4(&sums, q, x, dotSquareSum)
	for i := range x {
		d, s := sum4(&sums[i]), sum4(&sums[4+i])
		for j := whole; whole > 0 && j < len(q); j++ {
			v := float64(x[i][j])
			d += float64(q[j] * v)
			s += float64(v * v)
		}
		if whole == 0 || !(minSquares <= s && s <= maxSquares) {
			d, s = DotSquareWide(q, x[i])
		}
		dots[i], squares[i] = d, s
	}
	return dots, squares
}

// DotWide4 returns [DotWide] of q and each of x.
func DotWide4[T codec.Float](q []float64, x *[4][]T) (dots [4]float64) {
	var sums [8][4]float64
	whole := wide4(&sums, q, x, dotSum)
	for i := range x {
		s := sum4(&sums[i])
		for j := whole; whole > 0 && j < len(q); j++ {
			s += float64(q[j] * float64(x[i][j]))
		}
		if whole == 0 || s-s != 0 { // a product or a sum overflowed
			s = DotWide(q, x[i])
		}
		dots[i] = s
	}
	return dots
}

// DistanceWide4 returns [DistanceWide] of q and each of x.
func DistanceWide4[T codec.Float](q []float64, x *[4][]T) (distances [4]float64) {
	var sums [8][4]float64
	whole := wide4(&sums, q, x, distanceSum)
	for i := range x {
		s := sum4(&sums[i])
		for j := whole; whole > 0 && j < len(q); j++ {
			d := q[j] - float64(x[i][j])
			s += float64(d * d)
		}
		if whole == 0 || !(minSquares <= s && s <= math.MaxFloat64) {
			distances[i] = DistanceWide(q, x[i])
			continue
		}
		distances[i] = math.Sqrt(s)
	}
	return distances
}

func sum4(s *[4]float64) float64 { return (s[0] + s[1]) + (s[2] + s[3]) }

// wideSum is what a kernel of this file sums up.
type wideSum int

const (
	dotSquareSum wideSum = iota
	dotSum
	distanceSum
)

// wide4 lets a kernel sum over the first elements and returns of how many, or 0 if there is
// no kernel for these rows.
func wide4[T codec.Float](sums *[8][4]float64, q []float64, x *[4][]T, what wideSum) int {
	whole := len(q) &^ 3
	if !accelerated || !hasWide || whole == 0 {
		return 0
	}
	var rows [4]*T
	for i := range x {
		if len(x[i]) != len(q) {
			return 0
		}
		rows[i] = &x[i][0]
	}
	wideKernel(what, &sums[0][0], &q[0], &rows, whole)
	return whole
}

func wideKernel[T codec.Float](what wideSum, dst, q *float64, rows *[4]*T, n int) {
	if unsafe.Sizeof(*rows[0]) == 4 {
		r := (*[4]*float32)(unsafe.Pointer(rows))
		switch what {
		case dotSquareSum:
			wideDotSquare32(dst, q, r, n)
		case dotSum:
			wideDot32(dst, q, r, n)
		default:
			wideL232(dst, q, r, n)
		}
		return
	}
	r := (*[4]*float64)(unsafe.Pointer(rows))
	switch what {
	case dotSquareSum:
		wideDotSquare64(dst, q, r, n)
	case dotSum:
		wideDot64(dst, q, r, n)
	default:
		wideL264(dst, q, r, n)
	}
}
