package local

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/vecwire/vecwire/internal/engine"
)

// fresh is a store whose file was made when it was opened, until it has a collection: the
// first one says how large the pages of the file are to be, and the store is opened
// again if they have another size. That is an attempt and no more: pages keep their size while
// another process has the file open, or another call is under way.
type fresh struct {
	opts    Options
	settled atomic.Bool // the store stays what it is

	mu     sync.RWMutex // held for writing while the store is opened again
	store  *store
	pages  int  // what size they have, or should have
	closed bool // it could not be opened again, so far

	opening sync.Mutex // of who opens it again
}

func newFresh(s *store, opts Options) *fresh { return &fresh{opts: opts, store: s, pages: usualPage} }

// do makes a call.
func (f *fresh) do(call func(*store) error) error {
	if f.settled.Load() {
		return call(f.store)
	}
	f.mu.RLock()
	for f.closed {
		f.mu.RUnlock()
		if err := f.reopen(); err != nil {
			return err
		}
		f.mu.RLock()
	}
	defer f.mu.RUnlock()
	return call(f.store)
}

// collection makes a call after which the store stays what it is, if it returns a collection.
func (f *fresh) collection(call func(*store) (engine.Collection, error)) (c engine.Collection, err error) {
	err = f.do(func(s *store) (err error) {
		if c, err = call(s); err == nil {
			f.settled.Store(true)
		}
		return err
	})
	return c, err
}

// Create implements engine.Engine.
func (f *fresh) Create(ctx context.Context, schema engine.Schema) (engine.Collection, error) {
	if !f.settled.Load() && f.mu.TryLock() { // a transaction may be what holds it, and this a part of it
		f.resize(pageSizeFor(schema))
		f.mu.Unlock()
	}
	return f.collection(func(s *store) (engine.Collection, error) { return s.Create(ctx, schema) })
}

// resize closes the store, which has no collection, if its pages are to have another size. Who
// calls it next opens it again. The caller has mu.
func (f *fresh) resize(size int) {
	if size == f.pages || f.settled.Load() || f.closed || f.store.checkPlace() != nil {
		return
	}
	f.pages, f.closed = size, true
	if err := f.store.Close(); err != nil {
		f.store.log.Warn("a new store was not closed as it should be, to give its pages another size", "err", err)
	}
}

// reopen opens the store again, if nobody else has. It waits for no call then: one may be a
// transaction, and calls inside it would wait for who waits to have mu for writing.
func (f *fresh) reopen() error {
	f.opening.Lock()
	defer f.opening.Unlock()
	f.mu.RLock()
	closed := f.closed // which nobody else undoes, and while it is so no call lasts
	f.mu.RUnlock()
	if !closed {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	opts := f.opts
	opts.pageSize = f.pages
	s, err := openPath(context.Background(), f.store.path, opts)
	if err == nil {
		f.store, f.closed = s, false
	}
	return err
}

// Open implements engine.Engine.
func (f *fresh) Open(ctx context.Context, name string) (engine.Collection, error) {
	return f.collection(func(s *store) (engine.Collection, error) { return s.Open(ctx, name) })
}

// Attach implements engine.Engine.
func (f *fresh) Attach(ctx context.Context, a engine.Attach) (engine.Collection, error) {
	return f.collection(func(s *store) (engine.Collection, error) { return s.Attach(ctx, a) })
}

// Close implements engine.Engine. A store that could not be opened again is closed.
func (f *fresh) Close() error {
	if !f.settled.Load() {
		f.mu.RLock()
		defer f.mu.RUnlock()
		if f.closed {
			return nil
		}
	}
	return f.store.Close()
}

// Capabilities implements engine.Engine.
func (f *fresh) Capabilities() engine.Capabilities { return (*store)(nil).Capabilities() }

// List implements engine.Engine.
func (f *fresh) List(ctx context.Context) (all []engine.Schema, err error) {
	err = f.do(func(s *store) (err error) { all, err = s.List(ctx); return err })
	return all, err
}

// Drop implements engine.Engine.
func (f *fresh) Drop(ctx context.Context, name string) error {
	return f.do(func(s *store) error { return s.Drop(ctx, name) })
}

// Alter implements engine.Engine.
func (f *fresh) Alter(ctx context.Context, a engine.Alter) error {
	return f.do(func(s *store) error { return s.Alter(ctx, a) })
}

// Backup implements engine.Engine.
func (f *fresh) Backup(ctx context.Context, path string, progress func(engine.Progress)) error {
	return f.do(func(s *store) error { return s.Backup(ctx, path, progress) })
}

// Check implements engine.Engine.
func (f *fresh) Check(ctx context.Context) (r engine.Checked, err error) {
	err = f.do(func(s *store) (err error) { r, err = s.Check(ctx); return err })
	return r, err
}

// Salvage implements engine.Engine.
func (f *fresh) Salvage(ctx context.Context, path string) (r engine.Checked, err error) {
	err = f.do(func(s *store) (err error) { r, err = s.Salvage(ctx, path); return err })
	return r, err
}

// Compact implements engine.Engine.
func (f *fresh) Compact(ctx context.Context) error {
	return f.do(func(s *store) error { return s.Compact(ctx) })
}

// Changes implements engine.Engine.
func (f *fresh) Changes(ctx context.Context) (n uint64, err error) {
	err = f.do(func(s *store) (err error) { n, err = s.Changes(ctx); return err })
	return n, err
}

// Tx implements engine.Engine.
func (f *fresh) Tx(ctx context.Context, run func(ctx context.Context) error) error {
	return f.do(func(s *store) error { return s.Tx(ctx, run) })
}

// Join implements engine.Engine.
func (f *fresh) Join(ctx context.Context, c *engine.Caller) (joined context.Context, err error) {
	err = f.do(func(s *store) (err error) { joined, err = s.Join(ctx, c); return err })
	return joined, err
}

// Swap implements engine.Engine.
func (f *fresh) Swap(ctx context.Context, swap engine.Swap) error {
	return f.do(func(s *store) error { return s.Swap(ctx, swap) })
}
