package vecwire

import (
	"context"
	"errors"
	"time"
)

// Close ends the use of this handle: its calls return [ErrClosed] from then on, and
// closing it again does nothing. What the embedded engine keeps in memory of the
// collection is let go at once, after the calls that need it; the records stay. All
// other handles to the collection go on, those that WithEmbedder and Namespace made of
// this one included: the next call of one loads the collection again, as the first
// call did. Servers keep nothing in this process.
//
// Nobody has to close a collection before its database. Where there are many, and
// [Config].Memory bounds what they keep, those that were not used for long are let go
// without it.
//
// While a transaction or another call writes, Close waits for it, 5 s at most, and then
// lets nothing go. So inside a transaction it lets nothing go.
func (c *Collection) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	if c.mirror != nil || c.db.gate.Enter() != nil {
		return nil // the memory is the mirror's, or gone
	}
	defer c.db.gate.Leave()
	now, err := c.now()
	if err != nil {
		return c.wrap(OpClose, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), longestRelease)
	defer cancel()
	err = now.engine.Release(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrAltered) {
		return nil
	}
	return c.wrap(OpClose, err)
}

// longestRelease is how long Close waits for those who write.
const longestRelease = 5 * time.Second

// handleClosed is the error of a handle that was closed. It is ErrClosed.
type handleClosed struct{}

// Error implements error.
func (handleClosed) Error() string {
	return "this handle to the collection is closed: open the collection again"
}

// Is reports whether the target is ErrClosed.
func (handleClosed) Is(target error) bool { return target == ErrClosed }
