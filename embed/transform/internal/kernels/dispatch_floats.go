//go:build !amd64 || !gc || purego

package kernels

func widens() bool { return false }
func (x *Rows) quantize(row int, values []float32) float32 {
	return quantizePortable(x.Q[row*x.Width:][:x.Width], values)
}
func addNorm(x, y, w, b []float32, eps float32) { addNormPortable(x, y, w, b, eps) }
func gelu(x []float32)                          { geluPortable(x) }
func softmax(x []float32, factor float32)       { softmaxPortable(x, factor) }
func tile(dst []float32, dstStride int, x []float32, xStride int, y []float32, yStride, n int) {
	tilePortable(dst, dstStride, x, xStride, y, yStride, n)
}
