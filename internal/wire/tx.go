package wire

import (
	"errors"
	"fmt"
	"sync"
)

var errTxEnded = errors.New("the transaction has ended")

// txState is what a transaction remembers on any server. Nothing in a
// transaction is run again: what came before would be lost.
type txState struct {
	mu    sync.Mutex // the connection runs one operation at a time
	ended bool
	err   error // of the first operation that failed, which fails the transaction
}

// run runs one operation. An error other than errNotComparable, after which
// another form of the same search follows, fails the transaction; failure gives
// it the words that users know.
func (t *txState) run(op func() error, failure func(error) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.ended:
		return errTxEnded
	case t.err != nil:
		return fmt.Errorf("an operation before it failed the transaction: %w", t.err)
	}
	err := op()
	if err == nil || errors.Is(err, errNotComparable) {
		return err
	}
	t.err = failure(err)
	return t.err
}

// end ends the transaction and returns the error that failed it.
func (t *txState) end() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	return t.err
}
