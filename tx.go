package vecwire

import (
	"context"
	"fmt"

	"github.com/vecwire/vecwire/internal/engine"
)

// Tx is a transaction, see [DB.Tx]. It ends when the function it was given to
// returns.
type Tx struct {
	db    *DB
	inner *DB // what the collections of the transaction belong to: it outlives Close, as the transaction does
	use   func(engine.Collection) engine.Collection
}

// Tx runs f in one transaction. Of what f does with the collections that
// [Tx.Collection] returns, others see nothing until f has returned nil, and
// then all; if f returns an error, or a verb in it failed, nothing is stored
// and the error is returned. f is called once: what failed is not run again.
//
// f should be quick and should not use the database beside the transaction: in
// the meantime the embedded engine lets nobody else write, and a server's pool
// has one connection fewer. BuildIndex cannot be part of a transaction.
//
// Tx returns [ErrUnsupported] if the engine has no transactions.
func (db *DB) Tx(ctx context.Context, f func(tx *Tx) error) error {
	const verb = "run transaction"
	if err := db.enter(); err != nil {
		return wrap(verb, "", err)
	}
	defer db.leave()
	x, ok := db.engine.(engine.Transactor)
	if !ok {
		return wrap(verb, "", unsupported("transactions", db.engine.Capabilities().Engine))
	}
	var own error
	err := x.Tx(ctx, func(use func(engine.Collection) engine.Collection) error {
		own = f(&Tx{db: db, inner: &DB{engine: db.engine, log: db.log}, use: use})
		return own
	})
	if own != nil {
		return own
	}
	return wrap(verb, "", err)
}

// Collection returns an open collection of the same DB as the transaction sees
// it: with all its verbs, until the transaction ends.
func (tx *Tx) Collection(c *Collection) (*Collection, error) {
	if c.db != tx.db {
		return nil, fmt.Errorf("vecwire: the collection %s was opened by another DB than the transaction's", c.schema.Name)
	}
	with := *c
	with.db, with.engine = tx.inner, tx.use(c.engine)
	return &with, nil
}
