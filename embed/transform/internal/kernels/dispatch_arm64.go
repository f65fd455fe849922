//go:build gc && !purego

package kernels

import "golang.org/x/sys/cpu"

// best is the fastest form of the kernels that this CPU has: that which adds up
// products of bytes four at a time, if it can.
var best = func() form {
	if cpu.ARM64.HasASIMDDP {
		return products
	}
	return portable
}()

func (m *Matrix) panel(dst []float32, width int, x *Rows, first, n, row int) {
	weights := m.Weights[row*m.Columns:][:Panel*m.Columns]
	scales, bias := m.Scales[row:][:Panel], m.Bias[row:][:Panel]
	q := x.Q[first*m.Columns:][:n*m.Columns]
	if used == portable {
		densePortable(dst, width, x, first, n, weights, scales, bias)
		return
	}
	denseNEON(&dst[0], 4*width, &q[0], &x.Scales[first:][:n][0], n, m.Columns, &weights[0], &scales[0], &bias[0])
}
