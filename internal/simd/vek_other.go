//go:build !amd64 || !gc || purego

package simd

// vek has code for amd64 alone, and packages below it do not compile for
// riscv64 and loong64, so no other platform imports it.
const (
	viaVek         = 64
	vekAccelerated = false
)

// Neither function is called here.

func vekDot32(x, y []float32) float32 { return 0 }
func vekDot64(x, y []float64) float64 { return 0 }
