package enginetest

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// capabilities asks for what the engine says it has, and for what it says it has
// not.
func (s *suite) capabilities(t *testing.T) {
	c := s.create(t, vecwire.Schema{Dim: 2})
	expect := func(t *testing.T, has bool, err error) {
		t.Helper()
		if has {
			require.NotErrorIs(t, err, vecwire.ErrUnsupported)
			return
		}
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.ErrorContains(t, err, s.caps.Engine)
	}
	run(t, "transactions", func(t *testing.T) {
		err := s.db.Tx(t.Context(), func(context.Context) error { return nil }) // which may be what finds it out
		expect(t, s.db.Capabilities().Transactions, err)
	})
	run(t, "pgx transactions", func(t *testing.T) {
		if s.caps.PgxTx {
			return // TestPgxTx has a transaction to give
		}
		ctx := vecwire.WithPgxTx(t.Context(), struct{ pgx.Tx }{})
		err := c.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 1}})
		expect(t, false, err)
		expect(t, false, s.db.Tx(ctx, func(context.Context) error { return nil }))
		_, err = s.db.OpenCollection(ctx, c.Schema().Name)
		expect(t, false, err)
		n, err := c.Count(t.Context(), filter.Filter{})
		require.NoError(t, err)
		require.Zero(t, n, "nothing is stored beside the transaction")
	})
	run(t, "indexes", func(t *testing.T) {
		found, err := c.Indexes(t.Context())
		expect(t, s.caps.Indexes, err)
		require.Empty(t, found)
	})
	run(t, "compressed indexes", func(t *testing.T) {
		if !s.caps.Indexes {
			require.False(t, s.caps.CompressedIndexes, "an index that there is not cannot be compressed")
		}
		expect(t, s.caps.CompressedIndexes, c.BuildIndex(t.Context(), vecwire.IndexOptions{Compress: vecwire.HalfPrecision}))
		expect(t, s.caps.PartialIndexes, c.BuildIndex(t.Context(), vecwire.IndexOptions{Where: filter.Ge("id", "a")}))
		expect(t, s.caps.PrefixIndexes, c.BuildIndex(t.Context(), vecwire.IndexOptions{Dims: 1}))
	})
	run(t, "insert", func(t *testing.T) {
		expect(t, s.caps.Insert, c.Insert(t.Context(), vecwire.Record{ID: "1", Vector: []float32{1, 1}}))
	})
	run(t, "reembed", func(t *testing.T) {
		modelled := s.create(t, vecwire.Schema{Dim: 2, Model: "old"})
		_, _, err := s.db.Reembed(t.Context(), modelled.Schema().Name, newCounting("new", 2), vecwire.ReembedOptions{})
		expect(t, s.caps.Reembed, err)
	})
	run(t, "attach", func(t *testing.T) {
		_, err := s.db.AttachCollection(t.Context(), vecwire.AttachOptions{Table: "there_is_none", Dim: 2})
		require.Error(t, err)
		expect(t, s.caps.Attach, err)
	})
}

// transactions is about all verbs in a transaction, committed and not.
func (s *suite) transactions(t *testing.T) {
	if !s.db.Capabilities().Transactions {
		return // capabilities has asked
	}
	ctx := t.Context()
	docs := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}})
	others := s.create(t, vecwire.Schema{Dim: 2})
	record := func(id string, x float32, n int) vecwire.Record {
		return vecwire.Record{ID: id, Vector: []float32{x, 1}, Text: "text of " + id, Fields: vecwire.Fields{"n": n}}
	}
	plain := vecwire.Record{ID: "a", Vector: []float32{1, 1}}
	require.NoError(t, docs.Upsert(ctx, record("a", 0, 1), record("b", 1, 2), record("c", 2, 3)))

	ids := func(t *testing.T, ctx context.Context, c *vecwire.Collection) (out []string) {
		t.Helper()
		for r, err := range c.All(ctx, vecwire.Scan{}) {
			require.NoError(t, err)
			out = append(out, r.ID)
		}
		return out
	}
	// change does one of everything, and looks at it from inside.
	change := func(t *testing.T, ctx context.Context) {
		require.NoError(t, docs.Upsert(ctx, record("b", 5, 20), record("d", 9, 4)))
		require.NoError(t, others.Upsert(ctx, plain))
		n, err := docs.Delete(ctx, "a", "none")
		require.NoError(t, err)
		require.Equal(t, 1, n)
		n, err = docs.DeleteWhere(ctx, filter.Eq("n", 3))
		require.NoError(t, err)
		require.Equal(t, 1, n)

		require.Equal(t, []string{"b", "d"}, ids(t, ctx, docs))
		n, err = docs.Count(ctx, filter.Gt("n", 4))
		require.NoError(t, err)
		require.Equal(t, 1, n)
		got, err := docs.Get(ctx, "a", "b")
		require.NoError(t, err)
		require.Len(t, got, 1)
		require.Equal(t, []float32{5, 1}, got[0].Vector)
		hits, err := docs.Search(ctx, vecwire.Query{Vector: []float32{1, 0}, K: 9})
		require.NoError(t, err)
		require.Len(t, hits, 2)
		require.Equal(t, "d", hits[0].ID)
		require.Equal(t, "text of d", hits[0].Text)
	}
	untouched := func(t *testing.T) {
		t.Helper()
		require.Equal(t, []string{"a", "b", "c"}, ids(t, ctx, docs))
		require.Empty(t, ids(t, ctx, others))
	}

	run(t, "undone by an error", func(t *testing.T) {
		undo := errors.New("undo")
		require.ErrorIs(t, s.db.Tx(ctx, func(ctx context.Context) error {
			change(t, ctx)
			return undo
		}), undo)
		untouched(t)
	})
	run(t, "undone by a verb that is refused", func(t *testing.T) {
		err := s.db.Tx(ctx, func(ctx context.Context) error {
			change(t, ctx)
			require.Error(t, docs.Upsert(ctx, vecwire.Record{ID: "x", Vector: []float32{1}}))
			return nil
		})
		var dimension *vecwire.DimensionError
		require.ErrorAs(t, err, &dimension)
		untouched(t)
	})
	run(t, "undone by a panic", func(t *testing.T) {
		require.PanicsWithValue(t, "a bug of the caller's", func() {
			_ = s.db.Tx(ctx, func(ctx context.Context) error {
				change(t, ctx)
				panic("a bug of the caller's")
			})
		})
		untouched(t)
	})
	run(t, "committed", func(t *testing.T) {
		var kept context.Context
		require.NoError(t, s.db.Tx(ctx, func(ctx context.Context) error {
			change(t, ctx)
			kept = ctx
			return nil
		}))
		require.Equal(t, []string{"b", "d"}, ids(t, ctx, docs))
		require.Equal(t, []string{"a"}, ids(t, ctx, others))
		require.Error(t, docs.Upsert(kept, plain), "the transaction has ended")
	})
}
