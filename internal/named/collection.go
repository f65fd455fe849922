package named

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// collection is a collection with named vectors. What is not written here is as the
// records' own collection does it.
type collection struct {
	engine.Collection
	engine engine.Engine // of the collections
	schema engine.Schema
	// parts are the collections of the vectors, in the order of the schema. One is nil in
	// a store that is open for reading only, if it was never made: it has no vectors. All
	// are missing if they could not be opened after an alteration.
	parts []engine.Collection
}

// open opens the collections of the vectors, and makes those that are missing.
func (c *collection) open(ctx context.Context) error {
	parts := make([]engine.Collection, len(c.schema.Vectors))
	spread := min(c.schema.Distributed, engine.ByID) // without a field that says which namespace it is
	for i, v := range c.schema.Vectors {
		part, err := c.engine.Open(ctx, v.Store)
		if errors.Is(err, engine.ErrNotFound) {
			part, err = c.engine.Create(ctx, engine.Schema{Name: v.Store, Dim: v.Dim, Element: codec.FLOAT, Metric: v.Metric, Model: v.Model, Distributed: spread, Index: c.schema.Index, Codes: c.schema.Codes})
			if errors.Is(err, engine.ErrExists) { // another process was faster
				part, err = c.engine.Open(ctx, v.Store)
			}
		}
		if errors.Is(err, engine.ErrReadOnly) {
			continue
		}
		if err != nil {
			return fmt.Errorf("the vectors %q: %w", v.Name, err)
		}
		parts[i] = part
	}
	c.parts = parts
	c.schema = named(c.schema, func(store string) *engine.Schema {
		for i, v := range c.schema.Vectors {
			if v.Store == store && parts[i] != nil {
				s := parts[i].Schema()
				return &s
			}
		}
		return nil
	})
	return nil
}

// named returns a schema with the models of its named vectors as their collections have
// them. When one of these has taken the place of another, with vectors of another model,
// the schema may not say so yet.
func named(s engine.Schema, of func(store string) *engine.Schema) engine.Schema {
	s.Vectors = slices.Clone(s.Vectors)
	for i, v := range s.Vectors {
		if is := of(v.Store); is != nil {
			s.Vectors[i].Dim, s.Vectors[i].Model = is.Dim, is.Model
		}
	}
	return s
}

// Schema implements engine.Collection.
func (c *collection) Schema() engine.Schema {
	s := c.schema
	s.Index = c.Collection.Schema().Index // which DropIndex changes without an alteration
	return s
}

// Release implements engine.Collection.
func (c *collection) Release(ctx context.Context) error {
	err := c.Collection.Release(ctx)
	for _, part := range c.parts {
		if part != nil {
			err = errors.Join(err, part.Release(ctx))
		}
	}
	return err
}

// Can implements engine.Collection.
func (c *collection) Can() engine.Can {
	can := c.Collection.Can()
	can.Merge, can.Vectors = false, true
	return can
}

// Merge implements engine.Collection.
func (c *collection) Merge(context.Context, []engine.Record) (inserted, updated int, err error) {
	return 0, 0, engine.Unsupported(engine.LackMerge+" records with several vectors", c.engine.Capabilities().Engine)
}

// Get implements engine.Collection.
func (c *collection) Get(ctx context.Context, ids []string, vectors bool) ([]engine.Record, error) {
	records, err := c.Collection.Get(ctx, ids, vectors)
	if err != nil || !vectors {
		return records, err
	}
	return records, c.fill(ctx, pointers(records))
}

// Scan implements engine.Collection.
func (c *collection) Scan(ctx context.Context, s engine.Scan) ([]engine.Record, error) {
	records, err := c.Collection.Scan(ctx, s)
	if err != nil || !s.Vectors {
		return records, err
	}
	return records, c.fill(ctx, pointers(records))
}

func pointers(records []engine.Record) []*engine.Record {
	out := make([]*engine.Record, len(records))
	for i := range records {
		out[i] = &records[i]
	}
	return out
}

// fill reads the named vectors of records.
func (c *collection) fill(ctx context.Context, records []*engine.Record) error {
	if err := c.usable(); err != nil || len(records) == 0 {
		return err
	}
	ids := make([]string, len(records))
	at := make(map[string]*engine.Record, len(records))
	for i, r := range records {
		ids[i], at[r.ID] = r.ID, r
		r.Named = make([]engine.Vector, len(c.parts))
	}
	for i, part := range c.parts {
		if part == nil {
			continue
		}
		found, err := part.Get(ctx, ids, true)
		if err != nil {
			return c.altered(err)
		}
		for _, r := range found {
			at[r.ID].Named[i] = r.Vector
		}
	}
	return nil
}

// altered returns the error of a collection of vectors as one of the records'. It is
// gone when another process has dropped the vector.
func (c *collection) altered(err error) error {
	if errors.Is(err, engine.ErrNotFound) {
		return engine.ErrAltered
	}
	return err
}

// Delete implements engine.Collection.
func (c *collection) Delete(ctx context.Context, ids []string) (n int, err error) {
	err = c.engine.Tx(ctx, func(ctx context.Context) error {
		n, err = c.delete(ctx, ids)
		return err
	})
	return engine.Whole(n, err)
}

// delete is Delete inside a transaction.
func (c *collection) delete(ctx context.Context, ids []string) (int, error) {
	n, err := c.Collection.Delete(ctx, ids)
	if err != nil {
		return 0, err
	}
	return n, c.each(func(_ int, part engine.Collection) error {
		_, err := part.Delete(ctx, ids)
		return err
	})
}

// usable returns an error if the collections of the vectors could not be opened.
func (c *collection) usable() error {
	if c.parts == nil {
		return fmt.Errorf("%w: open it again", engine.ErrAltered)
	}
	return nil
}

// each runs f for the collections of the vectors that there are.
func (c *collection) each(f func(place int, part engine.Collection) error) error {
	if err := c.usable(); err != nil {
		return err
	}
	for i, part := range c.parts {
		if part == nil {
			continue
		}
		if err := f(i, part); err != nil {
			return c.altered(err)
		}
	}
	return nil
}

// DeleteWhere implements engine.Collection.
func (c *collection) DeleteWhere(ctx context.Context, f filter.Filter) (n int, err error) {
	err = c.engine.Tx(ctx, func(ctx context.Context) error {
		if f.IsZero() {
			if n, err = c.Collection.DeleteWhere(ctx, f); err != nil {
				return err
			}
			return c.each(func(_ int, part engine.Collection) error {
				_, err := part.DeleteWhere(ctx, f)
				return err
			})
		}
		ids, err := engine.ScanIDs(ctx, engine.Scan{Filter: f}, c.Collection.Scan)
		n = 0
		for some := range slices.Chunk(ids, engine.PageRecords) {
			deleted, err := c.deletePassing(ctx, some, f)
			if n += deleted; err != nil {
				return err
			}
		}
		return err
	})
	return engine.Whole(n, err)
}

// deletePassing deletes those of the records that still pass the filter. On a server
// another may have changed one since it was found; then its vectors stay with it.
func (c *collection) deletePassing(ctx context.Context, ids []string, f filter.Filter) (int, error) {
	n, err := c.Collection.DeleteWhere(ctx, filter.And(f, filter.In("id", ids...)))
	if err != nil {
		return 0, err
	}
	if n < len(ids) {
		kept, err := c.Collection.Get(ctx, ids, false)
		if err != nil {
			return 0, err
		}
		there := make(map[string]bool, len(kept))
		for _, r := range kept {
			there[r.ID] = true
		}
		ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return there[id] })
	}
	return n, c.each(func(_ int, part engine.Collection) error {
		_, err := part.Delete(ctx, ids)
		return err
	})
}

// SearchText implements engine.Collection.
func (c *collection) SearchText(ctx context.Context, searches []engine.TextSearch) ([][]engine.Hit, error) {
	found, err := c.Collection.SearchText(ctx, searches)
	for i := range found {
		if err == nil && searches[i].Vectors {
			err = c.fill(ctx, hitRecords(found[i]))
		}
	}
	return found, err
}

func hitRecords(hits []engine.Hit) []*engine.Record {
	out := make([]*engine.Record, len(hits))
	for i := range hits {
		out[i] = &hits[i].Record
	}
	return out
}
