package expiry

import (
	"context"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

type clock struct{}

// At returns a context whose calls take it that it is a certain time, for tests.
func At(ctx context.Context, now time.Time) context.Context {
	return context.WithValue(ctx, clock{}, now)
}

// now returns the time of a call as fields have it, in microseconds and UTC.
func now(ctx context.Context) time.Time {
	t, ok := ctx.Value(clock{}).(time.Time)
	if !ok {
		t = time.Now()
	}
	return time.UnixMicro(t.UnixMicro()).UTC()
}

// Field returns the place of the field that says when a record expires, -1 if there is
// none.
func Field(s engine.Schema) int {
	for i, f := range s.Fields {
		if f.Expires {
			return i
		}
	}
	return -1
}

// Dead lets the records pass that have expired.
func Dead(ctx context.Context, s engine.Schema) filter.Filter {
	return filter.Le(s.Fields[Field(s)].Name, now(ctx))
}

// alive lets the others pass, those that never expire among them.
func (c *Collection) alive(ctx context.Context) filter.Filter {
	name := c.schema.Fields[c.place].Name
	return filter.Or(filter.IsNull(name), filter.Gt(name, now(ctx)))
}

func (c *Collection) dead(ctx context.Context) filter.Filter { return Dead(ctx, c.schema) }

// expired reports whether a record that has its fields has expired.
func (c *Collection) expired(r *engine.Record, now time.Time) bool {
	t, ok := r.Fields[c.place].(time.Time)
	return ok && !t.After(now)
}
