package expiry

import (
	"context"
	"slices"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// clear removes those of the records that have expired, so that a write finds their IDs
// free. That is no part of the write: they are gone already, for all who look.
func (c *Collection) clear(ctx context.Context, ids []string) error {
	if c.copied {
		return nil
	}
	for some := range slices.Chunk(ids, engine.PageRecords) {
		f := filter.And(among(some), c.dead(ctx))
		n, err := c.inner.Count(ctx, f) // which no writer waits for
		if err == nil && n > 0 {
			_, err = c.inner.DeleteWhere(ctx, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func among(ids []string) filter.Filter {
	values := make([]any, len(ids))
	for i, id := range ids {
		values[i] = id
	}
	return filter.In("id", values...)
}

// Upsert implements engine.Collection. It replaces what has expired as anything else.
func (c *Collection) Upsert(ctx context.Context, records []engine.Record) error {
	return c.inner.Upsert(ctx, records)
}

// Insert implements engine.Collection.
func (c *Collection) Insert(ctx context.Context, records []engine.Record) error {
	if err := c.clear(ctx, engine.IDs(records)); err != nil {
		return err
	}
	return c.inner.Insert(ctx, records)
}

// Merge implements engine.Collection.
func (c *Collection) Merge(ctx context.Context, records []engine.Record) (inserted, updated int, err error) {
	if err := c.clear(ctx, engine.IDs(records)); err != nil {
		return 0, 0, err
	}
	return c.inner.Merge(ctx, records)
}

// Update implements engine.Collection.
func (c *Collection) Update(ctx context.Context, changes []engine.Change) error {
	if err := c.clear(ctx, engine.ChangedIDs(changes)); err != nil {
		return err
	}
	return c.inner.Update(ctx, changes)
}

// UpdateWhere implements engine.Collection.
func (c *Collection) UpdateWhere(ctx context.Context, f filter.Filter, set []engine.FieldValue) (int, error) {
	return c.inner.UpdateWhere(ctx, filter.And(f, c.alive(ctx)), set)
}

// Delete implements engine.Collection.
func (c *Collection) Delete(ctx context.Context, ids []string) (int, error) {
	if err := c.clear(ctx, ids); err != nil {
		return 0, err
	}
	return c.inner.Delete(ctx, ids)
}

// DeleteWhere implements engine.Collection. What has expired is left to be swept.
func (c *Collection) DeleteWhere(ctx context.Context, f filter.Filter) (int, error) {
	return c.inner.DeleteWhere(ctx, filter.And(f, c.alive(ctx)))
}

// Sweep implements engine.Collection. It deletes on the condition that a record has
// expired, since it may have been stored again since it was found.
func (c *Collection) Sweep(ctx context.Context, f filter.Filter) (int, error) {
	if c.copied {
		return c.inner.Sweep(ctx, f)
	}
	f = filter.And(f, c.dead(ctx))
	found, err := c.inner.Scan(ctx, engine.Scan{Filter: f, Limit: engine.PageRecords})
	if err != nil || len(found) == 0 {
		return 0, err
	}
	return c.inner.DeleteWhere(ctx, filter.And(among(engine.IDs(found)), f))
}
