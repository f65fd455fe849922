// Package gate says who may still call. A [Gate] counts the calls under way and
// lets Close wait for them; no call begins after it. Databases and mirrors have
// one each. The package knows nothing of what lies behind the gate.
package gate

import (
	"errors"
	"sync"
)

// ErrClosed says that the gate was closed before the call.
var ErrClosed = errors.New("database is closed")

// Gate is open when it is zero. It must not be copied, and is safe for
// concurrent use.
type Gate struct {
	mu     sync.RWMutex // guards closed, and that no call begins after it
	closed bool
	calls  sync.WaitGroup // the calls under way
}

// Enter begins a call: Close waits until its Leave. After Close it returns
// ErrClosed.
func (g *Gate) Enter() error {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.closed {
		return ErrClosed
	}
	g.calls.Add(1)
	return nil
}

// EnterAgain begins a call inside another one that has not left yet. It works
// while Close waits for the outer call.
func (g *Gate) EnterAgain() { g.calls.Add(1) }

// Leave ends a call.
func (g *Gate) Leave() { g.calls.Done() }

// Close shuts the gate and waits for the calls under way. It reports whether
// this call was the one that shut it.
func (g *Gate) Close() (first bool) {
	g.mu.Lock()
	first = !g.closed
	g.closed = true
	g.mu.Unlock()
	g.calls.Wait()
	return first
}
