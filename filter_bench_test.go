package vecwire_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/internal/pair"
)

// BenchmarkFilters pairs Collection.Search for the 10 nearest of 200,000 records that
// pass a filter, through the embedded engine's index, with the same search of a bare
// graph over the same vectors that is given the passing records for nothing: the
// difference is what the filter costs.
func BenchmarkFilters(b *testing.B) {
	n, dim := 200_000, 384
	if testing.Short() {
		n, dim = 20_000, 64
	}
	const k, effort = 10, 64
	ctx := b.Context()
	rng := rand.New(rand.NewPCG(1, 4))
	centers := make([][]float32, 1000)
	for i := range centers {
		centers[i] = make([]float32, dim)
		for j := range centers[i] {
			centers[i][j] = float32(rng.NormFloat64())
		}
	}
	vector := func() []float32 {
		v, c := make([]float32, dim), centers[rng.IntN(len(centers))]
		for i := range v {
			v[i] = c[i] + float32(rng.NormFloat64())
		}
		return v
	}

	db, err := vecwire.Open(ctx, filepath.Join(b.TempDir(), "bench.db"))
	require.NoError(b, err)
	defer db.Close()
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: dim, Fields: []vecwire.Field{
		{Name: "permyriad", Type: vecwire.Int, Index: true}, {Name: "year", Type: vecwire.Int, Index: true}, {Name: "lang", Index: true},
		{Name: "tags", Type: vecwire.Strings, Index: true}, {Name: "public", Type: vecwire.Bool}, {Name: vecwire.NamespaceField, Index: true},
		{Name: "meta", Type: vecwire.JSON, Paths: []string{"author"}},
	}})
	require.NoError(b, err)
	arena, err := ann.New[float32](dim, vecwire.Cosine)
	require.NoError(b, err)
	type fields struct {
		permyriad, year, lang, tag, space, author int
		public                                    bool
	}
	all := make([]fields, n)
	batch := make([]vecwire.Record, 0, 5000)
	for i := range all {
		f := fields{rng.IntN(10_000), 1990 + rng.IntN(36), min(rng.IntN(10), rng.IntN(10)), rng.IntN(50), rng.IntN(10), rng.IntN(500), rng.IntN(2) == 0}
		all[i] = f
		v := vector()
		require.NoError(b, arena.Set(int32(i), v))
		batch = append(batch, vecwire.Record{ID: fmt.Sprintf("s%d/%06d", f.space, i), Vector: v, Fields: vecwire.Fields{
			"permyriad": f.permyriad, "year": f.year, "lang": fmt.Sprint("lang", f.lang), "tags": []string{fmt.Sprint("tag", f.tag), "all"}, "public": f.public,
			vecwire.NamespaceField: fmt.Sprint("s", f.space), "meta": map[string]any{"author": f.author},
		}})
		if len(batch) == cap(batch) || i == n-1 {
			require.NoError(b, c.Upsert(ctx, batch...))
			batch = batch[:0]
		}
	}
	require.NoError(b, c.BuildIndex(ctx, vecwire.IndexOptions{EfConstruction: 100}))
	graph, err := ann.NewGraph(arena, ann.GraphOptions{M: 16, EfConstruction: 100})
	require.NoError(b, err)
	var lock sync.RWMutex
	require.NoError(b, arena.Maintain(ctx, &lock))
	require.NoError(b, graph.Link(ctx, lock.RLocker(), runtime.GOMAXPROCS(0), nil))
	queries := make([][]float32, 256)
	for i := range queries {
		queries[i] = vector()
	}

	type search func(ctx context.Context, q vecwire.Query) ([]vecwire.Hit, error)
	run := func(name string, search search, f filter.Filter, passes func(f fields) bool) {
		b.Run(name, func(b *testing.B) {
			var allowed *ann.Bitmap
			if passes != nil {
				allowed = new(ann.Bitmap)
				for i, f := range all {
					if passes(f) {
						allowed.Set(int32(i))
					}
				}
			}
			ours, theirs := 0, 0
			var found []ann.Candidate
			pair.Run(b, func() {
				hits, err := search(ctx, vecwire.Query{Vector: queries[ours%len(queries)], K: k, IDsOnly: true, Effort: effort, Filter: f})
				ours++
				if err != nil || allowed != nil && len(hits) != min(k, allowed.Count()) {
					b.Fatal(len(hits), err)
				}
			}, func() {
				found, _, err = graph.Search(ctx, found[:0], queries[theirs%len(queries)], k, effort, allowed)
				theirs++
				if err != nil {
					b.Fatal(err)
				}
			})
			if allowed != nil {
				b.ReportMetric(100*float64(allowed.Count())/float64(n), "%-pass")
			}
		})
	}
	run("no filter", c.Search, filter.Filter{}, nil)
	for _, share := range []int{1, 10, 100, 1000, 3000, 5000, 9000, 10_000} {
		run(fmt.Sprintf("a range/%g %%", float64(share)/100), c.Search, filter.Lt("permyriad", share), func(f fields) bool { return f.permyriad < share })
	}
	run("one value/year", c.Search, filter.Eq("year", 2001), func(f fields) bool { return f.year == 2001 })
	run("one value/lang", c.Search, filter.Eq("lang", "lang0"), func(f fields) bool { return f.lang == 0 })
	run("one value/not", c.Search, filter.Ne("lang", "lang0"), func(f fields) bool { return f.lang != 0 })
	run("one value/tag", c.Search, filter.ContainsAny("tags", "tag7"), func(f fields) bool { return f.tag == 7 })
	run("one value/tag of all", c.Search, filter.ContainsAny("tags", "all"), func(f fields) bool { return true })
	run("one value/json path", c.Search, filter.Lt("meta.author", 100), func(f fields) bool { return f.author < 100 })
	run("joined/In of 3", c.Search, filter.In("year", 1990, 2001, 2002), func(f fields) bool { return f.year == 1990 || f.year == 2001 || f.year == 2002 })
	run("joined/In of 500", c.Search, filter.In("permyriad", hundreds()...), func(f fields) bool { return f.permyriad%20 == 0 })
	run("joined/And", c.Search, filter.And(filter.Ge("year", 2001), filter.Eq("lang", "lang0")), func(f fields) bool { return f.year >= 2001 && f.lang == 0 })
	run("joined/Or", c.Search, filter.Or(filter.Ge("year", 2020), filter.Eq("lang", "lang0")), func(f fields) bool { return f.year >= 2020 || f.lang == 0 })
	run("joined/Not", c.Search, filter.Not(filter.And(filter.Ge("year", 2001), filter.Eq("lang", "lang0"))), func(f fields) bool { return f.year < 2001 || f.lang != 0 })
	run("not indexed/public", c.Search, filter.Eq("public", true), func(f fields) bool { return f.public })
	run("not indexed/and lang", c.Search, filter.And(filter.Eq("public", true), filter.Eq("lang", "lang0")), func(f fields) bool { return f.public && f.lang == 0 })
	space, err := c.Namespace("s3")
	require.NoError(b, err)
	run("namespace", space.Search, filter.Filter{}, func(f fields) bool { return f.space == 3 })
	run("namespace/and lang", space.Search, filter.Eq("lang", "lang0"), func(f fields) bool { return f.space == 3 && f.lang == 0 })
	exact := func(ctx context.Context, q vecwire.Query) ([]vecwire.Hit, error) {
		q.Exact, q.Effort = true, 0
		return c.Search(ctx, q)
	}
	run("exact, all", exact, filter.Filter{}, nil)
}

// hundreds returns every twentieth number below 10,000.
func hundreds() []int {
	return slices.Collect(func(yield func(int) bool) {
		for i := 0; i < 10_000 && yield(i); i += 20 {
		}
	})
}
