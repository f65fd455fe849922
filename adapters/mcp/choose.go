package mcp

import (
	"context"
	"fmt"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// choose opens the collection that a tool is to look at, and reads which of its records
// are meant, and how many of them.
func (t *tools) choose(ctx context.Context, collection, condition string, n, byDefault int) (c *vecwire.Collection, f filter.Filter, k int, err error) {
	if k, err = within("k", n, byDefault); err != nil {
		return nil, f, 0, err
	}
	if f, err = filter.Parse(condition); err != nil {
		return nil, f, 0, fmt.Errorf("filter: %w", err)
	}
	c, err = t.open(ctx, collection)
	return c, f, k, err
}

// within checks how many records are wanted.
func within(name string, n, byDefault int) (int, error) {
	switch {
	case n == 0:
		return byDefault, nil
	case n < 0 || n > MaxK:
		return 0, fmt.Errorf("%s: want 1 to %d, got %d", name, MaxK, n)
	}
	return n, nil
}
