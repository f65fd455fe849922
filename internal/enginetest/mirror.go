package enginetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// mirror: a mirror answers as the database does, and follows it.
func (s *suite) mirror(t *testing.T) {
	run(t, "answers", s.mirrorAnswers)
	run(t, "ties", s.mirrorTies)
	run(t, "writes through", s.mirrorWrites)
	run(t, "others write", s.mirrorOthers)
	run(t, "outdated hits", s.mirrorOutdated)
	run(t, "bounds", s.mirrorBounds)
	run(t, "refusals", s.mirrorRefusals)
	run(t, "namespaces", s.mirrorNamespaces)
	run(t, "dropped", s.mirrorDropped)
	run(t, "full text", s.mirrorText)
	run(t, "all at once", s.mirrorConcurrency)
	run(t, "batches are seen whole", s.mirrorWholeBatches)
}

// mirrored makes a mirror, which is closed when the test ends.
func mirrored(t testing.TB, c *vecwire.Collection, o vecwire.MirrorOptions) *vecwire.Mirror {
	t.Helper()
	m, err := c.Mirror(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

// expectMirror checks that a mirror finds what the model has: by its own copy, and
// with texts and fields.
func (m *model) expectMirror(t testing.TB, mirror *vecwire.Mirror, queries ...vecwire.Query) {
	t.Helper()
	require.Equal(t, len(m.records), mirror.Stats().Records)
	for _, q := range queries {
		for _, idsOnly := range []bool{true, false} {
			q.IDsOnly = idsOnly
			results, err := mirror.SearchMany(t.Context(), []vecwire.Query{q})
			require.NoError(t, err)
			require.Contains(t, results[0].Plan.Path, "mirror")
			require.True(t, results[0].Exact)
			m.expectHits(t, q, results[0].Hits)
		}
	}
}

// everything is a query that finds all records.
func (g *generator) everything() vecwire.Query {
	q := g.query()
	q.K, q.Vectors = 10_000, true
	return q
}

func (s *suite) mirrorAnswers(t *testing.T) {
	s.eachKind(t, func(t *testing.T, element vecwire.Element, metric vecwire.Metric) {
		ctx := t.Context()
		c := s.create(t, vecwire.Schema{Dim: 5, Element: element, Metric: metric, Fields: allTypes()})
		g := newGenerator(171, c.Schema())
		m := newModel(c.Schema(), g.records(80)...)
		require.NoError(t, c.Upsert(ctx, m.all()...))
		mirror := mirrored(t, c, vecwire.MirrorOptions{})
		m.expectMirror(t, mirror, g.everything())
		var queries []vecwire.Query
		for range s.sample(30) {
			q := g.query()
			q.K, q.Filter, q.Vectors, q.IDsOnly = 1+g.IntN(12), g.filter(2), g.IntN(2) == 0, g.IntN(2) == 0
			queries = append(queries, q)
		}
		theirs, err := c.SearchMany(ctx, queries)
		require.NoError(t, err)
		ours, err := mirror.SearchMany(ctx, queries)
		require.NoError(t, err)
		for i, q := range queries {
			require.Len(t, ours[i].Hits, len(theirs[i].Hits))
			m.expectHits(t, q, ours[i].Hits)
			m.expectHits(t, q, theirs[i].Hits)
		}
	})
}

// mirrorTies has vectors whose scores are the same in any arithmetic, so that the
// two answers are the same hit for hit, also where K cuts through a tie.
func (s *suite) mirrorTies(t *testing.T) {
	s.eachKind(t, func(t *testing.T, element vecwire.Element, metric vecwire.Metric) {
		ctx := t.Context()
		c := s.create(t, vecwire.Schema{Dim: 2, Element: element, Metric: metric, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}})
		g := newGenerator(172, c.Schema())
		var records []vecwire.Record
		for i := range 60 {
			v := [][]float32{{3, 4}, {4, 3}, {-4, 3}}[g.IntN(3)]
			records = append(records, vecwire.Record{ID: fmt.Sprintf("%d", i*i), Vector: v, Fields: vecwire.Fields{"n": g.IntN(4)}})
		}
		require.NoError(t, c.Upsert(ctx, records...))
		mirror := mirrored(t, c, vecwire.MirrorOptions{})
		for range s.sample(20) {
			q := vecwire.Query{Vector: []float32{4, 3}, K: 1 + g.IntN(60), Filter: filter.Ge("n", g.IntN(4)), Exact: true}
			theirs, err := c.Search(ctx, q)
			require.NoError(t, err)
			ours, err := mirror.Search(ctx, q)
			require.NoError(t, err)
			require.Equal(t, hitIDs(theirs), hitIDs(ours))
		}
	})
}

// mirrorWrites does random things to a mirror, and to the model.
func (s *suite) mirrorWrites(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 4, Metric: vecwire.Dot, Fields: append(allTypes(), vecwire.Field{Name: vecwire.SourceField, Index: true})})
	g := newGenerator(173, c.Schema())
	m := newModel(c.Schema(), g.records(20)...)
	require.NoError(t, c.Upsert(ctx, m.all()...))
	mirror := mirrored(t, c, vecwire.MirrorOptions{})
	some := func() (records []vecwire.Record) {
		for range 1 + g.IntN(8) {
			r := g.record(fmt.Sprintf("%04d", g.IntN(40)))
			records = append(records, r)
		}
		return records
	}
	for range max(12, s.sample(60)) {
		switch g.IntN(6) {
		case 0:
			records := some()
			require.NoError(t, mirror.Upsert(ctx, records...))
			m.upsert(records...)
		case 1:
			r := g.record(fmt.Sprintf("new %d", g.IntN(1000)))
			err := mirror.Insert(ctx, r)
			if _, ok := m.records[r.ID]; !s.caps.Insert {
				require.ErrorIs(t, err, vecwire.ErrUnsupported)
			} else if ok {
				require.ErrorIs(t, err, vecwire.ErrExists)
			} else {
				require.NoError(t, err)
				m.upsert(r)
			}
		case 2:
			ids := idsOf(some())
			_, err := mirror.Delete(ctx, ids...)
			require.NoError(t, err)
			for _, id := range ids {
				delete(m.records, id)
			}
		case 3:
			f := filter.And(g.filter(1), g.filter(1))
			n, err := mirror.DeleteWhere(ctx, f)
			require.NoError(t, err)
			ids := m.ids(f)
			require.Equal(t, len(ids), n)
			for _, id := range ids {
				delete(m.records, id)
			}
		case 4:
			records := some()
			_, err := mirror.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
				for _, r := range records {
					if !yield(r, nil) {
						return
					}
				}
			}, vecwire.IngestOptions{BatchRecords: 3})
			require.NoError(t, err)
			m.upsert(records...)
		case 5:
			source, records := fmt.Sprint("source ", g.IntN(3)), some()
			for i := range records {
				records[i].Fields[vecwire.SourceField] = source
			}
			_, err := mirror.ReplaceSource(ctx, source, records...)
			require.NoError(t, err)
			for _, id := range m.ids(filter.Eq(vecwire.SourceField, source)) {
				delete(m.records, id)
			}
			m.upsert(records...)
		}
		m.expectMirror(t, mirror, g.everything())
	}
	m.expectAll(t, c)
	m.expectAll(t, mirror.Collection)

	_, err := mirror.DeleteWhere(ctx, filter.Filter{})
	require.NoError(t, err)
	newModel(c.Schema()).expectMirror(t, mirror, g.everything())
	require.Zero(t, mirror.Stats().Unsure)
}

// mirrorOthers changes the collection beside a mirror, which follows.
func (s *suite) mirrorOthers(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 4, Metric: vecwire.Dot, Fields: allTypes()})
	g := newGenerator(174, c.Schema())
	m := newModel(c.Schema(), g.records(30)...)
	require.NoError(t, c.Upsert(ctx, m.all()...))
	mirror := mirrored(t, c, vecwire.MirrorOptions{})
	before := mirror.Stats()
	require.Equal(t, 30, before.Records)
	require.NoError(t, mirror.Refresh(ctx))
	require.Zero(t, mirror.Stats().Changed, "there was no change")

	for range max(3, s.sample(10)) {
		var changed []vecwire.Record
		for range 5 {
			changed = append(changed, g.record(fmt.Sprintf("%04d", g.IntN(60))))
		}
		for _, r := range m.all()[:3] { // with another vector only, and another field only
			r.Vector = g.vector()
			changed = append(changed, r)
		}
		require.NoError(t, c.Upsert(ctx, changed...))
		m.upsert(changed...)
		gone := m.all()[g.IntN(len(m.records))].ID
		_, err := c.Delete(ctx, gone)
		require.NoError(t, err)
		delete(m.records, gone)

		begun := time.Now()
		require.NoError(t, mirror.Refresh(ctx))
		stats := mirror.Stats()
		require.False(t, stats.Refreshed.Before(begun), "it says when it was refreshed")
		require.NoError(t, stats.Err)
		require.NotZero(t, stats.Changed)
		m.expectMirror(t, mirror, g.everything())
	}
}

// mirrorOutdated has hits whose records others have deleted or changed.
func (s *suite) mirrorOutdated(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Metric: vecwire.Dot, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}})
	record := func(i, n int) vecwire.Record {
		return vecwire.Record{ID: fmt.Sprintf("%03d", i), Vector: []float32{float32(100 - i), 1}, Text: fmt.Sprint("text ", i), Fields: vecwire.Fields{"n": n}}
	}
	m := newModel(c.Schema())
	for i := range 60 {
		m.upsert(record(i, 1))
	}
	require.NoError(t, c.Upsert(ctx, m.all()...))
	mirror := mirrored(t, c, vecwire.MirrorOptions{})
	q := vecwire.Query{Vector: []float32{1, 0}, K: 3, Filter: filter.Eq("n", 1)}
	search := func(want ...string) []vecwire.Hit {
		hits, err := mirror.Search(ctx, q)
		require.NoError(t, err)
		require.Equal(t, want, hitIDs(hits))
		return hits
	}
	search("000", "001", "002")

	_, err := c.Delete(ctx, "000", "002")
	require.NoError(t, err)
	require.NoError(t, c.Upsert(ctx, record(3, 2)))
	search("001", "004", "005")
	require.Equal(t, 58, mirror.Stats().Records, "it has noticed")

	q.IDsOnly = true
	changed := record(4, 1)
	changed.Text = "another text"
	require.NoError(t, c.Upsert(ctx, changed))
	search("001", "004", "005")
	q.IDsOnly = false
	require.Equal(t, "another text", search("001", "004", "005")[1].Text)

	_, err = c.DeleteWhere(ctx, filter.Between("id", "005", "055")) // more than it looks again for
	require.NoError(t, err)
	search("001", "004", "056")
	_, err = c.DeleteWhere(ctx, filter.Filter{})
	require.NoError(t, err)
	search([]string{}...)
}

func (s *suite) mirrorBounds(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2})
	record := func(id string) vecwire.Record { return vecwire.Record{ID: id, Vector: []float32{1, 2}} }
	require.NoError(t, c.Upsert(ctx, record("1"), record("2"), record("3")))

	tooLarge := func(err error, records int) {
		t.Helper()
		size, ok := errors.AsType[*vecwire.MirrorSizeError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, vecwire.MirrorSizeError{Records: records, Max: records - 1}, *size)
	}
	_, err := c.Mirror(ctx, vecwire.MirrorOptions{MaxRecords: 2})
	tooLarge(err, 3)
	for _, o := range []vecwire.MirrorOptions{{MaxRecords: -1}, {Refresh: -1}} {
		_, err = c.Mirror(ctx, o)
		value, ok := errors.AsType[*vecwire.ValueError](err)
		require.True(t, ok, "%v", err)
		require.Contains(t, []string{"MaxRecords", "Refresh"}, value.Field)
	}

	mirror := mirrored(t, c, vecwire.MirrorOptions{MaxRecords: 4})
	require.NoError(t, mirror.Upsert(ctx, record("1"), record("2"), record("3"), record("4")))
	require.NoError(t, mirror.Upsert(ctx, record("1"), record("2"), record("3"), record("4")), "no record more")
	tooLarge(mirror.Upsert(ctx, record("1"), record("5")), 5)
	n, err := c.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, 4, n, "it was stored all the same")

	require.NoError(t, c.Upsert(ctx, record("5")))
	tooLarge(mirror.Refresh(ctx), 5)
	stats := mirror.Stats()
	require.Error(t, stats.Err)
	require.Equal(t, 4, stats.Records)
	hits, err := mirror.Search(ctx, vecwire.Query{Vector: []float32{1, 2}})
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2", "3", "4"}, hitIDs(hits))
	_, err = mirror.Delete(ctx, "1")
	require.NoError(t, err)
	require.NoError(t, mirror.Refresh(ctx))
	require.NoError(t, mirror.Stats().Err)
}

func (s *suite) mirrorRefusals(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Metric: vecwire.Dot, Fields: []vecwire.Field{{Name: vecwire.NamespaceField, Index: true}}})
	mirror, err := c.Mirror(ctx, vecwire.MirrorOptions{})
	require.NoError(t, err)
	_, err = mirror.Mirror(ctx, vecwire.MirrorOptions{})
	require.ErrorContains(t, err, "mirror itself")
	_, err = mirror.Namespace("x")
	require.ErrorContains(t, err, "mirror the namespace")
	if s.caps.Transactions {
		err = s.db.Tx(ctx, func(ctx context.Context) error {
			_, err := mirror.Count(ctx, filter.Filter{})
			require.ErrorContains(t, err, "no mirrors")
			_, err = c.Mirror(ctx, vecwire.MirrorOptions{})
			return err
		})
		require.ErrorContains(t, err, "no mirrors")
	}

	bad := vecwire.Record{ID: "2", Vector: []float32{1}}
	require.Error(t, mirror.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 2}}, bad))
	_, err = mirror.Search(ctx, vecwire.Query{Vector: bad.Vector})
	dimension, ok := errors.AsType[*vecwire.DimensionError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, 2, dimension.Want)
	require.Zero(t, mirror.Stats().Records)

	require.NoError(t, mirror.Close())
	require.NoError(t, mirror.Close())
	_, err = mirror.Search(ctx, vecwire.Query{Vector: []float32{1, 2}})
	require.ErrorIs(t, err, vecwire.ErrClosed)
	require.ErrorIs(t, mirror.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 2}}), vecwire.ErrClosed)
	require.ErrorIs(t, mirror.Refresh(ctx), vecwire.ErrClosed)
	n, err := c.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Zero(t, n)
}
