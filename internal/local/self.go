package local

import (
	"context"
	"errors"
	"time"

	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/internal/engine"
)

// An index appears by itself: the linker of a collection without one builds it, when
// there are so many records that a search through it takes much less than one that looks
// at all of them, and few of them are changing. Of all processes that have the
// store open one does so at a time, for one collection, on one processor. What stops
// a linker ends the building, too, and nothing stays behind.

// paying says how large a collection is for which an index pays.
type paying struct {
	rows     int
	elements int64         // of all vectors
	lull     time.Duration // how long few of them must have changed
}

// whatPays is what BenchmarkSelf showed: with so many elements a search that looks at
// all takes a third of a millisecond or more, and the graph a tenth of that.
// With fewer rows of many dimensions the graph gains less.
var whatPays = paying{rows: 20_000, elements: 10_000_000, lull: time.Second}

// paysIndex reports whether the collection is so large that an index pays. The caller
// has c.mu.
func (c *collection) paysIndex() bool {
	rows, s := c.ids.len(), c.store
	return !s.readOnly && c.hnsw == nil && !c.declined.Load() && rows >= s.paying.rows && int64(rows)*int64(c.schema.Dim) >= s.paying.elements
}

// wantsIndex reports whether an index is to be built by itself.
func (c *collection) wantsIndex() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.paysIndex() && !c.gone && !c.behind && !c.otherIndex.Load()
}

// lull is a time in which few records change. Before it is over no index is begun: one
// that is built when a load has ended costs less than one that has to follow it.
type lull struct {
	at      time.Time
	written int64
}

// fewChanges is of how many rows one at most changes in a lull.
const fewChanges = 64

// isOver reports whether the lull has lasted long enough. Another begins when it is, or
// too much has changed.
func (l *lull) isOver(c *collection) bool {
	now, written := time.Now(), c.written.Load()
	if now.Sub(l.at) < c.store.paying.lull || c.store.writesSlowly() {
		return false
	}
	c.mu.RLock()
	few := int64(c.ids.len() / fewChanges)
	c.mu.RUnlock()
	changed := written - l.written
	*l = lull{now, written}
	return changed <= few
}

// longerLull is how long it takes until an index is begun again that could not be built.
const longerLull = time.Minute

// indexItself builds an index that nobody asked for, unless another process does so, or
// has. If it cannot, the log says why, and it is tried again later.
func (c *collection) indexItself(ctx context.Context, l *lull) error {
	err := c.indexAlone(ctx)
	if err == nil || ctx.Err() != nil || errors.Is(err, ann.ErrDamaged) {
		return err
	}
	l.at = time.Now().Add(longerLull)
	if !errors.Is(err, errOvertaken) && !errors.Is(err, errBehind) && !errors.Is(err, engine.ErrNotFound) {
		c.store.log.WarnContext(ctx, "an index that pays by now could not be built: searches look at all records", "collection", c.schema.Name, "err", err)
	}
	return nil
}

// indexAlone is indexItself for who may build an index: one process, and one collection
// of it.
func (c *collection) indexAlone(ctx context.Context) error {
	s := c.store
	if !s.indexing.TryAcquire(1) {
		return nil // for another collection
	}
	defer s.indexing.Release(1)
	if s.indexLock != nil {
		if free, err := s.indexLock.TryLock(); !free {
			return err
		}
		defer func() { _ = s.indexLock.Unlock() }() // it fails only for a lock that is gone
	}
	if err := s.followOnly(ctx); err != nil {
		return err
	}
	if !c.wantsIndex() { // another process was faster, or this one has fallen behind
		return nil
	}
	c.building.Store(true)
	defer c.building.Store(false)
	begun := time.Now()
	s.log.DebugContext(ctx, "an index is being built, since it pays by now", "collection", c.schema.Name)
	o, err := ann.GraphOptions{}.Complete()
	if err == nil {
		err = c.rebuild(ctx, engine.IndexPlan{M: o.M, EfConstruction: o.EfConstruction, Workers: 1}, true)
	}
	if err == nil {
		s.log.InfoContext(ctx, "an index was built, since it pays by now: searches use it unless they ask for the exact answer",
			"collection", c.schema.Name, "took", time.Since(begun))
	}
	return err
}

// isForItself reports whether the registry still knows no index of the collection, and
// lets it have one.
func (c *collection) isForItself(ctx context.Context, q queryer) (bool, error) {
	b, err := readIndex(ctx, q, c.schema.Name)
	if b != nil || err != nil {
		return false, err
	}
	schemas, _, err := readSchemas(ctx, q, "WHERE id = ?", c.id)
	return err == nil && len(schemas) > 0 && schemas[0].Index == engine.AutoIndex, err
}

// declineIndex writes into the registry that a collection gets no index by itself.
func (t *txn) declineIndex(id int64) error {
	schemas, _, err := readSchemas(t.ctx, t.tx, "WHERE id = ?", id)
	if err != nil || len(schemas) == 0 || schemas[0].Index == engine.NoIndex {
		return err
	}
	schemas[0].Index = engine.NoIndex
	fields, err := marshalFields(schemas[0])
	if err == nil {
		_, err = t.tx.ExecContext(t.ctx, "UPDATE vecwire_collections SET fields = ? WHERE id = ?", fields, id)
	}
	return err
}
