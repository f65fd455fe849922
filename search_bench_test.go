package vecwire_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/internal/pair"
)

// BenchmarkSearch pairs Collection.Search for the 10 nearest of 10,000 records,
// by the embedded engine without an index, with the same search of a bare arena
// over the same vectors: the difference is what the collection costs.
func BenchmarkSearch(b *testing.B) {
	const n, dim, k = 10_000, 128, 10
	ctx := b.Context()
	rng := rand.New(rand.NewPCG(1, 1))
	vector := func() []float32 {
		v := make([]float32, dim)
		for i := range v {
			v[i] = rng.Float32()
		}
		return v
	}
	bare, err := ann.New[float32](dim, vecwire.L2)
	require.NoError(b, err)
	records := make([]vecwire.Record, n)
	text := strings.Repeat("a paragraph of some length ", 18)
	for i := range records {
		records[i] = vecwire.Record{
			ID: fmt.Sprint(i), Vector: vector(), Text: text,
			Fields: vecwire.Fields{"lang": "en", "year": 1990 + i%30},
		}
		require.NoError(b, bare.Set(int32(i), records[i].Vector))
	}
	queries := make([][]float32, 512)
	for i := range queries {
		queries[i] = vector()
	}
	for _, store := range []string{"mem:", "file"} {
		path := store
		if store == "file" {
			path = filepath.Join(b.TempDir(), "docs.db")
		}
		db, docs := createCollection(b, path, vecwire.Schema{
			Name: "docs", Dim: dim, Metric: vecwire.L2, Index: vecwire.NoIndex, Fields: []vecwire.Field{{Name: "lang"}, {Name: "year", Type: vecwire.Int}},
		})
		b.Cleanup(func() { db.Close() })
		require.NoError(b, docs.Upsert(ctx, records...))
		for _, idsOnly := range []bool{true, false} {
			name := "ids and scores"
			if !idsOnly {
				name = "text and fields"
			}
			b.Run(store+"/"+name, func(b *testing.B) {
				ours, theirs := 0, 0
				search := func() {
					hits, err := docs.Search(ctx, vecwire.Query{Vector: queries[ours%len(queries)], K: k, IDsOnly: idsOnly})
					ours++
					if err != nil || len(hits) != k {
						b.Fatal(len(hits), err)
					}
				}
				var found []ann.Candidate
				pair.Run(b, search, func() {
					found, err = bare.Search(ctx, found[:0], queries[theirs%len(queries)], k, nil)
					theirs++
					if err != nil {
						b.Fatal(err)
					}
				})
				b.ReportMetric(testing.AllocsPerRun(100, search), "ours-allocs")
			})
		}
	}
}
