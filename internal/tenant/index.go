package tenant

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// The indexes of a tenant are those of the inner collection that hold none but the
// tenant's records. An index over all records belongs to the inner collection.

// indexes returns nil if the inner collection can have such indexes.
func (c *Collection) indexes() error {
	if c.inner.Can().PartialIndexes {
		return nil
	}
	return fmt.Errorf("%w: indexes of a namespace: they belong to the collection itself", engine.ErrUnsupported)
}

// BuildIndex implements engine.Collection.
func (c *Collection) BuildIndex(ctx context.Context, p engine.IndexPlan) error {
	err := c.indexes()
	if err == nil {
		p.Where, err = c.own(p.Where)
	}
	if err != nil {
		return err
	}
	return c.inner.BuildIndex(ctx, p)
}

// Indexes implements engine.Collection.
func (c *Collection) Indexes(ctx context.Context) ([]engine.Index, error) {
	if err := c.indexes(); err != nil {
		return nil, err
	}
	all, err := c.inner.Indexes(ctx)
	if err != nil {
		return nil, err
	}
	var own []engine.Index
	for _, x := range all {
		if rest, ok := engine.Without(x.Where, []filter.Filter{filter.Eq(c.field, c.name)}); ok {
			x.Predicate = ""
			if x.Where, err = c.bare(rest); err != nil {
				return nil, err
			}
			own = append(own, x)
		}
	}
	return own, nil
}

// bare takes the tenant's prefix from the IDs of a filter.
func (c *Collection) bare(f filter.Filter) (filter.Filter, error) {
	return f.Map(func(op filter.Op, field string, v any) (any, error) {
		if id, ok := v.(string); ok && field == "id" {
			return strings.TrimPrefix(id, c.idPrefix(op)), nil
		}
		return v, nil
	})
}

// DropIndex implements engine.Collection.
func (c *Collection) DropIndex(ctx context.Context, name string) error {
	own, err := c.Indexes(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(own, func(x engine.Index) bool { return x.Name == name }) {
		return fmt.Errorf("%w: the index %s", engine.ErrNotFound, name)
	}
	return c.inner.DropIndex(ctx, name)
}
