package simd

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

// unit is the unit roundoff of T.
func unit[T codec.Float]() float64 {
	if codec.ElementOf[T]() == codec.FLOAT {
		return 0x1p-24
	}
	return 0x1p-53
}

func tiny[T codec.Float]() float64 {
	if codec.ElementOf[T]() == codec.FLOAT {
		return math.SmallestNonzeroFloat32
	}
	return math.SmallestNonzeroFloat64
}

// random returns n elements of very different sizes and both signs that start off
// elements into their array, so that they are not aligned.
func random[T codec.Float](rng *rand.Rand, n, off int, scale float64) []T {
	x := make([]T, off+n)[off:]
	for i := range x {
		x[i] = T(rng.NormFloat64() * scale * math.Exp2(float64(rng.IntN(12))))
	}
	return x
}

// exact returns the dot product of x and y, and the sum of its terms' magnitudes,
// computed with 700 bits, which round nothing that matters here.
func exact[T codec.Float](x, y []T) (*big.Float, *big.Float) {
	s, a := new(big.Float).SetPrec(700), new(big.Float).SetPrec(700)
	for i := range x {
		p := new(big.Float).SetPrec(700).SetFloat64(float64(x[i]))
		p.Mul(p, new(big.Float).SetFloat64(float64(y[i])))
		s.Add(s, p)
		a.Add(a, p.Abs(p))
	}
	return s, a
}

func requireDot[T codec.Float](t *testing.T, got T, x, y []T, what string) {
	t.Helper()
	want, sum := exact(x, y)
	diff := new(big.Float).SetPrec(700).SetFloat64(float64(got))
	diff.Sub(diff, want).Abs(diff)
	r := float64(Roundings(len(x))) * unit[T]()
	bound := sum.Mul(sum, big.NewFloat(r/(1-r)))
	bound.Add(bound, big.NewFloat(float64(len(x))*tiny[T]()))
	require.LessOrEqual(t, diff.Cmp(bound), 0, "%s of %d elements: got %v, want %v, off by %v > %v", what, len(x), got, want, diff, bound)
}

func TestDotStaysWithinItsBound(t *testing.T) {
	t.Run("FLOAT", testDot[float32])
	t.Run("DOUBLE", testDot[float64])
}

func testDot[T codec.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 301 {
		scale := []float64{1, 1e-21, 1e12}[n%3]
		x, y := random[T](rng, n, rng.IntN(8), scale), random[T](rng, n, rng.IntN(8), scale)
		requireDot(t, Dot(x, y), x, y, "Dot")
		requireDot(t, dot(x, y), x, y, "portable dot")
	}
}

// supported is what accelerated is when a test has not changed it.
var supported = accelerated

// withAcceleration turns the kernels on or off until the test ends.
func withAcceleration(t *testing.T, on bool) {
	t.Helper()
	was := accelerated
	t.Cleanup(func() { accelerated = was })
	accelerated = on
}

func TestWrongLengthsDoNotPanic(t *testing.T) {
	t.Run("FLOAT", testWrongLengths[float32])
	t.Run("DOUBLE", testWrongLengths[float64])
}

func testWrongLengths[T codec.Float](t *testing.T) {
	isNaN := func(v T) bool { return v != v }
	for _, acc := range []bool{supported, false} {
		withAcceleration(t, acc)
		require.Zero(t, Dot[T](nil, []T{}))
		require.True(t, isNaN(Dot([]T{1}, nil)))
		require.True(t, isNaN(Dot([]T{1}, []T{1, 2})))
		require.Zero(t, SquaredL2[T](nil, nil))
		require.True(t, isNaN(SquaredL2([]T{1}, []T{1, 2})))
		require.Zero(t, Norm[T](nil))
		require.Zero(t, Normalize[T](nil, nil))
		short := []T{7}
		require.True(t, math.IsNaN(Normalize(short, []T{1, 2})))
		require.Equal(t, []T{0}, short)

		DotRows[T](nil, []T{1}, []T{1, 2})
		dst := []T{5, 5}
		DotRows(dst, []T{1, 2}, []T{1, 2, 3})
		require.True(t, isNaN(dst[0]) && isNaN(dst[1]))
		DotRows(dst, []T{1, 2}, []T{1, 2, 3, 4, 5, 6})
		require.True(t, isNaN(dst[0]) && isNaN(dst[1]))
		DotRows(dst, nil, []T{1, 2})
		require.True(t, isNaN(dst[0]) && isNaN(dst[1]))
		DotRows(dst, nil, nil)
		require.Equal(t, []T{0, 0}, dst)

		DotAt(dst, []T{2}, []T{10, 20}, []int32{1})
		require.True(t, isNaN(dst[0]) && isNaN(dst[1]))
		DotAt(dst, []T{2}, []T{10, 20}, []int32{1, 2})
		require.Equal(t, T(40), dst[0])
		require.True(t, isNaN(dst[1]))
		DotAt(dst, []T{2}, []T{10, 20}, []int32{-1, 0})
		require.True(t, isNaN(dst[0]))
		DotAt(dst, nil, nil, []int32{0, 1})
		require.Equal(t, []T{0, 0}, dst)

		require.Equal(t, T(math.Inf(-1)), Max[T](nil))
		require.Equal(t, T(3), Max([]T{1, 3, 2, 3, -9, 0, 1, 2, 3, 1}))
		x := []T{5, 6, 7}
		Sub(x, []T{1, 2})
		require.Equal(t, []T{4, 4, 7}, x)
		Sub(x, nil)
		require.Equal(t, []T{4, 4, 7}, x)
	}
}

func TestNorm(t *testing.T) {
	big64 := make([]float64, 100)
	for i := range big64 {
		big64[i] = math.MaxFloat64
	}
	tests := []struct {
		name string
		x    []float64
		want float64
	}{
		{"plain", []float64{3, 4}, 5},
		{"zeros", []float64{0, 0, 0}, 0},
		{"squares overflow", []float64{3e200, -4e200}, 5e200},
		{"squares underflow", []float64{3e-200, -4e-200}, 5e-200},
		{"subnormal", []float64{3 * 0x1p-1074, 4 * 0x1p-1074}, 5 * 0x1p-1074},
		{"huge beside tiny", []float64{1e300, 1e-300}, 1e300},
		{"beyond float64", big64, math.Inf(1)},
		{"infinite", []float64{1, math.Inf(-1)}, math.Inf(1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.want == 0 || math.IsInf(tt.want, 0) {
				require.Equal(t, tt.want, Norm(tt.x))
				return
			}
			require.InEpsilon(t, tt.want, Norm(tt.x), 1e-15)
		})
	}
	require.True(t, math.IsNaN(Norm([]float64{1, math.NaN()})))
	require.InEpsilon(t, math.MaxFloat32*math.Sqrt(2), Norm([]float32{math.MaxFloat32, -math.MaxFloat32}), 1e-15)
	require.InEpsilon(t, math.SmallestNonzeroFloat32, Norm([]float32{0, math.SmallestNonzeroFloat32}), 1e-15)
}

func TestNormalizeGivesUnitVectors(t *testing.T) {
	t.Run("FLOAT", testNormalize[float32])
	t.Run("DOUBLE", testNormalize[float64])
}

func testNormalize[T codec.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	limit := 33.0
	if codec.ElementOf[T]() == codec.DOUBLE {
		limit = 300
	}
	for range 2000 {
		n := 1 + rng.IntN(300)
		x := random[T](rng, n, 0, math.Pow(10, (rng.Float64()*2-1)*limit))
		want := Norm(x)
		if want == 0 {
			continue
		}
		y := make([]T, n)
		require.Equal(t, want, Normalize(y, x))
		require.InDelta(t, 1, Norm(y), 2*unit[T]()+1e-15*math.Sqrt(float64(n)))
		require.Equal(t, want, Normalize(x, x))
		require.Equal(t, y, x)
	}
	zero := []T{1, 2}
	require.Zero(t, Normalize(zero, []T{0, 0}))
	require.Equal(t, []T{0, 0}, zero)
	huge := make([]float64, 64)
	for i := range huge {
		huge[i] = math.MaxFloat64
	}
	require.Equal(t, math.Inf(1), Normalize(huge, huge))
	require.Equal(t, 0.125, huge[0])
}

func FuzzDot(f *testing.F) {
	f.Add(uint64(1), uint16(33), uint8(1), 1.0)
	f.Add(uint64(2), uint16(0), uint8(0), 0.0)
	f.Add(uint64(3), uint16(300), uint8(7), 1e-22)
	f.Fuzz(func(t *testing.T, seed uint64, n uint16, off uint8, scale float64) {
		if s := math.Abs(scale); !(s < 1e12) {
			t.Skip("may overflow float32")
		}
		rng := rand.New(rand.NewPCG(seed, 0))
		x := random[float32](rng, int(n%1000), int(off%9), scale)
		y := random[float32](rng, int(n%1000), int(off/9%9), scale)
		requireDot(t, Dot(x, y), x, y, "Dot")
		requireDot(t, dot(x, y), x, y, "portable dot")
	})
}
