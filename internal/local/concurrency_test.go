package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// TestReadersSeeWholeCommits has one writer that gives all records the same
// number and the same vector, again and again, and readers that must never see
// two numbers, nor a number with another's vector.
func TestReadersSeeWholeCommits(t *testing.T) {
	for _, path := range []string{"", t.TempDir() + "/test.db"} {
		t.Run(fmt.Sprintf("path %q", path), func(t *testing.T) {
			e, err := Open(t.Context(), Options{Path: path, Logger: slog.New(slog.DiscardHandler)})
			require.NoError(t, err)
			defer e.Close()
			c := create(t, e.(*store), testSchema)
			write := func(ctx context.Context, n int) error {
				records := make([]engine.Record, 40)
				for i := range records {
					records[i] = engine.Record{
						ID:     fmt.Sprint(i),
						Vector: engine.Vector{F32: []float32{float32(n), 0, 0, 0}},
						Fields: []any{int64(n), nil},
					}
				}
				return c.Upsert(ctx, records)
			}
			require.NoError(t, write(t.Context(), 0))

			readers, ctx := errgroup.WithContext(t.Context())
			writing, stop := context.WithCancel(ctx)
			for range 3 {
				readers.Go(func() error {
					for writing.Err() == nil {
						if err := lookAtCommit(ctx, c); err != nil {
							return err
						}
					}
					return nil
				})
			}
			for n := range 60 {
				require.NoError(t, write(ctx, n+1))
			}
			stop()
			require.NoError(t, readers.Wait())
		})
	}
}

func lookAtCommit(ctx context.Context, c engine.Collection) error {
	origin := engine.Vector{F32: make([]float32, testSchema.Dim)}
	for _, vectors := range []bool{true, false} { // from the file, and mostly from what is kept
		results, err := c.Search(ctx, []engine.Search{{Vector: origin, K: 40, Payload: true, Vectors: vectors, Filter: filter.Ge("n", int64(0))}})
		if err != nil {
			return err
		}
		hits := results[0].Hits
		if len(hits) != 40 {
			return fmt.Errorf("found %d records", len(hits))
		}
		for _, h := range hits {
			n := h.Fields[0].(int64)
			if n != hits[0].Fields[0].(int64) || vectors && float32(n) != h.Vector.F32[0] || float64(-n) != h.Score {
				return fmt.Errorf("record %s has number %d, vector %v and score %v; the first has number %v", h.ID, n, h.Vector.F32, h.Score, hits[0].Fields[0])
			}
		}
	}
	return nil
}

func TestCancelledWriterWritesNothing(t *testing.T) {
	s := newStore(t)
	c := create(t, s, testSchema)
	records := []engine.Record{{ID: "a", Vector: engine.Vector{F32: []float32{1, 2, 3, 4}}, Fields: make([]any, 2)}}

	// A writer that waits for another one gives up when its context ends.
	err := s.Tx(t.Context(), func(context.Context) error {
		ctx, cancel := context.WithCancel(t.Context())
		waiting := make(chan error)
		go func() { waiting <- c.Upsert(ctx, records) }()
		cancel()
		return <-waiting
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, all(t, t.Context(), c))

	// A verb that fails inside a transaction fails the transaction.
	err = s.Tx(t.Context(), func(ctx context.Context) error {
		require.NoError(t, c.Upsert(ctx, records))
		ended, cancel := context.WithCancel(ctx)
		cancel()
		require.ErrorIs(t, c.Upsert(ended, records), context.Canceled)
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, all(t, t.Context(), c))
}

// In memory readers wait for the writer, but not longer than they want to.
func TestReadersWaitWithTheirContext(t *testing.T) {
	e, err := Open(t.Context(), Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer e.Close()
	s := e.(*store)
	c := create(t, s, testSchema)
	err = s.Tx(t.Context(), func(context.Context) error {
		ctx, cancel := context.WithCancel(t.Context())
		waiting := make(chan error)
		go func() {
			_, err := c.Count(ctx, filter.Filter{})
			waiting <- err
		}()
		cancel()
		return <-waiting
	})
	require.ErrorIs(t, err, context.Canceled)
}

func TestPanicInTransactionUndoesIt(t *testing.T) {
	s := newStore(t)
	c := create(t, s, testSchema)
	records := []engine.Record{{ID: "a", Vector: engine.Vector{F32: []float32{1, 2, 3, 4}}, Fields: make([]any, 2)}}
	require.Panics(t, func() {
		s.Tx(t.Context(), func(ctx context.Context) error {
			require.NoError(t, c.Upsert(ctx, records))
			panic("a bug of the caller's")
		})
	})
	require.Empty(t, all(t, t.Context(), c))
	require.NoError(t, c.Upsert(t.Context(), records))
}

func TestTransactionIsOverWhenItIsOver(t *testing.T) {
	s := newStore(t)
	c := create(t, s, testSchema)
	var kept context.Context
	require.NoError(t, s.Tx(t.Context(), func(ctx context.Context) error {
		kept = ctx
		return nil
	}))
	_, err := c.Count(kept, filter.Filter{})
	require.ErrorContains(t, err, "the transaction has ended")

	err = c.Insert(t.Context(), []engine.Record{
		{ID: "a", Vector: engine.Vector{F32: []float32{1, 2, 3, 4}}, Fields: make([]any, 2)},
	})
	require.NoError(t, err)
	err = c.Insert(t.Context(), []engine.Record{{ID: "a"}})
	require.True(t, errors.Is(err, engine.ErrExists), err)
}
