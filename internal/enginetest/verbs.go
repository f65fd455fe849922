package enginetest

import (
	"context"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// verbs are the calls on a collection of two dimensions, each valid, each of
// them changing something if it is one that writes.
func verbs(c *vecwire.Collection) map[string]func(context.Context) error {
	v := []float32{1, 1}
	if dim := c.Schema().Dim; dim != 2 {
		panic("verbs needs a collection of two dimensions")
	}
	return map[string]func(context.Context) error{
		"Upsert": func(ctx context.Context) error {
			return c.Upsert(ctx, vecwire.Record{ID: "written", Vector: v})
		},
		"Get": func(ctx context.Context) error {
			_, err := c.Get(ctx, "1")
			return err
		},
		"Delete": func(ctx context.Context) error {
			_, err := c.Delete(ctx, "1")
			return err
		},
		"DeleteWhere": func(ctx context.Context) error {
			_, err := c.DeleteWhere(ctx, filter.Eq("id", "1"))
			return err
		},
		"Count": func(ctx context.Context) error {
			_, err := c.Count(ctx, filter.Filter{})
			return err
		},
		"All": func(ctx context.Context) error {
			for _, err := range c.All(ctx, vecwire.Scan{}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"Search": func(ctx context.Context) error {
			_, err := c.Search(ctx, vecwire.Query{Vector: v})
			return err
		},
		"SearchMany": func(ctx context.Context) error {
			_, err := c.SearchMany(ctx, []vecwire.Query{{Vector: v}, {Vector: v, K: 3}})
			return err
		},
	}
}

// databaseVerbs are the calls on a database, each valid for a collection that
// exists and one that does not.
func databaseVerbs(db *vecwire.DB, existing, missing string) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"CreateCollection": func(ctx context.Context) error {
			_, err := db.CreateCollection(ctx, vecwire.Schema{Name: missing, Dim: 2})
			return err
		},
		"OpenCollection": func(ctx context.Context) error {
			_, err := db.OpenCollection(ctx, existing)
			return err
		},
		"Collections": func(ctx context.Context) error {
			_, err := db.Collections(ctx)
			return err
		},
		"DropCollection": func(ctx context.Context) error {
			return db.DropCollection(ctx, existing)
		},
	}
}
