package lru

import (
	"context"

	"github.com/vecwire/vecwire/internal/engine"
)

// collection is a bounded collection. What is not written here is as the inner one does
// it: filters, orders and values name no field that is kept from them.
type collection struct {
	engine.Collection
	db     *Database
	schema engine.Schema // as it is seen
	uses   *uses         // nil where there is no bound to keep yet
}

// Schema implements engine.Collection.
func (c *collection) Schema() engine.Schema { return c.schema }

// out takes the field from a record that no other has the use of.
func (c *collection) out(r *engine.Record) {
	if n := len(c.schema.Fields); len(r.Fields) > n {
		r.Fields = r.Fields[:n:n]
	}
}

func (c *collection) outAll(records []engine.Record, err error) ([]engine.Record, error) {
	for i := range records {
		c.out(&records[i])
	}
	return records, err
}

func (c *collection) outHits(hits []engine.Hit) {
	for i := range hits {
		c.out(&hits[i].Record)
	}
}

// Get implements engine.Collection.
func (c *collection) Get(ctx context.Context, ids []string, vectors bool) ([]engine.Record, error) {
	return c.outAll(c.Collection.Get(ctx, ids, vectors))
}

// Scan implements engine.Collection.
func (c *collection) Scan(ctx context.Context, s engine.Scan) ([]engine.Record, error) {
	return c.outAll(c.Collection.Scan(ctx, s))
}

// Search implements engine.Collection.
func (c *collection) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	results, err := c.Collection.Search(ctx, searches)
	for i := range results {
		c.outHits(results[i].Hits)
	}
	return results, err
}

// SearchText implements engine.Collection.
func (c *collection) SearchText(ctx context.Context, searches []engine.TextSearch) ([][]engine.Hit, error) {
	found, err := c.Collection.SearchText(ctx, searches)
	for i := range found {
		c.outHits(found[i])
	}
	return found, err
}

// Release implements engine.Collection.
func (c *collection) Release(ctx context.Context) error {
	if c.uses != nil {
		c.db.flush(ctx, c.uses)
	}
	return c.Collection.Release(ctx)
}
