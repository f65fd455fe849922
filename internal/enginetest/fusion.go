package enginetest

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/rerank"
)

// fusion: an answer by vectors and one by words become one by their ranks.
func (s *suite) fusion(t *testing.T) {
	ctx := t.Context()
	for _, element := range []vecwire.Element{vecwire.FLOAT, vecwire.DOUBLE} {
		if element == vecwire.DOUBLE && !s.caps.Doubles {
			continue
		}
		run(t, element.String(), func(t *testing.T) {
			c := s.create(t, vecwire.Schema{
				Dim: 6, Element: element, Metric: vecwire.Dot, FullText: vecwire.Words,
				Fields: []vecwire.Field{{Name: "doc"}, {Name: "n", Type: vecwire.Int, Index: true}},
			})
			g := newGenerator(95, c.Schema())
			m := newModel(c.Schema())
			const n = 90
			for i := range n {
				r := g.record(fmt.Sprintf("%02d", i))
				r.Text, r.Fields = g.fewWords(6), vecwire.Fields{"doc": fmt.Sprint("doc", i%7), "n": i}
				m.upsert(r)
			}
			require.NoError(t, c.Upsert(ctx, m.all()...))
			search := func(q vecwire.Query) []vecwire.Hit {
				t.Helper()
				hits, err := c.Search(ctx, q)
				require.NoError(t, err)
				return hits
			}
			// fused is what a query must find, from its two legs alone.
			fused := func(q vecwire.Query, candidates int) ([]rerank.Fused, map[string]vecwire.Hit) {
				t.Helper()
				near := vecwire.Query{Vector: q.Vector, Vector64: q.Vector64, Filter: q.Filter, K: candidates, Exact: true}
				fits := byText(q.Text, candidates)
				fits.Filter = q.Filter
				byVector, byWords := search(near), search(fits)
				legs := []rerank.Leg{{IDs: hitIDs(byVector), Weight: q.Fusion.VectorWeight}, {IDs: hitIDs(byWords), Weight: q.Fusion.TextWeight}}
				for _, h := range byVector {
					legs[0].Scores = append(legs[0].Scores, h.Score)
				}
				for _, h := range byWords {
					legs[1].Scores = append(legs[1].Scores, h.Explanation.Text.Score)
				}
				want, err := rerank.RRF(q.Fusion.K, legs...)
				if q.Fusion.Method == vecwire.Relative {
					want, err = rerank.Relative(legs...)
				}
				require.NoError(t, err)
				known := map[string]vecwire.Hit{}
				for _, h := range byVector {
					known[h.ID] = h
				}
				return want, known
			}
			query := func() vecwire.Query {
				q := g.query()
				q.Text, q.Fusion = "grove heron", &vecwire.Fusion{}
				return q
			}

			run(t, "ranks", func(t *testing.T) {
				for i, f := range []vecwire.Fusion{{}, {K: 1}, {VectorWeight: 3}, {TextWeight: 0.25}, {K: 10, VectorWeight: 2, TextWeight: 5}, {Method: vecwire.Relative}, {Method: vecwire.Relative, TextWeight: 3}} {
					q := query()
					q.Fusion = &f
					candidates := vecwire.DefaultCandidates
					if i%2 == 1 {
						q.Candidates, candidates = 12, 12
					}
					if i > 2 {
						q.Filter = filter.Ge("n", 30)
					}
					want, known := fused(q, candidates)
					hits := search(q)
					require.Len(t, hits, 10)
					both, wordsOnly := 0, 0
					for i, h := range hits {
						require.Equal(t, want[i].ID, h.ID)
						require.Equal(t, want[i].Score, h.Score)
						require.True(t, h.Score >= 0 && h.Score <= 1)
						require.Equal(t, want[i].Ranks, []int{h.Explanation.Vector.Rank, h.Explanation.Text.Rank})
						if near, ok := known[h.ID]; ok {
							both++
							require.InDelta(t, near.Score, h.Explanation.Vector.Score, 1e-9)
							require.Nil(t, near.Explanation)
							require.InDelta(t, near.Distance, h.Distance, 1e-9)
						} else {
							wordsOnly++
							require.Zero(t, h.Explanation.Vector)
							require.True(t, math.IsNaN(h.Distance))
						}
						expectRecord(t, m.records[h.ID], h.Record, payload)
					}
					if i == 1 {
						require.NotZero(t, both*wordsOnly, "the case asks for both kinds of hits")
					}
				}
			})
			run(t, "never short", func(t *testing.T) {
				q := query()
				q.K = n + 10
				require.Len(t, search(q), n)
				q.Filter = filter.Lt("n", 4)
				q.K = 10
				require.Len(t, search(q), 4)
				q.Filter = filter.Lt("n", 0)
				require.Empty(t, search(q))
				q = query()
				q.Text = "nowhere"
				require.Len(t, search(q), 10)
			})
			run(t, "parts", func(t *testing.T) {
				q := query()
				q.IDsOnly, q.Vectors, q.Candidates = true, true, 10
				for _, h := range search(q) {
					expectRecord(t, m.records[h.ID], h.Record, vector)
				}
			})
			run(t, "many", func(t *testing.T) {
				plain := g.query()
				queries := []vecwire.Query{query(), plain, byText("heron", 5), query(), byText("?", 5)}
				results, err := c.SearchMany(ctx, queries)
				require.NoError(t, err)
				for i, q := range queries {
					require.Equal(t, hitIDs(search(q)), hitIDs(results[i].Hits))
					require.True(t, results[i].Exact)
				}
			})
			run(t, "GroupBy", func(t *testing.T) {
				q := query()
				q.GroupBy, q.K, q.Candidates = "doc", 7, 7
				hits := search(q)
				require.Len(t, hits, 7)
				seen := map[any]bool{}
				for _, h := range hits {
					require.False(t, seen[h.Fields["doc"]])
					seen[h.Fields["doc"]] = true
				}
			})
			run(t, "MinScore", func(t *testing.T) {
				q := query()
				all := search(q)
				q.MinScore = all[3].Score
				require.Equal(t, hitIDs(all[:4]), hitIDs(search(q)))
			})
			run(t, "Rescore", func(t *testing.T) {
				q := query()
				want := hitIDs(search(q))
				q.Rescore = true
				require.Equal(t, want, hitIDs(search(q)), "an exact leg stays as it is")
			})
			run(t, "Diversity", func(t *testing.T) {
				q := query()
				q.Diversity = 0.5
				for _, h := range search(q) {
					require.Nil(t, h.Vector)
					require.Nil(t, h.Vector64)
				}
				require.Len(t, search(q), 10)
			})
			run(t, "Reranker", func(t *testing.T) {
				asked := 0
				q := query()
				q.Reranker, q.Candidates = longest{&asked}, 20
				hits := search(q)
				require.Equal(t, 20, asked, "the best of both legs, and no more")
				for i, h := range hits {
					require.EqualValues(t, len(h.Text), h.Score)
					require.True(t, i == 0 || h.Score <= hits[i-1].Score)
				}
			})
			run(t, "text alone", func(t *testing.T) {
				q := byText("grove heron", 4)
				hits := search(q)
				require.Len(t, hits, 4)
				for i, h := range hits {
					require.True(t, math.IsNaN(h.Distance))
					require.InDelta(t, (rerank.DefaultRRFK+1)/(rerank.DefaultRRFK+float64(i+1)), h.Score, 1e-12)
					require.Equal(t, i+1, h.Explanation.Text.Rank)
					require.True(t, strings.Contains(h.Text, "grove") || strings.Contains(h.Text, "heron"))
				}
			})
		})
	}

	run(t, "an embedder", func(t *testing.T) {
		var uses []embed.Use
		w := words{"words-8", 8, &uses}
		bare := s.create(t, vecwire.Schema{Dim: 8, Model: "words-8", Metric: vecwire.Dot, FullText: vecwire.Words})
		c, err := bare.WithEmbedder(w)
		require.NoError(t, err)
		g := newGenerator(96, bare.Schema())
		for i := range 30 {
			require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: fmt.Sprint(i), Text: "text " + g.fewWords(4)}))
		}
		v, err := w.Embed(ctx, []string{"amber inlet"}, embed.Query)
		require.NoError(t, err)
		q := vecwire.Query{Text: "amber inlet", Exact: true, Fusion: &vecwire.Fusion{}}
		want := vecwire.Query{Vector: v[0], Text: "amber inlet", Exact: true, Fusion: &vecwire.Fusion{}}
		require.Equal(t, searchIDs(t, bare, want), searchIDs(t, c, q))
		uses = nil
		searchIDs(t, c, byText("amber inlet", 3))
		require.Empty(t, uses, "nothing was to be embedded")
		_, err = bare.Search(ctx, q)
		require.ErrorContains(t, err, "embedder")
	})
}

func (s *suite) fusionRefusals(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, FullText: vecwire.Words})
	v := []float32{1, 2}
	only := &vecwire.Fusion{TextOnly: true}
	for field, q := range map[string]vecwire.Query{
		"Text":                {Vector: v, Fusion: &vecwire.Fusion{}},
		"Fusion.Method":       {Vector: v, Text: "x", Fusion: &vecwire.Fusion{Method: 2}},
		"Fusion.K":            {Vector: v, Text: "x", Fusion: &vecwire.Fusion{K: -1}},
		"Fusion.VectorWeight": {Vector: v, Text: "x", Fusion: &vecwire.Fusion{VectorWeight: math.NaN()}},
		"Fusion.TextWeight":   {Vector: v, Text: "x", Fusion: &vecwire.Fusion{TextWeight: math.Inf(1)}},
		"Vector":              {Vector: v, Text: "x", Fusion: only},
		"Away":                {Away: [][]float32{v}, Text: "x", Fusion: only},
		"Rescore":             {Rescore: true, Text: "x", Fusion: only},
		"Diversity":           {Diversity: 0.5, Text: "x", Fusion: only},
		"K":                   {K: -1, Text: "x", Fusion: only},
	} {
		_, err := c.Search(ctx, q)
		var value *vecwire.ValueError
		require.ErrorAs(t, err, &value, field)
		require.Equal(t, field, value.Field)
	}
	for _, text := range []string{"a\x00b", "a\xff"} {
		_, err := c.Search(ctx, byText(text, 1))
		var value *vecwire.ValueError
		require.ErrorAs(t, err, &value)
		require.Equal(t, "Text", value.Field)
	}
	for _, err := range c.SearchAll(ctx, byText("x", 1)) {
		require.Error(t, err)
	}
}
