package local

import (
	"runtime"
	"sync"
	"time"
)

// patient is a collection's lock for reading, for work in the background that is done in
// slices, each under the lock. Before each slice it waits while somebody searches, so
// that a search shares the processors with one slice at most, and for so long
// that the work goes on even where somebody always does.
type patient struct{ mu *sync.RWMutex }

const (
	// restAtOnce is how long it waits before it looks again whether somebody searches.
	restAtOnce = 500 * time.Microsecond
	// mostRests is how often, so that beside searches without end the work takes about a
	// fifth of one processor: a slice is a millisecond or two.
	mostRests = 12
)

// Lock implements sync.Locker.
func (p patient) Lock() {
	for range mostRests {
		if p.mu.TryLock() {
			p.mu.Unlock()
			break
		}
		time.Sleep(restAtOnce)
	}
	p.mu.RLock()
}

// Unlock implements sync.Locker. Whoever waits for a processor is served first.
func (p patient) Unlock() {
	p.mu.RUnlock()
	runtime.Gosched()
}
