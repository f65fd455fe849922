package simd

import "unsafe"

// Scaled makes of a query what searches need of it: wide is q divided by norm, in float64,
// narrow is wide rounded, and centred is (wide-mean)*inv rounded. All have as many elements
// as q.
func Scaled(wide []float64, narrow, centred, q []float32, mean []float64, norm, inv float64) {
	n := len(q)
	wide, narrow, centred, mean = wide[:n], narrow[:n], centred[:n], mean[:n]
	from := 0
	if whole := n &^ 3; accelerated && hasWide && whole > 0 {
		scaledKernel(&wide[0], &narrow[0], &centred[0], &q[0], &mean[0], whole, norm, inv)
		from = whole
	}
	for i := from; i < n; i++ {
		wide[i] = float64(q[i]) / norm
		narrow[i] = float32(wide[i])
		centred[i] = float32((wide[i] - mean[i]) * inv)
	}
}

// Quantize sets code to y+64, each element rounded to the nearest integer of 0 to 127, as
// far as both reach. lost is the sum of the squares of what that leaves out, in float64 and NaN or infinite if
// an element is, and square that of code-64.
func Quantize(code []uint8, y []float32) (lost float64, square int) {
	n := min(len(code), len(y))
	code, y = code[:n], y[:n]
	if whole := n &^ 7; accelerated && hasWide && whole > 0 {
		var sums [4]float64
		var squares [8]int32
		quantizeKernel(unsafe.SliceData(code), unsafe.SliceData(y), whole, &sums, &squares)
		lost = (sums[0] + sums[1]) + (sums[2] + sums[3])
		if lost-lost != 0 { // a code of NaN is one thing here and another there
			whole, lost = 0, 0
		}
		for _, s := range squares[:min(8, whole)] {
			square += int(s)
		}
		code, y = code[whole:], y[whole:]
	}
	var e [2]float64 // two sums, which need not wait for each other
	for i, v := range y {
		k := 64
		switch {
		case v >= 127-64:
			k = 127
		case v > -64:
			k = int(v + 64 + 0.5)
		case v <= -64:
			k = 0
		}
		code[i] = uint8(k)
		k -= 64
		r := float64(v) - float64(k)
		e[i&1] += r * r
		square += k * k
	}
	return lost + (e[0] + e[1]), square
}
