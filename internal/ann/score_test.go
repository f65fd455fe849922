package ann

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// prec bits hold every sum of products of float64 values here without rounding.
const prec = 5000

func bigOf(x float64) *big.Float { return new(big.Float).SetPrec(prec).SetFloat64(x) }

// exactDot returns dot(q, x) with no rounding.
func exactDot[T, U codec.Float](q []T, x []U) *big.Float {
	s := bigOf(0)
	for i := range q {
		p := bigOf(float64(q[i]))
		s.Add(s, p.Mul(p, bigOf(float64(x[i]))))
	}
	return s
}

// The proof of the search rests on one statement: a row's score, taken as a key,
// is no further from the scan's key than the bound says. Here it is checked
// against exact arithmetic.
func TestKeysStayWithinTheirBounds(t *testing.T) {
	t.Run("FLOAT", testBounds[float32])
	t.Run("DOUBLE", testBounds[float64])
}

func testBounds[T codec.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for _, metric := range metrics {
		for _, sh := range shapesOf[T]() {
			t.Run(fmt.Sprint(metric, "/", sh.name), func(t *testing.T) {
				for _, dim := range []int{1, 2, 7, 32, 47, 128, 513} {
					a := newArena[T](t, dim, metric)
					for r := range int32(6) {
						require.NoError(t, a.Set(r, vector[T](rng, sh, dim, metric)))
					}
					var s scratch[T]
					s.reset(a, vector[T](rng, sh, dim, metric), 1)
					for r := range int32(6) {
						requireBound(t, a, &s, r)
					}
				}
			})
		}
	}
}

// Sums of equal terms round the same way at each step, which is the worst a
// kernel meets.
func TestBoundsHoldForLongSums(t *testing.T) {
	for _, metric := range metrics {
		for _, dim := range []int{4096, 20_000} {
			a := newArena[float32](t, dim, metric)
			v := make([]float32, dim)
			for r := range int32(20) {
				for i := range v {
					v[i] = 1 + float32(r)*0.037
				}
				require.NoError(t, a.Set(r, v))
				var s scratch[float32]
				s.reset(a, v, 1)
				requireBound(t, a, &s, r)
			}
		}
	}
}

func requireBound[T codec.Float](t *testing.T, a *Arena[T], s *scratch[T], r int32) {
	t.Helper()
	e := a.bound(s, r)
	if math.IsInf(e, 1) {
		return // scored without a key
	}
	key := make([]T, 1)
	simd.DotRows(key, s.q, a.row(r))
	want := bigOf(score(a.metric, s.wide, a.row(r)))
	if a.metric == codec.L2 {
		key[0] -= a.half.all[r]
		want.Mul(want, want)
		want.Sub(exactDot(s.wide, s.wide), want)
		want.Mul(want, bigOf(0.5))
	}
	require.False(t, math.IsNaN(float64(key[0])) || math.IsInf(float64(key[0]), 0))
	diff := want.Sub(want, bigOf(float64(key[0])))
	require.LessOrEqual(t, diff.Abs(diff).Cmp(bigOf(e)), 0, "row %d of dim %d: off by %v, bound %v", r, a.dim, diff, e)
}

// Scores themselves are right to the last bits.
func TestScoresAreAccurate(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	for _, sh := range wideShapes {
		t.Run(sh.name, func(t *testing.T) {
			for range 20 {
				dim := 1 + rng.IntN(70)
				q, x := vector[float64](rng, sh, dim, codec.Cosine), vector[float64](rng, sh, dim, codec.Cosine)
				d2 := bigOf(0)
				for i := range q {
					d := bigOf(q[i])
					d.Sub(d, bigOf(x[i]))
					d2.Add(d2, d.Mul(d, d))
				}
				want, _ := d2.Sqrt(d2).Float64()
				requireClose(t, want, -score(codec.L2, q, x), want*1e-14)

				want, _ = exactDot(q, x).Float64()
				size := bigOf(simd.Norm(q))
				bound, _ := size.Mul(size, bigOf(simd.Norm(x))).Float64()
				requireClose(t, want, score(codec.Dot, q, x), bound*1e-14+float64(dim)*math.SmallestNonzeroFloat64)

				a := newArena[float64](t, dim, codec.Cosine)
				require.NoError(t, a.Set(0, x))
				got, err := a.Search(t.Context(), nil, q, 1, nil)
				require.NoError(t, err)
				norms := new(big.Float).SetPrec(prec).Sqrt(exactDot(q, q))
				norms.Mul(norms, new(big.Float).SetPrec(prec).Sqrt(exactDot(x, x)))
				want, _ = norms.Quo(exactDot(q, x), norms).Float64()
				requireClose(t, want, got[0].Score, 1e-14)
			}
		})
	}
}

func requireClose(t *testing.T, want, got, bound float64) {
	t.Helper()
	if want == got {
		return
	}
	require.LessOrEqual(t, math.Abs(want-got), bound, "want %v, got %v", want, got)
}
