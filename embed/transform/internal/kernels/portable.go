package kernels

import "math"

// densePortable is Matrix.panel in Go. The conversions keep the compiler from
// fusing the product and the sum, so that the result is the same everywhere.
func densePortable(dst []float32, width int, x *Rows, first, n int, weights []int8, scales, bias []float32) {
	for i := range n {
		in := x.Q[(first+i)*x.Width:][:x.Width]
		var sums [Panel]int32
		for w := weights; len(in) >= group; in, w = in[group:], w[Panel*group:] {
			a, b, c, d := int32(in[0]), int32(in[1]), int32(in[2]), int32(in[3])
			for j := range sums {
				four := w[group*j : group*j+group : group*j+group]
				sums[j] += a*int32(four[0]) + b*int32(four[1]) + c*int32(four[2]) + d*int32(four[3])
			}
		}
		out := dst[i*width:][:Panel]
		for j, sum := range sums {
			out[j] = float32(float32(sum)*float32(x.Scales[first+i]*scales[j])) + bias[j]
		}
	}
}

func quantizePortable(dst []int8, x []float32) float32 {
	var most float32
	for _, v := range x {
		most = max(most, max(v, -v))
	}
	if most == 0 {
		clear(dst)
		return 0
	}
	factor := 127 / most
	for i, v := range x {
		dst[i] = int8(math.RoundToEven(float64(v * factor)))
	}
	return most / 127
}

func addNormPortable(x, y, w, b []float32, eps float32) {
	var sum, squares float32
	for i := range x {
		x[i] += y[i]
		sum += x[i]
	}
	mean := sum / float32(len(x))
	for _, v := range x {
		squares += (v - mean) * (v - mean)
	}
	factor := float32(1 / math.Sqrt(float64(squares/float32(len(x))+eps)))
	for i, v := range x {
		x[i] = (v-mean)*factor*w[i] + b[i]
	}
}

func geluPortable(x []float32) {
	for i, v := range x {
		x[i] = v / 2 * (1 + erf(v/math.Sqrt2))
	}
}

// erf is the error function with an error of at most 5e-7. The rational function is
// that of Eigen's generic_fast_erf_float.
func erf(x float32) float32 {
	x = max(-4, min(x, 4))
	y := x * x
	p := float32(-2.72614225801306e-10)
	p = p*y + 2.77068142495902e-08
	p = p*y - 2.10102402082508e-06
	p = p*y - 5.69250639462346e-05
	p = p*y - 7.34990630326855e-04
	p = p*y - 2.95459980854025e-03
	p = p*y - 1.60960333262415e-02
	q := float32(-1.45660718464996e-05)
	q = q*y - 2.13374055278905e-04
	q = q*y - 1.68282697438203e-03
	q = q*y - 7.37332916720468e-03
	q = q*y - 1.42647390514189e-02
	return x * p / q
}

func softmaxPortable(x []float32, factor float32) {
	most := x[0]
	for _, v := range x {
		most = max(most, v)
	}
	var sum float32
	for i, v := range x {
		x[i] = exp((v - most) * factor)
		sum += x[i]
	}
	share := 1 / sum
	for i := range x {
		x[i] *= share
	}
}

// exp is the exponential function of numbers that are not positive, with a
// relative error of at most 2e-7, and at least that of -87. The polynomial is that
// of Cephes' expf.
func exp(x float32) float32 {
	x = max(x, -87)
	n := float32(math.RoundToEven(float64(x * math.Log2E)))
	x -= n * 0.693359375
	x -= n * -2.12194440e-4
	y := float32(1.9875691500e-4)
	y = y*x + 1.3981999507e-3
	y = y*x + 8.3334519073e-3
	y = y*x + 4.1665795894e-2
	y = y*x + 1.6666665459e-1
	y = y*x + 5.0000001201e-1
	y = y*x + 1
	y = y*x + 1
	return math.Float32frombits(math.Float32bits(y) + uint32(int32(n))<<23)
}

func tilePortable(dst []float32, dstStride int, x []float32, xStride int, y []float32, yStride, n int) {
	for i := range 4 {
		out := dst[i*dstStride:][:16]
		clear(out)
		for k, v := range x[i*xStride:][:n] {
			for j, w := range y[k*yStride:][:16] {
				out[j] += v * w
			}
		}
	}
}
