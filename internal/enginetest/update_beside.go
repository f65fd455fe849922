package enginetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

func (s *suite) updateInTx(t *testing.T) {
	if !s.db.Capabilities().Transactions {
		return
	}
	ctx := t.Context()
	e := newCounting("model", 2)
	bare := s.create(t, vecwire.Schema{Dim: 2, Model: "model", Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}, {Name: "s"}}})
	c, err := bare.WithEmbedder(e)
	require.NoError(t, err)
	m := newModel(c.Schema(), vecwire.Record{ID: "1", Text: "one", Vector: []float32{1, 0}, Fields: vecwire.Fields{"n": 1}},
		vecwire.Record{ID: "2", Text: "two", Vector: []float32{0, 1}, Fields: vecwire.Fields{"n": 2}})
	require.NoError(t, c.Upsert(ctx, m.all()...))
	vector := []float32{-1, -2}
	changes := func(ctx context.Context) {
		require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "3", Vector: []float32{3, 3}}))
		require.NoError(t, c.Update(ctx, vecwire.Change{ID: "3", Set: vecwire.Fields{"n": 3}}, vecwire.Change{ID: "1", Set: vecwire.Fields{"s": "x"}, Vector: vector}))
		require.NoError(t, c.Update(ctx, vecwire.Change{ID: "3", Set: vecwire.Fields{"s": "y"}}))
		n, err := c.UpdateWhere(ctx, filter.Ge("n", 2), vecwire.Fields{"n": 9})
		require.NoError(t, err)
		require.Equal(t, 2, n)
		got, err := c.Get(ctx, "1", "2", "3")
		require.NoError(t, err)
		require.Equal(t, []any{"x", int64(9), int64(9), "y"}, []any{got[0].Fields["s"], got[1].Fields["n"], got[2].Fields["n"], got[2].Fields["s"]})
		require.Equal(t, []float32{-1, -2}, got[0].Vector)
		hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{-1, -2}, K: 1, Filter: filter.Eq("s", "x")})
		require.NoError(t, err)
		require.Equal(t, []string{"1"}, hitIDs(hits))
		if err := c.Update(ctx, vecwire.Change{ID: "2", Text: "deux"}); err == nil { // else it is embedded first
			got, err := c.Get(ctx, "2")
			require.NoError(t, err)
			require.Equal(t, "deux", got[0].Text)
		}
	}
	undo := errors.New("undo")
	require.ErrorIs(t, s.db.Tx(ctx, func(ctx context.Context) error {
		changes(ctx)
		return undo
	}), undo)
	m.expectAll(t, bare)
	if s.caps.UpdateIf {
		require.ErrorIs(t, s.db.Tx(ctx, func(ctx context.Context) error {
			changes(ctx)
			return c.Update(ctx, vecwire.Change{ID: "1", Set: vecwire.Fields{"n": 5}, If: filter.Eq("n", 7)})
		}), vecwire.ErrConflict)
		m.expectAll(t, bare)
	}
	require.NoError(t, s.db.Tx(ctx, func(ctx context.Context) error {
		changes(ctx)
		return nil
	}))
	vector[0] = 99
	m.upsert(vecwire.Record{ID: "3", Vector: []float32{3, 3}, Fields: vecwire.Fields{"n": 9, "s": "y"}})
	m.change(vecwire.Change{ID: "1", Set: vecwire.Fields{"s": "x"}, Vector: []float32{-1, -2}}, vecwire.Change{ID: "2", Set: vecwire.Fields{"n": 9}, Text: "deux", Vector: e.vector("deux")})
	m.expectAll(t, bare)
	m.expectSearch(t, bare, vecwire.Query{Vector: []float32{-1, -2}, K: 9})
}

func (s *suite) updateNamespaces(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "s"}, {Name: vecwire.NamespaceField, Index: true}, {Name: "n", Type: vecwire.Int}}})
	a, err := c.Namespace("a")
	require.NoError(t, err)
	b, err := c.Namespace("b")
	require.NoError(t, err)
	record := func(id string, n int) vecwire.Record {
		return vecwire.Record{ID: id, Vector: []float32{float32(n), 1}, Text: id, Fields: vecwire.Fields{"s": "s", "n": n}}
	}
	ma, mb := newModel(a.Schema(), record("1", 1), record("2", 2)), newModel(b.Schema(), record("1", 10), record("3", 30))
	require.NoError(t, a.Upsert(ctx, ma.all()...))
	require.NoError(t, b.Upsert(ctx, mb.all()...))
	change := vecwire.Change{ID: "1", Set: vecwire.Fields{"s": "t", "n": 7}, Text: "one", Vector: []float32{4, 4}}
	if s.caps.UpdateIf {
		change.If = filter.And(filter.Eq("id", "1"), filter.Eq("n", 1))
		var refused *vecwire.FilterError
		require.ErrorAs(t, a.Update(ctx, vecwire.Change{ID: "1", If: filter.Contains("id", "a")}), &refused)
		require.ErrorIs(t, b.Update(ctx, change), vecwire.ErrConflict)
	}
	require.NoError(t, a.Update(ctx, change))
	ma.change(change)
	require.ErrorIs(t, a.Update(ctx, vecwire.Change{ID: "3", Set: vecwire.Fields{"n": 1}}), vecwire.ErrNotFound)
	n, err := b.UpdateWhere(ctx, filter.Filter{}, vecwire.Fields{"n": 5})
	require.NoError(t, err)
	require.Equal(t, 2, n)
	mb.change(vecwire.Change{ID: "1", Set: vecwire.Fields{"n": 5}}, vecwire.Change{ID: "3", Set: vecwire.Fields{"n": 5}})
	var schema *vecwire.SchemaError
	require.ErrorAs(t, a.Update(ctx, vecwire.Change{ID: "1", Set: vecwire.Fields{vecwire.NamespaceField: "b"}}), &schema)
	ma.expectAll(t, a)
	mb.expectAll(t, b)
}

func (s *suite) updateMirror(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 3, Fields: allTypes()})
	g := newGenerator(330, c.Schema())
	m := newModel(c.Schema(), g.records(30)...)
	require.NoError(t, c.Upsert(ctx, m.all()...))
	mirror := mirrored(t, c, vecwire.MirrorOptions{})
	ids := idsOf(m.all())
	changes := []vecwire.Change{{ID: ids[3], Set: vecwire.Fields{"ii": 77}, Text: "text"}, {ID: ids[5], Vector: []float32{9, 9, 9}, Unset: []string{"s"}}}
	m.change(changes...)
	require.NoError(t, mirror.Update(ctx, changes...))
	m.expectMirror(t, mirror, g.everything(), vecwire.Query{Vector: g.vector(), Filter: filter.Eq("ii", 77), K: 9})

	// A record that another has stored since the copy was made is found as it is changed.
	late := vecwire.Record{ID: "late", Vector: []float32{1, 2, 3}, Fields: vecwire.Fields{"s": "late"}}
	m.upsert(late)
	require.NoError(t, c.Upsert(ctx, late))
	n, err := mirror.UpdateWhere(ctx, filter.Eq("s", "late"), vecwire.Fields{"ii": 78})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	m.change(vecwire.Change{ID: "late", Set: vecwire.Fields{"ii": 78}})
	m.expectMirror(t, mirror, g.everything(), vecwire.Query{Vector: g.vector(), Filter: filter.Eq("ii", 78), K: 9})

	require.ErrorIs(t, mirror.Update(ctx, vecwire.Change{ID: "none"}), vecwire.ErrNotFound)
	m.expectMirror(t, mirror, g.everything())
	m.expectAll(t, c)
}

// updateConcurrency: changes of different fields of one record are all there in the
// end, and counters that are compared and set count every time.
func (s *suite) updateConcurrency(t *testing.T) {
	ctx := t.Context()
	const writers = 4
	rounds := s.sample(20) + 3
	fields := []vecwire.Field{{Name: "count", Type: vecwire.Int}}
	for w := range writers {
		fields = append(fields, vecwire.Field{Name: fmt.Sprint("f", w), Type: vecwire.Int, Index: w%2 == 0})
	}
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: fields})
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 1}, Fields: vecwire.Fields{"count": 0}}))
	increment := func() error {
		for {
			got, err := c.Get(ctx, "1")
			if err != nil {
				return err
			}
			n := got[0].Fields["count"].(int64)
			err = c.Update(ctx, vecwire.Change{ID: "1", Set: vecwire.Fields{"count": n + 1}, If: filter.Eq("count", n)})
			if !errors.Is(err, vecwire.ErrConflict) {
				return err
			}
		}
	}
	errs := make([]error, writers)
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for i := range rounds {
				err := c.Update(ctx, vecwire.Change{ID: "1", Set: vecwire.Fields{fmt.Sprint("f", w): i + 1}})
				if err == nil && s.caps.UpdateIf {
					err = increment()
				}
				if err != nil {
					errs[w] = err
					return
				}
			}
		})
	}
	wait.Wait()
	require.NoError(t, errors.Join(errs...))
	got, err := c.Get(ctx, "1")
	require.NoError(t, err)
	for w := range writers {
		require.Equal(t, int64(rounds), got[0].Fields[fmt.Sprint("f", w)], "the last change of writer %d is lost", w)
	}
	if s.caps.UpdateIf {
		require.Equal(t, int64(writers*rounds), got[0].Fields["count"])
	}
}

// updateInVain: a call whose context is done changes nothing, and a collection that
// was dropped is not found.
func (s *suite) updateInVain(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}})
	m := newModel(c.Schema(), vecwire.Record{ID: "1", Vector: []float32{1, 2}, Fields: vecwire.Fields{"n": 1}})
	require.NoError(t, c.Upsert(ctx, m.all()...))
	verbs := map[string]func(context.Context) error{
		"Update": func(ctx context.Context) error {
			return c.Update(ctx, vecwire.Change{ID: "1", Set: vecwire.Fields{"n": 2}})
		},
		"UpdateWhere": func(ctx context.Context) error {
			_, err := c.UpdateWhere(ctx, filter.Filter{}, vecwire.Fields{"n": 2})
			return err
		},
		"no changes": func(ctx context.Context) error { return c.Update(ctx) },
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for verb, call := range verbs {
		require.ErrorIs(t, call(cancelled), context.Canceled, verb)
	}
	m.expectAll(t, c)
	require.NoError(t, s.db.DropCollection(ctx, c.Schema().Name))
	for verb, call := range verbs {
		if verb != "no changes" {
			require.ErrorIs(t, call(ctx), vecwire.ErrNotFound, verb)
		}
	}
}
