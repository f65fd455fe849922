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

// sum is dot or squaredL2.
func sum[T codec.Float](o op, x, y []T) T {
	if o == product {
		return dot(x, y)
	}
	return squaredL2(x, y)
}

// codeSum returns the squared distance, for uint8, or the dot product, for int8,
// of x and a code of the same length.
func codeSum[Q codeElement](x []Q, y []uint8) int32 {
	var s0, s1, s2, s3 int32
	if signed[Q]() {
		for len(x) >= 4 && len(y) >= 4 {
			a, b := (*[4]Q)(x), (*[4]uint8)(y)
			s0 += int32(a[0]) * int32(b[0])
			s1 += int32(a[1]) * int32(b[1])
			s2 += int32(a[2]) * int32(b[2])
			s3 += int32(a[3]) * int32(b[3])
			x, y = x[4:], y[4:]
		}
		for i := range min(len(x), len(y)) {
			s0 += int32(x[i]) * int32(y[i])
		}
		return s0 + s1 + s2 + s3
	}
	for len(x) >= 4 && len(y) >= 4 {
		a, b := (*[4]Q)(x), (*[4]uint8)(y)
		d0, d1 := int32(a[0])-int32(b[0]), int32(a[1])-int32(b[1])
		d2, d3 := int32(a[2])-int32(b[2]), int32(a[3])-int32(b[3])
		s0 += d0 * d0
		s1 += d1 * d1
		s2 += d2 * d2
		s3 += d3 * d3
		x, y = x[4:], y[4:]
	}
	for i := range min(len(x), len(y)) {
		d := int32(x[i]) - int32(y[i])
		s0 += d * d
	}
	return s0 + s1 + s2 + s3
}
