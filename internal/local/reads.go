package local

import (
	"context"
	"database/sql"
	"errors"

	"github.com/vecwire/vecwire/internal/ann"
)

// What a call finds in memory and what it reads from the file must be of one state,
// though another process may commit at any moment between the two. Nobody is kept
// waiting for that: a call looks at the end whether somebody has changed the
// collection meanwhile, and begins anew if so. One that had no luck holds on to a
// state of the file (pin), brings the memory there, and lets nobody go on from it.

// luck is how often a call tries before it pins a state.
const luck = 4

// reads runs f while the memory and the rows of the collection are of one state: under
// the lock for reading, and again if another process has changed the collection before
// f was done. What reads rows goes through s.read or s.borrow, with f's context.
func (c *collection) reads(ctx context.Context, verb string, f func(ctx context.Context) error) error {
	return c.run(ctx, verb, readingFunc(f))
}

// A reading is what reads runs. It is an interface for searches, which have the memory of
// their answer and what they need for it in one piece.
type reading interface {
	read(ctx context.Context) error
}

type readingFunc func(ctx context.Context) error

func (f readingFunc) read(ctx context.Context) error { return f(ctx) }

// run is reads.
func (c *collection) run(ctx context.Context, verb string, r reading) error {
	for try := range luck {
		if err := c.view(ctx, verb); err != nil {
			return err
		}
		at := c.touched.Load()
		err := c.index.guardReading(ctx, r)
		c.endView()
		if errors.Is(err, ann.ErrDamaged) {
			if try == 0 && c.store.pages != nil { // a checkpoint, perhaps, of what this process does not know yet
				continue
			}
			if _, err := c.heal(ctx); err != nil {
				return err
			}
			continue
		}
		same, unsure := c.untouched(ctx, at)
		if unsure != nil {
			return unsure
		}
		if same {
			return err
		}
	}
	return c.runPinned(ctx, verb, r)
}

// untouched reports whether another process has changed the collection since it was
// touched so often.
func (c *collection) untouched(ctx context.Context, at uint64) (bool, error) {
	if c.store.watch == nil {
		return true, nil
	}
	if err := c.store.follow(ctx); err != nil {
		return false, err
	}
	return c.touched.Load() == at, nil
}

func (c *collection) runPinned(ctx context.Context, verb string, r reading) error {
	s := c.store
	for {
		if err := c.reloadIfBehind(ctx); err != nil {
			return err
		}
		done, err := func() (bool, error) {
			if err := s.following.Acquire(ctx, 1); err != nil {
				return true, err
			}
			defer s.following.Release(1)
			pinned, end, err := s.pin(ctx)
			if err != nil {
				return true, err
			}
			defer end()
			if err := s.applyLog(pinned, s.read); err != nil {
				return true, err
			}
			c.mu.RLock()
			defer c.mu.RUnlock()
			if c.behind && !c.gone {
				return false, nil
			}
			if err := c.usable(); err != nil {
				return true, err
			}
			return true, c.index.guardReading(pinned, r)
		}()
		if errors.Is(err, ann.ErrDamaged) {
			if _, err := c.heal(ctx); err != nil {
				return err
			}
			continue
		}
		if done || err != nil {
			return explain(err)
		}
	}
}

// pin begins to read one state of the file, until end. What is read through s.read
// and s.borrow with the context that it returns is of that state.
func (s *store) pin(ctx context.Context) (pinned context.Context, end func(), err error) {
	conn, err := s.read.Conn(ctx)
	if err != nil {
		return nil, nil, err
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	end = func() {
		_ = tx.Rollback() // it has only read
		conn.Close()
	}
	if _, err := lastCommit(ctx, tx); err != nil { // the state is that of the first reading
		end()
		return nil, nil, err
	}
	return context.WithValue(ctx, pinKey{s}, &pin{conn, tx}), end, nil
}

type pinKey struct{ of *store }

type pin struct {
	conn *sql.Conn
	tx   *sql.Tx
}

func (s *store) pinned(ctx context.Context) *pin {
	if s.watch == nil {
		return nil
	}
	p, _ := ctx.Value(pinKey{s}).(*pin)
	return p
}

// readers are the connections of those who read, or the one that holds on to a state.
type readers struct {
	*sql.DB
	of *store
}

// QueryContext implements queryer.
func (r readers) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if p := r.of.pinned(ctx); p != nil {
		return p.tx.QueryContext(ctx, query, args...)
	}
	return r.DB.QueryContext(ctx, query, args...)
}

// QueryRowContext implements queryer.
func (r readers) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if p := r.of.pinned(ctx); p != nil {
		return p.tx.QueryRowContext(ctx, query, args...)
	}
	return r.DB.QueryRowContext(ctx, query, args...)
}
