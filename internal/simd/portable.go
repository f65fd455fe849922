package simd

import "github.com/vecwire/vecwire/codec"

// dot is Dot in portable Go. Eight sums keep the adder busy: one sum alone waits
// for itself. x and y have equal lengths.
func dot[T codec.Float](x, y []T) T {
	var s0, s1, s2, s3, s4, s5, s6, s7 T
	for len(x) >= 8 && len(y) >= 8 {
		a, b := (*[8]T)(x), (*[8]T)(y)
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		s4 += a[4] * b[4]
		s5 += a[5] * b[5]
		s6 += a[6] * b[6]
		s7 += a[7] * b[7]
		x, y = x[8:], y[8:]
	}
	s := (s0 + s1) + (s2 + s3) + ((s4 + s5) + (s6 + s7))
	for i := range min(len(x), len(y)) {
		s += x[i] * y[i]
	}
	return s
}

// squaredL2 is SquaredL2 in portable Go. x and y have equal lengths.
func squaredL2[T codec.Float](x, y []T) T {
	var s0, s1, s2, s3, s4, s5, s6, s7 T
	for len(x) >= 8 && len(y) >= 8 {
		a, b := (*[8]T)(x), (*[8]T)(y)
		d0, d1, d2, d3 := a[0]-b[0], a[1]-b[1], a[2]-b[2], a[3]-b[3]
		d4, d5, d6, d7 := a[4]-b[4], a[5]-b[5], a[6]-b[6], a[7]-b[7]
		s0 += d0 * d0
		s1 += d1 * d1
		s2 += d2 * d2
		s3 += d3 * d3
		s4 += d4 * d4
		s5 += d5 * d5
		s6 += d6 * d6
		s7 += d7 * d7
		x, y = x[8:], y[8:]
	}
	s := (s0 + s1) + (s2 + s3) + ((s4 + s5) + (s6 + s7))
	for i := range min(len(x), len(y)) {
		d := x[i] - y[i]
		s += d * d
	}
	return s
}
