package named

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/vecwire/vecwire/internal/engine"
)

// compare looks for vectors that are not as the schema says, and for those of no record.
// A record need not have a vector, so one that was lost is not noticed.
func (d *database) compare(ctx context.Context, s engine.Schema, to *engine.Checked) error {
	records, err := d.Engine.Open(ctx, s.Name)
	for i := 0; err == nil && i < len(s.Vectors); i++ {
		v := s.Vectors[i]
		problem := func(id, format string, args ...any) {
			to.Add(engine.Problem{Collection: s.Name, ID: id, What: fmt.Sprintf("the vector %q: ", v.Name) + fmt.Sprintf(format, args...)})
		}
		part, failed := d.Engine.Open(ctx, v.Store)
		if failed == nil {
			if is := part.Schema(); is.Dim != v.Dim || is.Metric != v.Metric {
				problem("", "it is kept with dimension %d and %v, and the schema says %d and %v", is.Dim, is.Metric, v.Dim, v.Metric)
			}
			failed = ghosts(ctx, part, records, func(id string) { problem(id, "there is no such record") })
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(failed, engine.ErrNotFound): // it was never made, or is another's by now
		case failed != nil && !slices.ContainsFunc(to.Problems, func(p engine.Problem) bool { return p.Collection == s.Name }):
			problem("", "it cannot be compared with the records: %v", failed)
		}
	}
	if err != nil && ctx.Err() == nil { // it has gone meanwhile, or cannot be read, which the engine has told
		return nil
	}
	return err
}

// ghosts finds the vectors whose records are not there. Others may write meanwhile: what
// is missing is looked for again, since it is missing for good only if both sides say so
// time after time.
func ghosts(ctx context.Context, part, records engine.Collection, found func(id string)) error {
	page := engine.Scan{Limit: engine.PageRecords}
	for {
		vectors, err := part.Scan(ctx, page)
		if err != nil {
			return err
		}
		ids := engine.IDs(vectors)
		for range 3 {
			if ids, err = without(ctx, records, ids, true); err != nil {
				return err
			}
			if ids, err = without(ctx, part, ids, false); err != nil {
				return err
			}
		}
		for _, id := range ids {
			found(id)
		}
		if len(vectors) < page.Limit {
			return nil
		}
		page.After = vectors[len(vectors)-1].ID
	}
}

// without returns the IDs less those that a collection has, or that it lacks.
func without(ctx context.Context, c engine.Collection, ids []string, has bool) (left []string, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	there, err := c.Get(ctx, ids, false)
	known := make(map[string]bool, len(there))
	for _, r := range there {
		known[r.ID] = true
	}
	for _, id := range ids {
		if known[id] != has {
			left = append(left, id)
		}
	}
	return left, err
}
