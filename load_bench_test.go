package vecwire_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// BenchmarkLoad stores 100,000 new records by a bare loop of prepared statements, by
// Upsert and by Ingest, 1,000 in a transaction, each into a store of its own, and reports
// how long each took.
func BenchmarkLoad(b *testing.B) {
	n := 100_000
	if testing.Short() {
		n = 5_000
	}
	for _, dim := range []int{128, 384} {
		b.Run(fmt.Sprintf("%dx%d", n, dim), func(b *testing.B) { benchmarkLoad(b, n, dim) })
	}
}

func benchmarkLoad(b *testing.B, n, dim int) {
	const batch = 1000
	ctx := b.Context()
	rng := rand.New(rand.NewPCG(1, 1))
	vectors := make([][]float32, n)
	for i := range vectors {
		vectors[i] = make([]float32, dim)
		for j := range vectors[i] {
			vectors[i][j] = rng.Float32()
		}
	}
	schema := vecwire.Schema{
		Name: "docs", Dim: dim,
		Fields: []vecwire.Field{{Name: "lang", Index: true}, {Name: "year", Type: vecwire.Int}},
	}
	text := fmt.Sprintf("%0512d", 0)
	record := func(i int) vecwire.Record {
		return vecwire.Record{ID: fmt.Sprint("doc-", i), Vector: vectors[i], Text: text, Fields: vecwire.Fields{"lang": "go", "year": 2020 + i%7}}
	}
	took := map[string]time.Duration{}
	into := func(name string, load func(docs *vecwire.Collection)) {
		db, docs := createCollection(b, filepath.Join(b.TempDir(), name+".db"), schema)
		begun := time.Now()
		load(docs)
		took[name] += time.Since(begun)
		require.NoError(b, db.Close())
	}
	rounds := 0
	for b.Loop() {
		rounds++
		bare := newBareLoop(b, schema)
		begun := time.Now()
		for i := 0; i < n; i += batch {
			bare.insert(b, ctx, vectors[i:i+batch], text)
		}
		took["bare"] += time.Since(begun)
		into("upsert", func(docs *vecwire.Collection) {
			records := make([]vecwire.Record, batch)
			for i := 0; i < n; i += batch {
				for j := range records {
					records[j] = record(i + j)
				}
				require.NoError(b, docs.Upsert(ctx, records...))
			}
		})
		into("ingest", func(docs *vecwire.Collection) {
			_, err := docs.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
				for i := range n {
					if !yield(record(i), nil) {
						return
					}
				}
			}, vecwire.IngestOptions{})
			require.NoError(b, err)
		})
	}
	b.ReportMetric(0, "ns/op")
	for name, all := range took {
		b.ReportMetric(float64(rounds*n)/all.Seconds(), name+"-records/s")
		if name != "bare" {
			b.ReportMetric(took["bare"].Seconds()/all.Seconds(), name+"/bare")
		}
	}
}
