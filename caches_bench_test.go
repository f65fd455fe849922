package vecwire_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/testenv"
)

// BenchmarkMaxRecords stores new records, one a call, in a full collection of 100,000, and in
// one of as many without a bound in turn. It reports how many times as long the first takes.
func BenchmarkMaxRecords(b *testing.B) {
	const records, dim = 100_000, 64
	for engine, open := range map[string]func() string{
		"embedded": func() string { return filepath.Join(b.TempDir(), "cache.db") },
		"postgres": func() string { return testenv.Postgres(b) },
	} {
		b.Run(engine, func(b *testing.B) {
			ctx := b.Context()
			db, err := vecwire.Open(ctx, open())
			require.NoError(b, err)
			defer db.Close()
			rng := rand.New(rand.NewPCG(1, 1))
			record := func(i int) vecwire.Record {
				v := make([]float32, dim)
				for j := range v {
					v[j] = rng.Float32()
				}
				return vecwire.Record{ID: fmt.Sprint(i), Vector: v, Text: "a question that was asked before"}
			}
			var both [2]*vecwire.Collection
			for k, bound := range []int{records, 0} {
				both[k], err = db.CreateCollection(ctx, vecwire.Schema{Name: fmt.Sprintf("c%d", k), Dim: dim, MaxRecords: bound})
				require.NoError(b, err)
				for at := 0; at < records; at += 1000 {
					batch := make([]vecwire.Record, 1000)
					for i := range batch {
						batch[i] = record(at + i)
					}
					require.NoError(b, both[k].Upsert(ctx, batch...))
				}
			}
			var took [2]time.Duration
			n := records
			for b.Loop() {
				r := record(n)
				n++
				for k, c := range both {
					begun := time.Now()
					require.NoError(b, c.Upsert(ctx, r))
					took[k] += time.Since(begun)
				}
			}
			b.ReportMetric(float64(took[0])/float64(took[1]), "x")
			b.ReportMetric(float64(took[0].Microseconds())/float64(b.N), "µs/bounded")
		})
	}
}
