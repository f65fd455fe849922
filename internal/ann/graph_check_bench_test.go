//go:build unix

package ann

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

// BenchmarkSelfCheck is what it costs that a graph checks itself and repairs what it does
// not find: the processor time to link rows, over that without any of it. Half of the rows are
// linked at once, and the others in small batches.
func BenchmarkSelfCheck(b *testing.B) {
	const n, dim, batch = 20_000, 64, 250
	data := newClusters(1, dim)
	rows := queries[float32](data, n)
	for _, metric := range []codec.Metric{codec.Cosine, codec.Dot, codec.L2} {
		b.Run(fmt.Sprint(metric), func(b *testing.B) {
			var took [2][2]time.Duration // at once and in batches, with and without
			run := func(which int, link func(ctx context.Context, g *Graph[float32], lock sync.Locker) error) {
				var mu sync.RWMutex
				g := emptyGraph[float32](b, dim, metric)
				for from := 0; from < n; {
					phase, to := 1, from+batch
					if from == 0 {
						phase, to = 0, n/2
					}
					for ; from < to; from++ {
						require.NoError(b, set(g, int32(from), rows[from]))
					}
					require.NoError(b, g.arena.Maintain(b.Context(), &mu))
					begun := spent(b)
					require.NoError(b, link(b.Context(), g, mu.RLocker()))
					took[phase][which] += spent(b) - begun
				}
			}
			for b.Loop() {
				run(0, func(ctx context.Context, g *Graph[float32], lock sync.Locker) error { return g.Link(ctx, lock, 1, nil) })
				run(1, func(ctx context.Context, g *Graph[float32], lock sync.Locker) error {
					g.work.Lock()
					defer g.work.Unlock()
					_, err := g.linkPending(ctx, &g.web, lock, 1, nil)
					return err
				})
			}
			for phase, name := range []string{"at-once", "batches"} {
				b.ReportMetric(float64(took[phase][0])/float64(took[phase][1]), name+"-ratio")
				b.ReportMetric(float64(took[phase][1].Microseconds())/float64(b.N*n/2), name+"-us/row")
			}
		})
	}
}

// spent is the processor time of this process, which other processes do not take part in.
func spent(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
