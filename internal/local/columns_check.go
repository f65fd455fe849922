package local

import (
	"context"
	"fmt"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/columns"
	"github.com/vecwire/vecwire/internal/engine"
)

// compareColumns compares the fields in memory with the file. The caller has the
// collection's mu for reading, through reads.
func (c *collection) compareColumns(ctx context.Context) (problems []engine.Problem, err error) {
	t := c.fields
	var fields []filter.Filter
	t.mu.Lock()
	for name, k := range t.all {
		if k != nil && k.column != nil {
			fields = append(fields, filter.IsNull(name))
		}
	}
	t.mu.Unlock()
	for _, f := range fields {
		e, err := c.evaluation(ctx, f) // what was changed since is read now
		if err != nil {
			return nil, err
		}
		here, ok := e.Column(f).(columns.Column)
		kind, _ := kindOf(&c.schema, f.Field())
		if !ok {
			continue
		}
		fresh, err := c.loadColumn(ctx, kind)
		if err != nil {
			return nil, err
		}
		if value, differ := columns.Differ(fresh, here); differ {
			problems = append(problems, engine.Problem{Collection: c.schema.Name,
				What: fmt.Sprintf("in memory: other records than in the file have the value %s of the field %q", filter.Describe(value), f.Field())})
		}
	}
	return problems, nil
}
