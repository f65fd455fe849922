package simd

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

// requireL2 says whether got is as near the squared distance of x and y as
// Roundings promises.
func requireL2[T codec.Float](t *testing.T, got T, x, y []T, what string) {
	t.Helper()
	want := new(big.Float).SetPrec(700)
	for i := range x {
		d := new(big.Float).SetPrec(700).SetFloat64(float64(x[i]))
		d.Sub(d, new(big.Float).SetFloat64(float64(y[i])))
		want.Add(want, d.Mul(d, d))
	}
	diff := new(big.Float).SetPrec(700).SetFloat64(float64(got))
	diff.Sub(diff, want).Abs(diff)
	r := float64(Roundings(len(x))+2) * unit[T]()
	bound := new(big.Float).Mul(want, big.NewFloat(r/(1-r)))
	bound.Add(bound, big.NewFloat(float64(len(x))*tiny[T]()))
	require.LessOrEqual(t, diff.Cmp(bound), 0, "%s of %d elements: got %v, want %v, off by %v > %v", what, len(x), got, want, diff, bound)
}

// checkRows says whether all forms of a kernel give the same bits for a row, but
// for vek's, near enough to the exact result, and touch nothing else.
func checkRows[T codec.Float](t *testing.T, rng *rand.Rand, n, dim, off int, scale float64) {
	t.Helper()
	q, rows := random[T](rng, dim, rng.IntN(9), scale), random[T](rng, n*dim, off, scale)
	at := make([]int32, rng.IntN(2*n+10))
	odds := rng.IntN(3) // how often a row is not there
	for i := range at {
		at[i] = int32(rng.IntN(max(1, n)))
		if rng.IntN(20) < odds {
			at[i] = []int32{-1, int32(n), math.MinInt32, math.MaxInt32}[rng.IntN(4)]
		}
	}
	forms := []struct {
		name  string
		pair  func(x, y []T) T
		rows  func(dst, q, rows []T) // nil if there is no such form
		at    func(dst, q, rows []T, at []int32)
		exact func(t *testing.T, got T, x, y []T, what string)
	}{
		{"dot product", Dot[T], DotRows[T], DotAt[T], requireDot[T]},
		{"squared distance", SquaredL2[T], nil, SquaredL2At[T], requireL2[T]},
	}
	for _, acc := range []bool{supported, false} {
		withAcceleration(t, acc)
		for _, f := range forms {
			what := fmt.Sprintf("%s, accelerated %v, %d rows", f.name, acc, n)
			got := make([]T, n+1)
			fill(got, 9)
			if f.rows != nil {
				f.rows(got[:n], q, rows)
			} else {
				for i := range n {
					got[i] = f.pair(q, rows[i*dim:(i+1)*dim])
				}
			}
			require.Equal(t, T(9), got[n], what)
			for i := range n {
				row := rows[i*dim : (i+1)*dim]
				if viaOther := acc && f.name == "dot product" && dim >= viaVek && vekAccelerated; !viaOther {
					require.Equal(t, f.pair(q, row), got[i], "%s: row %d of %d elements", what, i, dim)
				}
				if i%(1+n/8) == 0 {
					f.exact(t, got[i], q, row, what)
					f.exact(t, f.pair(q, row), q, row, what+", as a pair")
				}
			}
			listed := make([]T, len(at)+1)
			fill(listed, 9)
			f.at(listed[:len(at)], q, rows, at)
			require.Equal(t, T(9), listed[len(at)], what)
			for i, r := range at {
				switch {
				case dim == 0:
					require.Zero(t, listed[i])
				case r < 0 || int(r) >= n:
					require.True(t, listed[i] != listed[i], what)
				default:
					require.Equal(t, got[r], listed[i], "%s: row %d of %d elements in a list", what, r, dim)
				}
			}
		}
	}
}

func TestRowsAreTheSameInEveryForm(t *testing.T) {
	t.Run("FLOAT", testRows[float32])
	t.Run("DOUBLE", testRows[float64])
}

func testRows[T codec.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for dim := range 150 {
		// 1e-21 makes products underflow in float32, 1e-41 elements too.
		checkRows[T](t, rng, rng.IntN(14), dim, rng.IntN(9), []float64{1, 1e-21, 1e12, 1e-41}[rng.IntN(4)])
	}
	for _, s := range [][2]int{{1, 2000}, {9, 1999}, {1100, 100}, {2500, 9}, {70, 1536}, {3, 70_001}} {
		checkRows[T](t, rng, s[0], s[1], 1, 1)
	}
}

// What is infinite or NaN in any order of summation is so in the kernels.
func TestRowsOfInfinitiesAndNaN(t *testing.T) {
	t.Run("FLOAT", testInfinities[float32])
	t.Run("DOUBLE", testInfinities[float64])
}

func testInfinities[T codec.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	special := []T{T(math.Inf(1)), T(math.Inf(-1)), T(math.NaN()), 0}
	for range 2000 {
		dim := 1 + rng.IntN(80)
		q, row := random[T](rng, dim, 0, 1), random[T](rng, dim, 1, 1)
		for range rng.IntN(3) {
			q[rng.IntN(dim)] = special[rng.IntN(len(special))]
			row[rng.IntN(dim)] = special[rng.IntN(len(special))]
		}
		for _, o := range []op{product, squared} {
			want := float64(sum(o, q, row))
			got := make([]T, 1)
			floatAt(o, got, q, row, []int32{0})
			if math.IsInf(want, 0) || math.IsNaN(want) {
				require.Equal(t, fmt.Sprint(want), fmt.Sprint(got[0]))
			} else {
				require.Zero(t, got[0]-got[0])
			}
		}
	}
}

func TestSubAndMax(t *testing.T) {
	t.Run("FLOAT", testSubAndMax[float32])
	t.Run("DOUBLE", testSubAndMax[float64])
}

func testSubAndMax[T codec.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	for n := range 200 {
		x, y := random[T](rng, n+8, rng.IntN(9), 1), random[T](rng, n+1, rng.IntN(9), 1)
		fill(x[n:], 1e30) // not to be read
		x = x[:n]
		if n%3 == 0 {
			for i := range x {
				x[i] = -T(math.Abs(float64(x[i]))) - 1
			}
		}
		want, largest := make([]T, n), T(math.Inf(-1))
		for i := range want {
			want[i] = x[i] - y[i]
			largest = max(largest, x[i])
		}
		for _, acc := range []bool{supported, false} {
			withAcceleration(t, acc)
			require.Equal(t, largest, Max(x))
			got := append(append(make([]T, 0, n+1), x...), 9)
			Sub(got[:n], y)
			require.Equal(t, append(append([]T{}, want...), 9), got)
		}
	}
}

func TestPrefetchOfAnything(t *testing.T) {
	x := make([]int32, 3)
	for _, i := range []int{-1, 0, 2, 3, math.MaxInt, math.MinInt} {
		Prefetch(x, i)
		Prefetch([]struct{}{}, i)
		for _, n := range []int{math.MinInt, -1, 0, 1, len(x), len(x) + 1, math.MaxInt} {
			PrefetchRow(x, i, n)
			PrefetchRow([]struct{}{}, i, n)
		}
	}
	Prefetch[int64](nil, 0)
	PrefetchRow[int64](nil, 0, 1)
}

func FuzzRows(f *testing.F) {
	f.Add(uint64(1), uint8(5), uint16(128), uint8(0), 1.0)
	f.Add(uint64(2), uint8(33), uint16(31), uint8(3), 1e-22)
	f.Add(uint64(3), uint8(4), uint16(1000), uint8(1), 0.0)
	f.Fuzz(func(t *testing.T, seed uint64, n uint8, dim uint16, off uint8, scale float64) {
		if s := math.Abs(scale); !(s < 1e12) {
			t.Skip("may overflow float32")
		}
		rng := rand.New(rand.NewPCG(seed, 0))
		checkRows[float32](t, rng, int(n%70), int(dim%2000), int(off%16), scale)
		checkRows[float64](t, rng, int(n%70), int(dim%2000), int(off%16), scale)
	})
}
