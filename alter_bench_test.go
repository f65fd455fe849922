package vecwire_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/testenv"
)

// BenchmarkAlter alters a collection of 20,000 records with texts of 60 words, and
// reports how long each step takes: its calls wait for so long, but for the indexes on
// PostgreSQL.
func BenchmarkAlter(b *testing.B) {
	const records, dim = 20_000, 128
	for engine, open := range map[string]func() string{
		"embedded": func() string { return filepath.Join(b.TempDir(), "alter.db") },
		"postgres": func() string { return testenv.Postgres(b) },
	} {
		b.Run(engine, func(b *testing.B) {
			ctx := b.Context()
			db, err := vecwire.Open(ctx, open())
			require.NoError(b, err)
			defer db.Close()
			docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: dim, Fields: []vecwire.Field{{Name: "year", Type: vecwire.Int}}})
			require.NoError(b, err)
			for at := 0; at < records; at += 1000 {
				batch := make([]vecwire.Record, 1000)
				for i := range batch {
					v := make([]float32, dim)
					v[(at+i)%dim], v[0] = 1, 1
					text := ""
					for w := range 60 {
						text += fmt.Sprintf("word%d ", (at+i)*w%5000)
					}
					batch[i] = vecwire.Record{ID: fmt.Sprint(at + i), Vector: v, Text: text, Fields: vecwire.Fields{"year": i}}
				}
				require.NoError(b, docs.Upsert(ctx, batch...))
			}
			took := map[string]time.Duration{}
			for b.Loop() {
				for _, step := range []struct {
					name string
					a    vecwire.Alter
				}{
					{"add", vecwire.Alter{AddFields: []vecwire.Field{{Name: "lang"}}}},
					{"index", vecwire.Alter{Indexed: map[string]bool{"year": true}}},
					{"rename", vecwire.Alter{RenameFields: map[string]string{"lang": "language"}}},
					{"words", vecwire.Alter{FullText: new(vecwire.Words)}},
					{"drop", vecwire.Alter{DropFields: []string{"language"}}},
					{"undo", vecwire.Alter{Indexed: map[string]bool{"year": false}, FullText: new(vecwire.NoFullText)}},
				} {
					begun := time.Now()
					require.NoError(b, db.AlterCollection(ctx, "docs", step.a), step.name)
					took[step.name] += time.Since(begun)
				}
			}
			b.ReportMetric(0, "ns/op")
			for name, d := range took {
				b.ReportMetric(float64(d.Microseconds())/1000/float64(b.N), name+"-ms")
			}
		})
	}
}
