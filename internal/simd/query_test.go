package simd

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// A query is scaled to the same bits, and quantised to the same code, with kernels and without.
func TestQueriesAreTheSameEverywhere(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for i := range 400 {
		n := rng.IntN(80)
		if i%8 == 0 {
			n = rng.IntN(1600)
		}
		q, mean := make([]float32, n), make([]float64, n)
		for j := range q {
			q[j], mean[j] = float32(40*rng.NormFloat64()), rng.NormFloat64()
			if rng.IntN(8) == 0 { // in the middle of two, or beyond
				q[j] = float32(rng.IntN(200)-100) + 0.5
			}
		}
		if i%7 == 0 && n > 0 {
			q[rng.IntN(n)] = []float32{float32(math.NaN()), float32(math.Inf(1)), math.MaxFloat32, -math.MaxFloat32}[i/7%4]
		}
		type result struct {
			wide            []float64
			narrow, centred []float32
			code            []uint8
			lost            float64
			square          int
		}
		var results []result
		for _, acc := range []bool{supported, false} {
			withAcceleration(t, acc)
			r := result{wide: make([]float64, n), narrow: make([]float32, n), centred: make([]float32, n), code: make([]uint8, n)}
			Scaled(r.wide, r.narrow, r.centred, q, mean, 3, 0.7)
			r.lost, r.square = Quantize(r.code, q)
			results = append(results, r)
		}
		a, b := results[0], results[1]
		square, lost := 0, 0.0
		for j := range q {
			require.Equal(t, math.Float64bits(b.wide[j]), math.Float64bits(a.wide[j]))
			require.Equal(t, math.Float32bits(b.narrow[j]), math.Float32bits(a.narrow[j]))
			require.Equal(t, math.Float32bits(b.centred[j]), math.Float32bits(a.centred[j]))
			square += (int(b.code[j]) - 64) * (int(b.code[j]) - 64)
			d := float64(q[j]) + 64 - float64(b.code[j])
			lost += d * d
		}
		require.Equal(t, b.code, a.code)
		for _, r := range results {
			require.Equal(t, square, r.square)
			if lost-lost != 0 {
				require.True(t, r.lost-r.lost != 0)
				continue
			}
			require.InEpsilon(t, 1+lost, 1+r.lost, 1e-12)
		}
	}
}
