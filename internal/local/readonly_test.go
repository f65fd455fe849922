package local

import (
	"bytes"
	"database/sql"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

func openReading(t *testing.T, path string) *store {
	t.Helper()
	e, err := Open(t.Context(), Options{Path: path, ReadOnly: true, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { e.Close() })
	return e.(*store)
}

// requireNoWrites calls all that writes.
func requireNoWrites(t *testing.T, s *store, c engine.Collection) {
	t.Helper()
	ctx := t.Context()
	rng := rand.New(rand.NewPCG(1, 1))
	_, created := s.Create(ctx, engine.Schema{Name: "more", Dim: 2})
	_, deleted := c.Delete(ctx, []string{"0"})
	_, deletedWhere := c.DeleteWhere(ctx, filter.Filter{})
	for _, err := range []error{
		created, deleted, deletedWhere,
		c.Upsert(ctx, []engine.Record{randomRecord(rng, "a")}), c.Insert(ctx, []engine.Record{randomRecord(rng, "a")}),
		s.Drop(ctx, "docs"), c.BuildIndex(ctx, engine.IndexPlan{}), c.DropIndex(ctx, "docs.hnsw"),
	} {
		require.ErrorIs(t, err, engine.ErrReadOnly)
	}
}

// A store that is opened for reading follows those who write.
func TestReadOnlyBesideAWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	w := openStore(t, path)
	c := create(t, w, testSchema)
	rng := rand.New(rand.NewPCG(1, 1))
	r := openReading(t, path)
	inR, err := r.Open(t.Context(), "docs")
	require.NoError(t, err)
	m := model{}
	for range 40 {
		step(t, t.Context(), rng, c, m)
		compare(t, t.Context(), rng, inR, m)
	}
	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 4, EfConstruction: 10}))
	require.Len(t, indexes(t, inR), 1)
	requireNoWrites(t, r, inR)
	require.NoError(t, r.Close())
	step(t, t.Context(), rng, c, m)
	require.NoError(t, w.Close())

	r = openReading(t, path) // with nobody who writes
	inR, err = r.Open(t.Context(), "docs")
	require.NoError(t, err)
	compare(t, t.Context(), rng, inR, m)
	requireNoWrites(t, r, inR)
}

// Where nothing can be written nothing is, not even beside the store.
func TestReadOnlyDirectory(t *testing.T) {
	skipOnWindows(t)
	path := fullStore(t)
	dir := filepath.Dir(path)
	for _, name := range []string{path + ".lock", path + ".saving.lock"} {
		_ = os.Remove(name)
	}
	require.NoError(t, os.Chmod(path, 0o444))
	require.NoError(t, os.Chmod(dir, 0o555))
	t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
	s := openReading(t, path)
	c, err := s.Open(t.Context(), "docs")
	require.NoError(t, err)
	requireMemoryIsRows(t, c)
	requireNoWrites(t, s, c)
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1, "%v", files)
	require.NoError(t, s.Close())
}

func TestReadOnlyRefuses(t *testing.T) {
	_, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "none.db"), ReadOnly: true})
	var connect *engine.ConnectError
	require.ErrorAs(t, err, &connect)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A change of the file that was cut off is undone by who opens it for writing. Until then who
// reads is told so, and changes nothing.
func TestReadOnlyBesideAJournal(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	s := openStore(t, path)
	create(t, s, testSchema)
	require.NoError(t, s.Close())
	db, err := sql.Open("sqlite", fileURI(path))
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	for _, statement := range []string{
		"PRAGMA journal_mode = DELETE", "PRAGMA cache_size = 1", "BEGIN IMMEDIATE", "DELETE FROM vecwire_collections",
		"CREATE TABLE large (x)", "INSERT INTO large WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT randomblob(4000) FROM n",
	} {
		_, err := db.Exec(statement)
		require.NoError(t, err, statement)
	}
	cut := filepath.Join(t.TempDir(), "test.db") // as if that process was killed now
	for _, suffix := range []string{"", "-journal"} {
		b, err := os.ReadFile(path + suffix)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(cut+suffix, b, 0o600))
	}
	require.NoError(t, db.Close())
	before, err := os.ReadFile(cut)
	require.NoError(t, err)

	_, err = Open(t.Context(), Options{Path: cut, ReadOnly: true, Logger: slog.New(slog.DiscardHandler)})
	require.ErrorContains(t, err, "open it once for writing")
	require.Equal(t, 1, strings.Count(err.Error(), "cannot be written"), err)
	_, err = Open(t.Context(), Options{Path: "test.db", FS: os.DirFS(filepath.Dir(cut)), Logger: slog.New(slog.DiscardHandler)})
	require.ErrorContains(t, err, "there is a journal beside it")
	after, err := os.ReadFile(cut)
	require.NoError(t, err)
	require.True(t, bytes.Equal(before, after))

	s = openStore(t, cut)
	require.Empty(t, all(t, t.Context(), open(t, s, "docs")))
	require.NoError(t, s.Close())
	require.Empty(t, all(t, t.Context(), open(t, openReading(t, cut), "docs")))
}
