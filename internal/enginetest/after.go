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

// after: pages that go on behind a hit are the parts of one answer.
func (s *suite) after(t *testing.T) {
	run(t, "an index", s.afterIndexed)
	s.eachKind(t, func(t *testing.T, element vecwire.Element, metric vecwire.Metric) {
		schema := vecwire.Schema{Dim: 4, Element: element, Metric: metric, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int, Index: true}, {Name: vecwire.NamespaceField, Index: true}}}
		all := s.create(t, schema)
		c, err := all.Namespace("one")
		require.NoError(t, err)
		other, err := all.Namespace("other")
		require.NoError(t, err)
		g := newGenerator(167, c.Schema())
		m := newModel(c.Schema())
		for i := range 24 {
			r := g.record(fmt.Sprintf("%02d", i))
			r.Text, r.Fields = "", vecwire.Fields{"n": i % 23}
			if i%4 == 0 { // ties, through which pages cut
				r.Vector, r.Vector64 = vectorsOf(element, 1, 2, 3, 4)
			}
			m.upsert(r)
		}
		require.NoError(t, c.Upsert(t.Context(), m.all()...))
		require.NoError(t, other.Upsert(t.Context(), m.all()...))
		q := vecwire.Query{Exact: true}
		q.Vector, q.Vector64 = vectorsOf(element, 1, 2, 2.5, 4)
		for name, c := range map[string]*vecwire.Collection{"namespace": c, "all": all} {
			run(t, name, func(t *testing.T) {
				s.pagesAfter(t, c, q)
				q := q
				q.Filter = filter.Lt("n", 9)
				s.pagesAfter(t, c, q)
				q.IDsOnly = true
				s.pagesAfter(t, c, q)
			})
		}
		run(t, "in a transaction", func(t *testing.T) {
			if !s.caps.Transactions {
				t.Skip("the engine has none")
			}
			require.NoError(t, s.db.Tx(t.Context(), func(ctx context.Context) error {
				extra := g.record("99")
				extra.Fields = nil
				extra.Vector, extra.Vector64 = vectorsOf(element, 1, 2, 3, 4)
				if err := c.Upsert(ctx, extra); err != nil {
					return err
				}
				s.pagesAfterIn(ctx, t, c, q)
				_, err := c.Delete(ctx, "99")
				return err
			}))
		})
		run(t, "writes in between", func(t *testing.T) {
			q := q
			q.K = 7
			first, err := c.Search(t.Context(), q)
			require.NoError(t, err)
			last := first[6]
			q.After = q.Token(last)
			rest, err := c.Search(t.Context(), q)
			require.NoError(t, err)
			_, err = c.Delete(t.Context(), last.ID, rest[0].ID)
			require.NoError(t, err)
			hits, err := c.Search(t.Context(), q)
			require.NoError(t, err)
			require.Equal(t, hitIDs(rest[1:]), hitIDs(hits[:6]), "the hit itself has gone")
			require.NoError(t, c.Upsert(t.Context(), m.records[last.ID]))
			hits, err = c.Search(t.Context(), q)
			require.NoError(t, err)
			require.Equal(t, hitIDs(rest[1:]), hitIDs(hits[:6]))
		})
		run(t, "a stream", func(t *testing.T) {
			q := q
			want, err := c.Search(t.Context(), vecwire.Query{Vector: q.Vector, Vector64: q.Vector64, Exact: true, K: 100})
			require.NoError(t, err)
			q.K = 5
			q.After = q.Token(want[4])
			var got []string
			for h, err := range c.SearchAll(t.Context(), q) {
				require.NoError(t, err)
				got = append(got, h.ID)
			}
			require.Equal(t, hitIDs(want[5:]), got)
		})
		run(t, "refusals", func(t *testing.T) { s.afterRefused(t, c, q) })
	})
}

// afterIndexed: pages through an index hold no hit twice and come in order.
func (s *suite) afterIndexed(t *testing.T) {
	if !s.caps.Indexes {
		t.Skip("the engine has no indexes to build")
	}
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 4})
	g := newGenerator(173, c.Schema())
	records := make([]vecwire.Record, 300)
	for i := range records {
		records[i] = vecwire.Record{ID: fmt.Sprintf("%03d", i), Vector: g.vector()}
	}
	require.NoError(t, c.Upsert(ctx, records...))
	require.NoError(t, c.BuildIndex(ctx, vecwire.IndexOptions{}))
	q := vecwire.Query{Vector: g.vector(), K: 20}
	var got []vecwire.Hit
	seen := map[string]bool{}
	for range 20 {
		hits, err := c.Search(ctx, q)
		require.NoError(t, err)
		for _, h := range hits {
			require.False(t, seen[h.ID], h.ID)
			seen[h.ID] = true
		}
		if got = append(got, hits...); len(hits) < q.K {
			break
		}
		q.After = q.Token(hits[len(hits)-1])
	}
	require.Greater(t, len(got), 270, "nearly all")
	for i := range got[1:] {
		require.True(t, got[i].Score > got[i+1].Score || got[i].Score == got[i+1].Score && got[i].ID < got[i+1].ID)
	}
	want, err := c.Search(ctx, vecwire.Query{Vector: q.Vector, K: 20, Exact: true})
	require.NoError(t, err)
	for i := range want {
		require.Equal(t, want[i].Score, got[i].Score, "the index scores as the exact search does")
	}
}

// pagesAfter compares pages with one answer.
func (s *suite) pagesAfter(t *testing.T, c *vecwire.Collection, q vecwire.Query) {
	t.Helper()
	s.pagesAfterIn(t.Context(), t, c, q)
}

func (s *suite) pagesAfterIn(ctx context.Context, t *testing.T, c *vecwire.Collection, q vecwire.Query) {
	t.Helper()
	q.K = 1000
	want, err := c.Search(ctx, q)
	require.NoError(t, err)
	require.Greater(t, len(want), 5)
	for _, k := range []int{3, len(want), math.MaxInt} {
		q.K, q.After = k, ""
		var got []vecwire.Hit
		for range len(want) + 2 {
			hits, err := c.Search(ctx, q)
			require.NoError(t, err)
			if len(hits) == 0 {
				break
			}
			got = append(got, hits...)
			q.After = q.Token(hits[len(hits)-1])
		}
		require.Equal(t, hitIDs(want), hitIDs(got), "K %d", k)
		for i := range want {
			require.Equal(t, want[i].Score, got[i].Score)
			expectRecord(t, want[i].Record, got[i].Record, payload|vector)
		}
	}
}

func (s *suite) afterRefused(t *testing.T, c *vecwire.Collection, q vecwire.Query) {
	token := q.Token(vecwire.Hit{Record: vecwire.Record{ID: "1"}, Score: 0.5})
	refused := func(change func(q *vecwire.Query), want string) {
		t.Helper()
		q := q
		q.After = token
		change(&q)
		_, err := c.Search(t.Context(), q)
		var e *vecwire.ValueError
		require.ErrorAs(t, err, &e)
		require.Equal(t, "After", e.Field)
		require.Contains(t, e.Want, want)
		chosen := q.Fusion != nil || q.GroupBy != "" || q.Rescore || q.Reranker != nil || q.Boosts != nil
		require.Equal(t, chosen, q.Token(vecwire.Hit{Record: vecwire.Record{ID: "1"}}) == "", want)
	}
	refused(func(q *vecwire.Query) { q.After = "x" }, "Query.Token")
	refused(func(q *vecwire.Query) { q.After = "e30" }, "Query.Token")
	refused(func(q *vecwire.Query) { q.Vector, q.Vector64 = vectorsOf(c.Schema().Element, 4, 3, 2, 1) }, "the same Vector")
	refused(func(q *vecwire.Query) { q.Away = [][]float32{{1, 0, 0, 0}} }, "the same Vector")
	refused(func(q *vecwire.Query) { q.Offset = 1 }, "Offset: page by Offset")
	refused(func(q *vecwire.Query) { q.Rescore = true }, "Rescore")
	refused(func(q *vecwire.Query) { q.Reranker, q.Text = byLength{}, "a" }, "Reranker")
	refused(func(q *vecwire.Query) { q.GroupBy, q.Diversity = "n", 0.5 }, "GroupBy, Diversity")
	refused(func(q *vecwire.Query) { q.Boosts = []vecwire.Boost{vecwire.Saturation("n", 1, 1)} }, "Boosts")
	if s.caps.FullText && c.Schema().FullText != vecwire.NoFullText {
		refused(func(q *vecwire.Query) { q.Fusion, q.Text = &vecwire.Fusion{}, "a" }, "Fusion")
	}
	for _, err := range c.SearchAll(t.Context(), vecwire.Query{Vector: q.Vector, Vector64: q.Vector64, After: token, Offset: 1}) {
		require.ErrorContains(t, err, "none beside Offset")
	}
}

func vectorsOf(element vecwire.Element, x ...float64) (f32 []float32, f64 []float64) {
	if element == vecwire.DOUBLE {
		return nil, x
	}
	for _, v := range x {
		f32 = append(f32, float32(v))
	}
	return f32, nil
}
