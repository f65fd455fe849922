package mirror

import (
	"context"
	"fmt"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// The verbs that the inner collection answers. Each stands here by name, so that a
// verb which writes cannot pass the copy by because it is new to the seam.

// Schema implements engine.Collection.
func (m *Mirror) Schema() engine.Schema { return m.schema }

// Can implements engine.Collection. The copy could not follow what Merge stores. With
// the texts it has filters over them, and full text, whatever the inner collection has.
func (m *Mirror) Can() engine.Can {
	can := m.inner.Can()
	can.Merge = false
	if m.texts() {
		can.FullText, can.TextFilters, can.Like = true, true, true
	}
	return can
}

// Altered implements engine.Collection.
func (m *Mirror) Altered(ctx context.Context) (bool, error) { return m.inner.Altered(ctx) }

// Release implements engine.Collection. The copy stays: to close the mirror lets it go.
func (m *Mirror) Release(ctx context.Context) error { return m.inner.Release(ctx) }

// Merge implements engine.Collection.
func (m *Mirror) Merge(context.Context, []engine.Record) (inserted, updated int, err error) {
	return 0, 0, fmt.Errorf("%w: merging through a mirror", engine.ErrUnsupported)
}

// Get implements engine.Collection.
func (m *Mirror) Get(ctx context.Context, ids []string, vectors bool) ([]engine.Record, error) {
	return m.inner.Get(ctx, ids, vectors)
}

// Count implements engine.Collection.
func (m *Mirror) Count(ctx context.Context, f filter.Filter) (int, error) {
	if err := m.passes(f); err != nil {
		return 0, err
	}
	return m.inner.Count(ctx, f)
}

// Size implements engine.Collection.
func (m *Mirror) Size(ctx context.Context) (int, error) { return m.inner.Size(ctx) }

// Sweep implements engine.Collection. The copy goes on without what it removes at the
// next refresh; until then a filter keeps it out of sight.
func (m *Mirror) Sweep(ctx context.Context, f filter.Filter) (int, error) {
	return m.inner.Sweep(ctx, f)
}

// Scan implements engine.Collection.
func (m *Mirror) Scan(ctx context.Context, s engine.Scan) ([]engine.Record, error) {
	if err := m.passes(s.Filter); err != nil {
		return nil, err
	}
	return m.inner.Scan(ctx, s)
}

// Facet implements engine.Collection.
func (m *Mirror) Facet(ctx context.Context, f engine.Facet) ([]engine.FacetCount, error) {
	if err := m.passes(f.Filter); err != nil {
		return nil, err
	}
	return m.inner.Facet(ctx, f)
}

// BuildIndex implements engine.Collection. The copy has no index.
func (m *Mirror) BuildIndex(ctx context.Context, p engine.IndexPlan) error {
	return m.inner.BuildIndex(ctx, p)
}

// Indexes implements engine.Collection.
func (m *Mirror) Indexes(ctx context.Context) ([]engine.Index, error) { return m.inner.Indexes(ctx) }

// DropIndex implements engine.Collection.
func (m *Mirror) DropIndex(ctx context.Context, name string) error {
	return m.inner.DropIndex(ctx, name)
}
