package local

import (
	"sync"
	"time"
)

// patient is a collection's lock for reading, for work in the background that one goroutine
// does in slices, each under the lock. After some slices it rests: for a moment, so that the
// system takes the processor away then and not while others wait for the lock; and while
// somebody searches, so that a search shares the processors with little of the work. It
// does not rest for ever, so that the work goes on even where somebody always searches.
type patient struct {
	mu     *sync.RWMutex
	rested time.Time
}

const (
	workedAtOnce = time.Millisecond // a slice takes less than two
	restAtOnce   = 500 * time.Microsecond
	// mostRests is how often it rests at most before it goes on.
	mostRests = 12
)

// Lock implements sync.Locker.
func (p *patient) Lock() {
	if time.Since(p.rested) >= workedAtOnce {
		p.rest()
	}
	p.mu.RLock()
}

func (p *patient) rest() {
	for range mostRests {
		time.Sleep(restAtOnce)
		if p.mu.TryLock() { // nobody searches
			p.mu.Unlock()
			break
		}
	}
	p.rested = time.Now()
}

// Unlock implements sync.Locker.
func (p *patient) Unlock() { p.mu.RUnlock() }
