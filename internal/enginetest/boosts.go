package enginetest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// boosts: what is recent, has a large number or passes a filter scores more.
func (s *suite) boosts(t *testing.T) {
	ctx := t.Context()
	schema := vecwire.Schema{Dim: 3, Fields: []vecwire.Field{{Name: "at", Type: vecwire.Time}, {Name: "votes", Type: vecwire.Int}, {Name: "rate", Type: vecwire.Float}, {Name: "lang", Index: true}}}
	if s.caps.FullText {
		schema.FullText = vecwire.Words
	}
	c := s.create(t, schema)
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	g := newGenerator(181, c.Schema())
	m := newModel(c.Schema())
	for i := range 300 {
		r := vecwire.Record{ID: fmt.Sprintf("%03d", i), Vector: g.vector(), Text: g.fewWords(4), Fields: vecwire.Fields{}}
		if i%5 > 0 {
			r.Fields["at"] = now.Add(-time.Duration(g.IntN(400)-20) * 6 * time.Hour)
			r.Fields["votes"] = g.IntN(1000) - 100
			r.Fields["lang"] = []string{"go", "rust", "c"}[g.IntN(3)]
		}
		if i%7 > 0 {
			r.Fields["rate"] = []float64{0, math.SmallestNonzeroFloat64, math.MaxFloat64, -3, 0.5, 5}[g.IntN(6)]
		}
		m.upsert(r)
	}
	require.NoError(t, c.Upsert(ctx, m.all()...))

	const day = 24 * time.Hour
	share := map[string]func(r vecwire.Record) float64{
		"recency": func(r vecwire.Record) float64 {
			at, ok := r.Fields["at"].(time.Time)
			if !ok {
				return 0
			}
			return math.Pow(0.5, math.Max(0, now.Sub(at).Hours())/(30*24))
		},
		"votes": func(r vecwire.Record) float64 {
			v, _ := r.Fields["votes"].(int64)
			return math.Max(0, float64(v)) / (math.Max(0, float64(v)) + 200)
		},
		"rate": func(r vecwire.Record) float64 {
			v, _ := r.Fields["rate"].(float64)
			if v <= 0 {
				return 0
			}
			return 1 / (1 + 2/v)
		},
		"lang": func(r vecwire.Record) float64 {
			if r.Fields["lang"] == "go" {
				return 1
			}
			return 0
		},
	}
	boost := func(name string, weight float64) vecwire.Boost {
		switch name {
		case "recency":
			return vecwire.Recency("at", 30*day, weight).At(now)
		case "votes":
			return vecwire.Saturation("votes", 200, weight)
		case "rate":
			return vecwire.Saturation("rate", 2, weight)
		}
		return vecwire.Bonus(filter.Eq("lang", "go"), weight)
	}
	type weighted map[string]float64
	for i, weights := range []weighted{
		{"recency": 0.3}, {"votes": 0.2}, {"rate": 0.1}, {"lang": 0.5}, {"lang": -2}, {"recency": 5, "votes": -1, "rate": 0.01, "lang": 0.3}, {"votes": 0},
	} {
		run(t, fmt.Sprintf("formula %d", i), func(t *testing.T) {
			var names []string
			for name := range weights {
				names = append(names, name)
			}
			slices.Sort(names)
			q := vecwire.Query{Vector: g.vector(), K: 12, Offset: i, Exact: true}
			for _, name := range names {
				q.Boosts = append(q.Boosts, boost(name, weights[name]))
			}
			if i%2 == 1 {
				q.Filter = filter.Or(filter.Ge("votes", 0), filter.IsNull("votes"))
			}
			want := m.ranked(q)
			for j := range want {
				for name, w := range weights {
					want[j].score += w * share[name](m.records[want[j].id])
				}
			}
			slices.SortFunc(want, func(a, b scored) int { return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(a.id, b.id)) })
			results, err := c.SearchMany(ctx, []vecwire.Query{q})
			require.NoError(t, err)
			require.True(t, results[0].Exact, "among so few, all are candidates in the end")
			require.Len(t, results[0].Hits, 12)
			for j, h := range results[0].Hits {
				require.InDelta(t, want[i+j].score, h.Score, 1e-5, "hit %d is %s, want %s", j, h.ID, want[i+j].id)
				sum := h.Explanation.Base
				for b, name := range names {
					require.InDelta(t, weights[name]*share[name](m.records[h.ID]), h.Explanation.Boosts[b], 1e-9, name)
					sum += h.Explanation.Boosts[b]
				}
				require.InDelta(t, sum, h.Score, 1e-12)
				require.InDelta(t, 1-h.Explanation.Base, h.Distance, 1e-9, "the distance stays that of the vectors")
				expectRecord(t, m.records[h.ID], h.Record, payload)
			}
		})
	}
	run(t, "candidates that are stated", func(t *testing.T) {
		q := vecwire.Query{Vector: g.vector(), K: 5, Candidates: 10, Exact: true, Boosts: []vecwire.Boost{boost("lang", 3)}}
		results, err := c.SearchMany(ctx, []vecwire.Query{q})
		require.NoError(t, err)
		require.False(t, results[0].Exact, "a record that is no candidate may be better")
		near := q
		near.K, near.Boosts = 10, nil
		among := searchIDs(t, c, near)
		for _, h := range results[0].Hits {
			require.Contains(t, among, h.ID)
		}
		q.Candidates, q.K = 300, 300
		results, err = c.SearchMany(ctx, []vecwire.Query{q})
		require.NoError(t, err)
		require.Len(t, results[0].Hits, 300)
	})
	run(t, "with groups, MinScore and IDs", func(t *testing.T) {
		q := vecwire.Query{Vector: g.vector(), K: 4, GroupBy: "lang", IDsOnly: true, Exact: true, Boosts: []vecwire.Boost{boost("votes", 1)}}
		hits, err := c.Search(ctx, q)
		require.NoError(t, err)
		require.Len(t, hits, 4)
		for i, h := range hits {
			require.Empty(t, h.Fields)
			require.True(t, i == 0 || hits[i-1].Score >= h.Score)
		}
		q.GroupBy, q.MinScore = "", hits[1].Score
		for _, h := range mustSearch(t, c, q) {
			require.GreaterOrEqual(t, h.Score, q.MinScore)
		}
	})
	if s.caps.FullText {
		run(t, "with Fusion and a Reranker", func(t *testing.T) {
			q := vecwire.Query{Vector: g.vector(), Text: "grove heron", K: 10, Fusion: &vecwire.Fusion{}, Exact: true}
			base := map[string]vecwire.Hit{}
			all := q
			all.K, all.Candidates = 50, 50
			for _, h := range mustSearch(t, c, all) {
				base[h.ID] = h
			}
			q.Candidates, q.Boosts = 50, []vecwire.Boost{boost("recency", 0.4), boost("lang", 0.1)}
			for _, h := range mustSearch(t, c, q) {
				b, ok := base[h.ID]
				require.True(t, ok)
				require.Equal(t, b.Score, h.Explanation.Base)
				require.Equal(t, b.Explanation.Text, h.Explanation.Text)
				require.Equal(t, b.Explanation.Vector, h.Explanation.Vector)
			}
			asked := 0
			q.Reranker = longest{&asked}
			for _, h := range mustSearch(t, c, q) {
				require.InDelta(t, float64(len(h.Text)), h.Explanation.Base, 1e-9)
			}
		})
	}
	run(t, "ages beyond 292 years", func(t *testing.T) {
		for year, want := range map[int]float64{2500: 1, 2000: 1, 1750: 0.5, 1500: 0.25, 1: math.Exp2(-1999.0 / 250)} {
			r := vecwire.Record{ID: "old", Vector: g.vector(), Fields: vecwire.Fields{"at": time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)}}
			require.NoError(t, c.Upsert(ctx, r))
			hits := mustSearch(t, c, vecwire.Query{Vector: r.Vector, K: 1, Filter: filter.Eq("id", "old"),
				Boosts: []vecwire.Boost{vecwire.Recency("at", 91310*day, 1).At(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))}})
			require.InDelta(t, want, hits[0].Explanation.Boosts[0], 1e-3, "year %d", year)
		}
	})
	run(t, "scores stay finite", func(t *testing.T) {
		for _, w := range []float64{1e300, -1e300} {
			for _, h := range mustSearch(t, c, vecwire.Query{Vector: g.vector(), K: 400, Boosts: slices.Repeat([]vecwire.Boost{vecwire.Bonus(filter.Filter{}, w)}, 16)}) {
				require.False(t, math.IsInf(h.Score, 0))
			}
		}
	})
	run(t, "refusals", func(t *testing.T) {
		v := g.vector()
		for name, b := range map[string]vecwire.Boost{
			"zero": {}, "half-life": vecwire.Recency("at", 0, 1), "a negative half-life": vecwire.Recency("at", -day, 1), "weight": vecwire.Recency("at", day, math.NaN()),
			"an infinite weight": vecwire.Bonus(filter.Filter{}, math.Inf(1)), "a weight beyond the range": vecwire.Bonus(filter.Filter{}, -math.MaxFloat64), "half": vecwire.Saturation("votes", 0, 1), "no half": vecwire.Saturation("votes", math.NaN(), 1),
		} {
			_, err := c.Search(ctx, vecwire.Query{Vector: v, Boosts: []vecwire.Boost{boost("lang", 1), b}})
			var e *vecwire.ValueError
			require.ErrorAs(t, err, &e, name)
			require.Equal(t, "Boosts[1]", e.Field, name)
		}
		for field, b := range map[string]vecwire.Boost{"nope": vecwire.Recency("nope", day, 1), "votes": vecwire.Recency("votes", day, 1), "lang": vecwire.Saturation("lang", 1, 1), "at": vecwire.Saturation("at", 1, 1)} {
			_, err := c.Search(ctx, vecwire.Query{Vector: v, Boosts: []vecwire.Boost{b}})
			var e *vecwire.SchemaError
			require.ErrorAs(t, err, &e)
			require.Equal(t, field, e.Field)
		}
		var f *vecwire.FilterError
		_, err := c.Search(ctx, vecwire.Query{Vector: v, Boosts: []vecwire.Boost{vecwire.Bonus(filter.Eq("nope", 1), 1)}})
		require.ErrorAs(t, err, &f)
		for field, q := range map[string]vecwire.Query{
			"Diversity": {Vector: v, Diversity: 0.5, Boosts: []vecwire.Boost{boost("lang", 1)}},
			"Boosts":    {Vector: v, Boosts: slices.Repeat([]vecwire.Boost{boost("lang", 1)}, 17)},
		} {
			_, err := c.Search(ctx, q)
			var e *vecwire.ValueError
			require.ErrorAs(t, err, &e)
			require.Equal(t, field, e.Field)
		}
		for _, err := range c.SearchAll(ctx, vecwire.Query{Vector: v, Boosts: []vecwire.Boost{boost("lang", 1)}}) {
			require.Error(t, err)
		}
	})
}

func mustSearch(t testing.TB, c *vecwire.Collection, q vecwire.Query) []vecwire.Hit {
	t.Helper()
	hits, err := c.Search(t.Context(), q)
	require.NoError(t, err)
	return hits
}
