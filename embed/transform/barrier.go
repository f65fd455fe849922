package transform

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A barrier is where a number of goroutines wait for one another, again and again.
type barrier struct {
	size   int32
	came   atomic.Int32
	rounds atomic.Int32
	ended  bool // as the last of a round found; read after it is over

	lock sync.Mutex
	over sync.Cond
}

func newBarrier(size int) *barrier {
	b := &barrier{size: int32(size)}
	b.over.L = &b.lock
	return b
}

// patience is how often a goroutine looks whether the others have come before it
// sleeps. They have equal work, so that the wait is mostly shorter than falling
// asleep and waking up.
const patience = 2000

// wait returns when all have called it. The last one to come calls end, and all get
// what it returned.
func (b *barrier) wait(end func() bool) bool {
	round := b.rounds.Load()
	if b.came.Add(1) == b.size {
		b.came.Store(0)
		b.ended = end()
		b.lock.Lock()
		b.rounds.Add(1)
		b.lock.Unlock()
		b.over.Broadcast()
		return b.ended
	}
	for i := range patience {
		if b.rounds.Load() != round {
			return b.ended
		}
		if i%100 == 99 {
			runtime.Gosched()
		}
	}
	b.lock.Lock()
	defer b.lock.Unlock()
	for b.rounds.Load() == round {
		b.over.Wait()
	}
	return b.ended
}
