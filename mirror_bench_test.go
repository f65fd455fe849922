package vecwire_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/pair"
	"github.com/vecwire/vecwire/internal/testenv"
)

// BenchmarkMirror searches 10,000 vectors of 128 dimensions in a mirror and on
// the server.
func BenchmarkMirror(b *testing.B) {
	const n, dim = 10_000, 128
	for name, url := range map[string]func() string{
		"iris":     func() string { return testenv.IRIS(b, irisServers()[0]).URL() },
		"postgres": func() string { return testenv.Postgres(b) },
	} {
		b.Run(name, func(b *testing.B) {
			ctx := b.Context()
			db := openURL(b, url())
			c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: dim, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int, Index: true}}})
			require.NoError(b, err)
			report, err := c.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
				i := 0
				for r := range generated(n, dim) {
					r.Text, r.Fields = "text of "+r.ID, vecwire.Fields{"n": i % 100}
					i++
					if !yield(r, nil) {
						return
					}
				}
			}, vecwire.IngestOptions{})
			require.NoError(b, err)
			require.NoError(b, report.Err())
			m, err := c.Mirror(ctx, vecwire.MirrorOptions{})
			require.NoError(b, err)
			defer m.Close()
			b.Logf("loaded in %v", m.Stats().Took)
			var v []float32
			for r := range generated(1, dim) {
				v = r.Vector
			}
			for _, side := range []struct {
				name  string
				query vecwire.Query
			}{
				{"ids", vecwire.Query{Vector: v, IDsOnly: true}},
				{"vectors", vecwire.Query{Vector: v, IDsOnly: true, Vectors: true}},
				{"filtered", vecwire.Query{Vector: v, IDsOnly: true, Filter: filter.Lt("n", 10)}},
				{"texts", vecwire.Query{Vector: v}},
			} {
				b.Run(side.name, func(b *testing.B) {
					q := side.query
					q.Exact = true
					search := func(c *vecwire.Collection) func() {
						return func() {
							hits, err := c.Search(ctx, q)
							require.NoError(b, err)
							require.Len(b, hits, vecwire.DefaultK)
						}
					}
					require.Equal(b, fmt.Sprint(foundIDs(b, c, q)), fmt.Sprint(foundIDs(b, m.Collection, q)))
					pair.Run(b, search(m.Collection), search(c))
				})
			}
			b.Run("upsert", func(b *testing.B) {
				r := vecwire.Record{ID: "0", Vector: v}
				pair.Run(b, func() { require.NoError(b, m.Upsert(ctx, r)) }, func() { require.NoError(b, c.Upsert(ctx, r)) })
			})
			b.Run("refresh", func(b *testing.B) {
				for b.Loop() {
					require.NoError(b, m.Refresh(ctx))
				}
			})
		})
	}
}
