package local

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"
)

// call is a verb as the log names it, and its collection, "" for none.
type call struct{ verb, collection string }

func (c *collection) call(verb string) call { return call{verb, c.schema.Name} }

// longWait is how long a call waits for one transaction before the log says so.
const longWait = time.Second

// turn describes the present writer.
type turn struct {
	begun   time.Time
	callers []uintptr // of Tx; nil for a verb, which runs no code of a caller
}

// takeTurn makes the call the one writer until endTurn. Writers come first, first
// served: database/sql gives a connection to any of those that wait for it.
func (s *store) takeTurn(ctx context.Context, by call) error {
	if err := s.wait(ctx, s.line, 1, by); err != nil {
		return err
	}
	t := &turn{begun: time.Now()}
	if by.verb == txVerb {
		t.callers = make([]uintptr, 32)
		t.callers = t.callers[:runtime.Callers(3, t.callers)]
	}
	s.turn.Store(t)
	return nil
}

func (s *store) endTurn() {
	s.turn.Store(nil)
	s.line.Release(1)
}

// slowWrite is how long one writer is at work when a second without a commit is no pause
// in what is written, but a disk that is slow, or a long transaction.
const slowWrite = 500 * time.Millisecond

// writesSlowly reports whether there is such a writer.
func (s *store) writesSlowly() bool {
	t := s.turn.Load()
	return t != nil && time.Since(t.begun) >= slowWrite
}

const txVerb = "Tx"

// wait takes n of w. If that lasts because of one transaction, the log says so once.
func (s *store) wait(ctx context.Context, w *semaphore.Weighted, n int64, by call) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.TryAcquire(n) {
		return nil
	}
	over := make(chan struct{})
	defer close(over)
	go func() {
		look := time.NewTicker(longWait)
		defer look.Stop()
		for {
			select {
			case <-over:
				return
			case <-look.C:
			}
			if t := s.turn.Load(); t != nil && t.callers != nil && time.Since(t.begun) >= longWait {
				s.log.WarnContext(ctx, "a call waits for a transaction: inside a transaction, pass on the context that Tx gives to its function, or both wait forever",
					"verb", by.verb, "collection", by.collection, "transaction", t.place(), "begun", t.begun)
				return
			}
		}
	}()
	return w.Acquire(ctx, n)
}

// place returns where the caller's code has called Tx.
func (t *turn) place() string {
	frames := runtime.CallersFrames(t.callers)
	for {
		frame, more := frames.Next()
		if !slices.ContainsFunc(ourTypes, func(of string) bool { return strings.HasPrefix(frame.Function, modulePath+of) }) {
			return fmt.Sprintf("%s (%s:%d)", frame.Function, filepath.Base(frame.File), frame.Line)
		}
		if !more {
			return "of an unknown function"
		}
	}
}

// ourTypes are those through whose methods a transaction is begun.
var ourTypes = []string{".(*DB).", "/internal/local.(*store).", "/internal/local.(*fresh)."}

const modulePath = "github.com/vecwire/vecwire"
