package vecwire_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/pair"
	"github.com/vecwire/vecwire/internal/testenv"
)

// BenchmarkFusion compares hybrid searches ("ours") with each of their legs alone
// ("theirs") over 100,000 records of 60 words and 128 dimensions, or 10,000 with
// -short. Words are as frequent as in prose (Zipf's law), in questions, too, and
// the commonest are those of English. The one that counts is the slower leg: a
// ratio of 0.77 means that fusion takes 1.3 times as long.
func BenchmarkFusion(b *testing.B) {
	const dim, kinds = 128, 50_000
	commonest := strings.Fields("the of and to a in that is was he for it with as his on be at by i this had not are but from or have an they which we you were her all she there their him")
	rows := 100_000
	if testing.Short() {
		rows = 10_000
	}
	rng := rand.New(rand.NewPCG(1, 1))
	zipf := rand.NewZipf(rng, 1.1, 3, kinds-1)
	prose := func(words int) string {
		var out []string
		for range words {
			if n := zipf.Uint64(); n < uint64(len(commonest)) {
				out = append(out, commonest[n])
			} else {
				out = append(out, fmt.Sprintf("w%d", n))
			}
		}
		return strings.Join(out, " ")
	}
	vector := func() []float32 {
		v := make([]float32, dim)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	type question struct {
		text   string
		vector []float32
	}
	questions := make([]question, 32)
	for i := range questions {
		questions[i] = question{prose(7), vector()}
	}
	records := make([]vecwire.Record, rows)
	for i := range records {
		records[i] = vecwire.Record{ID: fmt.Sprint(i), Text: prose(60), Vector: vector()}
	}
	run := func(b *testing.B, url string, index bool) {
		ctx := b.Context()
		db, docs := createCollection(b, url, vecwire.Schema{Name: "docs", Dim: dim, FullText: vecwire.English})
		defer db.Close()
		for i := 0; i < rows; i += 5000 {
			require.NoError(b, docs.Upsert(ctx, records[i:i+5000]...))
		}
		if index {
			require.NoError(b, docs.BuildIndex(ctx, vecwire.IndexOptions{}))
		}
		search := func(query func(question) vecwire.Query) func() {
			next := 0
			return func() {
				hits, err := docs.Search(ctx, query(questions[next%len(questions)]))
				require.NoError(b, err)
				require.Len(b, hits, 10)
				next++
			}
		}
		hybrid := search(func(q question) vecwire.Query {
			return vecwire.Query{Vector: q.vector, Text: q.text, Fusion: &vecwire.Fusion{}}
		})
		b.Run("text", func(b *testing.B) {
			pair.Run(b, hybrid, search(func(q question) vecwire.Query {
				return vecwire.Query{Text: q.text, Fusion: &vecwire.Fusion{TextOnly: true}}
			}))
		})
		b.Run("vector", func(b *testing.B) {
			pair.Run(b, hybrid, search(func(q question) vecwire.Query { return vecwire.Query{Vector: q.vector} }))
		})
	}
	b.Run("embedded", func(b *testing.B) { run(b, b.TempDir()+"/docs.db", false) })
	b.Run("postgres", func(b *testing.B) { run(b, testenv.Postgres(b), false) })
	b.Run("postgres-hnsw", func(b *testing.B) { run(b, testenv.Postgres(b), true) })
}
