package enginetest

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// metrics: every metric on every element type gives the scores that brute force
// in float64 gives.
func (s *suite) metrics(t *testing.T) {
	s.eachKind(t, func(t *testing.T, element vecwire.Element, metric vecwire.Metric) {
		dims := []int{1, 2, 7, 8, 33, 100}
		if s.target.Light {
			dims = []int{1, 33}
		}
		for _, dim := range dims {
			run(t, fmt.Sprintf("%d dimensions", dim), func(t *testing.T) {
				c := s.create(t, vecwire.Schema{Dim: dim, Element: element, Metric: metric})
				g := newGenerator(uint64(61+dim), c.Schema())
				m := newModel(c.Schema(), g.records(80)...)
				require.NoError(t, c.Upsert(t.Context(), m.all()...))
				var queries []vecwire.Query
				for range 4 {
					queries = append(queries, g.query())
				}
				for _, r := range m.all()[:2] { // the record itself, and its opposite
					q := vecwire.Query{Vector: r.Vector, Vector64: r.Vector64, K: len(m.records), Exact: true, Vectors: true}
					queries = append(queries, q)
					q.Vector, q.Vector64 = opposite(q.Vector), opposite(q.Vector64)
					queries = append(queries, q)
				}
				results, err := c.SearchMany(t.Context(), queries)
				require.NoError(t, err)
				for i, q := range queries {
					m.expectHits(t, q, results[i].Hits)
				}
			})
		}
		run(t, "far from the origin", func(t *testing.T) { s.farFromTheOrigin(t, element, metric) })
		run(t, "magnitudes", func(t *testing.T) { s.magnitudes(t, element, metric) })
		if element == vecwire.DOUBLE && metric != vecwire.Cosine {
			run(t, "beyond what can be squared", func(t *testing.T) { s.beyondSquares(t, metric) })
		}
		if element == vecwire.DOUBLE && metric == vecwire.Cosine {
			run(t, "beyond what can be squared", s.beyondCosines)
		}
		run(t, "the formulas", func(t *testing.T) { s.formulas(t, element, metric) })
	})
}

func opposite[T float32 | float64](v []T) []T {
	if v == nil {
		return nil
	}
	out := make([]T, len(v))
	for i, x := range v {
		out[i] = -x
	}
	return out
}

// formulas pins the metrics to numbers that can be checked by hand.
func (s *suite) formulas(t *testing.T, element vecwire.Element, metric vecwire.Metric) {
	c := s.create(t, vecwire.Schema{Dim: 2, Element: element, Metric: metric})
	require.NoError(t, c.Upsert(t.Context(),
		vecwire.Record{ID: "same", Vector: []float32{3, 4}}, vecwire.Record{ID: "right angle", Vector: []float32{-4, 3}},
		vecwire.Record{ID: "opposite", Vector: []float32{-6, -8}}))
	hits, err := c.Search(t.Context(), vecwire.Query{Vector: []float32{3, 4}})
	require.NoError(t, err)
	require.Equal(t, []string{"same", "right angle", "opposite"}, hitIDs(hits))
	scores := map[vecwire.Metric][]float64{vecwire.Cosine: {1, 0, -1}, vecwire.Dot: {25, 0, -50}, vecwire.L2: {0, -math.Sqrt(50), -15}}
	distances := map[vecwire.Metric][]float64{vecwire.Cosine: {0, 1, 2}, vecwire.Dot: {-25, 0, 50}, vecwire.L2: {0, math.Sqrt(50), 15}}
	for i, h := range hits {
		require.InDelta(t, scores[metric][i], h.Score, 1e-5, "the score of %q", h.ID)
		require.InDelta(t, distances[metric][i], h.Distance, 1e-5, "the distance of %q", h.ID)
	}
}

// farFromTheOrigin has vectors that differ little from each other, where a
// distance from norms and dot products would lose all its digits.
func (s *suite) farFromTheOrigin(t *testing.T, element vecwire.Element, metric vecwire.Metric) {
	c := s.create(t, vecwire.Schema{Dim: 16, Element: element, Metric: metric})
	g := newGenerator(71, c.Schema())
	records := g.records(50)
	for i := range records {
		for j := range records[i].Vector {
			records[i].Vector[j] += 1000
		}
		for j := range records[i].Vector64 {
			records[i].Vector64[j] += 1000
		}
	}
	m := newModel(c.Schema(), records...)
	require.NoError(t, c.Upsert(t.Context(), records...))
	for _, r := range records[:5] {
		m.expectSearch(t, c, vecwire.Query{Vector: r.Vector, Vector64: r.Vector64, K: 50})
	}
}

// magnitudes has vectors whose squares leave the range of float32. None may be
// lost, and no score may be NaN.
func (s *suite) magnitudes(t *testing.T, element vecwire.Element, metric vecwire.Metric) {
	c := s.create(t, vecwire.Schema{Dim: 4, Element: element, Metric: metric})
	m := newModel(c.Schema(),
		vecwire.Record{ID: "tiny", Vector: []float32{1e-30, 2e-30, -1e-30, 0}},
		vecwire.Record{ID: "small", Vector: []float32{1e-10, -2e-10, 1e-10, 0}},
		vecwire.Record{ID: "one", Vector: []float32{1, 0, 1, 1}},
		vecwire.Record{ID: "large", Vector: []float32{1e10, 1e10, 0, 0}},
		vecwire.Record{ID: "huge", Vector: []float32{-1e30, 0, 1e30, 2e30}},
		vecwire.Record{ID: "mixed", Vector: []float32{1e30, 1e-30, 1, -1}},
	)
	require.NoError(t, c.Upsert(t.Context(), m.all()...))
	m.expectAll(t, c)
	for _, r := range m.all() {
		q := vecwire.Query{Vector: r.Vector, Vector64: r.Vector64, K: 10, Exact: true}
		hits, err := c.Search(t.Context(), q)
		require.NoError(t, err, "query %q", r.ID)
		require.Len(t, hits, len(m.records), "query %q", r.ID)
		for _, h := range hits {
			require.False(t, math.IsNaN(h.Score), "query %q: the score of %q is NaN", r.ID, h.ID)
		}
		if metric == vecwire.Cosine {
			m.expectHits(t, q, hits)
		}
	}
}

// beyondSquares has elements whose squares and products are beyond float64 where
// the scores are not.
func (s *suite) beyondSquares(t *testing.T, metric vecwire.Metric) {
	c := s.create(t, vecwire.Schema{Dim: 2, Element: vecwire.DOUBLE, Metric: metric})
	require.NoError(t, c.Upsert(t.Context(),
		vecwire.Record{ID: "a", Vector64: []float64{0x3p900, 0}}, vecwire.Record{ID: "b", Vector64: []float64{0, 0x4p900}},
		vecwire.Record{ID: "c", Vector64: []float64{0x1p-700, 0x1p-700}}))
	want := map[vecwire.Metric]map[string]float64{
		vecwire.Dot: {"a": 0x9p900, "b": 0, "c": 0x3p-700}, // with the query (3, 0)
		vecwire.L2:  {"a": 0, "b": -0x5p900, "c": -0x3p900},
	}[metric]
	q := vecwire.Query{Vector64: []float64{0x3p900, 0}, K: 3, Exact: true}
	if metric == vecwire.Dot {
		q.Vector64[0] = 3
	}
	hits, err := c.Search(t.Context(), q)
	require.NoError(t, err)
	require.Len(t, hits, len(want))
	for _, h := range hits {
		require.InDelta(t, want[h.ID], h.Score, math.Abs(want[h.ID])*1e-9, "the score of %q", h.ID)
	}
}
