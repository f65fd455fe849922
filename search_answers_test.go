package vecwire

import (
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
)

// TestSearchesShareNoAnswer: what a search has returned does not change when others use
// the memory that it needed, also where these fail half way.
func TestSearchesShareNoAnswer(t *testing.T) {
	ctx := t.Context()
	c := newDocs(t, Schema{Dim: 2, Fields: []Field{{Name: "n", Type: Int}}})
	var records []Record
	for i := range 100 {
		records = append(records, Record{ID: strconv.Itoa(i), Vector: []float32{float32(i), 50}, Fields: Fields{"n": i}})
	}
	require.NoError(t, c.Upsert(ctx, records...))
	queries := []Query{
		{Vector: []float32{1, 0}}, {Vector: []float32{0, 1}, K: 3, Vectors: true}, {Vector: []float32{1, 1}, K: 40, IDsOnly: true},
		{Vector: []float32{1, 1}, Filter: filter.Lt("n", 0)}, {Vector: []float32{1, 3}, GroupBy: "n", Offset: 2},
	}
	ask := func() []Result {
		results, err := c.SearchMany(ctx, queries)
		require.NoError(t, err)
		for i, q := range queries {
			hits, err := c.Search(ctx, q)
			require.NoError(t, err)
			require.NotNil(t, hits, "also where nothing passes")
			require.Equal(t, results[i].Hits, hits)
			_, err = c.SearchMany(ctx, []Query{q, {Vector: []float32{1}}})
			require.Error(t, err)
		}
		return results
	}
	first := ask()
	kept := slices.Clone(first)
	for i := range kept {
		kept[i].Hits = slices.Clone(kept[i].Hits)
	}
	for range 20 {
		require.Equal(t, kept, ask())
	}
	require.Equal(t, kept, first)
}
