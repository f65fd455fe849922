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
)

// Of many calls that find a new store closed for its pages' sake one opens it again. The
// others wait for that alone, and not for a transaction that has begun since: calls inside it
// would wait for them.
func TestFreshStoreIsOpenedAgainBesideTransactions(t *testing.T) {
	f := openFresh(t, filepath.Join(t.TempDir(), "test.db")).(*fresh)
	f.mu.Lock()
	f.resize(largePage)
	f.mu.Unlock()
	require.NoError(t, f.Tx(t.Context(), func(ctx context.Context) error {
		late := make(chan error, 1)
		go func() { late <- f.reopen() }() // it has found the store closed before
		if err := <-late; err != nil {
			return err
		}
		_, err := f.List(ctx)
		return err
	}))
}

// The log says which call of the program's began a transaction that others wait for.
func TestLogNamesTheTransactionOfAFreshStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		f, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "test.db"), FitPages: true, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		require.NoError(t, err)
		defer func() { require.NoError(t, f.Close()) }()
		c, err := f.Create(t.Context(), vectorsOf(4))
		require.NoError(t, err)
		done := make(chan error, 1)
		require.NoError(t, f.Tx(t.Context(), func(context.Context) error {
			go func() {
				_, err := c.DeleteWhere(t.Context(), filter.Filter{})
				done <- err
			}()
			time.Sleep(10 * longWait)
			synctest.Wait()
			return nil
		}))
		require.NoError(t, <-done)
		require.Contains(t, log.String(), "fresh_test.go:")
	})
}
