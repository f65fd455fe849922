package local

import (
	"context"
	"runtime"
	"time"
)

// linker is the goroutine that links what was written to a collection with an
// index, and writes snapshots from time to time.
type linker struct {
	stop context.CancelFunc
	done chan struct{}
}

// startLinker starts the collection's linker, if it has an index and is not gone.
// The caller has the collection's indexing, or alone knows the collection.
func (c *collection) startLinker() {
	c.mu.RLock()
	needed := c.hnsw != nil && !c.gone
	c.mu.RUnlock()
	if !needed || c.life.Err() != nil {
		return
	}
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
)

// keepLinked does the linker's work until ctx ends.
func (c *collection) keepLinked(ctx context.Context) {
	workers := max(1, runtime.GOMAXPROCS(0)/2)
	rest := time.NewTimer(0)
	defer rest.Stop()
	for {
		begun := time.Now()
		if err := c.relink(ctx, workers, nil); err != nil {
			return // ctx has ended
		}
		c.saveIfDue(ctx)
		took := time.Since(begun)
		select {
		case <-ctx.Done():
			return
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

// pending returns how many rows are to be linked.
func (c *collection) pending() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	stats, _ := c.index.stats()
	return stats.Pending
}
