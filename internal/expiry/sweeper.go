package expiry

import (
	"context"
	"sync"
	"time"
)

// Interval is the time between two sweeps in the background.
const Interval = time.Minute

// Sweeper sweeps from time to time, in a goroutine that begins with the first Start. The
// zero value is ready for use.
type Sweeper struct {
	mu      sync.Mutex
	stop    context.CancelFunc // nil before the first Start
	stopped chan struct{}
	closed  bool
}

// Start begins to call sweep every Interval, until Close. The context that sweep is given
// ends then. Calls after the first do nothing.
func (s *Sweeper) Start(sweep func(context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop != nil || s.closed {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop, s.stopped = stop, make(chan struct{})
	go func() {
		defer close(s.stopped)
		tick := time.NewTicker(Interval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if ctx.Err() == nil {
					sweep(ctx)
				}
			}
		}
	}()
}

// Started reports whether there were a Start and no Close.
func (s *Sweeper) Started() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stop != nil && !s.closed
}

// Close ends the sweeps, and waits for the one under way.
func (s *Sweeper) Close() {
	s.mu.Lock()
	s.closed = true
	stop := s.stop
	s.mu.Unlock()
	if stop != nil {
		stop()
		<-s.stopped
	}
}
