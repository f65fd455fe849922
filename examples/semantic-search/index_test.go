package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

type library struct {
	tool  Toolchain
	index Index
}

func newLibrary(t *testing.T) library {
	db, err := vecwire.Open(t.Context(), filepath.Join(t.TempDir(), "docs.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return library{newToolchain(t), Index{DB: db, Dir: filepath.Join(t.TempDir(), "new"), Progress: quiet}}
}

// open opens the index and checks that it holds what the toolchain documents.
func (l *library) open(t *testing.T) Changes {
	col, changes, err := l.index.Open(t.Context(), l.tool)
	require.NoError(t, err)
	docs := read(t, l.tool)
	require.Equal(t, len(docs), changes.Records)
	n, err := col.Count(t.Context(), filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, len(docs), n)
	for _, d := range docs {
		records, err := col.Get(t.Context(), d.ID)
		require.NoError(t, err)
		require.Len(t, records, 1, d.ID)
		require.Equal(t, d.Text, records[0].Text)
		require.EqualValues(t, d.Line, records[0].Fields["line"])
	}
	return changes
}

func TestSecondOpenReadsNothing(t *testing.T) {
	l := newLibrary(t)
	first := l.open(t)
	require.Equal(t, first.Records, first.Stored)
	l.index.Progress = func(what string, _, _ int) { t.Error("worked again:", what) }
	require.Equal(t, Changes{Records: first.Records}, l.open(t))
}

func TestNewVersionStoresWhatChanged(t *testing.T) {
	l := newLibrary(t)
	first := l.open(t)
	l.tool.Version = "go1.100"
	require.Equal(t, Changes{Records: first.Records}, l.open(t), "nothing changed but the version")

	l.tool.Version = "go1.101"
	write(t, l.tool, "fmt/fmt.go", "// Package fmt prints nicely.\npackage fmt\n")
	write(t, l.tool, "home/shelf/doc.go", "package shelf\n")
	write(t, l.tool, "home/attic/attic.go", "// Package attic is new.\npackage attic\n\n// Dust is everywhere.\nvar Dust int\n")
	require.Equal(t, Changes{Records: first.Records + 1, Stored: 3, Removed: 1}, l.open(t))
}

func TestInterruptedIndexingGoesOn(t *testing.T) {
	l := newLibrary(t)
	first := l.open(t)
	col, err := l.index.DB.OpenCollection(t.Context(), collectionName)
	require.NoError(t, err)
	_, err = col.Delete(t.Context(), "fmt", "home/shelf.Open")
	require.NoError(t, err)
	require.Equal(t, Changes{Records: first.Records, Stored: 2}, l.open(t), "two records are missing")
	require.NoError(t, os.Remove(l.index.noteFile()))
	require.Equal(t, Changes{Records: first.Records}, l.open(t), "the note is missing")
	require.NoError(t, os.WriteFile(l.index.noteFile(), []byte("{"), 0o600))
	require.Equal(t, Changes{Records: first.Records}, l.open(t), "the note is damaged")
}

func TestLostEmbedderOrCollectionMeansAll(t *testing.T) {
	l := newLibrary(t)
	first := l.open(t)
	require.NoError(t, os.Truncate(l.index.modelFile(), 50))
	require.Equal(t, first, l.open(t), "the embedder is damaged")
	require.NoError(t, os.Remove(l.index.modelFile()))
	require.Equal(t, first, l.open(t), "the embedder is missing")
	require.NoError(t, l.index.DB.DropCollection(t.Context(), collectionName))
	require.Equal(t, first, l.open(t), "the collection is missing")

	other := newLibrary(t)
	write(t, other.tool, "fmt/fmt.go", "// Package fmt is fitted otherwise.\npackage fmt\n")
	other.open(t)
	model, err := os.ReadFile(other.index.modelFile())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(l.index.modelFile(), model, 0o600))
	require.Equal(t, first, l.open(t), "the embedder is another")
}

func TestForeignCollectionIsLeftAlone(t *testing.T) {
	l := newLibrary(t)
	col, err := l.index.DB.CreateCollection(t.Context(), vecwire.Schema{Name: collectionName, Dim: 1})
	require.NoError(t, err)
	require.NoError(t, col.Upsert(t.Context(), vecwire.Record{ID: "mine", Vector: []float32{1}}))
	_, _, err = l.index.Open(t.Context(), l.tool)
	require.ErrorContains(t, err, "did not make")
	records, err := col.Get(t.Context(), "mine")
	require.NoError(t, err)
	require.Len(t, records, 1)
}

func TestCancelledIndexing(t *testing.T) {
	l := newLibrary(t)
	ctx, cancel := context.WithCancel(t.Context())
	l.index.Progress = func(string, int, int) { cancel() }
	_, _, err := l.index.Open(ctx, l.tool)
	require.ErrorIs(t, err, context.Canceled)
	l.index.Progress = quiet
	l.open(t)
}
