package local

import (
	"context"

	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/internal/engine"
)

// Usage implements engine.Collection. Of a collection that was let go it is next to
// nothing, but for the vectors of a store in memory.
func (c *collection) Usage(ctx context.Context) ([]engine.Part, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.gone {
		return nil, c.lost()
	}
	part := func(name string, t ann.Taken) engine.Part {
		return engine.Part{Name: name, Memory: t.Memory, Mapped: t.Mapped}
	}
	vectors, codes, links := c.index.taken()
	return []engine.Part{
		part("vectors", vectors), part("codes", codes), part("links", links),
		{Name: "ids", Memory: c.ids.bytes()}, {Name: "fields", Memory: int64(c.fields.bytes())},
	}, ctx.Err()
}
