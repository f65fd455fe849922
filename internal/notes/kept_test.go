package notes_test

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/gate"
	"github.com/vecwire/vecwire/internal/local"
	"github.com/vecwire/vecwire/internal/notes"
)

// TestKept: a note is known until the database has counted changes since.
func TestKept(t *testing.T) {
	ctx := t.Context()
	e, err := local.Open(ctx, local.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer e.Close()
	var kept notes.Kept
	_, known := kept.Known(1)
	require.False(t, known)
	value, err := kept.Get(ctx, e, "k", 1)
	require.NoError(t, err)
	require.Zero(t, value)
	_, known = kept.Known(1)
	require.True(t, known, "that there is none is known, too")
	_, known = kept.Known(2)
	require.False(t, known)

	changes, err := e.Changes(ctx)
	require.NoError(t, err)
	require.NoError(t, kept.Put(ctx, e, "k", 7))
	value, known = kept.Known(changes)
	require.True(t, known)
	require.EqualValues(t, 7, value)
	var none *notes.Kept
	require.NoError(t, none.Put(ctx, e, "k", 8))
	value, err = notes.Get(ctx, e, "k")
	require.NoError(t, err)
	require.EqualValues(t, 8, value)
}

// TestCursor: a cursor is kept while the database is open.
func TestCursor(t *testing.T) {
	ctx := t.Context()
	e, err := local.Open(ctx, local.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer e.Close()
	var g gate.Gate
	c := notes.Cursor{Gate: &g, Engine: e, Key: "k"}
	require.NoError(t, c.Save(ctx, 5))
	value, err := notes.Get(ctx, e, "k")
	require.NoError(t, err)
	require.EqualValues(t, 5, value)
	require.NoError(t, c.Forget(ctx))
	value, err = notes.Get(ctx, e, "k")
	require.NoError(t, err)
	require.Zero(t, value)
	g.Close()
	require.ErrorIs(t, c.Save(ctx, 6), gate.ErrClosed)
	require.ErrorIs(t, c.Forget(ctx), gate.ErrClosed)
}
