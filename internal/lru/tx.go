package lru

import (
	"context"

	"github.com/vecwire/vecwire/internal/engine"
)

// inside is the key under which a context says that it carries a transaction of the
// database.
type inside struct{ *Database }

func (d *Database) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, inside{d}, true)
}

func (d *Database) isIn(ctx context.Context) bool { return ctx.Value(inside{d}) != nil }

// Tx implements engine.Engine.
func (d *Database) Tx(ctx context.Context, f func(ctx context.Context) error) error {
	return d.Engine.Tx(ctx, func(ctx context.Context) error { return f(d.in(ctx)) })
}

// Join implements engine.Engine.
func (d *Database) Join(ctx context.Context, c *engine.Caller) (context.Context, error) {
	joined, err := d.Engine.Join(ctx, c)
	if err != nil {
		return nil, err
	}
	return d.in(joined), nil
}

// alone runs f in a transaction, which is a part of the one that ctx carries. Those of
// this process wait for each other, since all that count the same records would
// otherwise conflict on a server. Who has a transaction already does not wait, but is
// waited for, or conflicts.
func (d *Database) alone(ctx context.Context, u *uses, f func(ctx context.Context) error) error {
	if !d.isIn(ctx) {
		select {
		case u.turn <- struct{}{}:
			defer func() { <-u.turn }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return d.Tx(ctx, f)
}
