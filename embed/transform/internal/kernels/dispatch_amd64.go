//go:build gc && !purego

package kernels

import "golang.org/x/sys/cpu"

// best is the fastest form of the kernels that this CPU has.
var best = func() form {
	switch x := &cpu.X86; {
	case !x.HasAVX2 || !x.HasFMA:
		return portable
	case x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasAVX512VNNI:
		return products
	default:
		return vectors
	}
}()

// widens reports whether activations are kept with 16 bits, which is what VPMADDWD
// multiplies.
func widens() bool { return used == vectors }

func (m *Matrix) panel(dst []float32, width int, x *Rows, first, n, row int) {
	weights := m.Weights[row*m.Columns:][:Panel*m.Columns]
	scales, bias := m.Scales[row:][:Panel], m.Bias[row:][:Panel]
	xScales := x.Scales[first:][:n]
	switch used {
	case products:
		q, sums := x.Q[first*m.Columns:][:n*m.Columns], x.sums[first:][:n]
		parts := (n + most - 1) / most
		for i := range parts {
			from, to := n*i/parts, n*(i+1)/parts
			denseVNNI(&dst[from*width], 4*width, &q[from*m.Columns], &xScales[from], &sums[from], to-from, m.Columns, &weights[0], &scales[0], &bias[0])
		}
	case vectors:
		denseAVX2(&dst[0], 4*width, &x.wide[first*m.Columns:][:n*m.Columns][0], &xScales[0], n, m.Columns, &weights[0], &scales[0], &bias[0])
	default:
		densePortable(dst, width, x, first, n, weights, scales, bias)
	}
}

// most is how many rows denseVNNI takes.
const most = 12

func (x *Rows) quantize(row int, values []float32) float32 {
	switch used {
	case products:
		return quantizeAVX512(&x.Q[row*x.Width:][:x.Width][0], &values[0], x.Width, &x.sums[row])
	case vectors:
		return quantizeAVX2(&x.wide[row*x.Width:][:x.Width][0], &values[0], x.Width)
	default:
		return quantizePortable(x.Q[row*x.Width:][:x.Width], values)
	}
}

func addNorm(x, y, w, b []float32, eps float32) {
	share := 1 / float32(len(x))
	switch used {
	case products:
		addNormAVX512(&x[0], &y[0], &w[0], &b[0], len(x), share, eps)
	case vectors:
		addNormAVX2(&x[0], &y[0], &w[0], &b[0], len(x), share, eps)
	default:
		addNormPortable(x, y, w, b, eps)
	}
}

func gelu(x []float32) {
	switch {
	case len(x) == 0:
	case used == products:
		geluAVX512(&x[0], len(x))
	case used == vectors:
		geluAVX2(&x[0], len(x))
	default:
		geluPortable(x)
	}
}

func softmax(x []float32, factor float32) {
	switch used {
	case products:
		softmaxAVX512(&x[0], len(x), factor)
	case vectors:
		softmaxAVX2(&x[0], len(x), factor)
	default:
		softmaxPortable(x, factor)
	}
}

func tile(dst []float32, dstStride int, x []float32, xStride int, y []float32, yStride, n int) {
	switch used {
	case products:
		tileAVX512(&dst[0], 4*dstStride, &x[0], 4*xStride, &y[0], 4*yStride, n)
	case vectors:
		tileAVX2(&dst[0], 4*dstStride, &x[0], 4*xStride, &y[0], 4*yStride, n)
	default:
		tilePortable(dst, dstStride, x, xStride, y, yStride, n)
	}
}
