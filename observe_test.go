package vecwire_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
)

// watcher notes the calls that it is told of.
type watcher struct {
	mu    sync.Mutex
	calls []vecwire.Call
	ended map[string]vecwire.Outcome // by verb
}

type watched struct{}

func (w *watcher) Begin(ctx context.Context, call vecwire.Call) (context.Context, func(vecwire.Outcome)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, call)
	return context.WithValue(ctx, watched{}, call.Verb), func(o vecwire.Outcome) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended[call.Verb] = o
	}
}

func TestObserver(t *testing.T) {
	ctx := t.Context()
	w := &watcher{ended: map[string]vecwire.Outcome{}}
	db, err := vecwire.Config{Observer: w}.Open(ctx, "mem:")
	require.NoError(t, err)
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, Metric: vecwire.Dot, Model: "lengths"})
	require.NoError(t, err)
	require.Equal(t, []vecwire.Call{{Verb: "create collection", Engine: "embedded", Collection: "docs"}}, w.calls)
	expect := func(verb string, rows int) vecwire.Outcome {
		t.Helper()
		o, ok := w.ended[verb]
		require.True(t, ok, "%v", w.ended)
		require.NoError(t, o.Err)
		require.Equal(t, rows, o.Rows)
		require.Positive(t, o.Took)
		return o
	}
	texts := 0
	with, err := c.WithEmbedder(seesContext{lengths{&texts}, t})
	require.NoError(t, err)
	require.NoError(t, with.Upsert(ctx, vecwire.Record{ID: "1", Text: "a"}, vecwire.Record{ID: "2", Text: "bb"}))
	expect("upsert into", 2)
	_, err = c.Get(ctx, "1", "missing")
	require.NoError(t, err)
	expect("get from", 1)
	_, err = c.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	expect("count", 2)
	_, err = c.Search(ctx, vecwire.Query{Vector: []float32{1, 2}})
	require.NoError(t, err)
	require.Equal(t, "scan", expect("search", 2).Plan.Path)
	_, err = c.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
		yield(vecwire.Record{ID: "3", Vector: []float32{1, 2}}, nil)
	}, vecwire.IngestOptions{})
	require.NoError(t, err)
	expect("ingest into", 1)
	_, err = c.Delete(ctx, "3")
	require.NoError(t, err)
	expect("delete from", 1)
	require.NoError(t, db.Tx(ctx, func(tx *vecwire.Tx) error {
		within, err := tx.Collection(c)
		require.NoError(t, err)
		_, err = within.DeleteWhere(ctx, filter.Filter{})
		return err
	}))
	expect("delete from", 2)
	expect("run transaction", 0)

	err = c.Upsert(ctx, vecwire.Record{ID: "1"})
	require.Error(t, err)
	require.Equal(t, err, w.ended["upsert into"].Err, "the error is the caller's")
	abort := errors.New("abort")
	require.Equal(t, abort, db.Tx(ctx, func(*vecwire.Tx) error { return abort }))
	require.Equal(t, abort, w.ended["run transaction"].Err)
	require.NoError(t, db.Close())
	n := len(w.calls)
	_, err = c.Count(ctx, filter.Filter{})
	require.ErrorIs(t, err, vecwire.ErrClosed)
	require.Len(t, w.calls, n)
}

// seesContext sees that the observer's context reaches what a call does.
type seesContext struct {
	lengths
	t *testing.T
}

func (s seesContext) Embed(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
	require.Equal(s.t, "upsert into", ctx.Value(watched{}))
	return s.lengths.Embed(ctx, texts, use)
}
