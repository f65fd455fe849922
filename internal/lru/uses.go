package lru

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vecwire/vecwire/internal/engine"
)

const (
	batch        = 256         // how many records' uses are written at a time
	most         = 16 * batch  // how many wait at most, if they cannot be written
	longest      = time.Minute // how long a use waits before a later one has it written
	longestClose = 5 * time.Second
)

// clock gives times that only grow.
type clock struct{ last atomic.Int64 }

// next returns the first of n times, in microseconds since 1970, that were not given
// before and are not before now.
func (c *clock) next(n int) int64 {
	for {
		last := c.last.Load()
		t := max(time.Now().UnixMicro(), last+1)
		if c.last.CompareAndSwap(last, t+int64(n)-1) {
			return t
		}
	}
}

// uses are those of one collection's records that are not written yet.
type uses struct {
	of   atomic.Pointer[collection] // as it was opened last
	turn chan struct{}              // of who writes and counts
	busy sync.Mutex                 // of who writes uses
	all  atomic.Bool                // of all records it is known when they were used

	mu    sync.Mutex
	last  map[string]int64 // when each record was used
	since time.Time        // when the first of them was noted
	off   bool             // the store is open for reading only
}

func newUses() *uses { return &uses{turn: make(chan struct{}, 1), last: map[string]int64{}} }

// take takes over those of the same collection under another schema.
func (u *uses) take(was *uses) {
	was.mu.Lock()
	defer was.mu.Unlock()
	u.mu.Lock()
	defer u.mu.Unlock()
	maps.Copy(u.last, was.last)
	u.since, u.off = was.since, was.off
}

// note notes that records were used, the first of them before the others, and reports
// whether it is time to write that.
func (u *uses) note(c *clock, ids []string) bool {
	at := c.next(len(ids))
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.off || len(u.last) >= most {
		return false
	}
	if len(u.last) == 0 {
		u.since = time.Now()
	}
	for i, id := range ids {
		u.last[id] = max(u.last[id], at+int64(i))
	}
	return len(u.last) >= batch || time.Since(u.since) >= longest
}

// noted returns what is not written yet.
func (u *uses) noted() map[string]int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return maps.Clone(u.last)
}

// written forgets what was noted and has been written.
func (u *uses) written(noted map[string]int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for id, at := range noted {
		if u.last[id] == at {
			delete(u.last, id)
		}
	}
	u.since = time.Now()
}

// Used says that records of a collection were used, the first of them before the others.
// It may write what has come together, and fails by leaving that out.
func (d *Database) Used(ctx context.Context, name string, ids []string) {
	d.mu.Lock()
	u := d.uses[strings.ToLower(name)]
	d.mu.Unlock()
	if u != nil && len(ids) > 0 && u.note(&d.clock, ids) && !d.isIn(ctx) {
		d.flush(ctx, u)
	}
}

// flush writes the uses of a collection's records, unless somebody does so already or
// the collection is being written to.
func (d *Database) flush(ctx context.Context, u *uses) {
	if !u.busy.TryLock() {
		return
	}
	defer u.busy.Unlock()
	noted := u.noted()
	if len(noted) == 0 {
		return
	}
	select {
	case u.turn <- struct{}{}:
		defer func() { <-u.turn }()
	default:
		return
	}
	c := u.of.Load()
	err := d.Tx(ctx, func(ctx context.Context) error { return c.touch(ctx, noted) })
	switch {
	case errors.Is(err, engine.ErrReadOnly):
		u.mu.Lock()
		u.off = true
		u.mu.Unlock()
	case err != nil && ctx.Err() != nil:
		return // another call has more time
	}
	u.written(noted) // or it was in vain, and would be again
}

// touch writes when records were used, those among them that are there, unless another
// process has used them since. ctx carries a transaction.
func (c *collection) touch(ctx context.Context, noted map[string]int64) error {
	place := len(c.schema.Fields)
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(noted)), engine.PageRecords) {
		found, err := c.Collection.Get(ctx, ids, false)
		if err != nil {
			return err
		}
		var changes []engine.Change
		for _, r := range found {
			if last, _ := r.Fields[place].(int64); last < noted[r.ID] {
				changes = append(changes, engine.Change{ID: r.ID, Fields: []engine.FieldValue{{Place: place, Value: noted[r.ID]}}})
			}
		}
		if len(changes) == 0 {
			continue
		}
		// In a transaction of the caller's that sees what others commit, one may have
		// gone since.
		if err := c.Collection.Update(ctx, changes); err != nil && !errors.As(err, new(*engine.RefusedError)) {
			return err
		}
	}
	return nil
}
