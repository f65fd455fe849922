package lru

import (
	"context"
	"strings"
	"sync"

	"github.com/vecwire/vecwire/internal/engine"
)

// Database is an engine whose collections may be bounded.
type Database struct {
	engine.Engine
	clock clock
	mu    sync.Mutex
	uses  map[string]*uses // of the bounded collections that were opened, by name in lower case
}

// Over returns an engine whose collections may be bounded, if e has what that needs. All
// else is as e does it.
func Over(e engine.Engine) *Database { return &Database{Engine: e, uses: map[string]*uses{}} }

// Capabilities implements engine.Engine.
func (d *Database) Capabilities() engine.Capabilities {
	caps := d.Engine.Capabilities()
	caps.MaxRecords = caps.Serializable && caps.AtomicBatches && caps.Update
	return caps
}

// Create implements engine.Engine.
func (d *Database) Create(ctx context.Context, s engine.Schema) (engine.Collection, error) {
	c, err := d.Engine.Create(ctx, stored(s))
	if err != nil {
		return nil, err
	}
	d.forget(s.Name) // of one that another process has dropped
	return d.open(c), nil
}

// Open implements engine.Engine.
func (d *Database) Open(ctx context.Context, name string) (engine.Collection, error) {
	c, err := d.Engine.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	return d.open(c), nil
}

// open returns c with its bound: c itself if it has none.
func (d *Database) open(c engine.Collection) engine.Collection {
	s := visible(c.Schema())
	if s.MaxRecords == 0 {
		return c
	}
	if isReserved(s.Name) {
		return &collection{Collection: c, db: d, schema: s}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	key := strings.ToLower(s.Name)
	u := d.uses[key]
	if u == nil {
		u = newUses()
		d.uses[key] = u
	}
	with := &collection{Collection: c, db: d, schema: s, uses: u}
	u.of.Store(with)
	return with
}

// forget forgets who was used in a collection, and returns it.
func (d *Database) forget(name string) *uses {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := strings.ToLower(name)
	u := d.uses[key]
	delete(d.uses, key)
	return u
}

// List implements engine.Engine.
func (d *Database) List(ctx context.Context) ([]engine.Schema, error) {
	all, err := d.Engine.List(ctx)
	for i := range all {
		all[i] = visible(all[i])
	}
	return all, err
}

// Drop implements engine.Engine.
func (d *Database) Drop(ctx context.Context, name string) error {
	err := d.Engine.Drop(ctx, name)
	if err == nil {
		d.forget(name)
	}
	return err
}

// Swap implements engine.Engine. The collection that takes the place begins with the
// order in which its records were stored.
func (d *Database) Swap(ctx context.Context, s engine.Swap) error {
	settle := s.Settle
	s.Settle = func(ctx context.Context, old, next engine.Collection) error {
		free := func(c engine.Collection) engine.Collection {
			if s := visible(c.Schema()); s.MaxRecords > 0 {
				return &collection{Collection: c, db: d, schema: s}
			}
			return c
		}
		return settle(ctx, free(old), free(next))
	}
	err := d.Engine.Swap(ctx, s)
	if err == nil {
		d.forget(s.Name)
	}
	return err
}

// Alter implements engine.Engine. What a lower bound has no room for is removed by a
// transaction after it, or by the next call that stores something.
func (d *Database) Alter(ctx context.Context, a engine.Alter) error {
	plan, done := a.Plan, a.Done
	var with engine.Collection
	a.Plan = func(was engine.Schema) (engine.Alteration, error) {
		to, err := plan(visible(was))
		if err != nil {
			return to, err
		}
		return altered(was, to), nil
	}
	a.Done = func(c engine.Collection) {
		was := d.forget(a.Name)
		with = d.open(c)
		if bounded, ok := with.(*collection); ok && bounded.uses != nil && was != nil {
			bounded.uses.take(was)
		}
		done(with)
	}
	if err := d.Engine.Alter(ctx, a); err != nil {
		return err
	}
	if bounded, ok := with.(*collection); ok && bounded.uses != nil {
		// All calls know the new bound by now, so one that fails here is made up for.
		_ = d.alone(ctx, bounded.uses, func(ctx context.Context) error {
			_, err := bounded.evict(ctx, nil)
			return err
		})
	}
	return nil
}

// Close implements engine.Engine.
func (d *Database) Close() error {
	d.mu.Lock()
	all := make([]*uses, 0, len(d.uses))
	for _, u := range d.uses {
		all = append(all, u)
	}
	d.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), longestClose)
	defer cancel()
	for _, u := range all {
		d.flush(ctx, u)
	}
	return d.Engine.Close()
}
