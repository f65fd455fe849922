package wire

import (
	"errors"
	"fmt"
	"sync"
)

var errTxEnded = errors.New("the transaction has ended")

// TxState is what a transaction remembers on any server. Nothing in a
// transaction is run again: what came before would be lost.
type TxState struct {
	mu    sync.Mutex // the connection runs one operation at a time
	ended bool
	err   error // of the first operation that failed, which fails the transaction
}

// Run runs one operation. An error of it fails the transaction; failure gives it
// the words that users know.
func (t *TxState) Run(op func() error, failure func(error) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.ended:
		return errTxEnded
	case t.err != nil:
		return fmt.Errorf("an operation before it failed the transaction: %w", t.err)
	}
	err := op()
	if err == nil {
		return nil
	}
	t.err = failure(err)
	return t.err
}

// End ends the transaction and returns the error that failed it.
func (t *TxState) End() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	return t.err
}
