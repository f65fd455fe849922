//go:build !(amd64 || arm64) || !gc || purego

package kernels

// best is the only form of the kernels.
const best = portable

func (m *Matrix) panel(dst []float32, width int, x *Rows, first, n, row int) {
	densePortable(dst, width, x, first, n, m.Weights[row*m.Columns:][:Panel*m.Columns], m.Scales[row:][:Panel], m.Bias[row:][:Panel])
}
