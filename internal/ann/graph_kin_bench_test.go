package ann

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func BenchmarkKinDev(b *testing.B) {
	n := 60000
	if s := os.Getenv("KIN_N"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	a, qs := minilmArena(b)
	for i := n; i < a.Rows(); i++ {
		a.Delete(int32(i))
	}
	qs = qs[:200]
	ctx := context.Background()
	var mu sync.RWMutex
	require.NoError(b, a.Maintain(ctx, &mu))
	g, err := NewGraph(a, GraphOptions{M: 16, EfConstruction: 200})
	require.NoError(b, err)
	rng := rand.New(rand.NewPCG(1, 2))
	of := make([]int, a.Rows())
	rows := make([][]int32, 10)
	for i := range n {
		of[i] = rng.IntN(10)
		rows[of[i]] = append(rows[of[i]], int32(i))
	}
	for b.Loop() {
	}
	begun := spent(b)
	require.NoError(b, g.Link(ctx, mu.RLocker(), 1, nil))
	t1 := spent(b)
	require.NoError(b, g.LinkKin(ctx, mu.RLocker(), 1, func(each func(uint64, []int32)) error {
		for i, r := range rows {
			each(uint64(i+1), r)
		}
		return nil
	}))
	t2 := spent(b)
	fmt.Printf("n %d: link %.1f us/row, kin %.1f us/row\n", n, float64((t1-begun).Microseconds())/float64(n), float64((t2-t1).Microseconds())/float64(n))
	for _, ef := range []int{10, 16, 32, 48, 64, 96, 137, 200} {
		type way struct {
			name string
			set  func(i int) *Bitmap
		}
		plain, kin := make([]*Bitmap, 10), make([]*Bitmap, 10)
		for i := range rows {
			plain[i], kin[i] = new(Bitmap), new(Bitmap)
			for _, r := range rows[i] {
				plain[i].Set(r)
				kin[i].Set(r)
			}
			kin[i].OfKin(uint64(i + 1))
		}
		ways := []way{{"whole", func(int) *Bitmap { return nil }}, {"old", func(i int) *Bitmap { return plain[i%10] }}, {"kin", func(i int) *Bitmap { return kin[i%10] }}}
		for _, w := range ways {
			hits, all, exacts := 0, 0, 0
			var took []time.Duration
			var buf []Candidate
			for range 5 {
				t := time.Now()
				for i, q := range qs {
					buf, _, err = g.Search(ctx, buf[:0], q, 10, ef, w.set(i))
					require.NoError(b, err)
				}
				took = append(took, time.Since(t))
			}
			best := took[0]
			for _, t := range took {
				best = min(best, t)
			}
			for i, q := range qs {
				got, exact, err := g.Search(ctx, nil, q, 10, ef, w.set(i))
				require.NoError(b, err)
				if exact {
					exacts++
				}
				want, err := a.Search(ctx, nil, q, 10, w.set(i))
				require.NoError(b, err)
				floor := want[9].Score
				for _, c := range got[:10] {
					if c.Score >= floor {
						hits++
					}
				}
				all += 10
			}
			fmt.Printf("  ef %3d %-6s recall %.4f  %6.1f us exact %d\n", ef, w.name, float64(hits)/float64(all), float64(best.Nanoseconds())/1e3/float64(len(qs)), exacts)
		}
	}
	fmt.Printf("%+v %+v\n", g.Stats(), len(*g.kin.Load().byKey.Load()))
}
