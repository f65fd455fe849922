package expiry

import (
	"context"
	"slices"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Collection is a collection without what has expired in it. It implements
// engine.Collection. Each verb stands here by name, so that none which is new to the
// seam passes the clock by.
type Collection struct {
	inner  engine.Collection
	schema engine.Schema
	place  int // of the field that says when a record expires
	copied bool
}

// New returns c without what has expired in it: c itself if nothing in it expires.
func New(c engine.Collection) engine.Collection { return wrap(c, false) }

// Copied is New for one that answers searches from a copy of what New returned, and all
// else by that. It filters searches at no great cost, and would have to ask a server for
// what a hit's fields are.
func Copied(c engine.Collection) engine.Collection { return wrap(c, true) }

func wrap(c engine.Collection, copied bool) engine.Collection {
	s := c.Schema()
	place := Field(s)
	if place < 0 {
		return c
	}
	return &Collection{inner: c, schema: s, place: place, copied: copied}
}

// Schema implements engine.Collection.
func (c *Collection) Schema() engine.Schema { return c.schema }

// Can implements engine.Collection.
func (c *Collection) Can() engine.Can { return c.inner.Can() }

// Altered implements engine.Collection.
func (c *Collection) Altered(ctx context.Context) (bool, error) { return c.inner.Altered(ctx) }

// Release implements engine.Collection.
func (c *Collection) Release(ctx context.Context) error { return c.inner.Release(ctx) }

// Get implements engine.Collection.
func (c *Collection) Get(ctx context.Context, ids []string, vectors bool) ([]engine.Record, error) {
	records, err := c.inner.Get(ctx, ids, vectors)
	now := now(ctx)
	return slices.DeleteFunc(records, func(r engine.Record) bool { return c.expired(&r, now) }), err
}

// Count implements engine.Collection.
func (c *Collection) Count(ctx context.Context, f filter.Filter) (int, error) {
	return c.inner.Count(ctx, filter.And(f, c.alive(ctx)))
}

// Size implements engine.Collection. What has expired has to be left out.
func (c *Collection) Size(ctx context.Context) (int, error) { return c.Count(ctx, filter.Filter{}) }

// Scan implements engine.Collection.
func (c *Collection) Scan(ctx context.Context, s engine.Scan) ([]engine.Record, error) {
	s.Filter = filter.And(s.Filter, c.alive(ctx))
	return c.inner.Scan(ctx, s)
}

// Facet implements engine.Collection.
func (c *Collection) Facet(ctx context.Context, f engine.Facet) ([]engine.FacetCount, error) {
	f.Filter = filter.And(f.Filter, c.alive(ctx))
	return c.inner.Facet(ctx, f)
}

// BuildIndex implements engine.Collection.
func (c *Collection) BuildIndex(ctx context.Context, p engine.IndexPlan) error {
	return c.inner.BuildIndex(ctx, p)
}

// Indexes implements engine.Collection.
func (c *Collection) Indexes(ctx context.Context) ([]engine.Index, error) {
	return c.inner.Indexes(ctx)
}

// DropIndex implements engine.Collection.
func (c *Collection) DropIndex(ctx context.Context, name string) error {
	return c.inner.DropIndex(ctx, name)
}

// Usage implements engine.Collection.
func (c *Collection) Usage(ctx context.Context) ([]engine.Part, error) { return c.inner.Usage(ctx) }
