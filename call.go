package vecwire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/live"
	"github.com/vecwire/vecwire/internal/schema"
)

// call is an operation under way.
type call struct {
	db    *DB
	tx    *transaction     // nil outside transactions
	in    bool             // a transaction, of DB.Tx or the caller's
	live  *live.Collection // what keeps alterations out, nil if nothing has to
	op    Op
	name  string
	begun time.Time
	ended func(Outcome) // nil without an Observer
}

// enter keeps the database open until gate.Leave is called. In a transaction that
// goes on, which keeps it open, it works while Close waits.
func (db *DB) enter(ctx context.Context) error {
	if db.txOf(ctx) != nil {
		db.gate.EnterAgain()
		return nil
	}
	return db.gate.Enter()
}

// begin begins an operation on a collection by its name: it keeps the database
// open, and tells the observer. Its leave and its end must be called.
func (db *DB) begin(ctx context.Context, op Op, name string) (context.Context, call, error) {
	k := call{db: db, op: op, name: name, tx: db.txOf(ctx)}
	return k.begin(ctx)
}

func (k call) begin(ctx context.Context) (context.Context, call, error) {
	if err := k.db.enter(ctx); err != nil {
		return ctx, k, k.wrap(err)
	}
	if err := k.live.Enter(ctx); err != nil {
		k.db.gate.Leave()
		return ctx, k, k.wrap(err)
	}
	begun := false
	defer func() {
		if !begun { // the Observer may have panicked
			k.leave()
		}
	}()
	if k.db.observer != nil {
		k.begun = time.Now()
		ctx, k.ended = k.db.observer.Begin(ctx, Call{Op: k.op, Engine: k.db.engine.Capabilities().Engine, Collection: k.name})
	}
	joined, err := k.db.join(ctx, k.tx)
	if err = cmp.Or(err, k.db.ended(ctx)); err != nil {
		return ctx, k, k.end(0, err)
	}
	begun = true
	k.in = k.tx != nil || engine.CallerOf(ctx) != nil
	return joined, k, nil
}

// beginOutsideTx is begin for an operation that no transaction can have; instead
// says what to do.
func (db *DB) beginOutsideTx(ctx context.Context, op Op, name, instead string) (context.Context, call, error) {
	ctx, k, err := db.begin(ctx, op, name)
	return ctx, k, k.outsideTx(instead, err)
}

// outsideTx ends an operation that was begun, with err, inside a transaction.
func (k *call) outsideTx(instead string, err error) error {
	if err == nil && k.in {
		defer k.leave()
		err = k.end(0, fmt.Errorf("it cannot be part of a transaction: %s", instead))
	}
	return err
}

// wrap is the error of the operation. It fails the transaction that the
// operation is part of.
func (k *call) wrap(err error) error {
	err = wrap(k.op, schema.Shorten(k.name), err)
	if err != nil && k.tx != nil {
		k.tx.fail(err)
	}
	return err
}

// leave ends what begin began. It is deferred, so that a panic of the caller's code,
// which the caller may recover from, leaves nothing behind.
func (k *call) leave() {
	defer k.release()
	k.left()
}

// errLeft is the outcome of an operation that ended without an answer.
var errLeft = errors.New("the caller's code panicked, or ended its goroutine")

// left tells the observer that the operation is over, if it was not told its end.
func (k *call) left() { k.tell(0, nil, errLeft) }

// release lets the database be closed, and the collection be altered.
func (k *call) release() {
	k.live.Leave()
	k.db.gate.Leave()
}

// end ends an operation. It returns the error as the caller gets it.
func (k *call) end(records int, err error) error {
	err = k.wrap(err)
	k.tell(records, nil, err)
	return err
}

// tell tells the observer what came of the operation.
func (k *call) tell(records int, plan *Plan, err error) {
	if ended := k.ended; ended != nil {
		k.ended = nil // it is told once, also if it panics
		ended(Outcome{Records: records, Plan: plan, Took: time.Since(k.begun), Err: err})
	}
}
