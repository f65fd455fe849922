package enginetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// search: what a query's settings do.
func (s *suite) search(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 12, Fields: allTypes()})
	g := newGenerator(81, c.Schema())
	const n = 60
	m := newModel(c.Schema(), g.records(n)...)
	require.NoError(t, c.Upsert(ctx, m.all()...))

	run(t, "K", func(t *testing.T) {
		for _, k := range []int{0, 1, 2, n - 1, n, n + 1, 100_000} {
			m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), K: k})
		}
		hits, err := c.Search(ctx, vecwire.Query{Vector: g.vector(), Exact: true})
		require.NoError(t, err)
		require.Len(t, hits, vecwire.DefaultK, "K defaults to %d", vecwire.DefaultK)
	})
	run(t, "what hits hold", func(t *testing.T) {
		for _, q := range []vecwire.Query{{}, {IDsOnly: true}, {Vectors: true}, {IDsOnly: true, Vectors: true}} {
			q.Vector, q.K = g.vector(), 7
			m.expectSearch(t, c, q)
		}
	})
	run(t, "not asked to be exact", func(t *testing.T) {
		hits, err := c.Search(ctx, vecwire.Query{Vector: g.vector(), K: n})
		require.NoError(t, err)
		require.Len(t, hits, n)
		hits, err = c.Search(ctx, vecwire.Query{Vector: g.vector(), K: n, Filter: filter.Not(filter.IsNull("s"))})
		require.NoError(t, err)
		require.Len(t, hits, len(m.ids(filter.Not(filter.IsNull("s")))), "a filtered search returns all that match if they are fewer than K")
	})
	run(t, "nothing matches", func(t *testing.T) {
		for _, f := range []filter.Filter{filter.Or(), filter.Eq("s", "no such value")} {
			m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), Filter: f})
		}
	})
	run(t, "SearchMany", func(t *testing.T) {
		var queries []vecwire.Query
		for i := range 20 {
			queries = append(queries, vecwire.Query{
				Vector: g.vector(), K: i, Filter: g.filter(i % 3), Exact: true, IDsOnly: i%2 == 0, Vectors: i%3 == 0,
			})
		}
		results, err := c.SearchMany(ctx, queries)
		require.NoError(t, err)
		require.Len(t, results, len(queries))
		for i, q := range queries {
			require.True(t, results[i].Exact, "query %d asked to be exact", i)
			m.expectHits(t, q, results[i].Hits)
			alone, err := c.Search(ctx, q)
			require.NoError(t, err)
			require.Equal(t, hitIDs(alone), hitIDs(results[i].Hits), "query %d alone and among others", i)
		}
		results, err = c.SearchMany(ctx, nil)
		require.NoError(t, err)
		require.Empty(t, results)
	})
	run(t, "the same query twice is answered the same", func(t *testing.T) {
		q := g.query()
		results, err := c.SearchMany(ctx, []vecwire.Query{q, q})
		require.NoError(t, err)
		require.Equal(t, results[0], results[1])
	})
}

// ties: records of equal score come in the order of their IDs, also where K
// cuts through them.
func (s *suite) ties(t *testing.T) {
	ctx := t.Context()
	ids := []string{"b", "a", "B", "é", "Z", "10", "9", "a ", "aa", "日", "😀", "\uffff", "_", "~"}
	sorted := []string{"10", "9", "B", "Z", "_", "a", "a ", "aa", "b", "~", "é", "日", "\uffff", "😀"}

	s.eachKind(t, func(t *testing.T, element vecwire.Element, metric vecwire.Metric) {
		c := s.create(t, vecwire.Schema{Dim: 3, Element: element, Metric: metric})
		scale := float32(1)
		records := []vecwire.Record{{ID: "0 worst", Vector: []float32{-1, -1, 9}}}
		want := append(append([]string{}, sorted...), "0 worst")
		if metric == vecwire.Dot { // longer in the same direction: the best by dot, no better by cosine, far away by l2
			records = append(records, vecwire.Record{ID: "zz best", Vector: []float32{3, 21, -9}})
			want = append([]string{"zz best"}, want...)
		}
		for i, id := range ids {
			if metric == vecwire.Cosine && i%2 == 1 { // a power of two changes no digit of a direction
				scale *= 2
			}
			records = append(records, vecwire.Record{ID: id, Vector: []float32{0.1 * scale, 0.7 * scale, -0.3 * scale}})
		}
		require.NoError(t, c.Upsert(ctx, records...))
		q := vecwire.Query{Vector: []float32{0.1, 0.7, -0.3}, Exact: true}
		var queries []vecwire.Query
		for k := 1; k <= len(want); k++ {
			q.K = k
			queries = append(queries, q)
		}
		results, err := c.SearchMany(ctx, queries)
		require.NoError(t, err)
		for i, r := range results {
			require.Equal(t, want[:i+1], hitIDs(r.Hits), "K = %d", i+1)
		}
		q.K, q.Filter = 4, filter.Not(filter.In("id", "zz best", "9", "a"))
		hits, err := c.Search(ctx, q)
		require.NoError(t, err)
		require.Equal(t, []string{"10", "B", "Z", "_"}, hitIDs(hits), "with a filter")
	})

	run(t, "different vectors of one score", func(t *testing.T) {
		c := s.create(t, vecwire.Schema{Dim: 3, Metric: vecwire.Dot}) // small whole numbers: sums are exact in any order
		require.NoError(t, c.Upsert(ctx,
			vecwire.Record{ID: "d", Vector: []float32{1, 2, 0}}, vecwire.Record{ID: "b", Vector: []float32{3, 0, 5}}, vecwire.Record{ID: "c", Vector: []float32{0, 3, -7}},
			vecwire.Record{ID: "a", Vector: []float32{2, 1, 100}}, vecwire.Record{ID: "e", Vector: []float32{4, 0, 0}}))
		for k, want := range [][]string{1: {"e"}, 2: {"e", "a"}, 3: {"e", "a", "b"}, 4: {"e", "a", "b", "c"}, 5: {"e", "a", "b", "c", "d"}} {
			if k == 0 {
				continue
			}
			hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 1, 0}, K: k, Exact: true})
			require.NoError(t, err)
			require.Equal(t, want, hitIDs(hits), "K = %d", k)
		}
	})

	run(t, "many", func(t *testing.T) {
		c := s.create(t, vecwire.Schema{Dim: 9})
		g := newGenerator(91, c.Schema())
		v := g.vector()
		records := g.records(400)
		for i := range records {
			records[i].Vector = v
		}
		g.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		require.NoError(t, c.Upsert(ctx, records...))
		m := newModel(c.Schema(), records...)
		for _, k := range []int{1, 10, 399, 400} {
			hits, err := c.Search(ctx, vecwire.Query{Vector: v, K: k, Exact: true})
			require.NoError(t, err)
			require.Equal(t, m.ids(filter.Filter{})[:k], hitIDs(hits))
		}
	})
}
