package ann

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNewBitmap: a set of words has as many rows as bits are set in them, of any length
// and with any stretches of empty words.
func TestNewBitmap(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for n := range 40 {
		for _, every := range []int{1, 3, 20, 1000} {
			words := make([]uint64, n)
			want := 0
			for i := range words {
				if rng.IntN(every) == 0 {
					words[i] = rng.Uint64()
				}
			}
			b := NewBitmap(slices.Clone(words))
			for row := range b.All() {
				want++
				require.True(t, b.Has(row))
			}
			require.Equal(t, want, b.Count(), "%d words", n)
		}
	}
}
