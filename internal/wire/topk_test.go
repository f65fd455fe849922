package wire

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
)

func TestBest(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		n, k := random.IntN(60), 1+random.IntN(20)
		all := make([]engine.Hit, n)
		kept := TopK{K: k, Less: ByNumber}
		for i := range all { // few scores, so that many are equal
			all[i] = engine.Hit{Record: engine.Record{ID: strconv.Itoa(random.IntN(4_000) - 2_000)}, Score: float64(random.IntN(4))}
			if kept.Wants(all[i].Score, all[i].ID) {
				kept.Offer(all[i])
			}
		}
		slices.SortFunc(all, func(a, b engine.Hit) int {
			x, _ := strconv.Atoi(a.ID)
			y, _ := strconv.Atoi(b.ID)
			return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(x, y))
		})
		got := kept.Sorted()
		require.Len(t, got, min(n, k))
		require.Equal(t, fmt.Sprint(all[:len(got)]), fmt.Sprint(got))
	}
}
