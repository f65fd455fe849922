package codec

import "math"

// A half-precision float (IEEE 754 binary16) has a sign, 5 bits of exponent and
// 10 of fraction. A float32 has 8 bits of exponent, whose zero is 112 higher,
// and 13 more of fraction.
const halfInf = 0x7c00

// halfTo returns the float32 of the same value as h.
func halfTo(h uint16) float32 {
	b := uint32(h&0x7fff) << 13
	// The product moves the exponent, and makes normal floats of denormal halves.
	x := math.Float32bits(math.Float32frombits(b) * 0x1p112)
	if h&halfInf == halfInf {
		x = b | 0xff<<23
	}
	return math.Float32frombits(x | uint32(h&0x8000)<<16)
}

// halfFrom returns the half nearest to x, ties to even; it is infinite from
// 65,520 on, halfway beyond the largest half.
func halfFrom(x float32) uint16 {
	b := math.Float32bits(x)
	sign := uint16(b >> 16 & 0x8000)
	b &^= 1 << 31
	switch {
	case b > 0xff<<23: // NaN
		return sign | 0x7e00
	case b >= 0x477ff000: // 65,520
		return sign | halfInf
	case b < 113<<23:
		// Below the smallest normal half. In a float32 from 0.5 up to 1 the last
		// bit stands for 2**-24, as in a denormal half, so that adding 0.5 rounds.
		y := math.Float32frombits(b) + 0.5
		return sign | uint16(math.Float32bits(y)-126<<23)
	}
	// Adding what is just below a half of the last place, and that place's bit,
	// carries as rounding to even does, also into the exponent.
	b += 1<<12 - 1 + b>>13&1
	return sign | uint16((b-112<<23)>>13)
}
