//go:build !race

package vecwire

import (
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
)

// TestSearchAllocates: of a search for IDs no more is allocated than its hits, those of the
// engine and what carries them, by a scan and through a graph. With the race detector
// memory is lost on purpose.
func TestSearchAllocates(t *testing.T) {
	c := newDocs(t, Schema{Dim: 2, Index: NoIndex})
	var records []Record
	for i := range 500 {
		records = append(records, Record{ID: strconv.Itoa(i), Vector: []float32{float32(i), 100}})
	}
	require.NoError(t, c.Upsert(t.Context(), records...))
	allocates := func(q Query) float64 {
		return testing.AllocsPerRun(200, func() {
			_, err := c.Search(t.Context(), q)
			require.NoError(t, err)
		})
	}
	q := Query{Vector: []float32{1, 2}, IDsOnly: true}
	require.LessOrEqual(t, allocates(q), 4.0)
	require.NoError(t, c.BuildIndex(t.Context(), IndexOptions{}))
	require.LessOrEqual(t, allocates(q), 4.0)
	q.K = 100
	require.LessOrEqual(t, allocates(q), 4.0, "the number of hits matters not")
}

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
