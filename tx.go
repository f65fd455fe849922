package vecwire

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/vecwire/vecwire/internal/engine"
)

// Tx is a transaction, see [DB.Tx]. It ends when the function it was given to
// returns.
type Tx struct {
	db    *DB
	inner *DB // what the collections of the transaction belong to: it outlives Close, as the transaction does
	use   func(engine.Collection) engine.Collection

	mu     sync.Mutex
	failed error // the first error of a verb
	ended  bool
}

// fail notes the error of a verb.
func (tx *Tx) fail(err error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.failed == nil {
		tx.failed = err
	}
}

// end ends the transaction and returns the first error of a verb.
func (tx *Tx) end() error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.ended = true
	return tx.failed
}

// Tx runs f in one transaction. Of what f does with the collections that
// [Tx.Collection] returns, others see nothing until f has returned nil, and
// then all; if f returns an error, or a verb in it failed, nothing is stored
// and the error is returned. f is called once: what failed is not run again.
//
// f must not use the database beside the transaction, nor close it: the embedded
// engine lets nobody else write until f returns, nor read if it is in memory, so
// f would wait for itself until ctx ends. On a server it would work beside the
// transaction, on another connection. f should be quick. BuildIndex cannot be
// part of a transaction.
//
// Tx returns [ErrUnsupported] if the engine has no transactions.
func (db *DB) Tx(ctx context.Context, f func(tx *Tx) error) error {
	ctx, call, err := db.begin(ctx, "run transaction", "")
	if err != nil {
		return err
	}
	defer call.leave()
	x, ok := db.engine.(engine.Transactor)
	if !ok {
		return call.end(0, unsupported("transactions", db.engine.Capabilities().Engine))
	}
	var own error
	err = x.Tx(ctx, func(use func(engine.Collection) engine.Collection) error {
		tx := &Tx{db: db, inner: &DB{engine: db.engine, log: db.log, observer: db.observer}, use: use}
		own = f(tx)
		if failed := tx.end(); own == nil {
			own = failed
		}
		return own
	})
	if own != nil {
		call.tell(0, nil, own)
		return own
	}
	return call.end(0, err)
}

// Collection returns an open collection of the same DB as the transaction sees
// it: with all its verbs, until the transaction ends.
func (tx *Tx) Collection(c *Collection) (*Collection, error) {
	tx.mu.Lock()
	ended := tx.ended
	tx.mu.Unlock()
	switch {
	case ended:
		return nil, errors.New("vecwire: the transaction has ended")
	case c.tx == tx:
		return c, nil
	case isMirror(c.engine):
		return nil, fmt.Errorf("vecwire: a transaction has no mirrors: use the collection %s itself, and refresh the mirror", c.schema.Name)
	case c.db != tx.db:
		return nil, fmt.Errorf("vecwire: the collection %s was opened by another DB than the transaction's", c.schema.Name)
	}
	with := *c
	with.db, with.engine, with.tx = tx.inner, within(tx.use, c.engine), tx
	return &with, nil
}
