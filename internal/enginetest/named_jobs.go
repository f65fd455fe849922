package enginetest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// headed returns a collection whose named vector head is embedded from the title, and
// the two embedders.
func (s *suite) headed(t testing.TB) (*vecwire.Collection, *counting, *counting) {
	t.Helper()
	schema := namedSchema()
	schema.Model = "texts"
	c := s.create(t, schema)
	own, heads := newCounting("texts", 3), newCounting("heads", 4)
	c, err := c.WithEmbedder(own)
	require.NoError(t, err)
	c, err = c.WithVectorEmbedder("head", heads)
	require.NoError(t, err)
	return c, own, heads
}

func (s *suite) namedEmbedding(t *testing.T) {
	ctx := t.Context()
	c, own, heads := s.headed(t)
	_, err := c.WithVectorEmbedder("head", newCounting("others", 4))
	require.ErrorIs(t, err, vecwire.ErrModelMismatch)
	var dim *vecwire.DimensionError
	_, err = c.WithVectorEmbedder("head", newCounting("heads", 5))
	require.ErrorAs(t, err, &dim)
	_, err = c.WithVectorEmbedder("none", heads)
	require.Error(t, err)

	records := []vecwire.Record{
		{ID: "a", Text: "one", Fields: vecwire.Fields{"title": "uno", "n": 1}},
		{ID: "b", Text: "two", Fields: vecwire.Fields{"title": "due", "n": 2}},
		{ID: "c", Text: "three", Fields: vecwire.Fields{"n": 3}},
		{ID: "d", Text: "four", Vectors: map[string][]float32{"head": {1, 2, 3, 4}}, Fields: vecwire.Fields{"title": "quattro"}},
	}
	vectorsAre := func(want map[string][]float32) {
		t.Helper()
		got, err := c.Get(ctx, "a", "b", "c", "d")
		require.NoError(t, err)
		have := map[string][]float32{}
		for _, r := range got {
			if v := r.Vectors["head"]; v != nil {
				have[r.ID] = v
			}
		}
		require.Equal(t, want, have)
	}
	require.NoError(t, c.Upsert(ctx, records...))
	want := map[string][]float32{"a": heads.vector("uno"), "b": heads.vector("due"), "d": {1, 2, 3, 4}}
	vectorsAre(want)
	require.Equal(t, 2, heads.total())
	require.Equal(t, 4, own.total())

	hits, err := c.Search(ctx, vecwire.Query{In: "head", Text: "due", K: 10})
	require.NoError(t, err)
	require.Len(t, hits, 3)
	require.Equal(t, 3, heads.total(), "a question is embedded by the vector's embedder")
	require.Equal(t, 4, own.total())

	// The same texts again, with other fields, cost no call.
	records[0].Fields["n"], records[1].Fields["title"] = 10, "zwei"
	require.NoError(t, c.Upsert(ctx, records...))
	want["b"] = heads.vector("zwei")
	vectorsAre(want)
	require.Equal(t, 4, heads.total())

	if s.caps.Update {
		require.NoError(t, c.Update(ctx, vecwire.Change{ID: "a", Set: vecwire.Fields{"title": "ein"}},
			vecwire.Change{ID: "b", Unset: []string{"title"}}, vecwire.Change{ID: "c", Set: vecwire.Fields{"n": 4}},
			vecwire.Change{ID: "d", Set: vecwire.Fields{"title": "vier"}, Vectors: map[string][]float32{"head": {4, 3, 2, 1}}}))
		want["a"], want["d"] = heads.vector("ein"), []float32{4, 3, 2, 1}
		delete(want, "b")
		vectorsAre(want)
		require.Equal(t, 5, heads.total())
	}
	if !s.caps.Transactions {
		return
	}
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "c", Text: "three", Fields: vecwire.Fields{"title": "tre"}}))
	want["c"] = heads.vector("tre")
	vectorsAre(want)
}

func (s *suite) namedIngest(t *testing.T) {
	defer s.namedChecked(t)
	ctx := t.Context()
	c := s.create(t, namedSchema())
	want := namedRecords(s.sample(300))
	report, err := c.Ingest(ctx, reused(want), vecwire.IngestOptions{BatchRecords: 17})
	require.NoError(t, err)
	require.EqualValues(t, len(want), report.Inserted, "%+v", report)
	for i := range want { // reused yields no named vectors
		want[i].Vectors = nil
	}
	expectNamed(t, c, want)
	want = namedRecords(s.sample(300))
	report, err = c.Ingest(ctx, input(want...), vecwire.IngestOptions{BatchRecords: 17})
	require.NoError(t, err)
	with := 0
	for _, r := range want {
		if r.Vectors != nil {
			with++
		}
	}
	require.EqualValues(t, with, report.Updated, "%+v", report)
	require.EqualValues(t, len(want)-with, report.Unchanged)
	expectNamed(t, c, want)
	report, err = c.Ingest(ctx, input(want...), vecwire.IngestOptions{})
	require.NoError(t, err)
	require.EqualValues(t, len(want), report.Unchanged, "what is there is not written again")

	headed, own, heads := s.headed(t)
	texts := []vecwire.Record{{ID: "a", Text: "one", Fields: vecwire.Fields{"title": "uno"}}, {ID: "b", Text: "two", Fields: vecwire.Fields{"title": "due"}}}
	for range 2 {
		_, err = headed.Ingest(ctx, input(texts...), vecwire.IngestOptions{})
		require.NoError(t, err)
		require.Equal(t, 2, own.total())
		require.Equal(t, 2, heads.total())
	}
	got, err := headed.Get(ctx, "b")
	require.NoError(t, err)
	require.Equal(t, heads.vector("due"), got[0].Vectors["head"])

	// A source is replaced with its vectors.
	schema := namedSchema()
	schema.Fields = append(schema.Fields, vecwire.Field{Name: vecwire.SourceField, Index: true})
	c = s.create(t, schema)
	parts := namedRecords(9)
	_, err = c.ReplaceSource(ctx, "doc", parts...)
	require.NoError(t, err)
	for i := range parts {
		parts[i].Fields[vecwire.SourceField] = "doc"
	}
	expectNamed(t, c, parts)
	parts[4].Vectors["head"] = []float32{1, 1, 1, 1}
	report, err = c.ReplaceSource(ctx, "doc", parts[2:]...)
	require.NoError(t, err)
	require.EqualValues(t, 1, report.Updated, "%+v", report)
	require.EqualValues(t, 2, report.Deleted)
	expectNamed(t, c, parts[2:])
}

func (s *suite) namedIndex(t *testing.T) {
	if !s.caps.Indexes {
		return
	}
	ctx := t.Context()
	c := s.create(t, namedSchema())
	records := namedRecords(s.sample(1000))
	require.NoError(t, c.Upsert(ctx, records...))
	in, err := c.In("head")
	require.NoError(t, err)
	require.NoError(t, in.BuildIndex(ctx, vecwire.IndexOptions{}))
	indexes, err := c.Indexes(ctx)
	require.NoError(t, err)
	require.Len(t, indexes, 1, "the records' own vectors have none")
	require.Equal(t, "head", indexes[0].In)
	same, err := in.Indexes(ctx)
	require.NoError(t, err)
	require.Equal(t, indexes, same)
	require.NoError(t, c.BuildIndex(ctx, vecwire.IndexOptions{}))
	both, err := c.Indexes(ctx)
	require.NoError(t, err)
	require.Len(t, both, 2)
	same, err = in.Indexes(ctx)
	require.NoError(t, err)
	require.Equal(t, indexes, same)
	q := []float32{1, 2, -1, 0}
	for _, f := range []filter.Filter{{}, filter.Lt("n", 100), filter.Lt("n", 3)} {
		exact, err := c.Search(ctx, vecwire.Query{In: "head", Vector: q, Filter: f, Exact: true, K: 5})
		require.NoError(t, err)
		hits, err := c.Search(ctx, vecwire.Query{In: "head", Vector: q, Filter: f, K: 5})
		require.NoError(t, err)
		require.Equal(t, hitIDs(exact), hitIDs(hits), "of so few records an index loses none")
	}
	report, err := in.Recall(ctx, vecwire.RecallOptions{Sample: 20})
	require.NoError(t, err)
	require.Positive(t, report.Queries)
	require.Greater(t, report.Mean, 0.9)
	require.ErrorIs(t, in.DropIndex(ctx, "none"), vecwire.ErrNotFound)
	require.NoError(t, in.DropIndex(ctx, indexes[0].Name))
	indexes, err = in.Indexes(ctx)
	require.NoError(t, err)
	require.Empty(t, indexes)
}

func (s *suite) namedMirror(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, namedSchema())
	want := namedRecords(30)
	require.NoError(t, c.Upsert(ctx, want[:20]...))
	m := mirrored(t, c, vecwire.MirrorOptions{})
	require.NoError(t, m.Upsert(ctx, want[20:]...))
	expectNamed(t, m.Collection, want)
	n, err := m.Delete(ctx, "r0001")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	expectNamed(t, c, slices.Delete(want, 1, 2))
	in, err := c.In("head")
	require.NoError(t, err)
	_, err = in.Mirror(ctx, vecwire.MirrorOptions{})
	require.ErrorIs(t, err, vecwire.ErrUnsupported)
}

func (s *suite) namedReembed(t *testing.T) {
	defer s.namedChecked(t)
	if !s.caps.Reembed {
		return
	}
	ctx := t.Context()
	c := s.create(t, namedSchema())
	want := namedRecords(30)
	require.NoError(t, c.Upsert(ctx, want...))
	_, _, err := s.db.Reembed(ctx, c.Schema().Name, newCounting("new", 5), vecwire.ReembedOptions{Keep: s.name()})
	require.ErrorIs(t, err, vecwire.ErrUnsupported)
	e := newCounting("new", 5)
	again, _, err := s.db.Reembed(ctx, c.Schema().Name, e, vecwire.ReembedOptions{})
	require.NoError(t, err)
	for i := range want {
		want[i].Vector = e.vector(want[i].Text)
	}
	expectNamed(t, again, want)
	require.NoError(t, again.Upsert(ctx, vecwire.Record{ID: "r0001", Vector: []float32{1, 2, 3, 4, 5}}))
}
