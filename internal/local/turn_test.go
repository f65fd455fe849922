package local

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// inBubble runs f with a store whose log it can read, where time is synctest's.
func inBubble(t *testing.T, path string, f func(t *testing.T, s *store, log *bytes.Buffer)) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		e, err := Open(t.Context(), Options{Path: path, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		require.NoError(t, err)
		defer func() { require.NoError(t, e.Close()) }()
		f(t, e.(*store), &log)
	})
}

func TestWritersComeInTheirOrder(t *testing.T) {
	inBubble(t, "", func(t *testing.T, s *store, _ *bytes.Buffer) {
		const writers = 40
		var order, want []int // only the writer that has its turn appends
		done := make(chan error, writers)
		require.NoError(t, s.Tx(t.Context(), func(context.Context) error {
			for i := range writers {
				want = append(want, i)
				go func() {
					done <- s.Tx(t.Context(), func(context.Context) error {
						order = append(order, i)
						return nil
					})
				}()
				synctest.Wait() // until it stands in the line
			}
			return nil
		}))
		for range writers {
			require.NoError(t, <-done)
		}
		require.Equal(t, want, order)
	})
}

// A verb that was called inside a transaction without its context waits for the
// transaction, which may wait for the verb: the log says what to do.
func TestLogNamesTheTransactionWaitedFor(t *testing.T) {
	inBubble(t, "", func(t *testing.T, s *store, log *bytes.Buffer) {
		c := create(t, s, testSchema)
		record := []engine.Record{{ID: "a", Vector: engine.Vector{F32: []float32{1, 2, 3, 4}}, Fields: make([]any, 2)}}
		for verb, call := range map[string]func() error{
			"Upsert": func() error { return c.Upsert(t.Context(), record) },
			"Count":  func() error { _, err := c.Count(t.Context(), filter.Filter{}); return err },
		} {
			done := make(chan error, 1)
			require.NoError(t, s.Tx(t.Context(), func(context.Context) error {
				go func() { done <- call() }()
				time.Sleep(longWait - 1)
				synctest.Wait()
				require.Empty(t, log.String(), "others may well take a while")
				time.Sleep(10 * longWait)
				synctest.Wait()
				return nil
			}))
			require.NoError(t, <-done)
			require.Equal(t, 1, bytes.Count(log.Bytes(), []byte("level=WARN")), "said once: %s", log)
			require.Contains(t, log.String(), "verb="+verb+" collection=docs")
			require.Contains(t, log.String(), "turn_test.go:")
			require.Contains(t, log.String(), "the context that Tx gives to its function")
			log.Reset()
		}
	})
}

// To open a collection takes no writer's turn.
func TestOpeningWaitsForNoWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s := openStore(t, path)
	create(t, s, testSchema)
	require.NoError(t, s.Close())
	s = openStore(t, path)
	require.NoError(t, s.Tx(t.Context(), func(context.Context) error {
		_, err := s.Open(t.Context(), testSchema.Name)
		return err
	}))
}

// Many short transactions are a long line and no mistake.
func TestLogIsSilentInALongLine(t *testing.T) {
	inBubble(t, "", func(t *testing.T, s *store, log *bytes.Buffer) {
		const writers = 20
		done := make(chan error, writers)
		for range writers {
			go func() {
				done <- s.Tx(t.Context(), func(context.Context) error {
					time.Sleep(longWait / 2)
					return nil
				})
			}()
		}
		for range writers {
			require.NoError(t, <-done)
		}
		require.Empty(t, log.String())
	})
}
