package vecwire_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/internal/pair"
)

// BenchmarkIndexedSearch pairs Collection.Search for the 10 nearest of 100,000
// records, through the embedded engine's index, with the same search of a bare
// graph over the same vectors: the difference is what the collection costs.
func BenchmarkIndexedSearch(b *testing.B) {
	if testing.Short() {
		b.Skip("building two indexes takes a minute")
	}
	const n, dim, k, effort, m, ef = 100_000, 128, 10, 64, 16, 64
	ctx := b.Context()
	rng := rand.New(rand.NewPCG(1, 1))
	centers := make([][]float32, 300)
	for i := range centers {
		centers[i] = make([]float32, dim)
		for j := range centers[i] {
			centers[i][j] = float32(rng.NormFloat64())
		}
	}
	vector := func() []float32 {
		v, c := make([]float32, dim), centers[rng.IntN(len(centers))]
		for i := range v {
			v[i] = c[i] + float32(rng.NormFloat64())/2
		}
		return v
	}

	db, err := vecwire.Open(ctx, filepath.Join(b.TempDir(), "bench.db"))
	require.NoError(b, err)
	defer db.Close()
	c, err := db.CreateCollection(ctx, vecwire.Schema{
		Name: "docs", Dim: dim, Metric: vecwire.L2, Fields: []vecwire.Field{{Name: "lang"}, {Name: "year", Type: vecwire.Int}},
	})
	require.NoError(b, err)
	arena, err := ann.New[float32](dim, vecwire.L2)
	require.NoError(b, err)
	records := make([]vecwire.Record, n)
	for i := range records {
		records[i] = vecwire.Record{
			ID: fmt.Sprintf("record %d", i), Vector: vector(), Text: fmt.Sprintf("the text of record %d", i),
			Fields: vecwire.Fields{"lang": "go", "year": 2000 + i%30},
		}
		require.NoError(b, arena.Set(int32(i), records[i].Vector))
	}
	require.NoError(b, c.Upsert(ctx, records...))
	require.NoError(b, c.BuildIndex(ctx, vecwire.IndexOptions{M: m, EfConstruction: ef}))
	graph, err := ann.NewGraph(arena, ann.GraphOptions{M: m, EfConstruction: ef})
	require.NoError(b, err)
	var mu sync.RWMutex
	require.NoError(b, arena.Maintain(ctx, &mu))
	require.NoError(b, graph.Link(ctx, mu.RLocker(), runtime.GOMAXPROCS(0), nil))
	queries := make([][]float32, 512)
	for i := range queries {
		queries[i] = vector()
	}

	for _, q := range []vecwire.Query{{IDsOnly: true}, {}} {
		name := "ids and scores"
		if !q.IDsOnly {
			name = "text and fields"
		}
		q.K, q.Effort = k, effort
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			ours, theirs := 0, 0
			var found []ann.Candidate
			pair.Run(b, func() {
				q.Vector = queries[ours%len(queries)]
				ours++
				if hits, err := c.Search(ctx, q); err != nil || len(hits) != k {
					b.Fatal(len(hits), err)
				}
			}, func() {
				var exact bool
				found, exact, err = graph.Search(ctx, found[:0], queries[theirs%len(queries)], k, effort, nil)
				theirs++
				if err != nil || exact {
					b.Fatal(exact, err)
				}
			})
		})
	}
}
