package pgvector

import (
	"cmp"
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// maxConflicts is how often a transaction is run that others make fail. With it a
// transaction that loses two of three times fails less than once in 10^17.
const maxConflicts = 100

// tx is a transaction on one connection.
type tx struct {
	wire.TxState
	db   *database
	conn *pgx.Conn
}

func (t *tx) Width() int { return 1 }

func (t *tx) Read(_ context.Context, op func(*pgx.Conn) error) error {
	var soft error // found by this side: the server knows nothing of it
	err := t.Run(func() error {
		err := op(t.conn)
		if errors.Is(err, errNotComparable) {
			soft = err
			return nil
		}
		if err != nil && t.conn.IsClosed() {
			err = wire.LostError{Err: err}
		}
		return err
	}, t.db.Failure)
	return cmp.Or(err, soft)
}

func (t *tx) change(ctx context.Context, _ proof, op func(*pgx.Conn) error) error {
	return t.Read(ctx, op)
}

func (t *tx) whole(ctx context.Context, _ string, op func(*pgx.Conn) error) error {
	return t.Read(ctx, op)
}

func (t *tx) send(ctx context.Context, _ proof, sql string, args ...any) error {
	return t.Read(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, sql, args...)
		return err
	})
}

// Tx implements engine.Engine. An operation that fails inside it fails the whole:
// PostgreSQL takes nothing more then, and nothing is committed. The transaction is
// run again as a whole if it conflicts with another one, if its connection breaks,
// and if the server does not know a commit whose answer was lost.
func (e *database) Tx(ctx context.Context, f func(ctx context.Context) error) error {
	switch in := e.txOf(ctx).(type) {
	case *tx:
		return f(ctx)
	case *joined:
		return in.part(ctx, f)
	}
	leave, err := e.EnterWriters(ctx)
	if err != nil {
		return err
	}
	defer leave()
	var own error    // of f, which is passed on as it is
	var lost *commit // of a run that may have been committed
	var open unsettled
	err = e.Retry(ctx, maxConflicts, func() error {
		return e.With(ctx, func(conn *pgx.Conn) error {
			if lost != nil {
				done, err := lost.outcome(ctx, conn, nil)
				if err != nil {
					return err
				}
				open.heed(e, conn, lost, true)
				if done {
					open.settle(ctx, e, conn)
					return nil
				}
				lost = nil
			}
			own = nil
			open.sweep(ctx, conn)
			c, err := e.begin(ctx, conn, serializable)
			if err != nil {
				undo(ctx, conn)
				return err
			}
			t := &tx{db: e, conn: conn}
			defer func() { _ = t.End() }() // also after a panic of f
			own = f(engine.WithTx(ctx, e, t))
			failed := t.End()
			if own != nil || failed != nil {
				own = cmp.Or(own, failed)
				undo(ctx, conn)
				return failed // what f itself returns is no reason to run it again
			}
			lost = &c
			switch err = end(ctx, conn); {
			case err == nil:
				lost = nil
			case answered(err):
				lost = nil
				undo(ctx, conn)
			default:
				lost.lost()
			}
			open.heed(e, conn, &c, false)
			if err == nil {
				open.settle(ctx, e, conn)
			}
			return err
		})
	})
	if err == nil || own != nil {
		return own
	}
	return unknown(err, lost)
}
