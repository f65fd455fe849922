package vecwire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vecwire/vecwire/internal/embedding"
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

// Tx runs f in one transaction. The context that f is given carries the
// transaction: every verb of the database's collections that is called with that
// context, or with one made from it, takes part. Other callers see nothing of
// what f does until f has returned nil, and then all of it. If f returns an
// error, or a verb in it failed, nothing is stored and Tx returns the error.
//
// Transactions are serializable, see [Capabilities]: what they did and saw is as if
// one had run after the other. On IRIS they undo what fails, and no more: see
// docs/iris.md.
//
// f may be run more than once: it must be safe to repeat, and what it does
// outside the database happens again. A transaction that conflicts with another
// one, or whose connection breaks, is rolled back and f runs again: up to 100 times
// for conflicts, and for 30 seconds at most. The log has each reason. A text that a
// verb in f is to embed makes f start again, too, since no transaction waits for an
// embedder: the verb finds the vector when f runs the next time.
//
// A verb that is called with another context does not take part: on a server it
// works beside the transaction, on another connection; the embedded engine lets
// one writer at a time work, and in memory no reader beside it, so such a verb
// waits until f returns. If f waits for it, both wait until ctx ends; after a second
// the log says so. f should be quick.
//
// A Tx with a context that carries a transaction of the same database is a part
// of that one: f runs once, and what it did is stored or not with the rest. If f fails,
// nothing of the whole is stored, also if the function around it goes on. When a
// transaction has ended, every verb refuses its context.
// Collections are opened, made and dropped outside transactions; Ingest, Reembed,
// mirrors and indexes cannot be part of one.
//
// Tx returns [ErrUnsupported] if the engine has no transactions.
func (db *DB) Tx(ctx context.Context, f func(ctx context.Context) error) error {
	if tx := db.txOf(ctx); tx != nil {
		return tx.part(ctx, f)
	}
	ctx, call, err := db.begin(ctx, OpTx, "")
	if err != nil {
		return err
	}
	defer call.leave()
	if err := db.lives.Follow(ctx, db.reopen); err != nil {
		return call.end(0, err)
	}
	var own *ownError
	var memo embedding.Memo
	for {
		var tx *transaction // of the last run
		err = db.engine.Tx(ctx, func(ctx context.Context) error {
			memo.Begin()
			tx = &transaction{memo: &memo, caller: engine.CallerOf(ctx)}
			defer func() { _ = tx.end() }() // also after a panic of f
			own := f(context.WithValue(ctx, db, tx))
			if failed := tx.end(); own == nil || memo.Wants() {
				own = failed
			}
			if own == nil {
				return nil
			}
			return &ownError{own}
		})
		own, _ = errors.AsType[*ownError](err)
		if tx == nil || !memo.Wants() || own == nil {
			break
		}
		if failed := memo.Embed(db.alone(ctx)); failed != nil {
			own = &ownError{wrap(OpTx, "", failed)}
			break
		}
	}
	if own != nil {
		call.tell(0, nil, own.error)
		return own.error
	}
	return call.end(0, err)
}

// ownError tells what f returned, or the first error of a verb in it, from what
// goes wrong around it. It is passed on as it is.
type ownError struct{ error }

// transaction is what the root knows of one run of a transaction: its verbs' first
// error, and the vectors of texts that were embedded for it.
type transaction struct {
	mu     sync.Mutex
	failed error
	ended  bool
	memo   *embedding.Memo
	caller *engine.Caller // the caller's transaction that it is a part of, nil for none
}

// txOf returns the transaction of the database that ctx carries and that has not
// ended, nil if there is none.
func (db *DB) txOf(ctx context.Context) *transaction {
	tx, ok := ctx.Value(db).(*transaction)
	if !ok || tx.over() {
		return nil
	}
	return tx
}

// memoOf returns what was embedded for the transaction that ctx carries, nil if there is
// none.
func (db *DB) memoOf(ctx context.Context) *embedding.Memo {
	if tx := db.txOf(ctx); tx != nil {
		return tx.memo
	}
	return nil
}

func (tx *transaction) over() bool {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.ended
}

// fail notes the error of a verb.
func (tx *transaction) fail(err error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.failed == nil {
		tx.failed = err
	}
}

// errCutShort is why a part of a transaction failed whose function did not return.
var errCutShort = errors.New("a function in the transaction panicked, or ended its goroutine")

// part runs f as a part of the transaction, which fails with it.
func (tx *transaction) part(ctx context.Context, f func(ctx context.Context) error) error {
	err := errCutShort
	defer func() {
		if err != nil {
			tx.fail(err)
		}
	}()
	err = f(ctx)
	return err
}

// errTxEnded is returned for the context of a transaction that has ended.
var errTxEnded = errors.New("the transaction has ended: use the context that Tx was called with")

// ended refuses the context of a transaction that has ended.
func (db *DB) ended(ctx context.Context) error {
	if tx, ok := ctx.Value(db).(*transaction); ok && tx.over() {
		return errTxEnded
	}
	return nil
}

// end ends the transaction and returns the first error of a verb.
func (tx *transaction) end() error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.ended = true
	return tx.failed
}

// join returns the context in which a verb takes part in the caller's transaction
// that ctx carries; ctx itself if there is none. tx is the transaction of DB.Tx that
// the verb is in already.
func (db *DB) join(ctx context.Context, tx *transaction) (context.Context, error) {
	caller := engine.CallerOf(ctx)
	switch {
	case caller == nil || tx != nil && tx.caller == caller:
		return ctx, nil
	case tx != nil:
		return nil, errors.New("the context carries two transactions, one of DB.Tx and one of WithPgxTx: use one of them")
	case caller.Tx == nil:
		return nil, badValue("tx", "a pgx.Tx", nil)
	}
	return db.engine.Join(ctx, caller)
}

// alone returns ctx without the caller's transaction, for a model: an embedder may
// keep its vectors in another database.
func (db *DB) alone(ctx context.Context) context.Context {
	if engine.CallerOf(ctx) == nil {
		return ctx
	}
	return engine.WithCaller(ctx, nil)
}
