package local

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Searches in one call find what each finds alone, through the graph and by looking at
// all rows, with more different filters than are remembered.
func TestSearchesTogetherFindWhatEachFindsAlone(t *testing.T) {
	s := newStore(t)
	schema := testSchema
	schema.Dim = 32
	c := create(t, s, schema)
	rng := rand.New(rand.NewPCG(3, 3))
	vector := func() engine.Vector {
		v := make([]float32, schema.Dim)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return engine.Vector{F32: v}
	}
	var records []engine.Record
	for i := range 4000 {
		records = append(records, engine.Record{ID: fmt.Sprint(i), Vector: vector(), Fields: []any{int64(i % 100), nil}, Text: fmt.Sprint("text ", i)})
	}
	require.NoError(t, c.Upsert(t.Context(), records))
	var searches []engine.Search
	for i := range 300 {
		one := engine.Search{Vector: vector(), K: i%20 + 1, Exact: i%3 == 0, Payload: i%4 == 0, Vectors: i%8 == 0, Effort: i % 50}
		switch i % 6 {
		case 0, 1, 2:
			one.Filter = filter.Lt("n", int64(90-i%2*60))
		case 3:
			one.Filter = filter.Eq("n", int64(i%30))
		}
		if i%10 == 9 {
			one.After = &engine.After{Score: -30, ID: "5"}
		}
		searches = append(searches, one)
	}
	check := func(ctx context.Context) {
		t.Helper()
		graph := 0
		together, err := c.Search(ctx, searches)
		require.NoError(t, err)
		for i := range searches {
			alone, err := c.Search(ctx, searches[i:i+1])
			require.NoError(t, err)
			require.Equal(t, alone[0], together[i], "search %d", i)
			if together[i].Plan.Path == "graph" {
				graph++
			}
		}
		require.Equal(t, c.(*collection).hnsw != nil && c.(*collection).in(ctx) == nil, graph > 20, "%d through the graph", graph)
	}
	check(t.Context())
	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{}))
	check(t.Context())
	require.NoError(t, s.Tx(t.Context(), func(ctx context.Context) error {
		require.NoError(t, c.Upsert(ctx, records[:50]))
		_, err := c.Delete(ctx, []string{"60", "61"})
		require.NoError(t, err)
		check(ctx)
		return nil
	}))

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Search(ended, searches)
	require.ErrorIs(t, err, context.Canceled)
}
