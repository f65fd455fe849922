package mirror

import (
	"context"
	"sync"
)

// claims says which IDs are being written, so that what happens to one record
// happens in one order in the inner collection and in the copy. A goroutine that
// holds a claim must not wait for another. The zero value is ready for use.
type claims struct {
	mu      sync.Mutex
	ids     map[string]struct{}
	all     bool          // one claim has all IDs
	wanted  int           // how many wait for all IDs, or hold them, which keeps others out
	waiting chan struct{} // closed when something changes; nil if no goroutine waits
}

// take claims IDs, all at once, when no other claim has any of them. The function
// release ends the claim.
func (c *claims) take(ctx context.Context, ids []string) (release func(), err error) {
	free := func() bool {
		for _, id := range ids {
			if _, taken := c.ids[id]; taken {
				return false
			}
		}
		return !c.all && c.wanted == 0
	}
	if err := c.wait(ctx, free, func() {
		if c.ids == nil {
			c.ids = make(map[string]struct{}, len(ids))
		}
		for _, id := range ids {
			c.ids[id] = struct{}{}
		}
	}); err != nil {
		return nil, err
	}
	return func() {
		c.change(func() {
			for _, id := range ids {
				delete(c.ids, id)
			}
		})
	}, nil
}

// takeAll claims every ID.
func (c *claims) takeAll(ctx context.Context) (release func(), err error) {
	c.change(func() { c.wanted++ })
	if err := c.wait(ctx, func() bool { return !c.all && len(c.ids) == 0 }, func() { c.all = true }); err != nil {
		c.change(func() { c.wanted-- })
		return nil, err
	}
	return func() { c.change(func() { c.all, c.wanted = false, c.wanted-1 }) }, nil
}

// wait runs take, under the lock, as soon as free is true.
func (c *claims) wait(ctx context.Context, free func() bool, take func()) error {
	for {
		c.mu.Lock()
		if free() {
			take()
			c.mu.Unlock()
			return nil
		}
		if c.waiting == nil {
			c.waiting = make(chan struct{})
		}
		changed := c.waiting
		c.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// change runs f under the lock, and wakes all goroutines that wait.
func (c *claims) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	if c.waiting != nil {
		close(c.waiting)
		c.waiting = nil
	}
}
