//go:build !race

package vecwire

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
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
