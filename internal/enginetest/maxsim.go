package enginetest

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/rerank"
)

// maxSim: candidates are scored by the vectors of their tokens, which a field holds.
func (s *suite) maxSim(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "tokens", Type: vecwire.Bytes}, {Name: "n", Type: vecwire.Int}}})
	g := rand.New(rand.NewPCG(23, 0))
	matrix := func(n int) [][]float32 {
		out := make([][]float32, n)
		for i := range out {
			out[i] = make([]float32, 48)
			for j := range out[i] {
				out[i][j] = float32(g.NormFloat64())
			}
		}
		return out
	}
	question := matrix(5)
	scorer, err := rerank.NewMaxSim(question)
	require.NoError(t, err)
	want := map[string]float64{}
	var records []vecwire.Record
	for i := range 40 {
		r := vecwire.Record{ID: fmt.Sprintf("%02d", i), Vector: []float32{1, float32(i) / 100}, Fields: vecwire.Fields{"n": i}}
		want[r.ID] = -math.MaxFloat64
		if i%7 != 0 {
			packed, err := rerank.PackTokens(matrix(g.IntN(9)))
			require.NoError(t, err)
			r.Fields["tokens"] = packed
			want[r.ID], err = scorer.Score(packed)
			require.NoError(t, err)
		}
		records = append(records, r)
	}
	require.NoError(t, c.Upsert(ctx, records...))
	best := func(among int, keep func(i int) bool) (ids []string) {
		for i := range among {
			if keep(i) {
				ids = append(ids, records[i].ID)
			}
		}
		slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(want[b], want[a]) })
		return ids
	}
	q := vecwire.Query{Vector: []float32{1, 0}, Exact: true, K: 40, MaxSim: &vecwire.MaxSim{Field: "tokens", Tokens: question}}
	hits, err := c.Search(ctx, q)
	require.NoError(t, err)
	require.Equal(t, best(40, func(int) bool { return true }), hitIDs(hits))
	for _, h := range hits {
		require.Equal(t, want[h.ID], h.Score)
		require.Greater(t, h.Distance, -1e-6, "that of the vectors")
	}
	q.Candidates, q.K, q.IDsOnly = 12, 3, true
	hits, err = c.Search(ctx, q)
	require.NoError(t, err)
	require.Equal(t, best(12, func(int) bool { return true })[:3], hitIDs(hits), "of the nearest twelve")
	require.Nil(t, hits[0].Fields)
	q.Filter, q.Candidates = filter.Ge("n", 5), 35
	hits, err = c.Search(ctx, q)
	require.NoError(t, err)
	require.Equal(t, best(40, func(i int) bool { return i >= 5 })[:3], hitIDs(hits))

	var schema *vecwire.SchemaError
	var value *vecwire.ValueError
	var dim *vecwire.DimensionError
	_, err = c.Search(ctx, vecwire.Query{Vector: []float32{1, 0}, MaxSim: &vecwire.MaxSim{Tokens: question}})
	require.ErrorAs(t, err, &value)
	require.Equal(t, "MaxSim.Field", value.Field)
	for _, field := range []string{"n", "none"} {
		_, err = c.Search(ctx, vecwire.Query{Vector: []float32{1, 0}, MaxSim: &vecwire.MaxSim{Field: field, Tokens: question}})
		require.ErrorAs(t, err, &schema)
	}
	_, err = c.Search(ctx, vecwire.Query{Vector: []float32{1, 0}, MaxSim: &vecwire.MaxSim{Field: "tokens"}})
	require.ErrorAs(t, err, &value)
	_, err = c.Search(ctx, vecwire.Query{Vector: []float32{1, 0}, MaxSim: &vecwire.MaxSim{Field: "tokens", Tokens: [][]float32{{1}}}})
	require.ErrorAs(t, err, &dim)
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "other bytes", Vector: []float32{1, 0}, Fields: vecwire.Fields{"tokens": []byte("text")}}))
	_, err = c.Search(ctx, vecwire.Query{Vector: []float32{1, 0}, MaxSim: &vecwire.MaxSim{Field: "tokens", Tokens: question}})
	require.ErrorContains(t, err, "other bytes")
	for _, err := range c.SearchAll(ctx, q) {
		require.ErrorAs(t, err, &value)
	}
}
