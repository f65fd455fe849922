package lru

import (
	"context"
	"fmt"
	"slices"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/expiry"
)

// Check refuses what is to be stored at once if it alone is more than a collection may
// have.
func Check(s engine.Schema, records int) error {
	if s.MaxRecords == 0 || records <= s.MaxRecords {
		return nil
	}
	return &codec.ValueError{
		Field: "MaxRecords", Pos: -1, Got: fmt.Sprintf("%d records", records),
		Want: fmt.Sprintf("at most %d records at a time, as many as the collection may have: store fewer, or give Alter.MaxRecords to DB.AlterCollection", s.MaxRecords),
	}
}

// into returns records as they are stored, used at the given times, or now.
func (c *collection) into(records []engine.Record, used map[string]any) []engine.Record {
	out, at := slices.Clone(records), c.db.clock.next(len(records))
	for i := range out {
		when, ok := used[out[i].ID]
		if !ok {
			when = at + int64(i)
		}
		out[i].Fields = append(slices.Clone(out[i].Fields), when)
	}
	return out
}

// write stores records by a verb, and removes what they leave no room for.
func (c *collection) write(ctx context.Context, records []engine.Record, verb func(context.Context) error) error {
	if c.uses == nil {
		return verb(ctx)
	}
	ids := engine.IDs(records)
	if err := Check(c.schema, len(ids)); err != nil {
		return err
	}
	var noted map[string]int64
	err := c.db.alone(ctx, c.uses, func(ctx context.Context) error {
		if err := verb(ctx); err != nil {
			return err
		}
		var err error
		noted, err = c.evict(ctx, ids)
		return err
	})
	if err == nil && !c.db.isIn(ctx) { // else it is not known whether it will be committed
		c.uses.written(noted)
	}
	return err
}

// Upsert implements engine.Collection.
func (c *collection) Upsert(ctx context.Context, records []engine.Record) error {
	return c.write(ctx, records, func(ctx context.Context) error { return c.Collection.Upsert(ctx, c.into(records, nil)) })
}

// Insert implements engine.Collection.
func (c *collection) Insert(ctx context.Context, records []engine.Record) error {
	return c.write(ctx, records, func(ctx context.Context) error { return c.Collection.Insert(ctx, c.into(records, nil)) })
}

// Merge implements engine.Collection. What is stored as it is must be left as it is, so
// that the use is written later.
func (c *collection) Merge(ctx context.Context, records []engine.Record) (inserted, updated int, err error) {
	ids := engine.IDs(records)
	err = c.write(ctx, records, func(ctx context.Context) error {
		stored, err := c.Collection.Get(ctx, ids, false)
		if err != nil {
			return err
		}
		used := make(map[string]any, len(stored))
		for _, r := range stored {
			used[r.ID] = r.Fields[len(c.schema.Fields)]
		}
		inserted, updated, err = c.Collection.Merge(ctx, c.into(records, used))
		return err
	})
	if err == nil && c.uses != nil {
		c.uses.note(&c.db.clock, ids)
	}
	return inserted, updated, err
}

// Update implements engine.Collection.
func (c *collection) Update(ctx context.Context, changes []engine.Change) error {
	used, at := slices.Clone(changes), c.db.clock.next(len(changes))
	for i := range used {
		used[i].Fields = append(slices.Clone(used[i].Fields), engine.FieldValue{Place: len(c.schema.Fields), Value: at + int64(i)})
	}
	return c.Collection.Update(ctx, used)
}

// evict removes what is beyond the bound: what has expired, and then the records other
// than those kept that were not used for the longest time. It returns what it has written
// of uses. ctx carries a transaction.
func (c *collection) evict(ctx context.Context, kept []string) (noted map[string]int64, err error) {
	n, err := c.Collection.Size(ctx)
	if err == nil && n > c.schema.MaxRecords && expiry.Field(c.schema) >= 0 {
		var dead int
		dead, err = c.Collection.DeleteWhere(ctx, expiry.Dead(ctx, c.schema))
		n -= dead
	}
	over := n - c.schema.MaxRecords
	if err != nil || over <= 0 {
		return nil, err
	}
	noted = c.uses.noted()
	if err := c.touch(ctx, noted); err != nil {
		return nil, err
	}
	keep := make(map[string]bool, len(kept))
	for _, id := range kept {
		keep[id] = true
	}
	gone, err := c.chosen(ctx, keep, over)
	if err != nil {
		return nil, err
	}
	for ids := range slices.Chunk(gone, engine.PageRecords) {
		if _, err := c.Collection.Delete(ctx, ids); err != nil {
			return nil, err
		}
	}
	return noted, nil
}

// chosen returns the n records that were not used for the longest time. Those that were
// there before the bound have no value, and go first. Looking for them takes as long as
// there are records, so it is done until there is none: later ones are those of processes
// that do not know of the bound, and go when there are no others.
func (c *collection) chosen(ctx context.Context, keep map[string]bool, n int) (ids []string, err error) {
	unused := func(n int) ([]string, error) {
		return c.oldest(ctx, engine.Order{Field: field, Type: filter.Int, Missing: true}, keep, n)
	}
	all := c.uses.all.Load()
	if !all {
		if ids, err = unused(n); err != nil {
			return nil, err
		}
		c.uses.all.Store(len(ids) == 0)
	}
	used, err := c.oldest(ctx, engine.Order{Field: field, Type: filter.Int}, keep, n-len(ids))
	ids = append(ids, used...)
	if err == nil && all && len(ids) < n {
		used, err = unused(n - len(ids))
		ids = append(ids, used...)
	}
	return ids, err
}

// oldest returns the first n records in an order but for those that are kept.
func (c *collection) oldest(ctx context.Context, order engine.Order, keep map[string]bool, n int) (ids []string, err error) {
	page := engine.Scan{Order: order, Limit: engine.PageRecords}
	for n > 0 {
		page.Limit = min(n, engine.PageRecords)
		found, err := c.Collection.Scan(ctx, page)
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			if !keep[r.ID] {
				ids, n = append(ids, r.ID), n-1
			}
		}
		if len(found) < page.Limit {
			break
		}
		last := found[len(found)-1]
		page.After = last.ID
		if !order.Missing {
			page.Order.After = last.Fields[len(c.schema.Fields)]
		}
	}
	return ids, nil
}
