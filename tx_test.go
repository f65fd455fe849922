package vecwire

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
)

// A verb that fails in a transaction fails it, also where its error is ignored.
func TestTxFailsWithItsVerbs(t *testing.T) {
	ctx := t.Context()
	docs := newDocs(t, Schema{Dim: 2})
	var kept context.Context
	err := docs.db.Tx(ctx, func(ctx context.Context) error {
		kept = ctx
		require.NoError(t, docs.Upsert(ctx, Record{ID: "good", Vector: []float32{1, 2}}))
		require.Error(t, docs.Upsert(ctx, Record{ID: "bad", Vector: []float32{1}}))
		return nil
	})
	var dimension *DimensionError
	require.ErrorAs(t, err, &dimension)
	n, err := docs.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Zero(t, n, "nothing is stored")

	_, err = docs.Count(kept, filter.Filter{})
	require.ErrorContains(t, err, "the transaction has ended")
}

// A transaction inside another is a part of it.
func TestTxInsideTx(t *testing.T) {
	ctx := t.Context()
	docs := newDocs(t, Schema{Dim: 2})
	undo := errors.New("undo")
	put := func(ctx context.Context, id string) error {
		return docs.Upsert(ctx, Record{ID: id, Vector: []float32{1, 2}})
	}
	count := func() int {
		n, err := docs.Count(ctx, filter.Filter{})
		require.NoError(t, err)
		return n
	}
	require.ErrorIs(t, docs.db.Tx(ctx, func(ctx context.Context) error {
		require.NoError(t, docs.db.Tx(ctx, func(ctx context.Context) error { return put(ctx, "inner") }))
		return undo
	}), undo)
	require.Zero(t, count())
	require.NoError(t, docs.db.Tx(ctx, func(ctx context.Context) error {
		return docs.db.Tx(ctx, func(ctx context.Context) error { return put(ctx, "inner") })
	}))
	require.Equal(t, 1, count())
}

// The database can be closed while a transaction goes on, and then waits for it.
func TestTxGoesOnWhileCloseWaits(t *testing.T) {
	ctx := t.Context()
	docs := newDocs(t, Schema{Dim: 2})
	closed := make(chan error)
	require.NoError(t, docs.db.Tx(ctx, func(ctx context.Context) error {
		go func() { closed <- docs.db.Close() }()
		for docs.db.gate.Enter() == nil { // until Close has shut the gate
			docs.db.gate.Leave()
		}
		return docs.Upsert(ctx, Record{ID: "late", Vector: []float32{1, 2}})
	}))
	require.NoError(t, <-closed)
}

// outsideEmbedder fails if it is asked while a transaction holds the lock.
type outsideEmbedder struct {
	*testing.T
	docs  *Collection
	calls int
}

func (outsideEmbedder) Model() string { return "m" }
func (outsideEmbedder) Dim() int      { return 2 }

func (e *outsideEmbedder) Embed(ctx context.Context, texts []string, _ embed.Use) ([][]float32, error) {
	e.calls++
	_, err := e.docs.Count(ctx, filter.Filter{}) // a reader waits for the lock of a store in memory
	require.NoError(e, err)
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		vectors[i] = []float32{float32(len(text)), 1}
	}
	return vectors, nil
}

// No transaction waits for an embedder: f runs again when its texts have vectors.
func TestTxEmbedsOutside(t *testing.T) {
	ctx := t.Context()
	docs := newDocs(t, Schema{Dim: 2, Model: "m"})
	e := &outsideEmbedder{T: t, docs: docs}
	with, err := docs.WithEmbedder(e)
	require.NoError(t, err)
	runs := 0
	require.NoError(t, docs.db.Tx(ctx, func(ctx context.Context) error {
		runs++
		_ = with.Upsert(ctx, Record{ID: "a", Text: "a"}, Record{ID: "bb", Text: "bb"})
		_, err := with.Search(ctx, Query{Text: "a"})
		return err
	}))
	require.Equal(t, 3, runs, "once for each verb that embeds, and once with all")
	require.Equal(t, 2, e.calls)
	found, err := docs.Get(ctx, "a", "bb")
	require.NoError(t, err)
	require.Equal(t, []float32{1, 1}, found[0].Vector)
	require.Equal(t, []float32{2, 1}, found[1].Vector)

	broken := errors.New("the model is away")
	failing, err := docs.WithEmbedder(brokenEmbedder{broken})
	require.NoError(t, err)
	var failed *EmbedError
	err = docs.db.Tx(ctx, func(ctx context.Context) error {
		require.NoError(t, docs.Upsert(ctx, Record{ID: "c", Vector: []float32{1, 1}}))
		return failing.Upsert(ctx, Record{ID: "d", Text: "d"})
	})
	require.ErrorIs(t, err, broken)
	require.ErrorAs(t, err, &failed)
	n, err := docs.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, 2, n, "nothing of it is stored")
}

type brokenEmbedder struct{ err error }

func (brokenEmbedder) Model() string { return "m" }
func (brokenEmbedder) Dim() int      { return 2 }

func (e brokenEmbedder) Embed(context.Context, []string, embed.Use) ([][]float32, error) {
	return nil, e.err
}

// What no transaction can have is refused in one, and fails it.
func TestTxRefusesWhatItCannotHave(t *testing.T) {
	ctx := t.Context()
	docs := newDocs(t, Schema{Dim: 2})
	for name, verb := range map[string]func(ctx context.Context) error{
		"create": func(ctx context.Context) error {
			_, err := docs.db.CreateCollection(ctx, Schema{Name: "x", Dim: 2})
			return err
		},
		"open": func(ctx context.Context) error { _, err := docs.db.OpenCollection(ctx, "docs"); return err },
		"ensure": func(ctx context.Context) error {
			_, err := docs.db.EnsureCollection(ctx, Schema{Name: "x", Dim: 2})
			return err
		},
		"list": func(ctx context.Context) error { _, err := docs.db.Collections(ctx); return err },
		"drop": func(ctx context.Context) error { return docs.db.DropCollection(ctx, "docs") },
		"reembed": func(ctx context.Context) error {
			_, _, err := docs.db.Reembed(ctx, "docs", nil, ReembedOptions{})
			return err
		},
		"mirror": func(ctx context.Context) error { _, err := docs.Mirror(ctx, MirrorOptions{}); return err },
		"cursor": func(ctx context.Context) error { _, err := docs.Cursor(ctx, "job"); return err },
		"tune":   func(ctx context.Context) error { _, err := docs.Tune(ctx, TuneOptions{}); return err },
		"ingest": func(ctx context.Context) error { _, err := docs.Ingest(ctx, nil, IngestOptions{}); return err },
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, docs.db.Tx(ctx, verb), "cannot be part of a transaction")
		})
	}
}

// What a collection has let go is read into memory for a transaction, which begins anew
// then, whatever its function makes of the error.
func TestTxOverWhatWasLetGo(t *testing.T) {
	for _, url := range []string{"mem:", filepath.Join(t.TempDir(), "store.db")} {
		db, err := Open(t.Context(), url)
		require.NoError(t, err)
		defer db.Close()
		var all []*Collection
		for _, name := range []string{"one", "two"} {
			c, err := db.CreateCollection(t.Context(), Schema{Name: name, Dim: 2})
			require.NoError(t, err)
			require.NoError(t, c.Upsert(t.Context(), Record{ID: "a", Vector: []float32{1, 2}}))
			other, err := db.OpenCollection(t.Context(), name)
			require.NoError(t, err)
			require.NoError(t, other.Close())
			all = append(all, c)
		}
		runs := 0
		require.NoError(t, db.Tx(t.Context(), func(ctx context.Context) error {
			runs++
			for _, c := range all {
				if err := c.Upsert(ctx, Record{ID: "b", Vector: []float32{2, 1}}); err != nil {
					return errors.New("hidden")
				}
			}
			return nil
		}))
		require.LessOrEqual(t, runs, 3)
		for _, c := range all {
			n, err := c.Count(t.Context(), filter.Filter{})
			require.NoError(t, err)
			require.Equal(t, 2, n)
		}
	}
}
