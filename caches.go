package vecwire

import (
	"context"
	"slices"

	"github.com/vecwire/vecwire/internal/tenant"
)

// used tells a collection with MaxRecords that records of it were used, the first of them
// before the others.
func (c *Collection) used(ctx context.Context, ids []string) {
	if c.schema.MaxRecords == 0 {
		return
	}
	if c.namespace != "" {
		ids = slices.Clone(ids)
		for i := range ids {
			ids[i] = tenant.Prefix(c.namespace) + ids[i]
		}
	}
	c.db.caches.Used(ctx, c.schema.Name, ids)
}

// hitsUsed is used for the hits of a search, of which the best counts as used last.
func (c *Collection) hitsUsed(ctx context.Context, hits []Hit) {
	if c.schema.MaxRecords == 0 {
		return
	}
	ids := make([]string, len(hits))
	for i := range hits {
		ids[len(hits)-1-i] = hits[i].ID
	}
	c.used(ctx, ids)
}
