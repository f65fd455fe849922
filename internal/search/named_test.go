package search_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/search"
)

func (c *small) Get(_ context.Context, ids []string, _ bool) (found []engine.Record, err error) {
	for _, r := range c.records {
		for _, id := range ids {
			if r.ID == id {
				found = append(found, r)
			}
		}
	}
	return found, nil
}

// TestByVector: queries about the same vector are answered together, each in its place,
// and their hits have their records' own vectors.
func TestByVector(t *testing.T) {
	c := newSmall(3)
	asked := map[string][]float32{}
	results := make([]search.Result, 3)
	err := search.ByVector(t.Context(), c, []search.Query{
		{In: "picture", Vector: []float32{1}, Vectors: true}, {Vector: []float32{2}}, {In: "picture", Vector: []float32{3}},
	}, results, func(name string, queries []search.Query, out []search.Result) error {
		for i, q := range queries {
			require.Empty(t, q.In)
			asked[name] = append(asked[name], q.Vector[0])
			hit := engine.Hit{Record: engine.Record{ID: "001", Vector: engine.Vector{F32: []float32{99}}}, Score: float64(q.Vector[0])}
			if out[i].Nearest = []engine.Hit{hit}; name == "" { // as where hits are chosen
				out[i] = search.Result{Hits: []search.Hit{{Hit: hit}}}
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, map[string][]float32{"": {2}, "picture": {1, 3}}, asked)
	for i, r := range results {
		require.Equal(t, float64(i+1), r.All()[0].Score)
	}
	require.Equal(t, []float32{2}, results[0].All()[0].Vector.F32)
}

func TestEmbedLegs(t *testing.T) {
	legs := []search.VectorLeg{{In: "a"}, {In: "b", Vector: []float32{1}}, {In: "none"}}
	other := []search.VectorLeg{{In: "a"}}
	queries := []search.Query{{Text: "x -y", Fusion: &search.Fusion{Syntax: search.Web, Vectors: legs}}, {}, {Text: "z", Fusion: &search.Fusion{Vectors: other}}}
	calls := map[string]int{}
	embed := func(name string, texts []string) ([][]float32, error) {
		calls[name]++
		require.Equal(t, "x", texts[0])
		if name == "none" {
			return nil, nil
		}
		require.Equal(t, []string{"x", "z"}, texts)
		return [][]float32{{5}, {6}}, nil
	}
	require.NoError(t, search.EmbedLegs(queries, false, embed))
	require.Equal(t, []search.VectorLeg{{In: "a", Vector: []float32{5}}, {In: "b", Vector: []float32{1}}, {In: "none"}}, legs)
	require.Equal(t, []search.VectorLeg{{In: "a", Vector: []float32{6}}}, other)
	require.Equal(t, map[string]int{"a": 1, "none": 1}, calls, "one call for all queries")
	require.EqualError(t, search.EmbedLegs(queries, true, embed), "Fusion.Vectors is 3, want none beside In")
}
