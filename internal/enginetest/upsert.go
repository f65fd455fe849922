package enginetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// upsert: a record replaces the whole record of its ID.
func (s *suite) upsert(t *testing.T) {
	ctx := t.Context()
	schema := vecwire.Schema{Dim: 2, Fields: allTypes()}
	full := func(id string) vecwire.Record {
		r := vecwire.Record{ID: id, Vector: []float32{1, 2}, Text: "text", Fields: vecwire.Fields{}}
		for _, f := range schema.Fields {
			r.Fields[f.Name] = pools[f.Type][1]
		}
		return r
	}

	run(t, "Insert", func(t *testing.T) {
		if !s.caps.Insert {
			return // capabilities has asked
		}
		c := s.create(t, schema)
		m := newModel(c.Schema(), full("1"), full("2"))
		require.NoError(t, c.Insert(ctx, m.all()...))
		m.expectAll(t, c)
		bare := vecwire.Record{ID: "2", Vector: []float32{-3, 1}}
		require.ErrorIs(t, c.Insert(ctx, full("0"), bare, full("3")), vecwire.ErrExists)
		m.expectAll(t, c)
	})
	run(t, "replaces everything", func(t *testing.T) {
		c := s.create(t, schema)
		m := newModel(c.Schema(), full("1"), full("2"), full("3"))
		require.NoError(t, c.Upsert(ctx, m.all()...))
		m.expectAll(t, c)

		bare := vecwire.Record{ID: "2", Vector: []float32{-3, 1}}
		m.upsert(bare)
		require.NoError(t, c.Upsert(ctx, bare))
		m.expectAll(t, c)
		for _, q := range [][]float32{{1, 2}, {-3, 1}} {
			m.expectSearch(t, c, vecwire.Query{Vector: q, Vectors: true})
		}
		for _, f := range schema.Fields {
			require.Equal(t, []string{"2"}, idsOf(collect(t, c, vecwire.Scan{Filter: filter.IsNull(f.Name)})), "field %s kept a value", f.Name)
		}

		m.upsert(full("2"))
		require.NoError(t, c.Upsert(ctx, full("2")))
		m.expectAll(t, c)
	})

	run(t, "nil is no value", func(t *testing.T) {
		c := s.create(t, schema)
		r := full("1")
		for name := range r.Fields {
			r.Fields[name] = nil
		}
		require.NoError(t, c.Upsert(ctx, r))
		got, err := c.Get(ctx, "1")
		require.NoError(t, err)
		require.Empty(t, got[0].Fields)
	})

	run(t, "the last of the same ID wins", func(t *testing.T) {
		c := s.create(t, schema)
		first, second, third := full("1"), vecwire.Record{ID: "1", Vector: []float32{5, 5}, Text: "second"}, vecwire.Record{ID: "1", Vector: []float32{7, 8}}
		m := newModel(c.Schema(), full("0"), first, second, third, full("2"))
		require.NoError(t, c.Upsert(ctx, full("0"), first, second, full("2"), third))
		m.expectAll(t, c)
		m.expectSearch(t, c, vecwire.Query{Vector: []float32{7, 8}})
	})

	run(t, "no records", func(t *testing.T) {
		c := s.create(t, schema)
		require.NoError(t, c.Upsert(ctx))
		newModel(c.Schema()).expectAll(t, c)
	})

	run(t, "deleted and written again", func(t *testing.T) {
		c := s.create(t, schema)
		m := newModel(c.Schema())
		g := newGenerator(21, c.Schema())
		for range s.sample(10) {
			batch := g.records(12)
			require.NoError(t, c.Upsert(ctx, batch...))
			m.upsert(batch...)
			gone := []string{batch[g.IntN(12)].ID, batch[g.IntN(12)].ID}
			_, err := c.Delete(ctx, gone...)
			require.NoError(t, err)
			delete(m.records, gone[0])
			delete(m.records, gone[1])
			m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), K: 20, Vectors: true})
		}
		m.expectAll(t, c)
	})

	run(t, "nothing is shared with the caller", func(t *testing.T) {
		c := s.create(t, schema)
		r := full("1")
		blob := []byte("abc")
		r.Fields["y"] = blob
		m := newModel(c.Schema(), r)
		require.NoError(t, c.Upsert(ctx, r))
		r.Vector[0], blob[0], r.Fields["i"] = 99, 'X', 99
		m.expectAll(t, c)
		m.expectSearch(t, c, vecwire.Query{Vector: []float32{1, 0}, Vectors: true})

		got, err := c.Get(ctx, "1")
		require.NoError(t, err)
		got[0].Vector[0], got[0].Fields["i"] = 99, 99
		hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 0}, Vectors: true})
		require.NoError(t, err)
		hits[0].Vector[0] = 99
		m.expectAll(t, c)
		m.expectSearch(t, c, vecwire.Query{Vector: []float32{1, 0}, Vectors: true})
	})
}
