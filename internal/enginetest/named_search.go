package enginetest

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

func (s *suite) namedSearch(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, namedSchema())
	records := namedRecords(s.sample(600))
	require.NoError(t, c.Upsert(ctx, records...))
	q := []float32{0.3, -1, 2, 0.1}
	for _, most := range []int64{0, 1, 7, 50, 300, 1000} {
		for _, k := range []int{1, 5, 40, math.MaxInt} {
			hits, err := c.Search(ctx, vecwire.Query{In: "head", Vector: q, K: k, Exact: true, Filter: filter.Lt("n", most)})
			require.NoError(t, err)
			passes := func(r vecwire.Record) bool { return r.Fields["n"].(int64) < most }
			require.Equal(t, nearest(records, "head", q, k, passes), hitIDs(hits), "n < %d, K %d", most, k)
			for _, h := range hits {
				require.NotEmpty(t, h.Text)
				require.Contains(t, h.Fields, "title")
				require.Nil(t, h.Vectors)
			}
		}
	}
	// Queries about several vectors in one call, each with its own metric.
	results, err := c.SearchMany(ctx, []vecwire.Query{
		{In: "image", Vector: []float32{1, 0}, K: 3, Exact: true}, {Vector: []float32{1, 0, 0}, K: 2, Exact: true}, {In: "head", Vector: q, K: 4, Exact: true, IDsOnly: true},
	})
	require.NoError(t, err)
	require.Len(t, results[0].Hits, 3)
	require.InDelta(t, 1-results[0].Hits[0].Score, results[0].Hits[0].Distance, 1e-12, "the metric is Cosine")
	require.Len(t, results[1].Hits, 2)
	require.InDelta(t, -results[2].Hits[0].Score, results[2].Hits[0].Distance, 1e-12, "the metric is Dot")
	require.Empty(t, results[2].Hits[0].Text)
	// The steps that choose among candidates go by the same vector.
	hits, err := c.Search(ctx, vecwire.Query{In: "head", Vector: q, K: 5, Exact: true, Rescore: true, Vectors: true})
	require.NoError(t, err)
	require.Equal(t, nearest(records, "head", q, 5, func(vecwire.Record) bool { return true }), hitIDs(hits))
	_, err = c.Search(ctx, vecwire.Query{In: "head", Vector: q, K: 5, Diversity: 0.5})
	require.NoError(t, err)
	var streamed []string
	for h, err := range c.SearchAll(ctx, vecwire.Query{In: "image", Vector: []float32{1, 2}, K: 7, Exact: true}) {
		require.NoError(t, err)
		streamed = append(streamed, h.ID)
	}
	require.Equal(t, nearest(records, "image", []float32{1, 2}, len(records), func(vecwire.Record) bool { return true }), streamed)
}

// namedFusion: lists by named vectors are fused with that by the records' own, and with
// that by words.
func (s *suite) namedFusion(t *testing.T) {
	ctx := t.Context()
	schema := namedSchema()
	if s.caps.FullText {
		schema.FullText = vecwire.Words
	}
	c := s.create(t, schema)
	records := namedRecords(80)
	require.NoError(t, c.Upsert(ctx, records...))
	head, image, own := []float32{1, -2, 0.5, 3}, []float32{1, 2}, []float32{1, 0, -1}
	all := func(vecwire.Record) bool { return true }
	few := filter.Lt("n", 30)
	passes := func(r vecwire.Record) bool { return r.Fields["n"].(int64) < 30 }
	legs := []vecwire.VectorLeg{{In: "head", Vector: head, Weight: 2}, {In: "image", Vector: image}}
	for _, f := range []filter.Filter{{}, few} {
		let := all
		if !f.IsZero() {
			let = passes
		}
		hits, err := c.Search(ctx, vecwire.Query{K: 200, Exact: true, Filter: f, Fusion: &vecwire.Fusion{TextOnly: true, NoText: true, Vectors: legs}})
		require.NoError(t, err)
		byHead, byImage := nearest(records, "head", head, 200, let), nearest(records, "image", image, 200, let)
		require.Len(t, hits, len(byHead), "every image has a head")
		want := map[string]float64{}
		for i, id := range byHead {
			want[id] += 2.0 / float64(61+i)
		}
		for i, id := range byImage {
			want[id] += 1.0 / float64(61+i)
		}
		for i, h := range hits {
			require.InDelta(t, want[h.ID]*61/3, h.Score, 1e-9, "RRF divided by its greatest possible value")
			require.Equal(t, slices.Index(byHead, h.ID)+1, h.Explanation.Vectors[0].Rank)
			require.Equal(t, slices.Index(byImage, h.ID)+1, h.Explanation.Vectors[1].Rank)
			require.True(t, math.IsNaN(h.Distance))
			require.NotEmpty(t, h.Text)
			if i > 0 {
				require.LessOrEqual(t, h.Score, hits[i-1].Score)
			}
		}
	}
	// Beside the own vector, the hits have that one.
	hits, err := c.Search(ctx, vecwire.Query{Vector: own, K: 80, Exact: true, Vectors: true, Fusion: &vecwire.Fusion{NoText: true, Vectors: legs[:1]}})
	require.NoError(t, err)
	require.Len(t, hits, 80)
	for _, h := range hits {
		i := slices.IndexFunc(records, func(r vecwire.Record) bool { return r.ID == h.ID })
		require.Equal(t, records[i], h.Record)
		require.Positive(t, h.Explanation.Vector.Rank)
	}
	if s.caps.FullText {
		hits, err = c.Search(ctx, vecwire.Query{Vector: own, Text: "text 7", K: 3, Fusion: &vecwire.Fusion{Vectors: legs, TextWeight: 100}})
		require.NoError(t, err)
		require.Equal(t, "r0007", hits[0].ID)
		require.Equal(t, 1, hits[0].Explanation.Text.Rank)
		require.Len(t, hits[0].Explanation.Vectors, 2)
	}
	heads := newCounting("heads", 4)
	headed, err := c.WithVectorEmbedder("head", heads)
	require.NoError(t, err)
	_, err = headed.Search(ctx, vecwire.Query{Vector: own, Text: "title 3", Fusion: &vecwire.Fusion{NoText: true, Vectors: []vecwire.VectorLeg{{In: "head"}}}})
	require.NoError(t, err)
	require.Equal(t, 1, heads.total())

	var value *vecwire.ValueError
	for name, q := range map[string]vecwire.Query{
		"nothing to fuse": {Vector: own, Fusion: &vecwire.Fusion{NoText: true}},
		"no vector":       {Vector: own, Fusion: &vecwire.Fusion{NoText: true, Vectors: []vecwire.VectorLeg{{In: "head"}}}},
		"a weight":        {Vector: own, Fusion: &vecwire.Fusion{NoText: true, Vectors: []vecwire.VectorLeg{{In: "head", Vector: head, Weight: -1}}}},
		"beside In":       {In: "head", Vector: head, Fusion: &vecwire.Fusion{NoText: true, Vectors: legs}},
	} {
		_, err = c.Search(ctx, q)
		require.ErrorAs(t, err, &value, name)
	}
	var wrong *vecwire.SchemaError
	_, err = c.Search(ctx, vecwire.Query{Vector: own, Fusion: &vecwire.Fusion{NoText: true, Vectors: []vecwire.VectorLeg{{In: "none", Vector: head}}}})
	require.ErrorAs(t, err, &wrong)
}

// nearest returns the IDs of the records whose vectors of a name are the nearest to q by
// the dot product, or by the cosine.
func nearest(records []vecwire.Record, name string, q []float32, k int, passes func(vecwire.Record) bool) []string {
	type scored struct {
		id    string
		score float64
	}
	var all []scored
	for _, r := range records {
		v := r.Vectors[name]
		if v == nil || !passes(r) {
			continue
		}
		var dot, vv, qq float64
		for i := range v {
			dot += float64(v[i]) * float64(q[i])
			vv += float64(v[i]) * float64(v[i])
			qq += float64(q[i]) * float64(q[i])
		}
		if name == "image" {
			dot /= math.Sqrt(vv * qq)
		}
		all = append(all, scored{r.ID, dot})
	}
	slices.SortFunc(all, func(a, b scored) int {
		if a.score != b.score {
			return map[bool]int{true: -1, false: 1}[a.score > b.score]
		}
		return map[bool]int{true: -1, false: 1}[a.id < b.id]
	})
	ids := []string{}
	for _, s := range all[:min(k, len(all))] {
		ids = append(ids, s.id)
	}
	return ids
}
