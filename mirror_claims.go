package vecwire

import (
	"context"
	"sync"
)

// claims says which IDs are being written, so that what happens to one record
// happens in one order in the database and in a mirror of it. The zero value is
// ready for use.
type claims struct {
	mu      sync.Mutex
	ids     map[string]struct{}
	all     bool          // one claim has all IDs
	waiting chan struct{} // closed at the next release; nil if nobody waits
}

// take claims IDs, all at once, when nobody has any of them. release ends that.
func (c *claims) take(ctx context.Context, ids []string) (release func(), err error) {
	free := func() bool {
		for _, id := range ids {
			if _, taken := c.ids[id]; taken {
				return false
			}
		}
		return !c.all
	}
	return c.wait(ctx, free, func() {
		if c.ids == nil {
			c.ids = make(map[string]struct{}, len(ids))
		}
		for _, id := range ids {
			c.ids[id] = struct{}{}
		}
	}, func() {
		for _, id := range ids {
			delete(c.ids, id)
		}
	})
}

// takeAll claims every ID.
func (c *claims) takeAll(ctx context.Context) (release func(), err error) {
	return c.wait(ctx, func() bool { return !c.all && len(c.ids) == 0 }, func() { c.all = true }, func() { c.all = false })
}

func (c *claims) wait(ctx context.Context, free func() bool, take, give func()) (release func(), err error) {
	for {
		c.mu.Lock()
		if free() {
			take()
			c.mu.Unlock()
			return func() {
				c.mu.Lock()
				defer c.mu.Unlock()
				give()
				if c.waiting != nil {
					close(c.waiting)
					c.waiting = nil
				}
			}, nil
		}
		if c.waiting == nil {
			c.waiting = make(chan struct{})
		}
		released := c.waiting
		c.mu.Unlock()
		select {
		case <-released:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
