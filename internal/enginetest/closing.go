package enginetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// sharing: what one connection does the other sees, where several may be open.
func (s *suite) sharing(t *testing.T) {
	if !s.target.Shared {
		t.Skip("the target's databases are open once at a time")
	}
	ctx := t.Context()
	other := s.target.Open(t)
	defer other.Close()
	here := s.create(t, vecwire.Schema{Dim: 2, Fields: allTypes()})
	there, err := other.OpenCollection(ctx, here.Schema().Name)
	require.NoError(t, err)
	g := newGenerator(151, here.Schema())
	records := g.records(20)
	m := newModel(here.Schema(), records...)
	require.NoError(t, here.Upsert(ctx, records[:10]...))
	require.NoError(t, there.Upsert(ctx, records[10:]...))
	for _, c := range []*vecwire.Collection{here, there} {
		m.expectAll(t, c)
		m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), Vectors: true})
	}
	_, err = there.Delete(ctx, "0003")
	require.NoError(t, err)
	delete(m.records, "0003")
	m.expectSearch(t, here, vecwire.Query{Vector: g.vector(), K: 100})

	require.NoError(t, other.DropCollection(ctx, here.Schema().Name))
	for verb, call := range verbs(here) {
		require.ErrorIs(t, call(ctx), vecwire.ErrNotFound, "%s after another connection dropped the collection", verb)
	}
}

// closing: after Close every call returns ErrClosed.
func (s *suite) closing(t *testing.T) {
	ctx := t.Context()
	run(t, "every verb", func(t *testing.T) {
		db := s.target.Open(t)
		c := s.createIn(t, db, vecwire.Schema{Dim: 2})
		require.NoError(t, db.Close())
		require.NoError(t, db.Close(), "closing twice")
		calls := verbs(c)
		for verb, call := range databaseVerbs(db, c.Schema().Name, s.name()) {
			calls[verb] = call
		}
		for verb, call := range calls {
			require.ErrorIs(t, call(ctx), vecwire.ErrClosed, verb)
		}
		require.Equal(t, s.caps, db.Capabilities(), "a closed database still knows what it was")
		require.Equal(t, 2, c.Schema().Dim)
	})
	run(t, "while calls run", func(t *testing.T) {
		db := s.target.Open(t)
		c := s.createIn(t, db, vecwire.Schema{Dim: 2, Fields: versionFields})
		whileWorking(t, c, db.Close, vecwire.ErrClosed)
	})
	run(t, "in the middle of a stream", func(t *testing.T) {
		db := s.target.Open(t)
		c := s.createIn(t, db, vecwire.Schema{Dim: 2})
		m := newModel(c.Schema(), newGenerator(161, c.Schema()).records(1300)...) // more than a page
		require.NoError(t, c.Upsert(ctx, m.all()...))
		var last error
		for _, err := range c.All(ctx, vecwire.Scan{}) {
			require.NoError(t, db.Close(), "a stream holds nothing open in between")
			last = err
		}
		require.ErrorIs(t, last, vecwire.ErrClosed)
	})
	s.sweep(t)
}

// reopening: what was acknowledged is there after Close and Open.
func (s *suite) reopening(t *testing.T) {
	ctx := t.Context()
	db := s.target.Open(t)
	if !s.target.Persistent {
		schemas, err := db.Collections(ctx)
		require.NoError(t, err)
		require.Empty(t, schemas, "the target is not persistent, yet something is there")
		require.NoError(t, db.Close())
		return
	}
	var models []*model
	for i, schema := range []vecwire.Schema{
		{Name: "kept", Dim: 5, Fields: allTypes(), Model: "a model"}, {Name: "kept_empty", Dim: 2}, {Name: "Kept_Dot", Dim: 3, Metric: vecwire.Dot},
	} {
		schema.Distributed = s.target.Distributed
		c, err := db.CreateCollection(ctx, schema)
		require.NoError(t, err)
		m := newModel(c.Schema())
		models = append(models, m)
		if schema.Dim == 2 {
			continue
		}
		g := newGenerator(uint64(171+i), schema)
		records := g.records(60)
		m.upsert(records...)
		require.NoError(t, c.Upsert(ctx, records...))
		replaced, added := g.record("0010"), g.record("new")
		m.upsert(replaced, added)
		require.NoError(t, c.Upsert(ctx, replaced, added))
		_, err = c.Delete(ctx, "0000", "0030", "0059")
		require.NoError(t, err)
		for _, id := range []string{"0000", "0030", "0059"} {
			delete(m.records, id)
		}
	}
	_, err := db.CreateCollection(ctx, vecwire.Schema{Name: "dropped", Dim: 2})
	require.NoError(t, err)
	require.NoError(t, db.DropCollection(ctx, "dropped"))

	for range 2 {
		require.NoError(t, db.Close())
		db = s.target.Open(t)
		schemas, err := db.Collections(ctx)
		require.NoError(t, err)
		require.Len(t, schemas, len(models))
		_, err = db.OpenCollection(ctx, "dropped")
		require.ErrorIs(t, err, vecwire.ErrNotFound)
		for i, m := range models {
			c, err := db.OpenCollection(ctx, m.schema.Name)
			require.NoError(t, err)
			expectSchema(t, m.schema, c.Schema())
			m.expectAll(t, c)
			g := newGenerator(uint64(181+i), m.schema)
			m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), K: 100, Vectors: true})
			added := g.record("added after reopening " + string(rune('a'+len(m.records)%26)))
			m.upsert(added)
			require.NoError(t, c.Upsert(ctx, added))
			m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), K: 100})
		}
	}
	require.NoError(t, db.Close())
	s.sweep(t)
}

// sweep drops what cases left that closed their own connection.
func (s *suite) sweep(t *testing.T) {
	db := s.target.Open(t)
	defer db.Close()
	schemas, err := db.Collections(t.Context())
	require.NoError(t, err)
	for _, schema := range schemas {
		require.NoError(t, db.DropCollection(t.Context(), schema.Name))
	}
}
