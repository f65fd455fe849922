package wire

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/internal/engine"
)

// pgTx is a transaction on one connection. Nothing in it is run again: what came
// before would be lost.
type pgTx struct {
	db *postgres

	mu    sync.Mutex // the connection runs one operation at a time
	conn  *pgx.Conn
	ended bool
	err   error // of the first operation that failed, which fails the transaction
}

var errTxEnded = errors.New("the transaction has ended")

func (t *pgTx) width() int { return 1 }

func (t *pgTx) read(ctx context.Context, op func(*pgx.Conn) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.ended:
		return errTxEnded
	case t.err != nil:
		return fmt.Errorf("an operation before it failed the transaction: %w", t.err)
	}
	err := op(t.conn)
	if err == nil || errors.Is(err, errNotComparable) {
		return err
	}
	t.err = t.db.failure(err)
	return t.err
}

func (t *pgTx) write(ctx context.Context, op func(*pgx.Conn) error) error { return t.read(ctx, op) }

func (t *pgTx) begin(_ context.Context, _ *pgx.Conn, f func() error) error { return f() }

// Tx implements engine.Transactor. An operation that fails inside it fails the
// whole: PostgreSQL takes nothing more then, and nothing is committed.
func (e *postgres) Tx(ctx context.Context, f func(use func(engine.Collection) engine.Collection) error) error {
	leave, err := e.enterWriters(ctx)
	if err != nil {
		return err
	}
	defer leave()
	var own error // of f, which is passed on as it is
	err = e.with(ctx, func(conn *pgx.Conn) error {
		t := &pgTx{db: e, conn: conn}
		return pgx.BeginFunc(ctx, conn, func(pgx.Tx) error {
			defer t.end()
			own = f(func(c engine.Collection) engine.Collection {
				with := *c.(*pgCollection)
				with.runner = t
				return &with
			})
			if own == nil {
				own = t.failed()
			}
			return own
		})
	})
	if err == nil || own != nil {
		return own
	}
	return e.failure(err)
}

func (t *pgTx) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
}

func (t *pgTx) failed() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}
