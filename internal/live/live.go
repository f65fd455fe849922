package live

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vecwire/vecwire/internal/engine"
)

// Collection is what all that stand for one collection in this process share: the
// collection as it is since it was last altered, and who uses it. A nil Collection is that
// of what cannot be altered.
type Collection struct {
	now atomic.Pointer[engine.Collection]

	mu     sync.Mutex
	inside int           // calls under way
	shut   chan struct{} // closed when new calls may begin again; nil if they may
	empty  chan struct{} // closed when the last call has left; nil if nobody waits for it
}

// Enter begins a call, which no alteration runs beside.
func (c *Collection) Enter(ctx context.Context) error {
	if c == nil {
		return nil
	}
	for {
		c.mu.Lock()
		shut := c.shut
		if shut == nil {
			c.inside++
		}
		c.mu.Unlock()
		if shut == nil {
			return nil
		}
		select {
		case <-shut:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Leave ends a call.
func (c *Collection) Leave() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inside--; c.inside == 0 && c.empty != nil {
		close(c.empty)
		c.empty = nil
	}
}

// Now returns the collection as it is since it was last altered, nil before First. It is
// another pointer after each alteration.
func (c *Collection) Now() *engine.Collection { return c.now.Load() }

// First says what the collection is, and reports whether nobody has said so before.
func (c *Collection) First(is *engine.Collection) bool { return c.now.CompareAndSwap(nil, is) }

// Altered says what the collection is from now on.
func (c *Collection) Altered(is engine.Collection) { c.now.Store(&is) }

// patience is how long an alteration keeps new calls waiting for those under way. One
// of these may last long, and may itself make calls; then all go on for a pause.
const (
	patience = time.Second
	pause    = 10 * time.Millisecond
)

// Alone runs an alteration while no call is under way.
func (c *Collection) Alone(ctx context.Context, run func() error) error {
	for {
		shut, err := c.close(ctx)
		if err != nil {
			return err
		}
		drained := c.drain(ctx)
		if drained {
			err = run()
		}
		c.mu.Lock()
		c.shut, c.empty = nil, nil
		c.mu.Unlock()
		close(shut)
		if drained {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("calls under way do not end: %w", ctx.Err())
		case <-timer.C:
		}
	}
}

// close keeps new calls waiting, as soon as no other alteration does.
func (c *Collection) close(ctx context.Context) (shut chan struct{}, err error) {
	for {
		c.mu.Lock()
		other := c.shut
		if other == nil {
			c.shut = make(chan struct{})
			shut = c.shut
		}
		c.mu.Unlock()
		if other == nil {
			return shut, nil
		}
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// drain waits for the calls under way, and reports whether they have ended.
func (c *Collection) drain(ctx context.Context) bool {
	c.mu.Lock()
	empty := make(chan struct{})
	if c.inside == 0 {
		close(empty)
	} else {
		c.empty = empty
	}
	c.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-empty:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// Open opens the collection of a name.
type Open func(ctx context.Context, name string) (engine.Collection, error)

// Follow has the collection opened again if another process has altered it.
func (c *Collection) Follow(ctx context.Context, open Open) error {
	latest := c.now.Load()
	if latest == nil {
		return nil
	}
	altered, err := (*latest).Altered(ctx)
	if err != nil || !altered {
		return err
	}
	opened, err := open(ctx, (*latest).Schema().Name)
	if err == nil {
		c.now.CompareAndSwap(latest, &opened) // or this process alters it right now
	}
	return err
}
