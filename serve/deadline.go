package serve

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// deadline is a context that ends at a time, as that of context.WithDeadline does, but
// starts its timer only when somebody waits for its end. A search in memory only asks now
// and then whether it has come.
type deadline struct {
	context.Context // the request's own
	at              time.Time
	mu              sync.Mutex // held to start the timer
	timed           atomic.Pointer[timer]
}

type timer struct {
	context.Context
	cancel context.CancelFunc
}

// Deadline returns when the context ends.
func (d *deadline) Deadline() (time.Time, bool) {
	if at, ok := d.Context.Deadline(); ok && at.Before(d.at) {
		return at, true
	}
	return d.at, true
}

// Done returns a channel that is closed when the context ends.
func (d *deadline) Done() <-chan struct{} { return d.timer().Done() }

// timer returns the context that has a timer.
func (d *deadline) timer() *timer {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.timed.Load()
	if t == nil {
		t = new(timer)
		t.Context, t.cancel = context.WithDeadline(d.Context, d.at)
		d.timed.Store(t)
	}
	return t
}

// Err returns why the context has ended, nil before.
func (d *deadline) Err() error {
	if t := d.timed.Load(); t != nil {
		return t.Err()
	}
	if err := d.Context.Err(); err != nil {
		return err
	}
	if time.Now().Before(d.at) {
		return nil
	}
	return d.timer().Err()
}

// Value returns the value of a key. With a timer it is asked, because package context
// looks there for what it can wait for without a goroutine.
func (d *deadline) Value(key any) any {
	if t := d.timed.Load(); t != nil {
		return t.Value(key)
	}
	return d.Context.Value(key)
}

// end stops the timer.
func (d *deadline) end() {
	if t := d.timed.Load(); t != nil {
		t.cancel()
	}
}
