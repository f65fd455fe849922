package tenant

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Schema implements engine.Collection.
func (c *Collection) Schema() engine.Schema { return c.schema }

// Can implements engine.Collection.
func (c *Collection) Can() engine.Can {
	can := c.inner.Can()
	can.Indexes = can.Indexes && can.PartialIndexes
	can.Usage = false
	return can
}

// Altered implements engine.Collection.
func (c *Collection) Altered(ctx context.Context) (bool, error) { return c.inner.Altered(ctx) }

// Release implements engine.Collection, for all tenants.
func (c *Collection) Release(ctx context.Context) error { return c.inner.Release(ctx) }

// Upsert implements engine.Collection.
func (c *Collection) Upsert(ctx context.Context, records []engine.Record) error {
	return c.inner.Upsert(ctx, c.into(records))
}

// Insert implements engine.Collection.
func (c *Collection) Insert(ctx context.Context, records []engine.Record) error {
	return c.inner.Insert(ctx, c.into(records))
}

// Merge implements engine.Collection.
func (c *Collection) Merge(ctx context.Context, records []engine.Record) (inserted, updated int, err error) {
	return c.inner.Merge(ctx, c.into(records))
}

// Get implements engine.Collection.
func (c *Collection) Get(ctx context.Context, ids []string, vectors bool) ([]engine.Record, error) {
	return c.outAll(c.inner.Get(ctx, c.ids(ids), vectors))
}

// Delete implements engine.Collection.
func (c *Collection) Delete(ctx context.Context, ids []string) (int, error) {
	return c.inner.Delete(ctx, c.ids(ids))
}

// DeleteWhere implements engine.Collection.
func (c *Collection) DeleteWhere(ctx context.Context, f filter.Filter) (int, error) {
	f, err := c.own(f)
	if err != nil {
		return 0, err
	}
	return c.inner.DeleteWhere(ctx, f)
}

// Sweep implements engine.Collection.
func (c *Collection) Sweep(ctx context.Context, f filter.Filter) (int, error) {
	f, err := c.own(f)
	if err != nil {
		return 0, err
	}
	return c.inner.Sweep(ctx, f)
}

// Count implements engine.Collection.
func (c *Collection) Count(ctx context.Context, f filter.Filter) (int, error) {
	f, err := c.own(f)
	if err != nil {
		return 0, err
	}
	return c.inner.Count(ctx, f)
}

// Size implements engine.Collection. The tenant's records are a part, which is counted.
func (c *Collection) Size(ctx context.Context) (int, error) { return c.Count(ctx, filter.Filter{}) }

// Scan implements engine.Collection.
func (c *Collection) Scan(ctx context.Context, s engine.Scan) ([]engine.Record, error) {
	var err error
	if s.Filter, err = c.own(s.Filter); err != nil {
		return nil, err
	}
	if s.After != "" || s.Order.ByID() {
		s.After = c.prefix + s.After // no ID is empty, so all come after it
	}
	return c.outAll(c.inner.Scan(ctx, s))
}

// Facet implements engine.Collection.
func (c *Collection) Facet(ctx context.Context, f engine.Facet) ([]engine.FacetCount, error) {
	var err error
	if f.Filter, err = c.own(f.Filter); err != nil {
		return nil, err
	}
	return c.inner.Facet(ctx, f)
}

// Search implements engine.Collection.
func (c *Collection) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	searches = slices.Clone(searches)
	for i := range searches {
		var err error
		if searches[i].Filter, err = c.own(searches[i].Filter); err != nil {
			return nil, err
		}
		if after := searches[i].After; after != nil {
			searches[i].After = &engine.After{ID: c.prefix + after.ID, Score: after.Score, Place: after.Place}
		}
	}
	results, err := c.inner.Search(ctx, searches)
	for _, r := range results {
		err = errors.Join(err, c.outHits(r.Hits))
	}
	return results, err
}

// SearchText implements engine.Collection.
func (c *Collection) SearchText(ctx context.Context, searches []engine.TextSearch) ([][]engine.Hit, error) {
	searches = slices.Clone(searches)
	for i := range searches {
		var err error
		if searches[i].Filter, err = c.own(searches[i].Filter); err != nil {
			return nil, err
		}
	}
	results, err := c.inner.SearchText(ctx, searches)
	for _, hits := range results {
		err = errors.Join(err, c.outHits(hits))
	}
	return results, err
}

// Usage implements engine.Collection.
func (*Collection) Usage(context.Context) ([]engine.Part, error) {
	return nil, fmt.Errorf("%w: %s for a namespace: ask the collection itself", engine.ErrUnsupported, engine.LackUsage)
}
