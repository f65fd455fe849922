package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
)

// counting is an embedder that counts its texts, and fails when it is told.
type counting struct {
	model string
	texts int
	fail  error
}

func (c *counting) Model() string { return c.model }
func (c *counting) Dim() int      { return 2 }

func (c *counting) Embed(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
	if c.fail != nil {
		return nil, c.fail
	}
	c.texts += len(texts)
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		vectors[i] = []float32{1, float32(len(text))}
	}
	return vectors, nil
}

type library struct {
	tool     Toolchain
	embedder *counting
	index    Index
}

func newLibrary(t *testing.T) *library {
	db, err := vecwire.Open(t.Context(), filepath.Join(t.TempDir(), "docs.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	e := &counting{model: "counting"}
	return &library{newToolchain(t), e, Index{DB: db, Embedder: e, Dir: filepath.Join(t.TempDir(), "new"), Progress: quiet}}
}

// open opens the index, fills it, and checks that it holds what the toolchain
// documents.
func (l *library) open(t *testing.T) Changes {
	col, changes, err := l.index.Open(t.Context(), l.tool)
	require.NoError(t, err)
	l.embedder.texts = 0
	if changes.Waiting > 0 {
		require.NoError(t, l.index.Fill(t.Context()))
	}
	require.Equal(t, changes.Waiting, l.embedder.texts)
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
	for r, err := range col.All(t.Context(), vecwire.Scan{Vectors: true}) {
		require.NoError(t, err)
		require.False(t, isZero(r.Vector), r.ID)
	}
	return changes
}

func TestSecondOpenReadsNothing(t *testing.T) {
	l := newLibrary(t)
	first := l.open(t)
	require.Equal(t, Changes{Records: first.Records, Stored: first.Records, Waiting: first.Records}, first)
	l.index.Progress = func(what string, _, _ int) { t.Error("worked again:", what) }
	require.Equal(t, Changes{Records: first.Records}, l.open(t))
}

func TestWordsAreFoundBeforeTheVectorsAreThere(t *testing.T) {
	l := newLibrary(t)
	col, changes, err := l.index.Open(t.Context(), l.tool)
	require.NoError(t, err)
	require.Equal(t, changes.Records, changes.Waiting)
	hits, err := col.Search(t.Context(), vecwire.Query{Text: "reading the pages", K: 1, Fusion: &vecwire.Fusion{TextOnly: true}})
	require.NoError(t, err)
	require.Equal(t, "home/shelf.Book.Read", hits[0].ID)
	require.Zero(t, l.embedder.texts)
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
	require.Equal(t, Changes{Records: first.Records + 1, Stored: 3, Removed: 1, Waiting: 3}, l.open(t))

	l.tool.Version = "go1.102"
	write(t, l.tool, "fmt/fmt.go", "\n\n// Package fmt prints nicely.\npackage fmt\n")
	require.Equal(t, Changes{Records: first.Records + 1, Stored: 1}, l.open(t), "a line that moved is no new meaning")
}

func TestInterruptedIndexingGoesOn(t *testing.T) {
	l := newLibrary(t)
	l.embedder.fail = context.Canceled
	_, changes, err := l.index.Open(t.Context(), l.tool)
	require.NoError(t, err)
	require.ErrorIs(t, l.index.Fill(t.Context()), context.Canceled)
	l.embedder.fail = nil
	require.Equal(t, Changes{Records: changes.Records, Waiting: changes.Records}, l.open(t), "all vectors are missing")

	col, err := l.index.DB.OpenCollection(t.Context(), collectionName)
	require.NoError(t, err)
	_, err = col.Delete(t.Context(), "fmt", "home/shelf.Open")
	require.NoError(t, err)
	require.Equal(t, Changes{Records: changes.Records, Stored: 2, Waiting: 2}, l.open(t), "two records are missing")
	require.NoError(t, os.Remove(l.index.noteFile()))
	require.Equal(t, Changes{Records: changes.Records}, l.open(t), "the note is missing")
	require.NoError(t, os.WriteFile(l.index.noteFile(), []byte("{"), 0o600))
	require.Equal(t, Changes{Records: changes.Records}, l.open(t), "the note is damaged")
}

func TestAnotherModelOrNoCollectionMeansAll(t *testing.T) {
	l := newLibrary(t)
	first := l.open(t)
	l.embedder.model = "another"
	require.Equal(t, first, l.open(t), "the embedder is another")
	require.NoError(t, l.index.DB.DropCollection(t.Context(), collectionName))
	require.Equal(t, first, l.open(t), "the collection is missing")
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
