package vecwire_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/enginetest"
	"github.com/vecwire/vecwire/internal/local"
)

// bare is the smallest engine that there can be: the embedded engine in memory,
// with those verbs alone that every engine must have.
type bare struct {
	engine.Lacks
	inner engine.Engine
}

func (b bare) Capabilities() engine.Capabilities {
	caps := b.inner.Capabilities()
	return engine.Capabilities{Engine: string(b.Lacks), MaxIDBytes: caps.MaxIDBytes, MaxDim: caps.MaxDim, BatchRecords: caps.BatchRecords}
}

func (b bare) Create(ctx context.Context, s engine.Schema) (engine.Collection, error) {
	return b.collection(b.inner.Create(ctx, s))
}

func (b bare) Open(ctx context.Context, name string) (engine.Collection, error) {
	return b.collection(b.inner.Open(ctx, name))
}

func (b bare) collection(c engine.Collection, err error) (engine.Collection, error) {
	return bareCollection{b.Lacks, c}, err
}

func (b bare) List(ctx context.Context) ([]engine.Schema, error) { return b.inner.List(ctx) }
func (b bare) Drop(ctx context.Context, name string) error       { return b.inner.Drop(ctx, name) }
func (b bare) Close() error                                      { return b.inner.Close() }

type bareCollection struct {
	engine.Lacks
	inner engine.Collection
}

func (c bareCollection) Schema() engine.Schema { return c.inner.Schema() }
func (c bareCollection) Can() engine.Can       { return engine.Can{} }

func (c bareCollection) Upsert(ctx context.Context, records []engine.Record) error {
	return c.inner.Upsert(ctx, records)
}

func (c bareCollection) Get(ctx context.Context, ids []string, vectors bool) ([]engine.Record, error) {
	return c.inner.Get(ctx, ids, vectors)
}

func (c bareCollection) Delete(ctx context.Context, ids []string) (int, error) {
	return c.inner.Delete(ctx, ids)
}

func (c bareCollection) DeleteWhere(ctx context.Context, f filter.Filter) (int, error) {
	return c.inner.DeleteWhere(ctx, f)
}

func (c bareCollection) Count(ctx context.Context, f filter.Filter) (int, error) {
	return c.inner.Count(ctx, f)
}

func (c bareCollection) Scan(ctx context.Context, s engine.Scan) ([]engine.Record, error) {
	return c.inner.Scan(ctx, s)
}

func (c bareCollection) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	return c.inner.Search(ctx, searches)
}

// openBare opens a database over the fourth engine, changed by change.
func openBare(t testing.TB, change func(engine.Engine) engine.Engine) *vecwire.DB {
	t.Helper()
	inner, err := local.Open(t.Context(), local.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	return vecwire.OpenEngine(change(bare{"bare", inner}))
}

// TestFourthEngine runs the conformance suite on an engine that lacks everything
// that an engine may lack.
func TestFourthEngine(t *testing.T) {
	t.Parallel()
	same := func(e engine.Engine) engine.Engine { return e }
	enginetest.Run(t, enginetest.Target{Open: func(t testing.TB) *vecwire.DB { return openBare(t, same) }})
}
