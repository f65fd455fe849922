package enginetest

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// transactionsEnded is about functions in a transaction that do not return as they should,
// and about what is called when it is over.
func (s *suite) transactionsEnded(t *testing.T) {
	if !s.db.Capabilities().Transactions {
		return
	}
	c := s.create(t, vecwire.Schema{Dim: 2})
	put := func(ctx context.Context, id string) error {
		return c.Upsert(ctx, vecwire.Record{ID: id, Vector: []float32{1, 1}})
	}
	empty := func(t *testing.T) {
		t.Helper()
		n, err := c.Count(t.Context(), filter.Filter{})
		require.NoError(t, err)
		require.Zero(t, n)
	}
	undo := errors.New("undo")

	run(t, "a part that failed fails the whole", func(t *testing.T) {
		require.ErrorIs(t, s.db.Tx(t.Context(), func(ctx context.Context) error {
			require.NoError(t, put(ctx, "before"))
			require.ErrorIs(t, s.db.Tx(ctx, func(ctx context.Context) error {
				require.NoError(t, put(ctx, "in the part"))
				return undo
			}), undo)
			return nil // as if nothing had happened
		}), undo)
		empty(t)
	})
	run(t, "a part that panicked fails the whole", func(t *testing.T) {
		require.Error(t, s.db.Tx(t.Context(), func(ctx context.Context) error {
			require.PanicsWithValue(t, "a bug of the caller's", func() {
				_ = s.db.Tx(ctx, func(ctx context.Context) error {
					require.NoError(t, put(ctx, "in the part"))
					panic("a bug of the caller's")
				})
			})
			return nil
		}))
		empty(t)
	})
	run(t, "a function that ends its goroutine", func(t *testing.T) {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = s.db.Tx(t.Context(), func(ctx context.Context) error {
				if put(ctx, "a") == nil {
					runtime.Goexit()
				}
				return nil
			})
		}()
		<-ended
		empty(t)
	})
	run(t, "a context that ends before the commit", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.db.Tx(ctx, func(ctx context.Context) error {
			err := put(ctx, "a")
			cancel()
			return err
		})
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, vecwire.ErrOutcomeUnknown)
		empty(t)
	})
	run(t, "a context that ends for one verb", func(t *testing.T) {
		require.ErrorIs(t, s.db.Tx(t.Context(), func(ctx context.Context) error {
			require.NoError(t, put(ctx, "a"))
			ended, cancel := context.WithCancel(ctx)
			cancel()
			require.ErrorIs(t, put(ended, "b"), context.Canceled)
			return nil
		}), context.Canceled)
		empty(t)
	})

	var kept context.Context
	require.NoError(t, s.db.Tx(t.Context(), func(ctx context.Context) error {
		kept = ctx
		return nil
	}))
	name := s.name()
	for verb, call := range map[string]func() error{
		"Upsert":           func() error { return put(kept, "a") },
		"Tx":               func() error { return s.db.Tx(kept, func(context.Context) error { return nil }) },
		"Cursor":           func() error { _, err := c.Cursor(kept, "job"); return err },
		"OpenCollection":   func() error { _, err := s.db.OpenCollection(kept, c.Schema().Name); return err },
		"CreateCollection": func() error { _, err := s.db.CreateCollection(kept, vecwire.Schema{Name: name, Dim: 2}); return err },
		"DropCollection":   func() error { return s.db.DropCollection(kept, c.Schema().Name) },
		"AlterCollection":  func() error { return s.db.AlterCollection(kept, c.Schema().Name, vecwire.Alter{Rename: name}) },
		"Collections":      func() error { _, err := s.db.Collections(kept); return err },
		"Ingest": func() error {
			_, err := c.Ingest(kept, func(func(vecwire.Record, error) bool) {}, vecwire.IngestOptions{})
			return err
		},
		"Search": func() error { _, err := c.Search(kept, vecwire.Query{Vector: []float32{1, 1}}); return err },
	} {
		run(t, verb+" after the end", func(t *testing.T) {
			require.ErrorContains(t, call(), "the transaction has ended")
			_, err := s.db.OpenCollection(t.Context(), name)
			require.ErrorIs(t, err, vecwire.ErrNotFound)
			empty(t)
		})
	}
}
