package vecwire

import (
	"context"

	"github.com/vecwire/vecwire/internal/engine"
)

// Insert stores records whose IDs are not in the collection yet, faster than
// [Collection.Upsert] where there are thousands of them. It stores all records
// or none: if one of the IDs is there already it returns [ErrExists]. In all
// else it is like Upsert.
func (c *Collection) Insert(ctx context.Context, records ...Record) error {
	const verb = "insert into"
	x, ok := c.engine.(engine.Inserter)
	if n, is := c.engine.(*namespace); is {
		_, ok = n.Collection.(engine.Inserter)
	}
	if !ok {
		return c.wrap(verb, unsupported("inserting only", c.db.engine.Capabilities().Engine))
	}
	return c.store(ctx, verb, records, x.Insert)
}
