package ann

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/pair"
)

// BenchmarkGraph pairs searches through the graph with exact ones, and reports the
// graph's recall at 10 besides.
func BenchmarkGraph(b *testing.B) {
	data := newClusters(1, 128)
	g := newGraph[float32](b, data, 30_000, codec.L2)
	qs := queries[float32](data, 200)
	var dst []Candidate
	ctx := b.Context()
	for _, ef := range []int{16, 32, 64, 128} {
		share, _ := recall(b, g, qs, 10, ef, nil)
		b.Run(fmt.Sprintf("30000x128/ef_%d", ef), func(b *testing.B) {
			i, j := 0, 0
			pair.Run(b, func() {
				dst, _, _ = g.Search(ctx, dst[:0], qs[i%len(qs)], 10, ef, nil)
				i++
			}, func() {
				dst, _ = g.arena.Search(ctx, dst[:0], qs[j%len(qs)], 10, nil)
				j++
			})
			b.ReportMetric(share, "recall")
		})
	}
}

// BenchmarkLink is the time to link one row.
func BenchmarkLink(b *testing.B) {
	data := newClusters(1, 128)
	const n = 5000
	rows := queries[float32](data, n)
	var mu sync.RWMutex
	for b.Loop() {
		g := emptyGraph[float32](b, 128, codec.L2)
		for row, v := range rows {
			require.NoError(b, set(g, int32(row), v))
		}
		require.NoError(b, g.arena.Maintain(b.Context(), &mu))
		require.NoError(b, g.Link(b.Context(), mu.RLocker(), 1, nil))
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "us/row")
}
