package local

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// While one call loads again what another process has changed, nobody writes to the
// memory of before.
func TestWritersWaitForReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	a, b := openStore(t, path), openStore(t, path)
	inA := create(t, a, wideSchema)
	require.NoError(t, inA.Upsert(t.Context(), wideRecords(0, 10)))
	inB := open(t, b, "docs").(*collection)
	a.keep = 1 // so that the other falls behind
	for i := range 10 {
		require.NoError(t, inA.Upsert(t.Context(), wideRecords(10+i, 11+i)))
	}
	require.NoError(t, inB.indexing.Acquire(t.Context(), 1)) // the reader cannot go on
	ctx, stop := context.WithCancel(t.Context())
	read := make(chan error)
	go func() {
		_, err := inB.Count(ctx, filter.Filter{})
		read <- err
	}()
	for !inB.isBehind() || b.unsettled.Load() { // until it loads
		select {
		case err := <-read:
			t.Fatal("nothing is behind", err)
		default:
		}
	}
	err := b.updateOnce(t.Context(), call{}, nil, func(t *txn) error { return inB.upsert(t.ctx, t, wideRecords(20, 25)) })
	stop()
	stopped := <-read
	inB.indexing.Release(1)
	require.ErrorIs(t, err, errBehind)
	require.ErrorIs(t, stopped, context.Canceled)
	require.NoError(t, inB.Upsert(t.Context(), wideRecords(20, 25)))
	requireMemoryIsRows(t, inB)
	requireMemoryIsRows(t, inA)
}

// An index is built and dropped although another process has committed more meanwhile than is
// followed by the changes.
func TestIndexOfWhatHasFallenBehind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	a, b := openStore(t, path), openStore(t, path)
	inA := create(t, a, wideSchema)
	require.NoError(t, inA.Upsert(t.Context(), wideRecords(0, 1100)))
	inB := open(t, b, "docs")
	a.keep = 1
	next := 1100
	overtake := func() {
		for range 5 {
			require.NoError(t, inA.Upsert(t.Context(), wideRecords(next, next+1)))
			next++
		}
	}
	overtaken := false
	require.NoError(t, inB.BuildIndex(t.Context(), engine.IndexPlan{M: 8, EfConstruction: 16, Progress: func(engine.IndexProgress) {
		if !overtaken {
			overtaken = true
			overtake()
		}
	}}))
	require.True(t, overtaken)
	require.Len(t, indexes(t, inB), 1)
	requireMemoryIsRows(t, inB)
	overtake()
	require.NoError(t, inB.DropIndex(t.Context(), "docs.hnsw"))
	requireMemoryIsRows(t, inB)
	require.Empty(t, indexes(t, inA))
}

// An index that another process has built is taken over while a transaction is under
// way, or after it.
func TestReloadBesideTransaction(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	b := openStore(t, path)
	inB := create(t, b, wideSchema).(*collection)
	require.NoError(t, inB.Upsert(t.Context(), wideRecords(0, 200)))
	var last []string // whose rows are free, and behind all others
	for i := 150; i < 200; i++ {
		last = append(last, fmt.Sprint(i))
	}
	_, err := inB.Delete(t.Context(), last)
	require.NoError(t, err)
	a := openStore(t, path)
	inA := open(t, a, "docs") // it knows nothing of those rows
	require.NoError(t, inA.BuildIndex(t.Context(), engine.IndexPlan{M: 8, EfConstruction: 16}))
	require.NoError(t, b.followOnly(t.Context())) // it knows, and has not loaded the index
	require.True(t, inB.otherIndex.Load())
	b.unsettled.Store(false) // another call is about to
	require.Len(t, inB.free, 50)
	query := []engine.Search{{Vector: wideRecord(305).Vector, K: 1}}
	require.NoError(t, b.Tx(t.Context(), func(ctx context.Context) error {
		if err := inB.Upsert(ctx, wideRecords(300, 310)); err != nil {
			return err
		}
		if err := inB.reload(t.Context()); err != nil { // as a reader does
			return err
		}
		require.False(t, inB.otherIndex.Load())
		require.Empty(t, inB.free)
		if err := inB.Upsert(ctx, wideRecords(310, 320)); err != nil {
			return err
		}
		found, err := inB.Search(ctx, query)
		require.Equal(t, "305", found[0].Hits[0].ID)
		return err
	}))
	require.False(t, inB.isBehind(), "the commit did not fit")
	require.Len(t, inB.free, 30)
	requireMemoryIsRows(t, inB)
	require.Len(t, indexes(t, inB), 1)
	require.NoError(t, inB.Upsert(t.Context(), wideRecords(400, 480)))
	requireMemoryIsRows(t, inB)
	requireMemoryIsRows(t, inA)
}
