package ann

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// What a search notes as waiting is what waiting says, whether some rows are pending,
// apart or both.
func TestSearchesNoteWhatWaits(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 41))
	const n = 1500
	for _, apart := range []int{0, 1, 5, n} {
		for _, pending := range []int{0, 1, 300} {
			t.Run(fmt.Sprint(apart, " apart, ", pending, " pending"), func(t *testing.T) {
				g := emptyGraph[float32](t, 32, codec.L2)
				for row := range int32(n) {
					require.NoError(t, set(g, row, vector[float32](rng, shapes[0], 32, codec.L2)))
				}
				retrain(g.arena)
				for row := range int32(n) {
					g.fresh.add(row)
				}
				for range 50 { // free rows are neither
					row := rng.Int32N(n)
					g.arena.Delete(row)
					g.Changed(row)
				}
				for range apart {
					if row := rng.Int32N(n); g.arena.Has(row) {
						g.arena.codes.far.Set(row)
					}
				}
				for range pending {
					g.fresh.drop(rng.Int32N(n))
				}
				some := new(Bitmap)
				for range n / 2 {
					some.Set(rng.Int32N(n + 100))
				}
				for _, allowed := range []*Bitmap{nil, some} {
					s := g.borrowFinder()
					s.allowed = allowed
					g.noteWaiting(&s.walker, &g.web)
					count := 0
					for i := range (n + 63) / 64 {
						want := g.waiting(i)
						if allowed != nil {
							want &= allowed.word(i)
						}
						count += bits.OnesCount64(want)
						if s.waiting.count > 0 {
							require.Equal(t, want, s.waiting.words[i])
						}
					}
					require.Equal(t, count, s.waiting.count)
				}
			})
		}
	}
}

// A query is normalised once, to the bit what simd.Normalize makes of it.
func TestQueriesAreNormalised(t *testing.T) {
	rng := rand.New(rand.NewPCG(42, 42))
	for _, s := range shapes {
		a := newArena[float32](t, 33, codec.Cosine)
		q := vector[float32](rng, s, 33, codec.Cosine)
		want := slices.Clone(q)
		simd.Normalize(want, want)
		require.Equal(t, want, a.narrow(nil, q, a.widen(nil, q)), s.name)
	}
}
