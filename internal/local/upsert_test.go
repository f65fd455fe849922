package local

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Records are written many in a statement, whatever the number of records and fields.
func TestUpsertOfAnyNumber(t *testing.T) {
	s := newStore(t)
	for _, fields := range []int{0, 3, 1500} {
		schema := engine.Schema{Name: fmt.Sprint("of", fields), Dim: 1, FullText: engine.Words}
		for i := range fields {
			schema.Fields = append(schema.Fields, engine.Field{Name: fmt.Sprint("f", i), Type: filter.Int})
		}
		c := create(t, s, schema)
		want := map[string]engine.Record{}
		for round, n := range []int{1, 2, 31, 32, 33, 300} { // the first records are new only once
			var records []engine.Record
			for i := range n {
				value := round*1000 + i
				r := engine.Record{
					ID: fmt.Sprint(i), Text: fmt.Sprint("word", value), Fields: make([]any, fields),
					Vector: engine.Vector{F32: []float32{float32(value + 1)}},
				}
				for j := range r.Fields {
					r.Fields[j] = int64(value + j)
				}
				records = append(records, r)
				want[r.ID] = r
			}
			require.NoError(t, c.Upsert(t.Context(), records))
		}
		got, err := c.Get(t.Context(), slices.Collect(maps.Keys(want)), true)
		require.NoError(t, err)
		require.ElementsMatch(t, slices.Collect(maps.Values(want)), got)
	}
	report, err := s.Check(t.Context())
	require.NoError(t, err)
	require.Empty(t, report.Problems)
}
