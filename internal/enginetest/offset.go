package enginetest

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// byLength is a Reranker to whom short texts are better.
type byLength struct{}

func (byLength) Rerank(_ context.Context, _ string, texts []string) ([]float64, error) {
	scores := make([]float64, len(texts))
	for i, text := range texts {
		scores[i] = -float64(len(text))
	}
	return scores, nil
}

// offset: pages are the parts of one answer, whatever chooses it.
func (s *suite) offset(t *testing.T) {
	ctx := t.Context()
	schema := vecwire.Schema{Dim: 4, Metric: vecwire.Dot, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int, Index: true}}}
	if s.caps.FullText {
		schema.FullText = vecwire.Words
	}
	c := s.create(t, schema)
	g := newGenerator(151, c.Schema())
	m := newModel(c.Schema())
	for i := range 60 {
		r := g.record(fmt.Sprintf("%02d", i))
		r.Text, r.Fields = g.fewWords(1+g.IntN(12)), vecwire.Fields{"n": i % 23}
		if i%5 == 0 {
			r.Vector = []float32{1, 2, 3, 4} // ties, through which pages cut
		}
		m.upsert(r)
	}
	require.NoError(t, c.Upsert(ctx, m.all()...))
	v := g.vector()
	kinds := map[string]vecwire.Query{
		"":           {},
		"with IDs":   {IDsOnly: true},
		"a filter":   {Filter: filter.Lt("n", 9)},
		"Rescore":    {Rescore: true, Candidates: 70, Vectors: true},
		"Reranker":   {Text: "grove", Reranker: byLength{}, Candidates: 70},
		"GroupBy":    {GroupBy: "n", Candidates: 70},
		"GroupSize":  {GroupBy: "n", GroupSize: 2},
		"Diversity":  {Diversity: 0.4, Candidates: 70},
		"MinScore":   {MinScore: math.SmallestNonzeroFloat64},
		"everything": {Text: "grove", Reranker: byLength{}, GroupBy: "n", GroupSize: 2, Diversity: 0.2, Rescore: true, Candidates: 70},
	}
	if s.caps.FullText {
		kinds["Fusion"] = vecwire.Query{Text: "grove heron", Fusion: &vecwire.Fusion{}, Candidates: 70}
		kinds["TextOnly"] = vecwire.Query{Text: "grove heron", Fusion: &vecwire.Fusion{TextOnly: true}}
		kinds["Fusion of groups"] = vecwire.Query{Text: "grove heron", Fusion: &vecwire.Fusion{}, GroupBy: "n", Reranker: byLength{}, Candidates: 70}
	}
	for kind, q := range kinds {
		run(t, "pages/"+kind, func(t *testing.T) {
			if q.Exact = true; kind != "TextOnly" {
				q.Vector = v
			}
			q.K = 60
			all, err := c.Search(ctx, q)
			require.NoError(t, err)
			require.Greater(t, len(all), 5)
			for _, page := range [][2]int{{1, 0}, {7, 0}, {7, 7}, {7, 14}, {1, len(all) - 1}, {5, len(all) - 2}, {3, len(all)}, {3, len(all) + 1}, {50, 10}} {
				q.K, q.Offset = page[0], page[1]
				hits, err := c.Search(ctx, q)
				require.NoError(t, err)
				want := all[min(q.Offset, len(all)):min(q.Offset+q.K, len(all))]
				require.Equal(t, hitIDs(want), hitIDs(hits), "K %d, Offset %d", q.K, q.Offset)
				for i := range want {
					require.Equal(t, want[i].Score, hits[i].Score)
					expectRecord(t, want[i].Record, hits[i].Record, payload|vector)
				}
			}
		})
	}
	run(t, "the default K", func(t *testing.T) {
		hits, err := c.Search(ctx, vecwire.Query{Vector: v, Exact: true, Offset: 3})
		require.NoError(t, err)
		require.Len(t, hits, vecwire.DefaultK)
		require.Equal(t, m.ranked(vecwire.Query{Vector: v})[3].id, hits[0].ID)
	})
	run(t, "the greatest numbers", func(t *testing.T) {
		for kind, q := range kinds {
			if q.Candidates = 0; kind != "TextOnly" {
				q.Vector = v
			}
			q.K = math.MaxInt
			all, err := c.Search(ctx, q)
			require.NoError(t, err)
			q.Offset = 2
			hits, err := c.Search(ctx, q)
			require.NoError(t, err)
			require.Len(t, hits, len(all)-2, kind)
			q.K, q.Offset = 1, math.MaxInt
			hits, err = c.Search(ctx, q)
			require.NoError(t, err)
			require.Empty(t, hits, kind)
			q.K = math.MaxInt
			hits, err = c.Search(ctx, q)
			require.NoError(t, err)
			require.Empty(t, hits, kind)
		}
	})
	run(t, "of several queries", func(t *testing.T) {
		all, err := c.Search(ctx, vecwire.Query{Vector: v, K: 60, Exact: true})
		require.NoError(t, err)
		results, err := c.SearchMany(ctx, []vecwire.Query{{Vector: v, K: 4, Offset: 4, Exact: true}, {Vector: v, K: 4, Exact: true}, {Vector: v, K: 2, Offset: 50, Exact: true}})
		require.NoError(t, err)
		require.Equal(t, hitIDs(all[4:8]), hitIDs(results[0].Hits))
		require.Equal(t, hitIDs(all[:4]), hitIDs(results[1].Hits))
		require.Equal(t, hitIDs(all[50:52]), hitIDs(results[2].Hits))
	})
	run(t, "of a stream", func(t *testing.T) {
		var got []string
		for h, err := range c.SearchAll(ctx, vecwire.Query{Vector: v, K: 7, Offset: 9, Exact: true}) {
			require.NoError(t, err)
			got = append(got, h.ID)
		}
		all, err := c.Search(ctx, vecwire.Query{Vector: v, K: 60, Exact: true})
		require.NoError(t, err)
		require.Equal(t, hitIDs(all[9:]), got)
	})
	run(t, "refusals", func(t *testing.T) {
		for _, q := range []vecwire.Query{{Vector: v, Offset: -1}, {Vector: v, Offset: math.MinInt, K: math.MaxInt}, {Vector: v, K: 5, Offset: 6, Candidates: 10, Rescore: true}} {
			_, err := c.Search(ctx, q)
			var e *vecwire.ValueError
			require.ErrorAs(t, err, &e)
			require.Contains(t, []string{"Offset", "Candidates"}, e.Field)
		}
		for _, err := range c.SearchAll(ctx, vecwire.Query{Vector: v, Offset: -1}) {
			var e *vecwire.ValueError
			require.ErrorAs(t, err, &e)
			require.Equal(t, "Offset", e.Field)
		}
	})
}
