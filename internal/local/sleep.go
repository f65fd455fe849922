package local

import (
	"cmp"
	"context"
	"slices"
)

// What is in memory of a collection can be let go, and is loaded again by the call that
// needs it next: the collection is asleep. It is one that has fallen behind, but that
// nobody hurries to load again. What is bound to the collection, such as prepared
// statements and handles, stays.

// Release implements engine.Collection.
func (c *collection) Release(ctx context.Context) error {
	if c.in(ctx) != nil { // the transaction needs what is in memory
		return nil
	}
	if err := c.indexing.Acquire(ctx, 1); err != nil {
		return err
	}
	defer c.indexing.Release(1)
	if err := c.store.takeTurn(ctx, c.call("Close")); err != nil {
		return err
	}
	defer c.store.endTurn()
	c.sleep()
	return nil
}

// sleep lets the memory go. The caller has the collection's indexing, and the writer's
// turn, since a writer reads without a lock.
func (c *collection) sleep() {
	if c.life.Err() != nil {
		return
	}
	fresh, err := c.newIndex()
	if err != nil {
		return // it was made before
	}
	c.stopLinker()
	c.still.Lock()
	defer c.still.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone || c.asleep {
		fresh.close()
		return
	}
	c.touched.Add(1)
	c.behind, c.asleep = true, true
	c.store.payloads.dropAll(c)
	c.fields.reset()
	c.ids, c.free, c.end = newIDs(), nil, 0
	if c.store.held() {
		fresh.close()
		c.rest()
		return
	}
	old := c.index
	c.index = fresh
	old.close()
}

// ready returns an error if a writer cannot change the collection: it is gone, or has
// to be loaded first, which another call may be about to do.
func (c *collection) ready() error {
	c.tick()
	c.mu.RLock()
	defer c.mu.RUnlock()
	switch {
	case c.gone:
		return c.lost()
	case c.asleep:
		c.wanted.Store(true)
		return errBehind
	case c.behind:
		return errBehind
	}
	return nil
}

// isAsleep reports whether the collection need not be loaded before a writer begins.
func (c *collection) isAsleep() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.asleep && !c.wanted.Load()
}

// bytes returns about how much memory the collection keeps that the system cannot take
// back: what is mapped from a snapshot is not counted.
func (c *collection) bytes() int64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.gone || c.asleep {
		return 0
	}
	vectors, codes, links := c.index.taken()
	if c.store.held() { // those cannot be let go
		vectors.Memory = 0
	}
	return vectors.Memory + codes.Memory + links.Memory + c.ids.bytes() + int64(c.fields.bytes())
}

// shrink lets collections go, those first that were used the longest time ago, until
// those that stay keep no more than the store's bound. The one that the caller uses
// stays, and so does what is busy, and all while a writer waits for what it needs, who does this
// when he is done. The caller has no locks.
func (s *store) shrink(used *collection) {
	if s.bound <= 0 || s.waiting.Load() > 0 {
		return
	}
	open := s.openCollections()
	total := int64(0)
	for _, c := range open {
		total += c.bytes()
	}
	slices.SortFunc(open, func(a, b *collection) int { return cmp.Compare(a.used.Load(), b.used.Load()) })
	for _, c := range open {
		if total <= s.bound {
			return
		}
		if n := c.bytes(); n > 0 && c != used && c.sleepIfIdle() {
			total -= n
		}
	}
}

// sleepIfIdle is sleep unless somebody works on the collection, or writes.
func (c *collection) sleepIfIdle() bool {
	if c.building.Load() || !c.indexing.TryAcquire(1) { // an index that is let go has to be begun again
		return false
	}
	defer c.indexing.Release(1)
	if !c.store.line.TryAcquire(1) {
		return false
	}
	defer c.store.line.Release(1)
	c.sleep()
	return true
}

// tick notes that the collection is used now.
func (c *collection) tick() {
	if c.store.bound > 0 {
		c.used.Store(c.store.clock.Add(1))
	}
}
