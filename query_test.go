package vecwire

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
)

func TestPlanQuery(t *testing.T) {
	c := newDocs(t, Schema{Dim: 2})
	v := []float32{1, 2}
	plan, err := c.planQuery(Query{Vector: v})
	require.NoError(t, err)
	require.Equal(t, engine.Search{Vector: engine.Vector{F32: v}, K: 10, Payload: true}, plan, "the defaults")

	plan, err = c.planQuery(Query{Vector: v, K: 3, Exact: true, IDsOnly: true, Vectors: true})
	require.NoError(t, err)
	require.Equal(t, engine.Search{Vector: engine.Vector{F32: v}, K: 3, Exact: true, Vectors: true}, plan)
}

func TestQueryErrorTexts(t *testing.T) {
	c := newDocs(t, Schema{Dim: 2})
	v := []float32{1, 2}
	for _, tt := range []struct {
		queries []Query
		want    string
	}{
		{[]Query{{Vector: v, K: -5}}, "vecwire: search docs: K is -5, want a positive number, or 0 for the default"},
		{[]Query{{Vector: v}, {Vector: v}, {}}, "vecwire: search docs: query 2: vector has 0 dimensions, want 2"},
		{[]Query{{Vector: []float32{0, 0}}}, "vecwire: search docs: vector is all zeros, want a vector with a direction"},
		{[]Query{{Vector: []float32{1, float32(math.Inf(-1))}}}, "vecwire: search docs: vector[1] is -Infinity, want a finite number"},
		{[]Query{{Vector64: []float64{1, 2}}}, "vecwire: search docs: vector has DOUBLE elements, want FLOAT"},
		{[]Query{{Vector: v, Vector64: []float64{1, 2}}}, "vecwire: search docs: vector is both, want Vector or Vector64"},
	} {
		_, err := c.SearchMany(t.Context(), tt.queries)
		require.EqualError(t, err, tt.want)
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		metric          Metric
		score, distance float64
	}{
		{Cosine, 1, 0}, {Cosine, -1, 2}, {Cosine, 0.25, 0.75}, {Dot, 3, -3}, {Dot, -3, 3}, {Dot, 0, 0}, {L2, -5, 5}, {L2, 0, 0},
	} {
		c := &Collection{schema: engine.Schema{Metric: tt.metric}}
		hit := c.hits([]engine.Hit{{Score: tt.score}})[0]
		require.Equal(t, tt.score, hit.Score)
		require.Equal(t, tt.distance, hit.Distance)
		require.False(t, math.Signbit(hit.Distance) && hit.Distance == 0, "a distance of -0")
	}
}
