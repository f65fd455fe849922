package ann

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

// retrain gives the arena codes for what it holds, whatever it thinks of that,
// and lets exact searches use them.
func retrain[T codec.Float](a *Arena[T]) {
	a.begin(a.train())
	a.proceed(a.Rows())
	a.finish()
	a.siftFrom = 0
}

// withHalves makes halves of the arena's codes, if they are to have any.
func withHalves[T codec.Float](a *Arena[T]) *halves {
	a.codes.scans.Store(halvesFrom)
	return a.codes.wholeScan(context.Background())
}

// The proof of the sieve rests on one statement: a row whose score, as a key, is
// the threshold itself passes. Here that is checked for single rows, with the
// score's key computed without rounding.
func TestSievePassesEveryRowThatReachesTheThreshold(t *testing.T) {
	t.Run("FLOAT", testSieve[float32])
	t.Run("DOUBLE", testSieve[float64])
}

func testSieve[T codec.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 11))
	all := shapesOf[T]()
	for _, metric := range metrics {
		for i, sh := range all {
			t.Run(fmt.Sprint(metric, "/", sh.name), func(t *testing.T) {
				for _, dim := range []int{1, 2, 3, 24, 47, 128, 200} {
					a := newArena[T](t, dim, metric)
					a.SetShortCodes(rng.IntN(3) == 0)
					for r := range int32(40) {
						require.NoError(t, a.Set(r, vector[T](rng, sh, dim, metric)))
					}
					retrain(a)
					if rng.IntN(2) == 0 {
						withHalves(a) // which follow what is set
					}
					drifted := all[(i+rng.IntN(len(all)))%len(all)]
					for r := int32(40); r < 60; r++ {
						require.NoError(t, a.Set(r, vector[T](rng, drifted, dim, metric)))
					}
					for _, from := range []shape{sh, drifted, shapes[0]} {
						requireSieve(t, a, vector[T](rng, from, dim, metric))
					}
					requireSieve(t, a, a.row(rng.Int32N(60)))
				}
			})
		}
	}
}

// requireSieve checks that each row passes at its own threshold, read as part of
// its block, by halves and alone.
func requireSieve[T codec.Float](t *testing.T, a *Arena[T], q []T) {
	t.Helper()
	b := a.borrow()
	s := b.add(a, q, 1)
	if !s.sieve.on {
		return // the query has no code
	}
	e := s.bounds.of(0)
	if a.metric != codec.Cosine {
		e = s.bounds.of(float64(a.maxHalf[0]))
	}
	if math.IsInf(e, 1) {
		return // scored without a key
	}
	h := withHalves(a)
	require.Equal(t, a.codes.hasHalves(), h != nil)
	for r := range int32(a.Rows()) {
		threshold := scoreKey(a, s.wide, r)
		for _, how := range []string{"alone", "whole block", "halves"} {
			if how == "halves" && h == nil {
				continue
			}
			var want rowSet
			n := codeGatherBelow
			want[r>>6] |= 1 << (r & 63)
			s.sieve.half = nil
			switch how {
			case "alone":
				n = 1
			case "halves":
				s.sieve.half = h
				h.query(a.codes, &s.sieve.q)
				h.block(s.sieve.keys[:a.Rows()], a.codes, &s.sieve.q, 0)
			default:
				a.codes.block([][]int32{s.sieve.keys[:a.Rows()]}, [][]uint8{s.sieve.q.l2}, [][]int8{s.sieve.q.dot}, 0, a.Rows())
			}
			require.Equal(t, 1, s.sieve.sift(threshold, e, 0, &want, n), "row %d of dim %d, threshold %v, err %v, %s", r, a.dim, threshold, a.codes.errs.all[r], how)
		}
	}
}

// scoreKey returns a row's score as a key, rounded down.
func scoreKey[T codec.Float](a *Arena[T], wide []float64, r int32) float64 {
	sc := score(a.metric, wide, a.row(r))
	if a.metric != codec.L2 {
		return sc
	}
	key := bigOf(sc)
	key.Mul(key, key)
	key.Sub(exactDot(wide, wide), key)
	key.Mul(key, bigOf(0.5))
	f, acc := key.Float64()
	if acc == big.Above {
		f = math.Nextafter(f, math.Inf(-1))
	}
	return f
}
