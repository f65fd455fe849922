package simd

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// A limit may let more pass than exact arithmetic would, by very little, and never
// less.
func TestAtMost(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	inf := float32(math.Inf(1))
	for _, acc := range []bool{supported, false} {
		withAcceleration(t, acc)
		for n := range 300 {
			keys, x := make([]int32, n), make([]float32, n)
			near, slope := float32(rng.ExpFloat64()*1000), float32(rng.ExpFloat64()*100)
			line := near
			switch rng.IntN(4) {
			case 0:
				near, line = 0, 0
			case 1:
				line = -near
			}
			for i := range keys {
				x[i] = float32(rng.ExpFloat64() * 10)
				switch rng.IntN(8) {
				case 0:
					x[i] = inf
				case 1:
					x[i] = 0
				}
				// Keys right at a limit tell most.
				at := []float64{math.Pow(float64(near)+float64(x[i]), 2), float64(line) + float64(slope)*float64(x[i]), rng.NormFloat64() * 1e6}[rng.IntN(3)]
				keys[i] = int32(min(max(math.Round(at)+float64(rng.IntN(3)-1), -1<<30), 1<<30))
			}
			set := make([]uint64, (n+63)/64)
			AtMostSquare(set, keys, x, near)
			for i, key := range keys {
				v := math.Pow(float64(near)+float64(x[i]), 2)
				requireAtMost(t, set[i/64]>>(i%64)&1 == 1, key, v, v)
			}
			AtMostLine(set, keys, x, line, slope)
			for i, key := range keys {
				v := new(big.Float).Mul(big.NewFloat(float64(slope)), big.NewFloat(float64(x[i])))
				sum, _ := v.Add(v, big.NewFloat(float64(line))).Float64()
				requireAtMost(t, set[i/64]>>(i%64)&1 == 1, key, sum, math.Abs(float64(line))+float64(slope)*float64(x[i]))
			}
			if n%64 > 0 {
				require.Zero(t, set[n/64]>>(n%64))
			}
		}
	}
}

func requireAtMost(t *testing.T, got bool, key int32, limit, size float64) {
	t.Helper()
	if float64(key) <= limit {
		require.True(t, got, "%d is at most %v", key, limit)
	} else if float64(key) > limit+size*0x1p-18 {
		require.False(t, got, "%d is more than %v", key, limit)
	}
}

func TestAtMostTakesNaNAndOtherLengths(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, acc := range []bool{supported, false} {
		withAcceleration(t, acc)
		keys, x := make([]int32, 70), make([]float32, 70)
		for i := range x {
			x[i] = []float32{nan, inf, 0}[i%3]
			keys[i] = math.MaxInt32
		}
		set := make([]uint64, 3)
		AtMostSquare(set, keys, x, 1)
		require.Equal(t, []uint64{0xb6db6db6db6db6db, 0b101101, 0}, set) // all but the zeros
		AtMostLine(set, keys, x, 1, 0)
		require.Equal(t, uint64(1), set[0]&1)
		require.Equal(t, uint64(1), set[0]>>1&1) // 0 times infinity
		require.Zero(t, set[0]>>2&1)
		AtMostLine(set, keys[:3], x, nan, 1)
		require.Equal(t, uint64(7), set[0])
		AtMostSquare(set[:1], keys, x[:2], 1)
		require.Equal(t, uint64(3), set[0])
		AtMostSquare(nil, nil, nil, 1)
	}
}
