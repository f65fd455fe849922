package ann

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/pair"
)

func TestFewRowsOfABlock(t *testing.T) {
	skipRace(t)
	const n = 8000
	for _, metric := range metrics {
		data := newClusters(4, 64)
		g := newGraph[float32](t, data, n, metric)
		a := g.arena
		for row := int32(5); row < n; row += 7 {
			del(g, row)
		}
		rng := rand.New(rand.NewPCG(2, 2))
		shares := map[string]func(block int) float64{
			"one of a thousand": func(int) float64 { return 0.001 },
			"one of ten":        func(int) float64 { return 0.1 },
			"nearly half":       func(int) float64 { return 0.48 },
			"all of some":       func(block int) float64 { return []float64{0, 0.05, 1, 0.3}[block%4] },
			"the last ones":     func(block int) float64 { return float64(block / (n/blockRows - 1)) },
		}
		for name, share := range shares {
			allowed := new(Bitmap)
			for row := range int32(n) {
				if rng.Float64() < share(int(row)/blockRows) {
					allowed.Set(row)
				}
			}
			for _, q := range queries[float32](data, 3) {
				for _, k := range []int{1, 10, 300, n} {
					all := brute(a, q, n, func(row int32) bool { return a.Has(row) && allowed.Has(row) })
					got, err := a.Search(t.Context(), nil, q, k, allowed)
					require.NoError(t, err)
					require.GreaterOrEqual(t, len(got), min(k, len(all)))
					for i, c := range got {
						require.Equal(t, all[i], c, "%s, %s, %d", metric, name, k)
					}
				}
			}
		}
	}
}

// blockwise is an exact search that compares the rows of one block after another.
func blockwise(b *testing.B, a *Arena[float32], dst []Candidate, q []float32, k int, allowed *Bitmap) []Candidate {
	all := a.borrow()
	defer a.give(all)
	a.look(&all.view, false)
	s := all.add(a, q, k)
	for start := 0; start < a.Rows(); start += blockRows {
		if want, n := a.wanted(start, allowed); n > 0 {
			if n >= codeGatherBelow {
				all.codeKeys(a, start)
			}
			a.visit(s, start, want, n)
		}
	}
	dst, err := a.answer(b.Context(), dst, s)
	require.NoError(b, err)
	return dst
}

// BenchmarkFew pairs exact searches for the 10 nearest of 200,000 rows of which a share
// passes with the same ones block by block.
func BenchmarkFew(b *testing.B) {
	const n, dim = 200_000, 384
	data := newClusters(1, dim)
	a := newArena[float32](b, dim, codec.Cosine)
	for row := range int32(n) {
		require.NoError(b, a.Set(row, vectorOf[float32](data)))
	}
	var mu sync.RWMutex
	require.NoError(b, a.Maintain(b.Context(), &mu))
	qs := queries[float32](data, 64)
	rng := rand.New(rand.NewPCG(1, 4))
	for _, share := range []float64{0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3} {
		allowed := new(Bitmap)
		for row := range int32(n) {
			if rng.Float64() < share {
				allowed.Set(row)
			}
		}
		b.Run(fmt.Sprintf("%g %%", 100*share), func(b *testing.B) {
			var dst []Candidate
			ours, theirs := cycle(qs), cycle(qs)
			one, err := a.Search(b.Context(), nil, qs[0], 10, allowed)
			require.NoError(b, err)
			require.True(b, slices.Equal(one, blockwise(b, a, nil, qs[0], 10, allowed)))
			pair.Run(b, func() { dst, _ = a.Search(b.Context(), dst[:0], ours(), 10, allowed) }, func() {
				dst = blockwise(b, a, dst[:0], theirs(), 10, allowed)
			})
		})
	}
}
