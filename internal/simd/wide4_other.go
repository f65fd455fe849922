//go:build !amd64 || !gc || purego

package simd

// hasWide is false where the functions below are not called.
const hasWide = false

func wideDotSquare32(dst, q *float64, rows *[4]*float32, n int) {}
func wideDot32(dst, q *float64, rows *[4]*float32, n int)       {}
func wideL232(dst, q *float64, rows *[4]*float32, n int)        {}
func wideDotSquare64(dst, q *float64, rows *[4]*float64, n int) {}
func wideDot64(dst, q *float64, rows *[4]*float64, n int)       {}
func wideL264(dst, q *float64, rows *[4]*float64, n int)        {}
func scaledKernel(wide *float64, narrow, centred, q *float32, mean *float64, n int, norm, inv float64) {
}
func quantizeKernel(code *uint8, y *float32, n int, lost *[4]float64, squares *[8]int32) {}
