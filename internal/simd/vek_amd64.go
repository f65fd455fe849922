//go:build gc && !purego

package simd

import (
	"github.com/viterin/vek"
	"github.com/viterin/vek/vek32"
)

// viaVek is from how many elements vek's code for one pair is faster than ours,
// by a tenth. vek has code for AVX2 alone, and not on macOS.
const viaVek = 64

var vekAccelerated = vek.Info().Acceleration

func vekDot32(x, y []float32) float32 { return vek32.Dot(x, y) }
func vekDot64(x, y []float64) float64 { return vek.Dot(x, y) }
