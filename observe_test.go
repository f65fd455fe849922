package vecwire_test

import (
	"context"
	"errors"
	"maps"
	"slices"
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
	ended map[vecwire.Op]vecwire.Outcome
}

type watched struct{}

func (w *watcher) Begin(ctx context.Context, call vecwire.Call) (context.Context, func(vecwire.Outcome)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, call)
	return context.WithValue(ctx, watched{}, call.Op), func(o vecwire.Outcome) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended[call.Op] = o
	}
}

func TestObserver(t *testing.T) {
	ctx := t.Context()
	w := &watcher{ended: map[vecwire.Op]vecwire.Outcome{}}
	db, err := vecwire.Config{Observer: w}.Open(ctx, "mem:")
	require.NoError(t, err)
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, Metric: vecwire.Dot, Model: "lengths"})
	require.NoError(t, err)
	require.Equal(t, []vecwire.Call{{Op: vecwire.OpCreateCollection, Engine: "embedded", Collection: "docs"}}, w.calls)
	expect := func(op vecwire.Op, records int) vecwire.Outcome {
		t.Helper()
		o, ok := w.ended[op]
		require.True(t, ok, "%v", w.ended)
		require.NoError(t, o.Err)
		require.Equal(t, records, o.Records)
		require.Positive(t, o.Took)
		return o
	}
	texts := 0
	with, err := c.WithEmbedder(seesContext{lengths{&texts}, t})
	require.NoError(t, err)
	require.NoError(t, with.Upsert(ctx, vecwire.Record{ID: "1", Text: "a"}, vecwire.Record{ID: "2", Text: "bb"}))
	expect(vecwire.OpUpsert, 2)
	_, err = c.Get(ctx, "1", "missing")
	require.NoError(t, err)
	expect(vecwire.OpGet, 1)
	_, err = c.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	expect(vecwire.OpCount, 2)
	_, err = c.Search(ctx, vecwire.Query{Vector: []float32{1, 2}})
	require.NoError(t, err)
	require.Equal(t, "scan", expect(vecwire.OpSearch, 2).Plan.Path)
	_, err = c.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
		yield(vecwire.Record{ID: "3", Vector: []float32{1, 2}}, nil)
	}, vecwire.IngestOptions{})
	require.NoError(t, err)
	expect(vecwire.OpIngest, 1)
	_, err = c.Delete(ctx, "3")
	require.NoError(t, err)
	expect(vecwire.OpDelete, 1)
	require.NoError(t, db.Tx(ctx, func(ctx context.Context) error {
		_, err := c.DeleteWhere(ctx, filter.Filter{})
		return err
	}))
	expect(vecwire.OpDeleteWhere, 2)
	expect(vecwire.OpTx, 0)

	err = c.Upsert(ctx, vecwire.Record{ID: "1"})
	require.Error(t, err)
	require.Equal(t, err, w.ended[vecwire.OpUpsert].Err, "the error is the caller's")
	abort := errors.New("abort")
	require.Equal(t, abort, db.Tx(ctx, func(context.Context) error { return abort }))
	require.Equal(t, abort, w.ended[vecwire.OpTx].Err)
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
	require.Equal(s.t, vecwire.OpUpsert, ctx.Value(watched{}))
	return s.lengths.Embed(ctx, texts, use)
}

// everyOp calls each verb once, and says which operation it is.
func everyOp(ctx context.Context, db *vecwire.DB, c *vecwire.Collection, e vecwire.Embedder) map[vecwire.Op]func() error {
	v := []float32{1, 2}
	none := func(yield func(vecwire.Record, error) bool) {}
	var m *vecwire.Mirror
	return map[vecwire.Op]func() error{
		vecwire.OpCreateCollection: func() error {
			_, err := db.CreateCollection(ctx, vecwire.Schema{Name: "x", Dim: 2})
			return err
		},
		vecwire.OpOpenCollection: func() error { _, err := db.OpenCollection(ctx, "missing"); return err },
		vecwire.OpEnsureCollection: func() error {
			_, err := db.EnsureCollection(ctx, vecwire.Schema{Name: "fresh", Dim: 2})
			return err
		},
		vecwire.OpAttachCollection: func() error {
			_, err := db.AttachCollection(ctx, vecwire.AttachOptions{Table: "t", Dim: 2})
			return err
		},
		vecwire.OpListCollections: func() error { _, err := db.Collections(ctx); return err },
		vecwire.OpDropCollection:  func() error { return db.DropCollection(ctx, "nothing") },
		vecwire.OpTx:              func() error { return db.Tx(ctx, func(context.Context) error { return nil }) },
		vecwire.OpReembed: func() error {
			_, _, err := db.Reembed(ctx, "nothing", e, vecwire.ReembedOptions{})
			return err
		},
		vecwire.OpUpsert: func() error { return c.Upsert(ctx, vecwire.Record{ID: "1", Vector: v}) },
		vecwire.OpInsert: func() error { return c.Insert(ctx, vecwire.Record{ID: "2", Vector: v}) },
		vecwire.OpIngest: func() error { _, err := c.Ingest(ctx, none, vecwire.IngestOptions{}); return err },
		vecwire.OpCursor: func() error { _, err := c.Cursor(ctx, "job"); return err },
		vecwire.OpReplaceSource: func() error {
			_, err := c.ReplaceSource(ctx, "a.md")
			return err
		},
		vecwire.OpSource:        func() error { _, err := c.Source(ctx, "a.md"); return err },
		vecwire.OpGet:           func() error { _, err := c.Get(ctx, "1"); return err },
		vecwire.OpDelete:        func() error { _, err := c.Delete(ctx, "9"); return err },
		vecwire.OpDeleteWhere:   func() error { _, err := c.DeleteWhere(ctx, filter.Eq("id", "9")); return err },
		vecwire.OpDeleteExpired: func() error { _, err := c.DeleteExpired(ctx); return err },
		vecwire.OpCount:         func() error { _, err := c.Count(ctx, filter.Filter{}); return err },
		vecwire.OpFacet:         func() error { _, err := c.Facet(ctx, "source", vecwire.FacetOptions{}); return err },
		vecwire.OpRange:         func() error { _, _, err := c.Range(ctx, "source", filter.Filter{}); return err },
		vecwire.OpScan: func() error {
			for _, err := range c.All(ctx, vecwire.Scan{}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		vecwire.OpSearch: func() error { _, err := c.Search(ctx, vecwire.Query{Vector: v}); return err },
		vecwire.OpSearchAll: func() error {
			for _, err := range c.SearchAll(ctx, vecwire.Query{Vector: v, K: 1}) {
				if err != nil {
					return err
				}
				break
			}
			return nil
		},
		vecwire.OpBuildIndex:  func() error { return c.BuildIndex(ctx, vecwire.IndexOptions{M: -1}) },
		vecwire.OpListIndexes: func() error { _, err := c.Indexes(ctx); return err },
		vecwire.OpUsage:       func() error { _, err := c.Usage(ctx); return err },
		vecwire.OpDropIndex:   func() error { return c.DropIndex(ctx, "none") },
		vecwire.OpRecall:      func() error { _, err := c.Recall(ctx, vecwire.RecallOptions{}); return err },
		vecwire.OpCheck:       func() error { _, err := db.Check(ctx); return err },
		vecwire.OpCompact:     func() error { return db.Compact(ctx) },
		vecwire.OpSalvage:     func() error { _, err := db.Salvage(ctx, ""); return err },
		vecwire.OpTune:        func() error { _, err := c.Tune(ctx, vecwire.TuneOptions{Recall: 2}); return err },
		vecwire.OpMirror: func() (err error) {
			m, err = c.Mirror(ctx, vecwire.MirrorOptions{})
			return err
		},
		vecwire.OpRefreshMirror: func() error {
			if m == nil {
				return errors.New("no mirror yet")
			}
			return m.Refresh(ctx)
		},
	}
}

// The observer is told of each verb once, with the outcome that its caller gets,
// be it an error or not.
func TestObserverIsToldOnceOfEveryVerb(t *testing.T) {
	ctx := t.Context()
	w := &watcher{ended: map[vecwire.Op]vecwire.Outcome{}}
	db, err := vecwire.Config{Observer: w}.Open(ctx, "mem:")
	require.NoError(t, err)
	defer db.Close()
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{{Name: "source", Type: vecwire.String}}})
	require.NoError(t, err)
	texts := 0
	ops := everyOp(ctx, db, c, lengths{&texts})
	order := slices.Sorted(maps.Keys(ops)) // mirror before refresh_mirror, upsert last: it does not matter
	for _, op := range order {
		t.Run(string(op), func(t *testing.T) {
			w.calls, w.ended = nil, map[vecwire.Op]vecwire.Outcome{}
			err := ops[op]()
			told := 0
			for _, call := range w.calls {
				if call.Op == op {
					told++
				}
			}
			require.Equal(t, 1, told, "%v", w.calls)
			outcome, ended := w.ended[op]
			require.True(t, ended)
			require.Equal(t, err, outcome.Err)
			if op != vecwire.OpRecall && op != vecwire.OpTune { // which search
				require.Len(t, w.calls, 1, "a part of a verb is not a verb")
			}
		})
	}
}
