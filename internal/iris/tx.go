package iris

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// runner runs operations on a connection: a server's pool, or a transaction.
// See iris.read and iris.write for what they are.
type runner interface {
	read(ctx context.Context, op func(context.Context, *session) error) error
	write(ctx context.Context, op func(context.Context, *session) error) error
	Width() int
}

// tx is a transaction on one connection.
type tx struct {
	wire.TxState
	db   *database
	conn *session
}

func (t *tx) Width() int { return 1 }

func (t *tx) read(ctx context.Context, op func(context.Context, *session) error) error {
	return t.Run(func() error {
		err := op(ctx, t.conn)
		if err != nil && t.conn.conn.IsClosed() {
			err = wire.LostError{Err: err}
		}
		return err
	}, t.db.Failure)
}

func (t *tx) write(ctx context.Context, op func(context.Context, *session) error) error {
	return t.read(ctx, op)
}

// Tx implements engine.Engine, on servers that have proved to have
// transactions.
func (e *database) Tx(ctx context.Context, f func(ctx context.Context) error) error {
	if err := e.transacts(ctx); err != nil {
		return err
	}
	leave, err := e.EnterWriters(ctx)
	if err != nil {
		return err
	}
	defer leave()
	var own error // of f, which is passed on as it is
	err = e.With(ctx, func(pooled *pgx.Conn) error {
		conn, err := e.conn(ctx, pooled)
		if err != nil {
			return err
		}
		if err := conn.run(ctx, "BEGIN"); err != nil {
			return err
		}
		t := &tx{db: e, conn: conn}
		committed := false
		defer func() {
			if _ = t.End(); !committed {
				conn.rollback(ctx)
			}
		}()
		own = f(engine.WithTx(ctx, e, t))
		if failed := t.End(); own == nil {
			own = failed
		}
		if own != nil {
			return own
		}
		err = conn.run(ctx, "COMMIT")
		committed = err == nil
		if pooled.IsClosed() { // the server cannot be asked: it gives transactions no names
			err = fmt.Errorf("%w: %w", engine.ErrOutcomeUnknown, err)
		}
		return err
	})
	if err == nil || own != nil {
		return own
	}
	return e.Failure(err)
}

// rollback ends a transaction. A connection that does not answer is closed,
// which has the same effect.
func (c *session) rollback(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	if c.run(ctx, "ROLLBACK") != nil {
		_ = c.conn.Close(ctx)
	}
}

const proofTable = "vecwire_proof"

// transacts reports whether the server has transactions, which is tried once: of
// two rows, one inserted inside a transaction that is rolled back and the other
// meanwhile by another connection, the second alone has to stay. Inside IRIS all
// clients share one session, where even to try would undo what others do.
func (e *database) transacts(ctx context.Context) error {
	e.proof.Lock()
	defer e.proof.Unlock()
	if e.transactions.Load() == nil {
		proved, err := e.proveTransactions(ctx)
		if err != nil {
			return err
		}
		e.transactions.Store(&proved)
	}
	if !*e.transactions.Load() {
		return fmt.Errorf("%w: transactions by the iris engine through a server that does not roll back; "+
			"iris-pgwire with PGWIRE_BACKEND_TYPE=dbapi has them", engine.ErrUnsupported)
	}
	return nil
}

func (e *database) proveTransactions(ctx context.Context) (proved bool, err error) {
	if e.Pool.Config().MaxConns < 2 {
		return false, nil
	}
	const insert = "INSERT INTO " + proofTable + " (id) VALUES (SUBSTRING($1,2))"
	inside, beside := guard(wire.NewToken()), guard(wire.NewToken())
	err = e.write(ctx, func(ctx context.Context, a *session) error {
		if proved = !a.escape; !proved { // inside IRIS
			return nil
		}
		if err := a.run(ctx, "CREATE TABLE IF NOT EXISTS "+proofTable+" (id VARCHAR(40) COLLATE %EXACT NOT NULL PRIMARY KEY)"); err != nil && !isSQLCode(err, -201) {
			return err
		}
		if err := a.run(ctx, "BEGIN"); err != nil {
			return err
		}
		err := e.read(ctx, func(ctx context.Context, b *session) error { return b.write(ctx, insert, beside) })
		if err == nil {
			err = a.write(ctx, insert, inside)
		}
		a.rollback(ctx)
		if err != nil {
			return err
		}
		for want, key := range [][]byte{inside, beside} { // how many rows of each there are to be
			n, err := a.count(ctx, "SELECT COUNT(*) AS n FROM "+proofTable+" WHERE id = SUBSTRING($1,2)", key)
			if err != nil {
				return err
			}
			proved = proved && n == want
		}
		return a.run(ctx, "DROP TABLE IF EXISTS "+proofTable)
	})
	if errors.Is(err, engine.ErrUnsupported) {
		return false, nil
	}
	return proved, err
}

// Join implements engine.Engine.
func (*database) Join(context.Context, *engine.Caller) (context.Context, error) {
	return nil, engine.Unsupported(engine.LackJoin, "iris")
}
