package enginetest

import (
	"errors"
	"testing"

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
	t.Run("transactions", func(t *testing.T) {
		err := s.db.Tx(t.Context(), func(*vecwire.Tx) error { return nil }) // which may be what finds it out
		expect(t, s.db.Capabilities().Transactions, err)
	})
	t.Run("indexes", func(t *testing.T) {
		found, err := c.Indexes(t.Context())
		expect(t, s.caps.Indexes, err)
		require.Empty(t, found)
	})
	t.Run("attach", func(t *testing.T) {
		_, err := s.db.AttachCollection(t.Context(), vecwire.Attach{Table: "there_is_none", Dim: 2})
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

	ids := func(t *testing.T, c *vecwire.Collection) (out []string) {
		t.Helper()
		for r, err := range c.All(ctx, vecwire.Scan{}) {
			require.NoError(t, err)
			out = append(out, r.ID)
		}
		return out
	}
	// change does one of everything, and looks at it from inside.
	change := func(t *testing.T, tx *vecwire.Tx) {
		in, err := tx.Collection(docs)
		require.NoError(t, err)
		inOthers, err := tx.Collection(others)
		require.NoError(t, err)
		require.NoError(t, in.Upsert(ctx, record("b", 5, 20), record("d", 9, 4)))
		require.NoError(t, inOthers.Upsert(ctx, plain))
		n, err := in.Delete(ctx, "a", "none")
		require.NoError(t, err)
		require.Equal(t, 1, n)
		n, err = in.DeleteWhere(ctx, filter.Eq("n", 3))
		require.NoError(t, err)
		require.Equal(t, 1, n)

		require.Equal(t, []string{"b", "d"}, ids(t, in))
		n, err = in.Count(ctx, filter.Gt("n", 4))
		require.NoError(t, err)
		require.Equal(t, 1, n)
		got, err := in.Get(ctx, "a", "b")
		require.NoError(t, err)
		require.Len(t, got, 1)
		require.Equal(t, []float32{5, 1}, got[0].Vector)
		hits, err := in.Search(ctx, vecwire.Query{Vector: []float32{1, 0}, K: 9})
		require.NoError(t, err)
		require.Len(t, hits, 2)
		require.Equal(t, "d", hits[0].ID)
		require.Equal(t, "text of d", hits[0].Text)
	}
	untouched := func(t *testing.T) {
		t.Helper()
		require.Equal(t, []string{"a", "b", "c"}, ids(t, docs))
		require.Empty(t, ids(t, others))
	}

	t.Run("undone by an error", func(t *testing.T) {
		undo := errors.New("undo")
		require.ErrorIs(t, s.db.Tx(ctx, func(tx *vecwire.Tx) error {
			change(t, tx)
			return undo
		}), undo)
		untouched(t)
	})
	t.Run("undone by a verb that is refused", func(t *testing.T) {
		err := s.db.Tx(ctx, func(tx *vecwire.Tx) error {
			change(t, tx)
			in, err := tx.Collection(docs)
			require.NoError(t, err)
			require.Error(t, in.Upsert(ctx, vecwire.Record{ID: "x", Vector: []float32{1}}))
			return nil
		})
		var dimension *vecwire.DimensionError
		require.ErrorAs(t, err, &dimension)
		untouched(t)
	})
	t.Run("undone by a panic", func(t *testing.T) {
		require.PanicsWithValue(t, "a bug of the caller's", func() {
			_ = s.db.Tx(ctx, func(tx *vecwire.Tx) error {
				change(t, tx)
				panic("a bug of the caller's")
			})
		})
		untouched(t)
	})
	t.Run("committed", func(t *testing.T) {
		var kept *vecwire.Collection
		require.NoError(t, s.db.Tx(ctx, func(tx *vecwire.Tx) error {
			change(t, tx)
			var err error
			kept, err = tx.Collection(docs)
			return err
		}))
		require.Equal(t, []string{"b", "d"}, ids(t, docs))
		require.Equal(t, []string{"a"}, ids(t, others))
		require.Error(t, kept.Upsert(ctx, plain), "the transaction has ended")
	})
}
