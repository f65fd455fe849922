//go:build !amd64 || !gc || purego

package simd

// hasWide is false where the functions below are not called.
const hasWide = false

func wideDotSquare(dst, q *float64, rows *[4]*float32, n int) {}
func wideDot(dst, q *float64, rows *[4]*float32, n int)       {}
func wideL2(dst, q *float64, rows *[4]*float32, n int)        {}
