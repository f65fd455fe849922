package named

import (
	"context"
	"errors"
	"fmt"

	"github.com/vecwire/vecwire/internal/engine"
)

// BuildIndex implements engine.Collection.
func (c *collection) BuildIndex(ctx context.Context, p engine.IndexPlan) error {
	if p.In == 0 {
		return c.Collection.BuildIndex(ctx, p)
	}
	if err := c.usable(); err != nil {
		return err
	}
	if !p.Where.IsZero() { // a further vector is stored without its record's fields
		return fmt.Errorf("%w: an index over some records (IndexOptions.Where) for further vectors", engine.ErrUnsupported)
	}
	part := c.parts[p.In-1]
	if part == nil {
		return engine.ErrReadOnly
	}
	p.In = 0
	return c.altered(part.BuildIndex(ctx, p))
}

// Indexes implements engine.Collection.
func (c *collection) Indexes(ctx context.Context) ([]engine.Index, error) {
	all, err := c.Collection.Indexes(ctx)
	if err != nil {
		return nil, err
	}
	return all, c.each(func(place int, part engine.Collection) error {
		found, err := part.Indexes(ctx)
		for _, x := range found {
			x.In = place + 1
			all = append(all, x)
		}
		return err
	})
}

// DropIndex implements engine.Collection.
func (c *collection) DropIndex(ctx context.Context, name string) error {
	err := c.Collection.DropIndex(ctx, name)
	for _, part := range c.parts {
		if part == nil || !errors.Is(err, engine.ErrNotFound) {
			continue
		}
		err = part.DropIndex(ctx, name)
	}
	return err
}

// Usage implements engine.Collection.
func (c *collection) Usage(ctx context.Context) ([]engine.Part, error) {
	all, err := c.Collection.Usage(ctx)
	if err != nil {
		return nil, err
	}
	return all, c.each(func(place int, part engine.Collection) error {
		found, err := part.Usage(ctx)
		for _, x := range found {
			x.In = place + 1
			all = append(all, x)
		}
		return err
	})
}
