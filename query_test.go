package vecwire

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/search"
)

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

// TestDefaults: the documented numbers are those that searches use.
func TestDefaults(t *testing.T) {
	require.Equal(t, search.DefaultK, DefaultK)
	require.Equal(t, search.DefaultCandidates, DefaultCandidates)
}
