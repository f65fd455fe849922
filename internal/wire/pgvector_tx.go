package wire

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/internal/engine"
)

// pgTx is a transaction on one connection.
type pgTx struct {
	txState
	db   *postgres
	conn *pgx.Conn
}

func (t *pgTx) width() int { return 1 }

func (t *pgTx) read(_ context.Context, op func(*pgx.Conn) error) error {
	return t.run(func() error { return op(t.conn) }, t.db.failure)
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
			defer func() { _ = t.end() }() // also after a panic of f
			own = f(func(c engine.Collection) engine.Collection {
				with := *c.(*pgCollection)
				with.runner = t
				return &with
			})
			if failed := t.end(); own == nil {
				own = failed
			}
			return own
		})
	})
	if err == nil || own != nil {
		return own
	}
	return e.failure(err)
}
