package local

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// BenchmarkOpen opens a collection of 128 dimensions from its snapshot, and once
// from its rows, and reports both in milliseconds.
func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			if n > 100_000 && testing.Short() {
				b.Skip("a million rows take minutes")
			}
			path := filepath.Join(b.TempDir(), "test.db")
			fill(b, path, n)
			var total time.Duration
			opens := 0
			for b.Loop() {
				s := openStore(b, path)
				begun := time.Now()
				c := open(b, s, "docs")
				_, err := c.Search(b.Context(), []engine.Search{{Vector: engine.Vector{F32: make([]float32, 128)}, K: 10, Payload: true}})
				require.NoError(b, err)
				total += time.Since(begun)
				opens++
				require.NoError(b, s.Close())
			}
			s := openStore(b, path)
			_, err := s.write.Exec("DELETE FROM vecwire_snapshots")
			require.NoError(b, err)
			begun := time.Now()
			c := open(b, s, "docs")
			rows := time.Since(begun)
			c.(*collection).retire()
			c.(*collection).hnsw = nil // it is not to be linked again
			require.NoError(b, s.Close())
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(total.Milliseconds())/float64(opens), "snapshot-ms")
			b.ReportMetric(float64(rows.Milliseconds()), "rows-ms")
		})
	}
}

// fill makes a store with an index over n records.
func fill(b *testing.B, path string, n int) {
	b.Helper()
	s := openStore(b, path)
	c := create(b, s, engine.Schema{Name: "docs", Dim: 128, Metric: codec.L2, Index: engine.NoIndex, Fields: []engine.Field{{Name: "n", Type: filter.Int}}})
	rng := rand.New(rand.NewPCG(1, 1))
	var records []engine.Record
	for i := range n {
		v := make([]float32, 128)
		for j := range v {
			v[j] = float32(rng.IntN(8))
		}
		records = append(records, engine.Record{ID: fmt.Sprintf("record %d", i), Vector: engine.Vector{F32: v}, Fields: []any{int64(i)}, Text: "some text"})
		if len(records) == 5000 || i == n-1 {
			require.NoError(b, c.Insert(context.Background(), records))
			records = records[:0]
		}
	}
	// Few candidates and links: how good they are does not matter here.
	require.NoError(b, c.BuildIndex(context.Background(), engine.IndexPlan{M: 16, EfConstruction: 32}))
	require.NoError(b, s.Close())
}
