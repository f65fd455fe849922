package enginetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// otherIndexes builds what is not an HNSW index over all records and dimensions, or is
// refused it by a name of what it asked for.
func (s *suite) otherIndexes(t *testing.T, c *vecwire.Collection) {
	t.Helper()
	ctx := t.Context()
	for _, test := range []struct {
		names string
		can   bool
		o     vecwire.IndexOptions
	}{
		{"IndexOptions.Where", s.caps.PartialIndexes, vecwire.IndexOptions{Where: filter.Ge("id", "")}},
		{"IndexOptions.Dims", s.caps.PrefixIndexes, vecwire.IndexOptions{Dims: 4}},
		// No server of the tests has the extension.
		{"", false, vecwire.IndexOptions{Method: vecwire.VectorChord}},
	} {
		err := c.BuildIndex(ctx, test.o)
		if !test.can {
			require.ErrorIs(t, err, vecwire.ErrUnsupported)
			require.ErrorContains(t, err, test.names)
			require.ErrorContains(t, err, s.caps.Engine)
			continue
		}
		require.NoError(t, err)
		found, err := c.Indexes(ctx)
		require.NoError(t, err)
		var there *vecwire.IndexInfo
		for i := range found {
			if found[i].Dims == test.o.Dims && found[i].Where == test.o.Where.String() {
				there = &found[i]
			}
		}
		require.NotNil(t, there, "%+v", found)
		results, err := c.SearchMany(ctx, []vecwire.Query{{Vector: make([]float32, 8), K: 3, Filter: test.o.Where}})
		if c.Schema().Metric == vecwire.Cosine {
			require.Error(t, err, "a vector of zeros has no direction")
		} else {
			require.NoError(t, err)
			require.Len(t, results[0].Hits, 3)
		}
		v := []float32{0, 0, 0, 0, 1, 2, 3, 4} // of which an index over four dimensions knows nothing
		results, err = c.SearchMany(ctx, []vecwire.Query{{Vector: v, K: 3, Filter: test.o.Where}})
		require.NoError(t, err)
		require.Len(t, results[0].Hits, 3)
		if test.o.Dims > 0 {
			require.True(t, results[0].Exact)
		}
		require.NoError(t, c.DropIndex(ctx, there.Name))
	}
	var value *vecwire.ValueError
	if s.caps.PrefixIndexes {
		require.ErrorAs(t, c.BuildIndex(ctx, vecwire.IndexOptions{Dims: 9}), &value)
		require.ErrorAs(t, c.BuildIndex(ctx, vecwire.IndexOptions{Dims: -1}), &value)
	}
	if s.caps.PartialIndexes {
		var bad *vecwire.FilterError
		require.ErrorAs(t, c.BuildIndex(ctx, vecwire.IndexOptions{Where: filter.Eq("no such field", 1)}), &bad)
	}
	require.Error(t, c.BuildIndex(ctx, vecwire.IndexOptions{Method: "no such method"}))
}
