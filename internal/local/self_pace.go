package local

import (
	"sync"
	"time"
)

// patient is a collection's lock for reading, for work in the background that is done in
// slices, each under the lock. Before each slice it rests: for a moment, so that the system
// takes the processor away between slices and not while others wait for the lock; and while
// somebody searches, so that a search shares the processors with one slice at most. It
// does not rest for ever, so that the work goes on even where somebody always searches.
type patient struct{ mu *sync.RWMutex }

const (
	// restAtOnce is a third of a slice, which takes a millisecond or two.
	restAtOnce = 500 * time.Microsecond
	// mostRests is how often it rests before a slice.
	mostRests = 12
)

// Lock implements sync.Locker.
func (p patient) Lock() {
	for range mostRests {
		time.Sleep(restAtOnce)
		if p.mu.TryLock() { // nobody searches
			p.mu.Unlock()
			break
		}
	}
	p.mu.RLock()
}

// Unlock implements sync.Locker.
func (p patient) Unlock() { p.mu.RUnlock() }
