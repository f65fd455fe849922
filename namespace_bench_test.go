package vecwire_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/pair"
)

// BenchmarkNamespaces pairs Collection.Search for the 10 nearest among the records of a
// namespace with the same search of the whole collection, and says which share of the
// nearest each finds. Records are made up as for BenchmarkFilters, but for those of the
// namespace "far", which are all of one place.
func BenchmarkNamespaces(b *testing.B) {
	n, dim := 60_000, 384
	if s := os.Getenv("VECWIRE_TEST_RECORDS"); s != "" {
		var err error
		n, err = strconv.Atoi(s)
		require.NoError(b, err)
	}
	if testing.Short() {
		n, dim = 20_000, 64
	}
	const k = 10
	ctx := b.Context()
	rng := rand.New(rand.NewPCG(1, 4))
	centers := make([][]float32, 1000)
	for i := range centers {
		centers[i] = make([]float32, dim)
		for j := range centers[i] {
			centers[i][j] = float32(rng.NormFloat64())
		}
	}
	vector := func(from, to int) []float32 {
		v, c := make([]float32, dim), centers[from+rng.IntN(to-from)]
		for i := range v {
			v[i] = c[i] + float32(rng.NormFloat64())
		}
		return v
	}
	// Of each hundred records ten are of each of the first namespaces, five of "half of a tenth",
	// five of "far", one of each of four, and the others of tenants of about 16 each.
	space := func(i int) string {
		switch x := i * 37 % 100; {
		case x < 70:
			return fmt.Sprint("tenth", x/10)
		case x < 75:
			return "twentieth"
		case x < 80:
			return "far"
		case x < 84:
			return fmt.Sprint("hundredth", x)
		default:
			return fmt.Sprint("tiny", i%(n/100))
		}
	}
	db, err := vecwire.Open(ctx, filepath.Join(b.TempDir(), "bench.db"))
	require.NoError(b, err)
	defer db.Close()
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: dim, Fields: []vecwire.Field{
		{Name: "lang", Index: true}, {Name: vecwire.NamespaceField, Index: true},
	}})
	require.NoError(b, err)
	batch := make([]vecwire.Record, 0, 5000)
	for i := range n {
		s := space(i)
		v := vector(0, len(centers))
		if s == "far" {
			v = vector(0, 1)
		}
		batch = append(batch, vecwire.Record{ID: fmt.Sprintf("%s/%06d", s, i), Vector: v, Fields: vecwire.Fields{
			"lang": fmt.Sprint("lang", min(rng.IntN(10), rng.IntN(10))), vecwire.NamespaceField: s,
		}})
		if len(batch) == cap(batch) || i == n-1 {
			require.NoError(b, c.Upsert(ctx, batch...))
			batch = batch[:0]
		}
	}
	begun := time.Now()
	require.NoError(b, c.BuildIndex(ctx, vecwire.IndexOptions{}))
	b.Logf("linked in %v", time.Since(begun))
	queries := make([][]float32, 256)
	for i := range queries {
		queries[i] = vector(0, len(centers))
	}
	type search func(ctx context.Context, q vecwire.Query) ([]vecwire.Hit, error)
	recall := func(b *testing.B, search search, f filter.Filter, effort int) float64 {
		hits, all := 0, 0
		for _, q := range queries[:100] {
			want, err := search(ctx, vecwire.Query{Vector: q, K: k, IDsOnly: true, Exact: true, Filter: f})
			require.NoError(b, err)
			got, err := search(ctx, vecwire.Query{Vector: q, K: k, IDsOnly: true, Effort: effort, Filter: f})
			require.NoError(b, err)
			for _, hit := range got {
				if hit.Score >= want[len(want)-1].Score {
					hits++
				}
			}
			all += len(want)
		}
		return float64(hits) / float64(all)
	}
	for _, effort := range []int{64, 0} {
		for _, name := range []string{"", "tenth3", "twentieth", "hundredth81", "far"} {
			for _, f := range []filter.Filter{{}, filter.Eq("lang", "lang0")} {
				if name == "" && !f.IsZero() {
					continue
				}
				title := fmt.Sprintf("effort %d/%s", effort, name)
				if !f.IsZero() {
					title += " and lang"
				}
				in := c
				if name != "" {
					in, err = c.Namespace(name)
					require.NoError(b, err)
				}
				b.Run(title, func(b *testing.B) {
					run := func(search search, f filter.Filter) func() {
						i := 0
						return func() {
							_, err := search(ctx, vecwire.Query{Vector: queries[i%len(queries)], K: k, IDsOnly: true, Effort: effort, Filter: f})
							i++
							if err != nil {
								b.Fatal(err)
							}
						}
					}
					pair.Run(b, run(in.Search, f), run(c.Search, filter.Filter{}))
					b.ReportMetric(recall(b, in.Search, f, effort), "recall")
				})
			}
		}
	}
}
