package enginetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// longest is a reranker for which the longest text is the best.
type longest struct{ asked *int }

var errRerank = errors.New("the reranker failed")

func (l longest) Rerank(_ context.Context, query string, texts []string) ([]float64, error) {
	if query == "!fail" {
		return nil, errRerank
	}
	*l.asked += len(texts)
	scores := make([]float64, len(texts))
	for i, text := range texts {
		scores[i] = float64(len(text))
	}
	return scores, nil
}

// ranking: answers that are chosen among candidates.
func (s *suite) ranking(t *testing.T) {
	ctx := t.Context()
	s.eachKind(t, func(t *testing.T, element vecwire.Element, metric vecwire.Metric) {
		c := s.create(t, vecwire.Schema{
			Dim: 6, Element: element, Metric: metric,
			Fields: []vecwire.Field{{Name: "doc"}, {Name: "n", Type: vecwire.Int}},
		})
		g := newGenerator(60, c.Schema())
		m := newModel(c.Schema())
		var records []vecwire.Record
		for i := range 120 {
			r := g.record(fmt.Sprintf("%03d", i))
			r.Text = strings.Repeat("x", 1+g.IntN(500))
			r.Fields = vecwire.Fields{"n": i}
			if i%3 > 0 {
				r.Fields["doc"] = fmt.Sprint("doc", i%7)
			}
			records = append(records, r)
		}
		require.NoError(t, c.Upsert(ctx, records...))
		m.upsert(records...)
		search := func(t *testing.T, q vecwire.Query) []vecwire.Hit {
			t.Helper()
			hits, err := c.Search(ctx, q)
			require.NoError(t, err)
			return hits
		}
		near := g.query()

		run(t, "Rescore", func(t *testing.T) {
			q := near
			q.Rescore, q.Candidates = true, 40
			m.expectHits(t, q, search(t, q))
			q.Vectors, q.IDsOnly = true, true
			m.expectHits(t, q, search(t, q))
		})
		run(t, "MinScore", func(t *testing.T) {
			q := near
			all := search(t, q)
			q.MinScore = all[4].Score
			require.Equal(t, hitIDs(all[:5]), hitIDs(search(t, q)))
			q.MinScore = all[0].Score + 1
			require.Empty(t, search(t, q))
		})
		run(t, "GroupBy", func(t *testing.T) {
			q := near
			q.GroupBy, q.Candidates = "doc", 10
			q.K = 8 // one for each doc, and one for those without
			hits := search(t, q)
			require.Len(t, hits, 8, "groups never leave an answer short")
			var want []string
			count := map[any]int{}
			for _, r := range m.ranked(vecwire.Query{Vector: q.Vector, Vector64: q.Vector64, Filter: q.Filter}) {
				doc := m.records[r.id].Fields["doc"]
				if count[doc]++; count[doc] == 1 {
					want = append(want, r.id)
				}
			}
			require.Equal(t, want, hitIDs(hits))
			q.GroupSize, q.K = 200, 10
			require.Equal(t, hitIDs(search(t, near)), hitIDs(search(t, q)))
			q.K, q.GroupSize, q.IDsOnly, q.Candidates = 50, 1, true, 0
			hits = search(t, q)
			require.Len(t, hits, 8, "there are no more groups")
			require.Nil(t, hits[0].Fields)
		})
		run(t, "Diversity", func(t *testing.T) {
			q := near
			q.Diversity, q.Candidates = 0.7, 30
			hits := search(t, q)
			require.Len(t, hits, 10)
			plain := search(t, near)
			require.Equal(t, plain[0].ID, hits[0].ID, "the nearest comes first")
			require.NotEqual(t, hitIDs(plain), hitIDs(hits))
			nearest := near
			nearest.K = 30
			among := hitIDs(search(t, nearest))
			for _, h := range hits {
				require.Contains(t, among, h.ID)
				score, tolerance := m.score(q, h.ID)
				require.InDelta(t, score, h.Score, tolerance)
				require.Nil(t, h.Vector)
				require.Nil(t, h.Vector64)
			}
			q.Diversity = 1
			require.Len(t, search(t, q), 10)
		})
		run(t, "Reranker", func(t *testing.T) {
			asked := 0
			q := near
			q.Text, q.Reranker, q.Candidates, q.K = "which is the longest?", longest{&asked}, 25, 5
			hits := search(t, q)
			require.Equal(t, 25, asked)
			require.Len(t, hits, 5)
			nearest := near
			nearest.K = 25
			candidates := search(t, nearest)
			slices.SortStableFunc(candidates, func(a, b vecwire.Hit) int { return len(b.Text) - len(a.Text) })
			require.Equal(t, hitIDs(candidates[:5]), hitIDs(hits))
			require.EqualValues(t, len(hits[0].Text), hits[0].Score)
			q.Text = "!fail"
			_, err := c.Search(ctx, q)
			require.ErrorIs(t, err, errRerank)
			q.Filter = filter.Eq("n", -1)
			q.Text = "nothing"
			require.Empty(t, search(t, q))
		})
		run(t, "Away", func(t *testing.T) {
			q := near
			plain := search(t, q)
			bad := m.records[plain[0].ID]
			away := bad.Vector
			if element == vecwire.DOUBLE {
				away = nil
				for _, x := range bad.Vector64 {
					away = append(away, float32(x))
				}
			}
			q.Away = [][]float32{away}
			moved := search(t, q)
			require.Len(t, moved, 10)
			require.NotEqual(t, hitIDs(plain), hitIDs(moved))
			q.Away = [][]float32{away, {1}}
			_, err := c.Search(ctx, q)
			var dim *vecwire.DimensionError
			require.ErrorAs(t, err, &dim)
			require.ErrorContains(t, err, "Away[1]")
		})
		run(t, "SearchAll", func(t *testing.T) {
			q := near
			q.K = 7
			q.Filter = filter.Ge("n", 10)
			var hits []vecwire.Hit
			for h, err := range c.SearchAll(ctx, q) {
				require.NoError(t, err)
				hits = append(hits, h)
			}
			q.K = 120
			m.expectHits(t, q, hits)
			q.K, q.MinScore = 7, hits[20].Score
			n := 0
			for _, err := range c.SearchAll(ctx, q) {
				require.NoError(t, err)
				n++
			}
			require.Equal(t, 21, n)
			for _, err := range c.SearchAll(ctx, near) {
				require.NoError(t, err)
				break
			}
			q.Diversity = 0.5
			for _, err := range c.SearchAll(ctx, q) {
				require.Error(t, err)
			}
		})
	})

	run(t, "Refusals", func(t *testing.T) {
		c := s.create(t, vecwire.Schema{Dim: 2})
		v := []float32{1, 2}
		for field, q := range map[string]vecwire.Query{
			"Candidates": {Vector: v, Rescore: true, Candidates: 5},
			"Diversity":  {Vector: v, Diversity: 1.5},
			"MinScore":   {Vector: v, MinScore: math.NaN()},
			"GroupSize":  {Vector: v, GroupBy: "x", GroupSize: -1},
			"Text":       {Vector: v, Reranker: longest{new(int)}},
		} {
			_, err := c.Search(ctx, q)
			var value *vecwire.ValueError
			require.ErrorAs(t, err, &value)
			require.Equal(t, field, value.Field)
		}
		_, err := c.Search(ctx, vecwire.Query{Vector: v, GroupBy: "missing"})
		var schema *vecwire.SchemaError
		require.ErrorAs(t, err, &schema)
		require.Equal(t, "missing", schema.Field)
		_, err = c.Search(ctx, vecwire.Query{Vector: v, Away: [][]float32{{2, 4}}})
		require.NoError(t, err)
	})
}
