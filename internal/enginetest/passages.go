package enginetest

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/chunk"
	"github.com/vecwire/vecwire/filter"
)

// passages: a hit comes with what stands beside it in its document, and a document is
// read back in order.
func (s *suite) passages(t *testing.T) {
	ctx := t.Context()
	schema := vecwire.Schema{Dim: 2, Fields: append(vecwire.SourceFields(), vecwire.Field{Name: "secret", Type: vecwire.Bool})}
	if s.caps.FullText {
		schema.FullText = vecwire.Words
	}
	c := s.create(t, schema)
	// Each part of each document lies in a direction of its own.
	sizes := map[string]int{"a": 12, "b": 3, "it's \"c\"": 5}
	first := map[string]float64{"a": 0, "b": 1.4, "it's \"c\"": 1.9}
	toward := func(source string, place float64) []float32 {
		sin, cos := math.Sincos(first[source] + place/10)
		return []float32{float32(cos), float32(sin)}
	}
	document := func(source string, n int) []vecwire.Record {
		parts := make([]vecwire.Record, n)
		for i := range parts {
			parts[i] = vecwire.Record{
				ID: fmt.Sprintf("%s#%c", source, 'z'-i), Vector: toward(source, float64(i)), // the last ID first
				Text: fmt.Sprintf("%s says %d.", source, i), Fields: vecwire.Fields{},
			}
		}
		return parts
	}
	for source, n := range sizes {
		_, err := c.ReplaceSource(ctx, source, document(source, n)...)
		require.NoError(t, err)
	}
	require.NoError(t, c.Upsert(ctx,
		vecwire.Record{ID: "no source", Vector: []float32{-1, -1}, Text: "alone", Fields: vecwire.Fields{vecwire.PartField: 4}},
		vecwire.Record{ID: "no place", Vector: []float32{-1, -1}, Text: "alone", Fields: vecwire.Fields{vecwire.SourceField: "a"}},
	))
	search := func(c *vecwire.Collection, source string, place float64, q vecwire.Query) []vecwire.Hit {
		t.Helper()
		q.Vector, q.Exact = toward(source, place), true
		hits, err := c.Search(ctx, q)
		require.NoError(t, err)
		return hits
	}
	places := func(p *vecwire.Passage) (out []int64) {
		t.Helper()
		if p == nil {
			return nil
		}
		for _, r := range p.Records {
			require.Equal(t, p.Source, r.Fields[vecwire.SourceField])
			require.Nil(t, r.Vector)
			place, ok := r.Fields[vecwire.PartField].(int64)
			if !ok {
				place = -1
			}
			out = append(out, place)
		}
		return out
	}

	run(t, "ReplaceSource numbers the parts", func(t *testing.T) {
		p, err := c.Source(ctx, "b")
		require.NoError(t, err)
		require.Equal(t, "b", p.Source)
		require.Equal(t, []int64{0, 1, 2}, places(p))
		require.Equal(t, "b says 0.\nb says 1.\nb says 2.", p.Text)

		own := document("n", 3)
		for i := range own {
			own[i].Fields[vecwire.PartField] = 7 - i
		}
		own[1].Fields[vecwire.PartField] = nil
		_, err = c.ReplaceSource(ctx, "n", own...)
		require.NoError(t, err)
		p, err = c.Source(ctx, "n")
		require.NoError(t, err)
		require.Equal(t, []int64{1, 5, 7}, places(p))
		require.Nil(t, own[1].Fields[vecwire.PartField], "the caller's fields are as they were")
		report, err := c.ReplaceSource(ctx, "n", own...)
		require.NoError(t, err)
		require.EqualValues(t, 3, report.Unchanged)
		_, err = c.ReplaceSource(ctx, "n")
		require.NoError(t, err)
	})
	run(t, "a document", func(t *testing.T) {
		p, err := c.Source(ctx, "a")
		require.NoError(t, err)
		require.Equal(t, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -1}, places(p))
		require.Equal(t, "no place", p.Records[12].ID)
		_, err = c.Source(ctx, "none")
		require.ErrorIs(t, err, vecwire.ErrNotFound)
		require.ErrorContains(t, err, `"none"`)
		var bad *vecwire.ValueError
		_, err = c.Source(ctx, "a\x00")
		require.ErrorAs(t, err, &bad)
	})
	run(t, "a document of many pages", func(t *testing.T) {
		many := make([]vecwire.Record, 700)
		for i := range many {
			many[i] = vecwire.Record{ID: fmt.Sprintf("m%d", (i*37)%1000), Vector: []float32{1, 1}, Text: fmt.Sprint(i)}
		}
		_, err := c.ReplaceSource(ctx, "many", many...)
		require.NoError(t, err)
		p, err := c.Source(ctx, "many")
		require.NoError(t, err)
		require.Len(t, p.Records, 700)
		for i, r := range p.Records {
			require.Equal(t, fmt.Sprint(i), r.Text)
		}
		_, err = c.ReplaceSource(ctx, "many")
		require.NoError(t, err)
	})
	run(t, "neighbours", func(t *testing.T) {
		for name, q := range map[string]vecwire.Query{
			"": {}, "IDsOnly": {IDsOnly: true}, "Vectors": {Vectors: true}, "Rescore": {Rescore: true}, "Diversity": {Diversity: 0.1}, "GroupBy": {GroupBy: vecwire.SourceField},
		} {
			q.K, q.Around = 1, 2
			hits := search(c, "a", 5, q)
			require.Len(t, hits, 1)
			require.Equal(t, "a#u", hits[0].ID, name)
			require.Equal(t, "a", hits[0].Passage.Source)
			require.Equal(t, []int64{3, 4, 5, 6, 7}, places(hits[0].Passage), name)
			require.Equal(t, "a says 3.\na says 4.\na says 5.\na says 6.\na says 7.", hits[0].Passage.Text)
			require.Equal(t, q.IDsOnly, hits[0].Text == "")
			require.Equal(t, q.Vectors, hits[0].Vector != nil)
		}
		require.Nil(t, search(c, "a", 5, vecwire.Query{K: 1})[0].Passage)
		require.Equal(t, []int64{10, 11}, places(search(c, "a", 11, vecwire.Query{K: 1, Around: 1})[0].Passage), "at the end")
		require.Equal(t, []int64{0, 1, 2, 3, 4}, places(search(c, "it's \"c\"", 1, vecwire.Query{K: 1, Around: math.MaxInt})[0].Passage), "all")
		hits := search(c, "a", 3, vecwire.Query{K: 2, Offset: 1, Around: 1})
		require.Len(t, hits, 2)
		for _, h := range hits {
			require.Contains(t, places(h.Passage), h.Fields[vecwire.PartField])
			require.Len(t, h.Passage.Records, 5, "of 2 and 4")
		}
	})
	run(t, "merged where they touch", func(t *testing.T) {
		passages := map[string]*vecwire.Passage{}
		hits := search(c, "a", 0, vecwire.Query{K: 30, Filter: filter.Or(filter.In(vecwire.PartField, 3, 4, 9), filter.Eq("id", "no place")), Around: 2})
		for _, h := range hits {
			passages[h.ID] = h.Passage
		}
		require.Len(t, hits, 7, "those of c, too, and both without a document")
		require.Nil(t, passages["no source"])
		require.Nil(t, passages["no place"])
		require.Equal(t, []int64{3, 4}, places(passages["a#w"]), "the filter holds for neighbours, too")
		require.Same(t, passages["a#w"], passages["a#v"])
		require.Equal(t, []int64{9}, places(passages["a#q"]))
		require.Equal(t, "it's \"c\"", passages["it's \"c\"#v"].Source)

		near := search(c, "a", 4.4, vecwire.Query{K: 2, Around: 1})
		require.Equal(t, []string{"a#v", "a#u"}, hitIDs(near))
		require.Equal(t, []int64{3, 4, 5, 6}, places(near[0].Passage))
		require.Same(t, near[0].Passage, near[1].Passage)
	})
	run(t, "a budget", func(t *testing.T) {
		one := func(string) int { return 1 }
		hits := search(c, "a", 5.2, vecwire.Query{K: 2, Around: 9, AroundTokens: 5, AroundCount: one})
		require.Equal(t, []int64{3, 4, 5, 6, 7}, places(hits[0].Passage), "the nearest neighbours of both, the best hit first")
		hits = search(c, "a", 5.2, vecwire.Query{K: 3, Around: 9, AroundTokens: 2, AroundCount: one})
		require.Equal(t, []int64{5, 6}, places(hits[0].Passage))
		require.Nil(t, hits[2].Passage, "a third hit does not fit")
		require.NotEmpty(t, hits[2].Text)
		tokens := chunk.EstimateTokens("b says 1.")
		hits = search(c, "b", 1, vecwire.Query{K: 1, Around: 1, AroundTokens: 3*tokens - 1})
		require.Equal(t, []int64{0, 1}, places(hits[0].Passage))
	})
	run(t, "chunks", func(t *testing.T) {
		text := "The pump was serviced in May. Its seal was worn. A new one was fitted. Since then it runs dry."
		chunks, err := chunk.Split(text, chunk.Options{Size: 12, Overlap: 6})
		require.NoError(t, err)
		require.Greater(t, len(chunks), 2)
		parts := vecwire.Chunks("pump.md", chunks)
		for i := range parts {
			parts[i].Vector = []float32{1, float32(i)}
		}
		_, err = c.ReplaceSource(ctx, "pump.md", parts...)
		require.NoError(t, err)
		p, err := c.Source(ctx, "pump.md")
		require.NoError(t, err)
		require.Len(t, p.Records, len(chunks))
		require.Equal(t, text, strings.ReplaceAll(p.Text, "\n", " "), "what overlaps is there once")
		_, err = c.ReplaceSource(ctx, "pump.md")
		require.NoError(t, err)
	})
	run(t, "many documents", func(t *testing.T) {
		var all []vecwire.Record
		for i := range 130 {
			for place := range 2 {
				source := fmt.Sprintf("d%d", i)
				all = append(all, vecwire.Record{
					ID: fmt.Sprintf("%s/%d", source, place), Vector: []float32{float32(100 - place), float32(i)}, Text: "x",
					Fields: vecwire.Fields{vecwire.SourceField: source, vecwire.PartField: place, "secret": true},
				})
			}
		}
		require.NoError(t, c.Upsert(ctx, all...))
		hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 0}, K: 130, Exact: true, Around: 1, Filter: filter.Eq("secret", true)})
		require.NoError(t, err)
		require.Len(t, hits, 130)
		for _, h := range hits {
			require.Equal(t, []int64{0, 1}, places(h.Passage))
		}
		_, err = c.DeleteWhere(ctx, filter.Eq("secret", true))
		require.NoError(t, err)
	})
	run(t, "of several queries, by words, of a mirror, in a transaction", func(t *testing.T) {
		q := vecwire.Query{Vector: toward("a", 6), K: 1, Exact: true, Around: 1}
		results, err := c.SearchMany(ctx, []vecwire.Query{q, {Vector: []float32{0, 1}, K: 1, Exact: true}})
		require.NoError(t, err)
		require.Equal(t, []int64{5, 6, 7}, places(results[0].Hits[0].Passage))
		require.Nil(t, results[1].Hits[0].Passage)
		if s.caps.FullText {
			hits, err := c.Search(ctx, vecwire.Query{Text: "a says 3", Fusion: &vecwire.Fusion{TextOnly: true}, K: 1, Around: 1, Filter: filter.Eq(vecwire.SourceField, "a")})
			require.NoError(t, err)
			require.Equal(t, []int64{2, 3, 4}, places(hits[0].Passage))
		}
		m, err := c.Mirror(ctx, vecwire.MirrorOptions{})
		require.NoError(t, err)
		defer m.Close()
		hits, err := m.Search(ctx, q)
		require.NoError(t, err)
		require.Equal(t, []int64{5, 6, 7}, places(hits[0].Passage))
		if s.caps.Transactions {
			require.NoError(t, s.db.Tx(ctx, func(ctx context.Context) error {
				if _, err := c.ReplaceSource(ctx, "in", document("in", 4)...); err != nil {
					return err
				}
				p, err := c.Source(ctx, "in")
				if err != nil || len(p.Records) != 4 {
					return fmt.Errorf("%v, %w", p, err)
				}
				_, err = c.ReplaceSource(ctx, "in")
				return err
			}))
		}
	})
	run(t, "of a namespace", func(t *testing.T) {
		schema := schema
		schema.Fields = append([]vecwire.Field{{Name: vecwire.NamespaceField, Index: true}}, schema.Fields...)
		c := s.create(t, schema)
		for _, name := range []string{"x", "y"} {
			n, err := c.Namespace(name)
			require.NoError(t, err)
			parts := document("a", 3)
			for i := range parts {
				parts[i].Fields["secret"] = name == "x"
			}
			_, err = n.ReplaceSource(ctx, "a", parts...)
			require.NoError(t, err)
		}
		x, err := c.Namespace("x")
		require.NoError(t, err)
		for _, h := range search(x, "a", 1, vecwire.Query{K: 3, Around: 1}) {
			require.Equal(t, []int64{0, 1, 2}, places(h.Passage))
			for _, r := range h.Passage.Records {
				require.Equal(t, true, r.Fields["secret"])
			}
		}
		p, err := x.Source(ctx, "a")
		require.NoError(t, err)
		require.Len(t, p.Records, 3)

		// Equal sources of two namespaces are two documents, also of the whole collection.
		hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 1}, K: 6, Around: 3})
		require.NoError(t, err)
		require.Len(t, hits, 6)
		for _, h := range hits {
			require.Equal(t, "a", h.Passage.Source)
			require.Equal(t, []int64{0, 1, 2}, places(h.Passage))
			for _, r := range h.Passage.Records {
				require.Equal(t, h.Fields[vecwire.NamespaceField], r.Fields[vecwire.NamespaceField])
			}
		}
		_, err = c.Source(ctx, "a")
		var joined *vecwire.ValueError
		require.ErrorAs(t, err, &joined)
		require.Equal(t, "source", joined.Field)
		_, err = c.Source(ctx, "b")
		require.ErrorIs(t, err, vecwire.ErrNotFound)
	})
	run(t, "refusals", func(t *testing.T) {
		v := []float32{1, 1}
		less := func(string) int { return -1 }
		for field, q := range map[string]vecwire.Query{
			"Around": {Vector: v, Around: -1}, "AroundTokens": {Vector: v, AroundTokens: -1},
			"AroundCount": {Vector: v, Around: 1, AroundTokens: 1, AroundCount: less},
		} {
			_, err := c.Search(ctx, q)
			var bad *vecwire.ValueError
			require.ErrorAs(t, err, &bad)
			require.Equal(t, field, bad.Field)
		}
		for _, err := range c.SearchAll(ctx, vecwire.Query{Vector: v, Around: 1}) {
			var bad *vecwire.ValueError
			require.ErrorAs(t, err, &bad)
			require.Equal(t, "Around", bad.Field)
		}
		for field, fields := range map[string][]vecwire.Field{
			vecwire.SourceField: nil,
			vecwire.PartField:   {{Name: vecwire.SourceField}, {Name: vecwire.PartField, Type: vecwire.Float}},
		} {
			bare := s.create(t, vecwire.Schema{Dim: 2, Fields: fields})
			var bad *vecwire.SchemaError
			_, err := bare.Search(ctx, vecwire.Query{Vector: v, Around: 1})
			require.ErrorAs(t, err, &bad)
			require.Equal(t, field, bad.Field)
			_, err = bare.Source(ctx, "a")
			require.ErrorAs(t, err, &bad)
			require.Equal(t, field, bad.Field)
		}
	})
}
