package named

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"

	"github.com/vecwire/vecwire/internal/engine"
)

// Over returns an engine whose collections may have named vectors, if e has
// transactions that store all or nothing. All else is as e does it.
func Over(e engine.Engine) engine.Engine { return &database{e} }

type database struct{ engine.Engine }

// Capabilities implements engine.Engine.
func (d *database) Capabilities() engine.Capabilities {
	caps := d.Engine.Capabilities()
	caps.Vectors = caps.Transactions && caps.AtomicBatches
	return caps
}

const (
	// hidden is what the names of collections begin with that users cannot give. Such a
	// one has no vectors beside its own, though its schema may name some: it is to take
	// the place of another, whose they are.
	hidden = "vecwire_"
	// store is what the names of collections of named vectors begin with.
	store = hidden + "v_"
)

func isHidden(name string) bool { return strings.HasPrefix(strings.ToLower(name), hidden) }

// Create implements engine.Engine.
func (d *database) Create(ctx context.Context, s engine.Schema) (engine.Collection, error) {
	if len(s.Vectors) == 0 || isHidden(s.Name) {
		return d.Engine.Create(ctx, s)
	}
	c, err := d.Engine.Create(ctx, stored(s))
	if err != nil {
		return nil, err
	}
	with, err := d.open(ctx, c)
	if err != nil {
		return nil, errors.Join(err, d.Drop(context.WithoutCancel(ctx), s.Name))
	}
	return with, nil
}

// stored returns a schema in which every named vector has a place.
func stored(s engine.Schema) engine.Schema {
	s.Vectors = slices.Clone(s.Vectors)
	for i := range s.Vectors {
		if s.Vectors[i].Store == "" {
			s.Vectors[i].Store = store + strings.ToLower(rand.Text())
		}
	}
	return s
}

// Open implements engine.Engine.
func (d *database) Open(ctx context.Context, name string) (engine.Collection, error) {
	c, err := d.Engine.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	return d.open(ctx, c)
}

// open returns c with its named vectors.
func (d *database) open(ctx context.Context, c engine.Collection) (engine.Collection, error) {
	s := c.Schema()
	if len(s.Vectors) == 0 || isHidden(s.Name) {
		return c, nil
	}
	with := &collection{Collection: c, engine: d.Engine, schema: s}
	return with, with.open(ctx)
}

// List implements engine.Engine.
func (d *database) List(ctx context.Context) ([]engine.Schema, error) {
	all, err := d.Engine.List(ctx)
	stores := map[string]*engine.Schema{}
	var out []engine.Schema
	for i := range all {
		if strings.HasPrefix(all[i].Name, store) {
			stores[all[i].Name] = &all[i]
		} else {
			out = append(out, all[i])
		}
	}
	for i := range out {
		if len(out[i].Vectors) > 0 {
			out[i] = named(out[i], func(store string) *engine.Schema { return stores[store] })
		}
	}
	return out, err
}

// Drop implements engine.Engine.
func (d *database) Drop(ctx context.Context, name string) error {
	if err := d.Engine.Drop(ctx, name); err != nil {
		return err
	}
	return d.sweepRest(ctx)
}

// Swap implements engine.Engine. The vectors of the one that gives way stay: the
// schema of the other names the same.
func (d *database) Swap(ctx context.Context, s engine.Swap) error {
	if err := d.Engine.Swap(ctx, s); err != nil {
		return err
	}
	return d.sweepRest(ctx)
}

// Compact implements engine.Engine.
func (d *database) Compact(ctx context.Context) error {
	if err := d.sweep(ctx); err != nil {
		return err
	}
	return d.Engine.Compact(ctx)
}

// Alter implements engine.Engine.
func (d *database) Alter(ctx context.Context, a engine.Alter) error {
	plan, alone, done := a.Plan, a.Alone, a.Done
	var with *collection // the altered one, if it has named vectors
	var chosen []engine.NamedVector
	changed := false
	var asked engine.Alteration // with what the vectors' collections are to have, too
	a.Plan = func(was engine.Schema) (engine.Alteration, error) {
		to, err := plan(was)
		if err != nil {
			return to, err
		}
		// It may be asked again: then each vector gets the same place.
		for i, v := range to.Schema.Vectors {
			if j := slices.IndexFunc(chosen, func(c engine.NamedVector) bool { return c.Name == v.Name }); v.Store == "" && j >= 0 {
				to.Schema.Vectors = slices.Clone(to.Schema.Vectors)
				to.Schema.Vectors[i].Store = chosen[j].Store
			}
		}
		to.Schema = stored(to.Schema)
		chosen, changed, asked = to.Schema.Vectors, !to.Schema.SameVectors(was), to
		return to, nil
	}
	a.Done = func(c engine.Collection) {
		if s := c.Schema(); len(s.Vectors) > 0 && !isHidden(s.Name) {
			with = &collection{Collection: c, engine: d.Engine, schema: s}
			c = with
		}
		done(c)
	}
	// The vectors' collections are opened before any call can use the altered one: a
	// call in a transaction could not open them.
	a.Alone = func(ctx context.Context, run func() error) error {
		return alone(ctx, func() error {
			err := run()
			if err != nil {
				return err
			}
			ctx, cancel := engine.Rest(ctx)
			defer cancel()
			others := false                     // stand in the place of vectors' collections
			if asked.Indexing || asked.Coding { // also as it was: an alteration may have been cut short
				others, err = d.alterParts(ctx, chosen, asked)
			}
			switch {
			case err != nil:
				return err
			case with != nil:
				return with.open(ctx)
			case others: // although the records' own collection is as it was
				c, err := d.Open(ctx, a.Name)
				if err == nil {
					done(c)
				}
				return err
			}
			return nil
		})
	}
	if err := d.Engine.Alter(ctx, a); err != nil || !changed {
		return err
	}
	return d.sweepRest(ctx)
}

// alterParts says of the collections of vectors whether they get an index by themselves,
// and what their codes are like, if that is asked for. It reports whether one of them was
// altered.
func (d *database) alterParts(ctx context.Context, vectors []engine.NamedVector, to engine.Alteration) (altered bool, err error) {
	for _, v := range vectors {
		err := d.Engine.Alter(ctx, engine.Alter{
			Name: v.Store,
			Plan: func(s engine.Schema) (engine.Alteration, error) {
				if to.Indexing {
					s.Index = to.Schema.Index
				}
				if to.Coding {
					s.Codes = to.Schema.Codes
				}
				return engine.Alteration{Schema: s}, nil // it has no fields
			},
			Alone: func(_ context.Context, run func() error) error { return run() },
			Done:  func(engine.Collection) { altered = true },
		})
		if err != nil && !errors.Is(err, engine.ErrNotFound) { // it is made when it is opened
			return altered, err
		}
	}
	return altered, nil
}

// sweepRest is sweep after a call that is done.
func (d *database) sweepRest(ctx context.Context) error {
	ctx, cancel := engine.Rest(ctx)
	defer cancel()
	return d.sweep(ctx)
}

// sweep drops the collections of vectors that no schema names any more.
func (d *database) sweep(ctx context.Context) error {
	all, err := d.Engine.List(ctx)
	if err != nil {
		return err
	}
	used := map[string]bool{}
	for _, s := range all {
		for _, v := range s.Vectors {
			used[v.Store] = true
		}
	}
	for _, s := range all {
		left := strings.HasPrefix(s.Name, hidden+store) // that is to take the place of one, see package reembed
		for name := range used {
			left = left && !strings.HasPrefix(s.Name, hidden+name[:min(len(name), len(store)+16)])
		}
		if left || strings.HasPrefix(s.Name, store) && !used[s.Name] {
			if gone := d.Engine.Drop(ctx, s.Name); gone != nil && !errors.Is(gone, engine.ErrNotFound) {
				err = errors.Join(err, gone)
			}
		}
	}
	return err
}
