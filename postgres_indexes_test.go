package vecwire_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

// TestPostgresPartialAndPrefixIndexes builds indexes over some of the records and over
// some of the dimensions, beside each other.
func TestPostgresPartialAndPrefixIndexes(t *testing.T) {
	t.Parallel()
	const dim, n = 32, 3_000
	ctx := t.Context()
	db, err := vecwire.Open(ctx, testenv.Postgres(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: dim, Fields: []vecwire.Field{
		{Name: "tenant", Type: vecwire.String}, {Name: "n", Type: vecwire.Int},
	}})
	require.NoError(t, err)
	vectors := clustered(rand.New(rand.NewPCG(7, 8)), n+1, dim)
	records := make([]vecwire.Record, n)
	for i := range records {
		records[i] = vecwire.Record{ID: fmt.Sprintf("%04d", i), Vector: vectors[i], Fields: vecwire.Fields{"tenant": []string{"it's", `b"\$1`}[i%2], "n": i % 100}}
	}
	require.NoError(t, c.Insert(ctx, records...))
	search := func(f filter.Filter) vecwire.Result {
		t.Helper()
		q := vecwire.Query{Vector: vectors[n], K: 10, Filter: f}
		found, err := c.SearchMany(ctx, []vecwire.Query{q})
		require.NoError(t, err)
		q.Exact = true
		want, err := c.Search(ctx, q)
		require.NoError(t, err)
		have := map[string]bool{}
		for _, h := range found[0].Hits {
			have[h.ID] = true
		}
		same := 0
		for _, h := range want {
			if have[h.ID] {
				same++
			}
		}
		require.Len(t, found[0].Hits, len(want))
		require.GreaterOrEqual(t, same, 8)
		return found[0]
	}
	indexes := func() map[string]int {
		t.Helper()
		found, err := c.Indexes(ctx)
		require.NoError(t, err)
		where := map[string]int{}
		for _, x := range found {
			require.True(t, x.Valid)
			where[x.Where] = x.Dims
		}
		require.Len(t, where, len(found))
		return where
	}
	own, other := filter.Eq("tenant", "it's"), filter.Eq("tenant", `b"\$1`)
	require.NoError(t, c.BuildIndex(ctx, vecwire.IndexOptions{Where: own}))
	require.NoError(t, c.BuildIndex(ctx, vecwire.IndexOptions{Where: own}), "it is there")
	require.Equal(t, "hnsw partial", search(own).Plan.Index)
	require.Equal(t, "hnsw partial", search(filter.And(filter.Lt("n", 50), own)).Plan.Index)
	require.Empty(t, search(other).Plan.Index)
	require.Empty(t, search(filter.Or(own, filter.Lt("n", 50))).Plan.Index)
	require.Empty(t, search(filter.Not(own)).Plan.Index)

	require.NoError(t, c.BuildIndex(ctx, vecwire.IndexOptions{Dims: 16}))
	require.NoError(t, c.BuildIndex(ctx, vecwire.IndexOptions{Where: filter.And(other, filter.In("n", 1, 3, 5)), Compress: vecwire.HalfPrecision}))
	require.Equal(t, "hnsw dims=16", search(other).Plan.Index)
	require.Equal(t, "hnsw dims=16", search(filter.Filter{}).Plan.Index)
	require.Equal(t, "hnsw half partial", search(filter.And(other, filter.In("n", 1, 3, 5))).Plan.Index)
	require.Equal(t, map[string]int{"": 16, own.String(): 0, filter.And(other, filter.In("n", 1, 3, 5)).String(): 0}, indexes())

	require.NoError(t, c.BuildIndex(ctx, vecwire.IndexOptions{}), "in place of the one of 16 dimensions")
	require.NoError(t, c.BuildIndex(ctx, vecwire.IndexOptions{Where: own, M: 8}), "in place of the one of M 16")
	require.Equal(t, map[string]int{"": 0, own.String(): 0, filter.And(other, filter.In("n", 1, 3, 5)).String(): 0}, indexes())
	require.Equal(t, "hnsw", search(filter.Lt("n", 50)).Plan.Index)
	require.Equal(t, "hnsw partial", search(own).Plan.Index)

	var value *vecwire.ValueError
	require.ErrorAs(t, c.BuildIndex(ctx, vecwire.IndexOptions{Dims: dim + 1}), &value)
	require.ErrorAs(t, c.BuildIndex(ctx, vecwire.IndexOptions{Method: "x"}), &value)
	err = c.BuildIndex(ctx, vecwire.IndexOptions{Method: vecwire.DiskANN})
	require.ErrorIs(t, err, vecwire.ErrUnsupported)
	require.ErrorContains(t, err, "CREATE EXTENSION vectorscale")
}
