//go:build unix

package vecwire_test

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// BenchmarkSearchMany pairs SearchMany of 100 queries with a loop of Search over the same
// ones, in 60,000 real embeddings: through the graph, by looking at all records, among
// half of the records by both, and in a transaction. It reports what one query takes of the
// clock and of the processors, and how many times as much the loop takes.
func BenchmarkSearchMany(b *testing.B) {
	const many, rounds = 100, 11
	base, vectors := embeddings(b)
	db, docs := createCollection(b, filepath.Join(b.TempDir(), "docs.db"), vecwire.Schema{
		Name: "docs", Dim: len(base[0]), Index: vecwire.NoIndex, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int, Index: true}},
	})
	defer db.Close()
	records := make([]vecwire.Record, len(base))
	for i, v := range base {
		records[i] = vecwire.Record{ID: strconv.Itoa(i), Vector: v, Fields: vecwire.Fields{"n": i % 100}}
	}
	for some := range slices.Chunk(records, 2000) {
		require.NoError(b, docs.Upsert(b.Context(), some...))
	}
	require.NoError(b, docs.BuildIndex(b.Context(), vecwire.IndexOptions{}))
	for _, path := range []struct {
		name  string
		query vecwire.Query
		inTx  bool
	}{
		{"graph", vecwire.Query{}, false},
		{"graph, half of the records", vecwire.Query{Filter: filter.Lt("n", 50)}, false},
		{"exact", vecwire.Query{Exact: true}, false},
		{"exact, half of the records", vecwire.Query{Exact: true, Filter: filter.Lt("n", 50)}, false},
		{"transaction", vecwire.Query{}, true},
	} {
		b.Run(path.name, func(b *testing.B) {
			queries := make([]vecwire.Query, many)
			var clock, busy [2][]float64
			turns := func(ctx context.Context) error {
				for round := range rounds {
					for i := range queries {
						queries[i] = path.query
						queries[i].K, queries[i].IDsOnly = 10, true
						queries[i].Vector = vectors[(round*many+i)%len(vectors)]
					}
					for _, way := range [2]int{round % 2, 1 - round%2} {
						began, cpu := time.Now(), cpuTime(b)
						if way == 0 {
							for _, q := range queries {
								_, err := docs.Search(ctx, q)
								require.NoError(b, err)
							}
						} else {
							_, err := docs.SearchMany(ctx, queries)
							require.NoError(b, err)
						}
						busy[way] = append(busy[way], (cpuTime(b)-cpu)*1e6/many)
						clock[way] = append(clock[way], time.Since(began).Seconds()*1e6/many)
					}
				}
				return nil
			}
			for b.Loop() {
				if path.inTx {
					require.NoError(b, db.Tx(b.Context(), turns))
				} else {
					require.NoError(b, turns(b.Context()))
				}
			}
			middle := func(took []float64) float64 {
				slices.Sort(took)
				return took[len(took)/2]
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(middle(clock[1]), "many-us")
			b.ReportMetric(middle(busy[1]), "many-cpu-us")
			b.ReportMetric(middle(clock[0])/middle(clock[1]), "gain")
			b.ReportMetric(middle(busy[0])/middle(busy[1]), "cpu-gain")
		})
	}
}
