package simd

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func requireSameBits(t *testing.T, want, got []float32) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		if want[i] != want[i] {
			require.True(t, got[i] != got[i], "element %d", i)
			continue
		}
		require.Equal(t, math.Float32bits(want[i]), math.Float32bits(got[i]), "element %d: %v, want %v", i, got[i], want[i])
	}
}

// The definition: element (i, j) of the matrix is -1 if i and j have an odd number
// of bits in common. Small integers make it exact.
func TestWalshHadamardIsThatMatrix(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for n := 1; n <= 2048; n *= 2 {
		x := make([]float32, n+3)[3:]
		for i := range x {
			x[i] = float32(rng.IntN(201) - 100)
		}
		want := make([]float32, n)
		for i := range want {
			for j := range x {
				if bits.OnesCount(uint(i&j))%2 == 0 {
					want[i] += x[j]
				} else {
					want[i] -= x[j]
				}
			}
		}
		for _, acc := range []bool{supported, false} {
			withAcceleration(t, acc)
			got := slices.Clone(x)
			WalshHadamard(got)
			require.Equal(t, want, got, "%d elements, accelerated %v", n, acc)
		}
	}
}

func TestWalshHadamardOfOtherLengths(t *testing.T) {
	WalshHadamard(nil)
	for _, n := range []int{3, 63, 65, 96, 1000} {
		x := floats(rand.New(rand.NewPCG(1, 1)), n)
		want := slices.Clone(x)
		WalshHadamard(x)
		require.Equal(t, want, x)
	}
}

func FuzzWalshHadamard(f *testing.F) {
	f.Add(uint64(1), uint8(7), uint8(0), 1.0)
	f.Add(uint64(2), uint8(12), uint8(3), 1e-44)
	f.Add(uint64(3), uint8(9), uint8(1), 1e38)
	f.Add(uint64(4), uint8(6), uint8(1), math.Inf(1))
	f.Fuzz(func(t *testing.T, seed uint64, log, off uint8, scale float64) {
		rng := rand.New(rand.NewPCG(seed, 0))
		n := 1 << (log % 14)
		x := random[float32](rng, n, int(off%9), scale)
		rest := append([]float32{1}, x...)
		want := slices.Clone(x)
		walshHadamard(want)
		WalshHadamard(x)
		requireSameBits(t, want, x)
		// And nothing beside it.
		WalshHadamard(rest[1:])
		require.Equal(t, float32(1), rest[0])
	})
}

// floats returns n numbers in [-0.5, 0.5).
func floats(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = rng.Float32() - 0.5
	}
	return x
}
