package serve

import (
	"context"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// turns lets requests begin their work in a fair order: those of the connection that was
// answered the longest ago go first. It bounds nothing: a request lets the next one begin
// before it works itself, and the processors bound how many work at a time.
//
// Without it the order is that in which the runtime's poller reports connections, which is
// that of a stack. Where one core serves many connections, the requests that came first
// would then be answered last, and the slowest of them after twice the mean time.
type turns struct {
	mu      sync.Mutex
	waiting []*turn // a heap, the one that goes first at 0
	passing bool    // one of them was let go, and has not let go the next one yet
}

// turn is a request's place among those that wait.
type turn struct {
	since time.Duration
	begin chan struct{} // of one element
}

// take returns when it is the request's turn.
func (t *turns) take(mine *turn) {
	t.mu.Lock()
	t.push(mine)
	t.mu.Unlock()
	runtime.Gosched() // requests that are here already are read, and come as far as this
	t.mu.Lock()
	if !t.passing {
		t.next()
	}
	t.mu.Unlock()
	<-mine.begin
	t.mu.Lock()
	t.next()
	t.mu.Unlock()
}

// next lets the first of those that wait begin.
func (t *turns) next() {
	if t.passing = len(t.waiting) > 0; t.passing {
		t.pop().begin <- struct{}{}
	}
}

func (t *turns) push(x *turn) {
	t.waiting = append(t.waiting, x)
	for i := len(t.waiting) - 1; i > 0; {
		above := (i - 1) / 2
		if t.waiting[above].since <= x.since {
			break
		}
		t.waiting[i], t.waiting[above] = t.waiting[above], x
		i = above
	}
}

func (t *turns) pop() *turn {
	first, last := t.waiting[0], len(t.waiting)-1
	t.waiting[0], t.waiting[last] = t.waiting[last], nil
	t.waiting = t.waiting[:last]
	for i := 0; ; {
		below := 2*i + 1
		if below+1 < last && t.waiting[below+1].since < t.waiting[below].since {
			below++
		}
		if below >= last || t.waiting[i].since <= t.waiting[below].since {
			return first
		}
		t.waiting[i], t.waiting[below] = t.waiting[below], t.waiting[i]
		i = below
	}
}

// connection knows when its last answer was made, 0 before the first.
type connection struct{ answered atomic.Int64 }

// connectionKey is the context's key of a request's [connection].
type connectionKey struct{}

// withConnection is the ConnContext of an [http.Server].
func withConnection(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, new(connection))
}

// started is what the times of turns are counted from.
var started = time.Now()

// waitTurn returns when the request may begin its work. Where the server does not know
// its connections, those that came last wait behind the others.
func (c *call) waitTurn() {
	mine := &c.scratch().turn
	if mine.begin == nil {
		mine.begin = make(chan struct{}, 1)
	}
	mine.since = c.begun.Sub(started)
	if c.connection != nil {
		if at := c.connection.answered.Load(); at > 0 {
			mine.since = time.Duration(at)
		}
	}
	c.turns.take(mine)
}
