package local

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/vecwire/vecwire/internal/ann"
)

// linker is the goroutine that links what was written to a collection with an
// index, and writes snapshots from time to time, also of one without.
type linker struct {
	stop context.CancelFunc
	done chan struct{}
}

// startLinker starts the collection's linker, if it has an index, or so many rows that
// one pays, or snapshots do, or is to have other codes, and is neither gone nor asleep. The caller has the collection's indexing, or alone
// knows the collection.
func (c *collection) startLinker() {
	c.mu.RLock()
	needed := !c.gone && !c.asleep && (c.hnsw != nil || c.isSaved() || c.paysIndex() || c.index.hasOtherCodes())
	c.mu.RUnlock()
	if !needed || c.life.Err() != nil || c.linker != nil {
		return
	}
	c.keeping.Store(true)
	ctx, stop := context.WithCancel(c.life)
	c.linker = &linker{stop: stop, done: make(chan struct{})}
	go func() {
		defer close(c.linker.done)
		c.keepLinked(ctx)
	}()
}

// stopLinker stops the linker and waits until it has ended.
func (c *collection) stopLinker() {
	if c.linker == nil {
		return
	}
	c.linker.stop()
	<-c.linker.done
	c.linker = nil
	c.keeping.Store(false)
}

// keepIfDue starts the linker of a collection without an index when it has become so
// large that it is saved, or to be indexed. The caller has c.mu.
func (c *collection) keepIfDue() {
	if c.hnsw != nil || c.gone || !c.isSaved() && !c.paysIndex() || c.keeping.Swap(true) {
		return
	}
	go func() {
		if c.indexing.Acquire(c.life, 1) != nil {
			return // its life is over
		}
		defer c.indexing.Release(1)
		c.startLinker()
	}()
}

// retire ends all work on the collection's links for good.
func (c *collection) retire() {
	c.endLife()
	_ = c.indexing.Acquire(context.Background(), 1) // who has it sees that life is over
	defer c.indexing.Release(1)
	c.stopLinker()
}

// wake tells the linker that something was committed.
func (c *collection) wake() {
	select {
	case c.woken <- struct{}{}:
	default: // it knows already
	}
}

const (
	// To take deleted rows out of the graph, all rows are looked through. So the
	// linker rests some times as long as it worked, unless many rows wait.
	restFactor  = 4
	longestRest = time.Second
	manyPending = 1024
	// idleBeforeSave is how long nothing must be committed before a snapshot is written
	// that is not due otherwise.
	idleBeforeSave = time.Second
)

// keepLinked does the linker's work until ctx ends.
func (c *collection) keepLinked(ctx context.Context) {
	rest, idle := time.NewTimer(0), time.NewTimer(0)
	defer rest.Stop()
	defer idle.Stop()
	self := lull{at: time.Now(), written: c.written.Load()}
	for {
		begun := time.Now()
		if !c.keepUp(ctx, &self) {
			return
		}
		took := time.Since(begun)
		if c.unsaved() || c.wantsIndex() {
			idle.Reset(idleBeforeSave)
		} else {
			idle.Stop()
		}
		select {
		case <-ctx.Done():
			return
		case <-idle.C:
			if c.unsaved() && !c.store.writesSlowly() {
				_ = c.trySave(ctx) // the log says it
			}
			continue
		case <-c.woken:
		}
		if c.pending() < manyPending {
			rest.Reset(min(restFactor*took, longestRest))
			select {
			case <-ctx.Done():
				return
			case <-rest.C:
			}
		}
	}
}

// keepUp links what is to be linked, builds an index if it is time to, and writes a
// snapshot if much has changed. It reports false if there is nothing more to do: ctx has
// ended, or there will be another linker.
func (c *collection) keepUp(ctx context.Context, self *lull) bool {
	c.mu.RLock()
	linked := c.hnsw != nil
	c.mu.RUnlock()
	err := c.recode(ctx)
	switch {
	case err != nil:
	case linked:
		err = c.relink(ctx, max(1, runtime.GOMAXPROCS(0)/2), nil)
	case c.wantsIndex() && self.isOver(c):
		err = c.indexItself(ctx, self)
	}
	if errors.Is(err, ann.ErrDamaged) {
		_, err = c.heal(ctx)
		c.wake() // for what was not linked
	}
	if err != nil || c.isBehind() {
		return false
	}
	c.saveIfDue(ctx)
	return ctx.Err() == nil
}

// pending returns how many rows are to be linked.
func (c *collection) pending() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	stats, _ := c.index.stats()
	return stats.Pending
}
