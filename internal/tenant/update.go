package tenant

import (
	"context"
	"slices"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Update implements engine.Collection.
func (c *Collection) Update(ctx context.Context, changes []engine.Change) error {
	changes = slices.Clone(changes)
	for i := range changes {
		change := &changes[i]
		change.ID = c.prefix + change.ID
		change.Fields = c.places(change.Fields)
		if change.If.IsZero() { // the prefix alone says whose record it is
			continue
		}
		var err error
		if change.If, err = c.own(change.If); err != nil {
			return err
		}
	}
	return c.inner.Update(ctx, changes)
}

// UpdateWhere implements engine.Collection.
func (c *Collection) UpdateWhere(ctx context.Context, f filter.Filter, set []engine.FieldValue) (int, error) {
	f, err := c.own(f)
	if err != nil {
		return 0, err
	}
	return c.inner.UpdateWhere(ctx, f, c.places(set))
}

// places returns values with their fields' places in the inner schema.
func (c *Collection) places(set []engine.FieldValue) []engine.FieldValue {
	set = slices.Clone(set)
	for i := range set {
		if set[i].Place >= c.place {
			set[i].Place++
		}
	}
	return set
}
