package simd

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

// Four rows have the bits of each alone, whatever overflows.
func TestFourRowsAreAsOne(t *testing.T) {
	t.Run("FLOAT", testFourRows[float32])
	t.Run("DOUBLE", testFourRows[float64])
}

func testFourRows[T codec.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	same := func(want, got float64) {
		require.Equal(t, math.Float64bits(want), math.Float64bits(got))
	}
	for i := range 600 {
		dim := rng.IntN(70)
		if i%10 == 0 {
			dim = rng.IntN(1600)
		}
		scale := []float64{1, 1, 0, 0x1p-140, 0x1p120, math.Inf(1)}[i%6]
		large := []float64{1, 0x1p-500, 0x1p1000}[i%3]
		q, x := make([]float64, dim), [4][]T{}
		for j := range q {
			q[j] = rng.NormFloat64() * large
		}
		for r := range x {
			x[r] = make([]T, dim)
			for j := range x[r] {
				x[r][j] = T(rng.NormFloat64() * scale)
				if i%12 == 2 {
					x[r][j] = T(q[j])
				}
			}
		}
		if i%25 == 0 && dim > 0 { // not all as long as the query
			x[rng.IntN(4)] = x[0][:dim-1]
		}
		for _, acc := range []bool{supported, false} {
			withAcceleration(t, acc)
			dots, squares := DotSquareWide4(q, &x)
			only, distances := DotWide4(q, &x), DistanceWide4(q, &x)
			for r := range x {
				dot, square := DotSquareWide(q, x[r])
				same(dot, dots[r])
				same(square, squares[r])
				same(DotWide(q, x[r]), only[r])
				same(DistanceWide(q, x[r]), distances[r])
			}
		}
	}
}

// What a cosine is made of is the same, to the bit, of a vector whose squares overflow or
// underflow and of one that is a power of two times that.
func TestDotSquareOfAnySize(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for i := range 200 {
		dim := 1 + rng.IntN(70)
		q, x := make([]float64, dim), make([]float64, dim)
		for j := range q {
			q[j], x[j] = rng.NormFloat64(), rng.NormFloat64()
		}
		dot, square := DotSquareWide(q, x)
		for _, exp := range []int{-990, -700, -490, 490, 600, 1000} {
			sized := make([]float64, dim)
			for j, v := range x {
				sized[j] = math.Ldexp(v, exp)
			}
			rows := [4][]float64{x, sized, x, sized}
			for _, acc := range []bool{supported, false} {
				withAcceleration(t, acc)
				dots, squares := DotSquareWide4(q, &rows)
				for r := range rows {
					require.Equal(t, dot/math.Sqrt(square), dots[r]/math.Sqrt(squares[r]), "%d: 2^%d", i, exp)
				}
			}
		}
	}
	dot, square := DotSquareWide([]float64{1, 2, 3, 4, 5}, make([]float32, 5))
	require.Zero(t, dot)
	require.Zero(t, square)
}
