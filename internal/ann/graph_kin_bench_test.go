//go:build unix

package ann

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/pair"
)

// BenchmarkKin pairs searches among a tenth of 60,000 real embeddings, which is a group, with the
// same searches of all, and says what each finds of the 10 nearest. "old" goes through the links
// of all rows, and "fifth" is among a fifth of the group, paired with looking at all of that. First
// it says what CPU time it took to link a row, and which share of that to link it in its group.
func BenchmarkKin(b *testing.B) {
	a, qs := minilmArena(b)
	ctx, n := b.Context(), a.Rows()
	qs = qs[:200]
	var mu sync.RWMutex
	require.NoError(b, a.Maintain(ctx, &mu))
	g, err := NewGraph(a, GraphOptions{})
	require.NoError(b, err)
	rng := rand.New(rand.NewPCG(1, 2))
	rows := make([][]int32, 10)
	plain, kin, fifth := make([]*Bitmap, 10), make([]*Bitmap, 10), make([]*Bitmap, 10)
	for i := range rows {
		plain[i], kin[i], fifth[i] = new(Bitmap), new(Bitmap), new(Bitmap)
		kin[i].OfKin(uint64(i + 1))
		fifth[i].OfKin(uint64(i + 1))
	}
	for row := range int32(n) {
		i := rng.IntN(10)
		rows[i] = append(rows[i], row)
		plain[i].Set(row)
		kin[i].Set(row)
		if rng.IntN(5) == 0 {
			fifth[i].Set(row)
		}
	}
	begun := spent(b)
	require.NoError(b, g.Link(ctx, mu.RLocker(), runtime.GOMAXPROCS(0), nil))
	all := spent(b)
	before := g.Bytes()
	require.NoError(b, g.LinkKin(ctx, mu.RLocker(), runtime.GOMAXPROCS(0), func(each func(uint64, []int32)) error {
		for i, r := range rows {
			each(uint64(i+1), r)
		}
		return nil
	}))
	b.Logf("a row took %d µs, and %d in its group, with %d and %d bytes", (all-begun).Microseconds()/int64(n), (spent(b)-all).Microseconds()/int64(n),
		before/int64(n), (g.Bytes()-before)/int64(n))
	recall := func(b *testing.B, ef int, sets []*Bitmap) float64 {
		hits, of := 0, 0
		for i, q := range qs {
			got, _, err := g.Search(ctx, nil, q, 10, ef, sets[i%10])
			require.NoError(b, err)
			want, err := a.Search(ctx, nil, q, 10, sets[i%10])
			require.NoError(b, err)
			for _, c := range got {
				if c.Score >= want[9].Score {
					hits++
				}
			}
			of += len(want)
		}
		return float64(hits) / float64(of)
	}
	whole := make([]*Bitmap, 10)
	for _, ef := range []int{32, 64, 96, 137} {
		for name, sets := range map[string][2][]*Bitmap{"group": {kin, whole}, "old": {plain, whole}, "fifth": {fifth, fifth}} {
			b.Run(fmt.Sprintf("effort %d/%s", ef, name), func(b *testing.B) {
				side := func(sets []*Bitmap, exact bool) func() {
					i := 0
					var got []Candidate
					return func() {
						q, allowed := qs[i%len(qs)], sets[i%10]
						i++
						var err error
						if exact {
							got, err = a.Search(ctx, got[:0], q, 10, allowed)
						} else {
							got, _, err = g.Search(ctx, got[:0], q, 10, ef, allowed)
						}
						if err != nil {
							b.Fatal(err)
						}
					}
				}
				pair.Run(b, side(sets[0], false), side(sets[1], name == "fifth"))
				b.ReportMetric(recall(b, ef, sets[0]), "recall")
				b.ReportMetric(recall(b, ef, sets[1]), "theirs-recall")
			})
		}
	}
}
