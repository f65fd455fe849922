package local

import (
	"context"
	"errors"

	"github.com/vecwire/vecwire/internal/engine"
)

// A collection that cannot follow by the changes is loaded again beside the memory that
// searches use, and takes its place.

// reload loads a collection again that has fallen behind, or takes over the index that
// another process has built or dropped. While this process builds one itself, it goes
// on with its own.
func (c *collection) reload(ctx context.Context) error {
	defer c.store.shrink(c) // when it gives its locks back
	c.mu.RLock()
	behind := c.behind
	c.mu.RUnlock()
	if behind {
		if err := c.indexing.Acquire(ctx, 1); err != nil {
			return err
		}
	} else if !c.indexing.TryAcquire(1) {
		return nil // whoever has it looks when he is done
	}
	defer c.indexing.Release(1)
	if c.life.Err() != nil {
		return nil
	}
	c.mu.RLock()
	needed := !c.gone && (c.behind || c.otherIndex.Load())
	c.mu.RUnlock()
	if !needed {
		return nil
	}
	c.stopLinker()
	defer c.startLinker()
	return c.reloadNow(ctx, behind)
}

// reloadNow is reload for who may change the collection's links, without a linker.
func (c *collection) reloadNow(ctx context.Context, behind bool) error {
	c.otherIndex.Store(false)
	if c.store.held() {
		return explain(c.rouse(ctx))
	}
	if !behind {
		if done, err := c.adopt(ctx); done || err != nil {
			return explain(err)
		}
	}
	for {
		fresh, err := c.loadFresh(ctx)
		if errors.Is(err, engine.ErrNotFound) {
			return nil // the next look at the registry says so
		}
		if err != nil {
			c.otherIndex.Store(true)
			return explain(err)
		}
		joined, err := c.takeOver(ctx, fresh)
		if err != nil || joined {
			return explain(err)
		}
	}
}

// adopt takes over that the collection has no index any more, or one that nobody has
// written to a snapshot yet. It reports false if there is a snapshot to be loaded.
func (c *collection) adopt(ctx context.Context) (bool, error) {
	b, sv, err := c.indexInFile(ctx)
	if err != nil || b != nil && sv.tag != "" {
		return false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return true, nil
	}
	sv.noted = c.ids.len()
	if b == nil {
		c.hnsw, c.saved = nil, sv
		c.index.forget()
		return true, nil
	}
	if err := c.plan(b); err != nil {
		return false, err
	}
	c.hnsw, c.saved = b, sv
	c.index.publish()
	return true, nil
}

// loadFresh loads the collection into a memory of its own.
func (c *collection) loadFresh(ctx context.Context) (*collection, error) {
	fresh, err := newCollection(c.store, c.schema, c.id)
	if err != nil {
		return nil, err
	}
	fresh.distrusted = c.distrusted
	if err := fresh.loadAll(ctx); err != nil {
		fresh.index.close()
		return nil, err
	}
	return fresh, nil
}

// takeOver puts a memory that was loaded in the place of the collection's own, unless
// it has fallen behind itself.
func (c *collection) takeOver(ctx context.Context, fresh *collection) (bool, error) {
	s := c.store
	if err := s.following.Acquire(ctx, 1); err != nil {
		fresh.index.close()
		return false, err
	}
	defer s.following.Release(1)
	if ok, err := s.join(ctx, fresh); !ok || err != nil {
		fresh.index.close()
		return false, err
	}
	c.still.Lock()
	defer c.still.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.touched.Add(1)
	c.gone, c.altered = c.gone || fresh.gone, c.altered || fresh.altered
	s.payloads.dropAll(c)
	old := c.index
	if fresh.otherIndex.Load() {
		c.otherIndex.Store(true)
		s.unsettled.Store(true)
	}
	c.fields.reset()
	c.ids, c.free, c.end, c.index, c.hnsw, c.saved = fresh.ids, fresh.free, fresh.end, fresh.index, fresh.hnsw, fresh.saved
	c.outside = fresh.outside
	c.behind, c.asleep, c.loadedFrom = false, false, fresh.loadedFrom
	c.wanted.Store(false)
	if old != nil {
		old.close()
	}
	return true, nil
}

// join brings a collection that was just loaded to the commit at which all others are.
// It reports false if it has to be loaded again. The caller has following.
func (s *store) join(ctx context.Context, c *collection) (bool, error) {
	if s.watch == nil || s.upToDate() && c.loadedAt == s.seq.Load() {
		return true, nil
	}
	pinned, end, err := s.pin(ctx)
	if err != nil {
		return false, err
	}
	defer end()
	if err := s.applyLog(pinned, s.read); err != nil { // the others, to the same commit
		return false, err
	}
	if _, err := s.applyAfter(pinned, s.read, c.loadedAt, []*collection{c}); err != nil {
		return false, err
	}
	return !c.behind, nil
}
