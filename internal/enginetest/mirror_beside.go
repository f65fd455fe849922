package enginetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

func (s *suite) mirrorNamespaces(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Metric: vecwire.Dot, Fields: []vecwire.Field{
		{Name: "s"}, {Name: vecwire.NamespaceField, Index: true}, {Name: vecwire.SourceField},
	}})
	a, err := c.Namespace("a")
	require.NoError(t, err)
	b, err := c.Namespace("b")
	require.NoError(t, err)
	record := func(id, s string) vecwire.Record {
		return vecwire.Record{ID: id, Vector: []float32{float32(len(id)), 1}, Text: s, Fields: vecwire.Fields{"s": s}}
	}
	require.NoError(t, a.Upsert(ctx, record("1", "one"), record("22", "two")))
	require.NoError(t, b.Upsert(ctx, record("1", "other")))
	mirror := mirrored(t, a, vecwire.MirrorOptions{})
	m := newModel(a.Schema(), record("1", "one"), record("22", "two"))
	all := vecwire.Query{Vector: []float32{1, 1}, K: 100, Vectors: true}
	m.expectMirror(t, mirror, all, vecwire.Query{Vector: []float32{1, 1}, Filter: filter.Gt("id", "1")})
	require.NoError(t, mirror.Upsert(ctx, record("333", "three")))
	m.upsert(record("333", "three"))
	m.expectMirror(t, mirror, all)
	n, err := mirror.DeleteWhere(ctx, filter.Eq("s", "one"))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	delete(m.records, "1")
	with := record("4444", "four")
	_, err = mirror.ReplaceSource(ctx, "x", with)
	require.NoError(t, err)
	with.Fields[vecwire.SourceField] = "x"
	m.upsert(with)
	m.expectMirror(t, mirror, all)
	m.expectAll(t, a)
	require.NoError(t, mirror.Refresh(ctx))
	require.Zero(t, mirror.Stats().Changed)
	require.Equal(t, 1, len(collect(t, b, vecwire.Scan{})))
}

func (s *suite) mirrorDropped(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2})
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 2}}))
	mirror := mirrored(t, c, vecwire.MirrorOptions{})
	require.NoError(t, s.db.DropCollection(ctx, c.Schema().Name))
	require.ErrorIs(t, mirror.Refresh(ctx), vecwire.ErrNotFound)
	_, err := mirror.Search(ctx, vecwire.Query{Vector: []float32{1, 2}, IDsOnly: true})
	require.ErrorIs(t, err, vecwire.ErrNotFound)
}

// mirrorConcurrency has writers of the mirror, writers beside it, refreshes and
// searches at once. In the end the mirror is what the database is.
func (s *suite) mirrorConcurrency(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Metric: vecwire.Dot, Fields: versionFields})
	mirror := mirrored(t, c, vecwire.MirrorOptions{Refresh: time.Millisecond})
	q := vecwire.Query{Vector: []float32{1, 1}, K: 100, Vectors: true}
	inParallel(t, func(w int) error {
		for round := range max(3, s.sample(20)) {
			version := 1 + w*1000 + round
			batch := []vecwire.Record{versioned(fmt.Sprint(round%4), version), versioned("own "+fmt.Sprint(w), version)}
			var err error
			switch w {
			case 0:
				err = c.Upsert(ctx, batch...)
			case 1:
				err = mirror.Refresh(ctx)
			case 2:
				_, err = mirror.DeleteWhere(ctx, filter.Lt("v", 3000))
			case 3:
				_, err = mirror.Delete(ctx, fmt.Sprint(round%4))
			default:
				err = mirror.Upsert(ctx, batch...)
			}
			if err != nil {
				return err
			}
			q := q
			q.IDsOnly = w > 4
			hits, err := mirror.Search(ctx, q)
			if err != nil {
				return err
			}
			own := w < 4
			for _, h := range hits {
				if want := math.Trunc(h.Score) - 1; q.IDsOnly && float64(h.Vector[0]) != want {
					return fmt.Errorf("record %q: score %v with vector %v", h.ID, h.Score, h.Vector)
				}
				own = own || h.ID == batch[1].ID && int(h.Vector[0]) == version
			}
			if !own {
				return fmt.Errorf("worker %d does not find what it has written", w)
			}
		}
		return nil
	})
	require.NoError(t, mirror.Refresh(ctx))
	m := newModel(c.Schema(), collect(t, c, vecwire.Scan{Vectors: true})...)
	m.expectMirror(t, mirror, q)
	require.Zero(t, mirror.Stats().Unsure)
}

// mirrorWholeBatches has writers replace all records at once through the mirror,
// beside refreshes, while others search.
func (s *suite) mirrorWholeBatches(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Metric: vecwire.Dot, Fields: versionFields})
	mirror := mirrored(t, c, vecwire.MirrorOptions{})
	var version, writing atomic.Int64
	batch := func() (records []vecwire.Record) {
		v := int(version.Add(1))
		for i := range 10 {
			records = append(records, versioned(fmt.Sprint(i), v))
		}
		return records
	}
	require.NoError(t, mirror.Upsert(ctx, batch()...))
	const writers = 2
	writing.Store(writers)
	inParallel(t, func(w int) error {
		if w < writers {
			defer writing.Add(-1)
			for range max(3, s.sample(20)) {
				if err := mirror.Upsert(ctx, batch()...); err != nil {
					return err
				}
			}
			return nil
		}
		for last := false; !last; {
			last = writing.Load() == 0
			if w == writers {
				if err := mirror.Refresh(ctx); err != nil {
					return err
				}
				continue
			}
			hits, err := mirror.Search(ctx, vecwire.Query{Vector: []float32{1, 0}, K: 100, Vectors: true, IDsOnly: true, Filter: filter.Gt("v", 0)})
			if err != nil {
				return err
			}
			if len(hits) != 10 || slices.ContainsFunc(hits, func(h vecwire.Hit) bool { return h.Vector[0] != hits[0].Vector[0] }) {
				return fmt.Errorf("%d of 10 records, or of several versions", len(hits))
			}
			if err := context.Cause(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}
