package named

import (
	"context"
	"errors"
	"slices"

	"github.com/vecwire/vecwire/internal/engine"
)

// Upsert implements engine.Collection.
func (c *collection) Upsert(ctx context.Context, records []engine.Record) error {
	return c.store(ctx, records, c.Collection.Upsert)
}

// Insert implements engine.Collection.
func (c *collection) Insert(ctx context.Context, records []engine.Record) error {
	return c.store(ctx, records, c.Collection.Insert)
}

// store stores records with their vectors.
func (c *collection) store(ctx context.Context, records []engine.Record, to func(context.Context, []engine.Record) error) error {
	if !slices.ContainsFunc(records, func(r engine.Record) bool { return r.Named != nil }) {
		return to(ctx, records)
	}
	return c.engine.Tx(ctx, func(ctx context.Context) error {
		if err := to(ctx, records); err != nil {
			return err
		}
		return c.each(func(place int, part engine.Collection) error {
			var w writes
			for i := range records {
				if named := records[i].Named; named != nil {
					w.add(i, records[i].ID, named[place])
				}
			}
			return w.run(ctx, part)
		})
	})
}

// Update implements engine.Collection.
func (c *collection) Update(ctx context.Context, changes []engine.Change) error {
	if !slices.ContainsFunc(changes, func(ch engine.Change) bool { return len(ch.Named) > 0 }) {
		return c.Collection.Update(ctx, changes)
	}
	return c.engine.Tx(ctx, func(ctx context.Context) error {
		if err := c.Collection.Update(ctx, changes); err != nil {
			return err
		}
		return c.each(func(place int, part engine.Collection) error {
			var w writes
			for i := range changes {
				for _, v := range changes[i].Named {
					if v.Place == place {
						w.add(i, changes[i].ID, v.Vector)
					}
				}
			}
			return w.run(ctx, part)
		})
	})
}

// writes are what is to be done to the vectors of one name.
type writes struct {
	put    []engine.Record
	places []int // of the records of put, in the call
	gone   []string
}

// add notes that a record, at its place in the call, is to have a vector, or none.
func (w *writes) add(place int, id string, v engine.Vector) {
	if v.IsZero() {
		w.gone = append(w.gone, id)
		return
	}
	w.put, w.places = append(w.put, engine.Record{ID: id, Vector: v, Fields: []any{}}), append(w.places, place)
}

// run does it.
func (w *writes) run(ctx context.Context, part engine.Collection) error {
	if len(w.put) > 0 {
		err := part.Upsert(ctx, w.put)
		if refused, ok := errors.AsType[*engine.RefusedError](err); ok {
			for i := range refused.Records {
				refused.Records[i].Index = w.places[refused.Records[i].Index]
			}
		}
		if err != nil {
			return err
		}
	}
	if len(w.gone) == 0 {
		return nil
	}
	_, err := part.Delete(ctx, w.gone)
	return err
}
