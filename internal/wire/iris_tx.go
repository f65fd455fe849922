package wire

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/internal/engine"
)

// irisRunner runs operations on a connection: a server's pool, or a transaction.
// See iris.read and iris.write for what they are.
type irisRunner interface {
	read(ctx context.Context, op func(context.Context, *irisConn) error) error
	write(ctx context.Context, op func(context.Context, *irisConn) error) error
	width() int
}

// irisTx is a transaction on one connection.
type irisTx struct {
	txState
	db   *iris
	conn *irisConn
}

func (t *irisTx) width() int { return 1 }

func (t *irisTx) read(ctx context.Context, op func(context.Context, *irisConn) error) error {
	return t.run(func() error { return op(ctx, t.conn) }, t.db.failure)
}

func (t *irisTx) write(ctx context.Context, op func(context.Context, *irisConn) error) error {
	return t.read(ctx, op)
}

// Tx implements engine.Transactor, on servers that have proved to have
// transactions.
func (e *iris) Tx(ctx context.Context, f func(use func(engine.Collection) engine.Collection) error) error {
	if err := e.transacts(ctx); err != nil {
		return err
	}
	leave, err := e.enterWriters(ctx)
	if err != nil {
		return err
	}
	defer leave()
	var own error // of f, which is passed on as it is
	err = e.with(ctx, func(pooled *pgx.Conn) error {
		conn, err := e.conn(ctx, pooled)
		if err != nil {
			return err
		}
		if err := conn.run(ctx, "BEGIN"); err != nil {
			return err
		}
		t := &irisTx{db: e, conn: conn}
		committed := false
		defer func() {
			if _ = t.end(); !committed {
				conn.rollback(ctx)
			}
		}()
		own = f(func(c engine.Collection) engine.Collection {
			with := *c.(*irisCollection)
			with.runner = t
			return &with
		})
		if failed := t.end(); own == nil {
			own = failed
		}
		if own != nil {
			return own
		}
		err = conn.run(ctx, "COMMIT")
		committed = err == nil
		return err
	})
	if err == nil || own != nil {
		return own
	}
	return e.failure(err)
}

// rollback ends a transaction. A connection that does not answer is closed,
// which has the same effect.
func (c *irisConn) rollback(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	if c.run(ctx, "ROLLBACK") != nil {
		_ = c.conn.Close(ctx)
	}
}

const irisProof = "vecwire_proof"

// transacts reports whether the server has transactions, which is tried once: of
// two rows, one inserted inside a transaction that is rolled back and the other
// meanwhile by another connection, the second alone has to stay. Inside IRIS all
// clients share one session, where even to try would undo what others do.
func (e *iris) transacts(ctx context.Context) error {
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

func (e *iris) proveTransactions(ctx context.Context) (proved bool, err error) {
	if e.pool.Config().MaxConns < 2 {
		return false, nil
	}
	const insert = "INSERT INTO " + irisProof + " (id) VALUES (SUBSTRING($1,2))"
	inside, beside := guard(newToken()), guard(newToken())
	err = e.write(ctx, func(ctx context.Context, a *irisConn) error {
		if proved = !a.escape; !proved { // inside IRIS
			return nil
		}
		if err := a.run(ctx, "CREATE TABLE IF NOT EXISTS "+irisProof+" (id VARCHAR(40) COLLATE %EXACT NOT NULL PRIMARY KEY)"); err != nil && !isSQLCode(err, -201) {
			return err
		}
		if err := a.run(ctx, "BEGIN"); err != nil {
			return err
		}
		err := e.read(ctx, func(ctx context.Context, b *irisConn) error { return b.write(ctx, insert, beside) })
		if err == nil {
			err = a.write(ctx, insert, inside)
		}
		a.rollback(ctx)
		if err != nil {
			return err
		}
		for key, want := range map[*[]byte]int{&inside: 0, &beside: 1} {
			n, err := a.count(ctx, "SELECT COUNT(*) AS n FROM "+irisProof+" WHERE id = SUBSTRING($1,2)", *key)
			if err != nil {
				return err
			}
			proved = proved && n == want
		}
		return a.run(ctx, "DROP TABLE IF EXISTS "+irisProof)
	})
	if errors.Is(err, engine.ErrUnsupported) {
		return false, nil
	}
	return proved, err
}
