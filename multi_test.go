package vecwire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/notes"
)

func openCollection(t *testing.T, path string, schema Schema) (*DB, *Collection) {
	db, err := Open(t.Context(), path)
	require.NoError(t, err)
	c, err := db.CreateCollection(t.Context(), schema)
	require.NoError(t, err)
	return db, c
}

// Two databases over one file are to each other what two processes are.
func TestTunedElsewhere(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "v.db")
	a, _ := openCollection(t, path, Schema{Name: "docs", Dim: 4})
	defer a.Close()
	b, err := Open(ctx, path)
	require.NoError(t, err)
	defer b.Close()
	elsewhere, err := b.OpenCollection(ctx, "docs")
	require.NoError(t, err)
	before, err := elsewhere.effort(ctx)
	require.NoError(t, err)
	require.Zero(t, before)
	for _, effort := range []int{77, 99} {
		require.NoError(t, notes.Put(ctx, a.engine, elsewhere.effortKey(), int64(effort)), "as Tune does")
		found, err := elsewhere.effort(ctx)
		require.NoError(t, err)
		require.Equal(t, effort, found)
	}
}

// A writer that does not get its turn says who has it.
func TestLocked(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "v.db")
	a, docs := openCollection(t, path, Schema{Name: "docs", Dim: 2})
	defer a.Close()
	b, err := Config{LockTimeout: 10 * time.Millisecond}.Open(ctx, path)
	require.NoError(t, err)
	defer b.Close()
	elsewhere, err := b.OpenCollection(ctx, "docs")
	require.NoError(t, err)
	record := Record{ID: "a", Vector: []float32{1, 2}}
	require.NoError(t, a.Tx(ctx, func(ctx context.Context) error {
		err := elsewhere.Upsert(t.Context(), record)
		var locked *LockedError
		if !errors.As(err, &locked) || locked.PID == 0 || locked.Since.IsZero() || locked.Waited < 10*time.Millisecond {
			return fmt.Errorf("it was not refused as it should be: %w", err)
		}
		return docs.Upsert(ctx, record)
	}))
	require.NoError(t, elsewhere.Upsert(ctx, record))
}

func TestReadOnly(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "v.db")
	db, docs := openCollection(t, path, Schema{Name: "docs", Dim: 2})
	defer db.Close()
	for _, open := range []func() (*DB, error){
		func() (*DB, error) { return Config{ReadOnly: true}.Open(ctx, path) },
		func() (*DB, error) { return Open(ctx, path+"?mode=ro") },
		func() (*DB, error) { return Open(ctx, "file:"+path+"?mode=ro") },
	} {
		reading, err := open()
		require.NoError(t, err)
		require.NoError(t, docs.Upsert(ctx, Record{ID: "a", Vector: []float32{1, 2}, Text: t.Name()}))
		c, err := reading.OpenCollection(ctx, "docs")
		require.NoError(t, err)
		hits, err := c.Search(ctx, Query{Vector: []float32{1, 2}, K: 1})
		require.NoError(t, err)
		require.Equal(t, t.Name(), hits[0].Text)
		require.ErrorIs(t, c.Upsert(ctx, Record{ID: "b", Vector: []float32{1, 2}}), ErrReadOnly)
		require.ErrorIs(t, reading.Tx(ctx, func(context.Context) error { return nil }), ErrReadOnly)
		require.NoError(t, reading.Close())
	}
	_, err := Config{ReadOnly: true}.Open(ctx, "mem:")
	require.ErrorIs(t, err, ErrUnsupported)
}

// A store can be part of a program.
func TestOpenFS(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	db, docs := openCollection(t, filepath.Join(dir, "v.db"), Schema{Name: "docs", Dim: 2, FullText: Words, Fields: []Field{{Name: "n", Type: Int, Index: true}}})
	for i := range 20 {
		require.NoError(t, docs.Upsert(ctx, Record{ID: fmt.Sprint(i), Vector: []float32{1, float32(i)}, Text: fmt.Sprint("text ", i), Fields: Fields{"n": i % 5}}))
	}
	require.NoError(t, docs.BuildIndex(ctx, IndexOptions{}))
	_, err := Config{FS: os.DirFS(dir)}.Open(ctx, "v.db")
	require.ErrorContains(t, err, "there is a log beside it")
	require.NoError(t, db.Close())

	content, err := os.ReadFile(filepath.Join(dir, "v.db"))
	require.NoError(t, err)
	for range 2 {
		db, err = Config{FS: fstest.MapFS{"data/v.db": {Data: content}}}.Open(ctx, "data/v.db")
		require.NoError(t, err)
		docs, err = db.OpenCollection(ctx, "docs")
		require.NoError(t, err)
		hits, err := docs.Search(ctx, Query{Vector: []float32{1, 7}, K: 1, Filter: filter.Eq("n", 2)})
		require.NoError(t, err)
		require.Equal(t, "text 7", hits[0].Text)
		require.ErrorIs(t, docs.Upsert(ctx, Record{ID: "b", Vector: []float32{1, 2}}), ErrReadOnly)
		require.NoError(t, db.Close())
	}
	for name, files := range map[string]fstest.MapFS{
		"none.db": {}, "/v.db": {}, "short.db": {"short.db": {Data: content[:200]}}, "text": {"text": {Data: bytes.Repeat([]byte("x"), 200)}},
	} {
		_, err := Config{FS: files}.Open(ctx, name)
		var connect *ConnectError
		require.ErrorAs(t, err, &connect, name)
	}
}
