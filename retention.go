package vecwire

import (
	"context"
	"errors"
	"slices"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/expiry"
	"github.com/vecwire/vecwire/internal/live"
	"github.com/vecwire/vecwire/internal/tenant"
)

// DeleteExpired removes the records whose time has passed, see [Field].Expires, and
// returns how many there were. No verb sees them any more, so it is of use only for the
// room that they take: a DB that has the collection open does the same every minute, a
// few hundred records at a time. Any number of processes may do it at once.
//
// The schema must have a field that Expires, or it returns a [*SchemaError]. In a
// namespace it removes those of the namespace.
func (c *Collection) DeleteExpired(ctx context.Context) (int, error) {
	c, ctx, call, err := c.begin(ctx, OpDeleteExpired)
	if err != nil {
		return 0, err
	}
	defer call.leave()
	if expiry.Field(c.schema) < 0 {
		return 0, call.end(0, &SchemaError{Collection: c.schema.Name, Msg: "has no field that Expires"})
	}
	n, err := sweepAll(ctx, c.engine)
	return n, call.end(n, err)
}

// sweepAll removes what has expired.
func sweepAll(ctx context.Context, c engine.Collection) (total int, err error) {
	for {
		n, err := c.Sweep(ctx, filter.Filter{})
		if total += n; err != nil || n == 0 {
			return total, err
		}
	}
}

// kept returns a collection of the engine as it is to be seen, and has it swept from now
// on. An existing table is its owner's to sweep.
func (db *DB) kept(c engine.Collection) engine.Collection {
	if s := c.Schema(); expiry.Field(s) >= 0 && s.Attached == "" {
		db.sweeper.Start(db.sweep)
	}
	return expiry.New(c)
}

// reopen opens a collection that another process has altered.
func (db *DB) reopen(ctx context.Context, name string) (engine.Collection, error) {
	c, err := db.engine.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	return db.kept(c), nil
}

// sweep removes what has expired in the collections that are open.
func (db *DB) sweep(ctx context.Context) {
	for _, l := range db.lives.All() {
		var err error
		for n := 1; n > 0 && err == nil; {
			n, err = db.sweepSome(ctx, l)
		}
		switch {
		case err == nil, ctx.Err() != nil, errors.Is(err, ErrClosed), errors.Is(err, ErrNotFound), errors.Is(err, ErrAltered), errors.Is(err, ErrReadOnly):
		default:
			db.log.WarnContext(ctx, "expired records were not removed", "err", err)
		}
	}
}

// sweepSome is a call as those of users are, so that nothing is altered or closed
// beside it.
func (db *DB) sweepSome(ctx context.Context, l *live.Collection) (int, error) {
	if err := db.gate.Enter(); err != nil {
		return 0, err
	}
	defer db.gate.Leave()
	if err := l.Enter(ctx); err != nil {
		return 0, err
	}
	defer l.Leave()
	if err := l.Follow(ctx, db.reopen); err != nil {
		return 0, err
	}
	latest := l.Now()
	if latest == nil {
		return 0, nil
	}
	return (*latest).Sweep(ctx, filter.Filter{})
}

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
