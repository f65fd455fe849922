package vecwire_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

// clustered returns vectors around 50 centres, none of which is the origin.
func clustered(random *rand.Rand, n, dim int) [][]float32 {
	centres := make([][]float64, 50)
	for i := range centres {
		for range dim {
			centres[i] = append(centres[i], random.NormFloat64())
		}
	}
	vectors := make([][]float32, n)
	for i := range vectors {
		for _, x := range centres[random.IntN(len(centres))] {
			vectors[i] = append(vectors[i], float32(x+0.7*random.NormFloat64()))
		}
	}
	return vectors
}

// countingReranker scores all texts alike and keeps how many there were.
type countingReranker struct{ texts int }

func (r *countingReranker) Rerank(_ context.Context, _ string, texts []string) ([]float64, error) {
	r.texts = len(texts)
	return make([]float64, len(texts)), nil
}

func TestPostgresCompressedRecall(t *testing.T) {
	const dim, n = 128, 3_000
	ctx := t.Context()
	db, err := vecwire.Open(ctx, testenv.Postgres(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	require.True(t, db.Capabilities().CompressedIndexes)
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: dim, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}})
	require.NoError(t, err)
	vectors := clustered(rand.New(rand.NewPCG(5, 6)), n+30, dim)
	records := make([]vecwire.Record, n)
	for i := range records {
		records[i] = vecwire.Record{ID: fmt.Sprintf("%04d", i), Vector: vectors[i], Text: "text", Fields: vecwire.Fields{"n": i % 100}}
	}
	require.NoError(t, c.Insert(ctx, records...))
	queries := vectors[n:]
	build := func(compress vecwire.Compress) {
		t.Helper()
		require.NoError(t, c.BuildIndex(ctx, vecwire.IndexOptions{Compress: compress}))
		indexes, err := c.Indexes(ctx)
		require.NoError(t, err)
		require.Len(t, indexes, 1)
		require.Equal(t, compress, indexes[0].Compress)
	}
	recall := func(o vecwire.RecallOptions) float64 {
		t.Helper()
		o.Queries = queries
		report, err := c.Recall(ctx, o)
		require.NoError(t, err)
		require.Equal(t, len(queries), report.Approximate)
		return report.Mean
	}
	size := map[vecwire.Compress]int64{}
	for _, compress := range []vecwire.Compress{vecwire.NoCompression, vecwire.HalfPrecision, vecwire.Bits} {
		t.Run(compress.String(), func(t *testing.T) {
			build(compress)
			indexes, err := c.Indexes(ctx)
			require.NoError(t, err)
			size[compress] = indexes[0].Bytes
			require.Greater(t, recall(vecwire.RecallOptions{}), 0.9)
			require.Greater(t, recall(vecwire.RecallOptions{Rescore: true}), 0.9)
			require.Greater(t, recall(vecwire.RecallOptions{K: 100}), 0.8)
			require.Greater(t, recall(vecwire.RecallOptions{K: 100, Rescore: true}), 0.8)

			q := vecwire.Query{Vector: queries[0], K: 10, Exact: true}
			exact, err := c.Search(ctx, q)
			require.NoError(t, err)
			scores := map[string]float64{}
			for _, h := range exact {
				scores[h.ID] = h.Score
			}
			for _, rerank := range []bool{false, true} {
				q.Exact, q.Rescore = false, rerank
				results, err := c.SearchMany(ctx, []vecwire.Query{q})
				require.NoError(t, err)
				require.False(t, results[0].Exact)
				require.Len(t, results[0].Hits, 10)
				require.Equal(t, map[vecwire.Compress]string{
					vecwire.NoCompression: "hnsw", vecwire.HalfPrecision: "hnsw half", vecwire.Bits: "hnsw bits",
				}[compress], results[0].Plan.Index)
				for _, h := range results[0].Hits {
					require.Nil(t, h.Vector)
					if score, ok := scores[h.ID]; ok {
						require.InDelta(t, score, h.Score, 1e-6)
					}
				}
			}

			// What choose among candidates see as many as they ask for.
			counted := &countingReranker{}
			hits, err := c.Search(ctx, vecwire.Query{Vector: queries[0], K: 5, Rescore: true, Reranker: counted, Text: "text"})
			require.NoError(t, err)
			require.Len(t, hits, 5)
			require.Equal(t, vecwire.DefaultCandidates, counted.texts)
			hits, err = c.Search(ctx, vecwire.Query{Vector: queries[0], K: 20, Rescore: true, GroupBy: "n", Filter: filter.Lt("n", 20)})
			require.NoError(t, err)
			require.Len(t, hits, 20, "one of each group")
			hits, err = c.Search(ctx, vecwire.Query{Vector: queries[0], K: 40, Rescore: true, Filter: filter.Eq("n", 7)})
			require.NoError(t, err)
			require.Len(t, hits, n/100, "all that match")
		})
	}
	require.Less(t, size[vecwire.Bits], size[vecwire.HalfPrecision])
	require.Less(t, size[vecwire.HalfPrecision], size[vecwire.NoCompression])

	t.Run("more candidates", func(t *testing.T) {
		few, many := recall(vecwire.RecallOptions{Rescore: true, Candidates: 10}), recall(vecwire.RecallOptions{Rescore: true, Candidates: 300})
		require.Less(t, few, many-0.1)
		require.Less(t, recall(vecwire.RecallOptions{Effort: 18}), recall(vecwire.RecallOptions{Effort: 300})-0.1, "effort is candidates, too")
	})
	t.Run("tuned", func(t *testing.T) {
		report, err := c.Tune(ctx, vecwire.TuneOptions{Recall: 0.9, Measure: vecwire.RecallOptions{Queries: queries}})
		require.NoError(t, err)
		require.GreaterOrEqual(t, report.Recall, 0.9)
		require.Less(t, report.Tried[0].Recall, 0.9)
	})
}

func TestPostgresReembedKeepsCompression(t *testing.T) {
	ctx := t.Context()
	db, err := vecwire.Open(ctx, testenv.Postgres(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 4, Model: "old"})
	require.NoError(t, err)
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "a", Vector: []float32{1, 2, 3, 4}, Text: "a text"}))
	require.NoError(t, c.BuildIndex(ctx, vecwire.IndexOptions{Compress: vecwire.Bits}))
	c, _, err = db.Reembed(ctx, "docs", letters("abcdefgh"), vecwire.ReembedOptions{})
	require.NoError(t, err)
	indexes, err := c.Indexes(ctx)
	require.NoError(t, err)
	require.Len(t, indexes, 1)
	require.Equal(t, vecwire.Bits, indexes[0].Compress)
}
