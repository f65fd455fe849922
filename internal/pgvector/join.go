package pgvector

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// joined is the part of a caller's transaction that one verb takes, or one Tx. Each
// operation has a savepoint, so that what fails leaves the transaction usable.
type joined struct {
	db     *database
	caller *engine.Caller
	tx     pgx.Tx

	mu    sync.Mutex // the operations of one verb may come side by side
	tied  bool       // it is a Tx, and not a verb
	ended bool       // of a Tx
}

var _ runner = (*joined)(nil)

// The statements about savepoints. A caller's own savepoint of that name is hidden
// meanwhile, and is there again afterwards.
const (
	savepoint = "SAVEPOINT vecwire"
	release   = "RELEASE SAVEPOINT vecwire"
	rollback  = "ROLLBACK TO SAVEPOINT vecwire; " + release
)

var (
	errCallerEnded = errors.New("the transaction has ended")
	errBusy        = errors.New("the transaction's connection is in use: by a verb in another goroutine, or by an open query; " +
		"finish one before the next, or give each goroutine a transaction of its own")
)

// txOf returns the transaction that ctx carries: one of this engine, or a caller's for as
// long as ctx names the caller.
func (e *database) txOf(ctx context.Context) any {
	in := engine.TxOf(ctx, e)
	if j, ok := in.(*joined); ok && j.caller != engine.CallerOf(ctx) {
		return nil
	}
	return in
}

// Join implements engine.Engine.
func (e *database) Join(ctx context.Context, c *engine.Caller) (context.Context, error) {
	if j, ok := e.txOf(ctx).(*joined); ok && j.caller == c {
		return ctx, nil
	}
	tx, ok := c.Tx.(pgx.Tx)
	if !ok {
		return nil, engine.Unsupported(engine.LackJoin+" that is none", e.Capabilities().Engine)
	}
	j := &joined{db: e, caller: c, tx: tx}
	if !c.Known(e) {
		if err := j.check(ctx); err != nil {
			return nil, err
		}
		c.Know(e)
	}
	return engine.WithTx(ctx, e, j), nil
}

// identitySQL tells a database from all others: no two servers have started in the
// same microsecond and have a database of the same number. Addresses would not do,
// because a server has several.
const identitySQL = `(SELECT pg_catalog.to_char(pg_catalog.pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') || ' ' || oid::text
	FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())`

// check refuses a transaction of another database, and one in which values would
// change on their way.
func (j *joined) check(ctx context.Context) error {
	var identity string
	var wrong map[string]string
	err := j.run(ctx, false, func(conn *pgx.Conn) (err error) {
		if err = conn.QueryRow(ctx, "SELECT "+identitySQL).Scan(&identity); err == nil {
			wrong, err = unfit(ctx, conn, slices.Sorted(maps.Keys(settings)))
		}
		return err
	})
	if err != nil {
		return err
	}
	same, err := j.db.is(ctx, identity)
	if err != nil {
		return err
	}
	if !same {
		cfg := j.tx.Conn().Config()
		return engine.Unsupported(fmt.Sprintf("%s of another database, which is %q at %s:%d", engine.LackJoin, cfg.Database, cfg.Host, cfg.Port),
			j.db.Capabilities().Engine+" ("+j.db.Target+")")
	}
	var is []string
	for _, name := range slices.Sorted(maps.Keys(wrong)) {
		is = append(is, fmt.Sprintf("%s is %q: set RuntimeParams[%q] = %q", name, wrong[name], name, settings[name]))
	}
	if is != nil {
		return fmt.Errorf("the transaction's connection has settings that change what values mean: %s", strings.Join(is, ", "))
	}
	return nil
}

// is reports whether an identity is the database's. The server may have started
// again since it was asked. It is asked by a connection of its own: the pool's may
// all be in the hands of callers who wait for this.
func (e *database) is(ctx context.Context, identity string) (bool, error) {
	e.mu.Lock()
	known := e.identity
	e.mu.Unlock()
	if identity == known {
		return true, nil
	}
	cfg := e.Pool.Config()
	if cfg.BeforeConnect != nil {
		if err := cfg.BeforeConnect(ctx, cfg.ConnConfig); err != nil {
			return false, e.Failure(err)
		}
	}
	conn, err := pgx.ConnectConfig(ctx, cfg.ConnConfig)
	if err != nil {
		return false, e.Failure(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := conn.QueryRow(ctx, "SELECT "+identitySQL).Scan(&known); err != nil {
		return false, e.Failure(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.identity = known
	return identity == known, nil
}

// occupy keeps other verbs, and other parts, off the connection. What a part has
// is its own already.
func (j *joined) occupy(conn *pgx.Conn) (leave func(), err error) {
	holder, taken := j.db.joins.LoadOrStore(conn, j)
	switch {
	case !taken:
		return func() { j.db.joins.Delete(conn) }, nil
	case holder != j:
		return nil, errBusy
	}
	return func() {}, nil
}

// begin makes a savepoint.
func (j *joined) begin(ctx context.Context) (conn *pgx.Conn, leave func(), err error) {
	if conn = j.tx.Conn(); conn == nil {
		return nil, nil, errCallerEnded
	}
	if leave, err = j.occupy(conn); err != nil {
		return nil, nil, err
	}
	switch {
	case wire.IsIRIS(conn):
		err = engine.Unsupported(engine.LackJoin+" of InterSystems IRIS", j.db.Capabilities().Engine)
	case conn.IsClosed():
		err = errCallerEnded
	case conn.PgConn().IsBusy():
		err = errBusy
	default:
		_, err = j.tx.Exec(ctx, savepoint)
	}
	if err != nil {
		leave()
		return nil, nil, j.failure(conn, err)
	}
	return conn, leave, nil
}

// end keeps what was done since the savepoint, or undoes it.
func (j *joined) end(ctx context.Context, keep bool) error {
	if keep {
		_, err := j.tx.Exec(ctx, release)
		return err
	}
	_, err := j.tx.Exec(context.WithoutCancel(ctx), rollback)
	return err
}

// run runs one operation. Without keep, what it did is undone in any case: so are
// the settings of a search, which the caller's own statements must not inherit.
func (j *joined) run(ctx context.Context, keep bool, op func(*pgx.Conn) error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended {
		return errCallerEnded
	}
	conn, leave, err := j.begin(ctx)
	if err != nil {
		return err
	}
	defer leave()
	j.db.Prepare(conn)
	err = op(conn)
	if conn.IsClosed() {
		return j.failure(conn, err)
	}
	undone := j.end(ctx, keep && err == nil)
	if err == nil {
		err = undone
	}
	return j.failure(conn, err)
}

// failure gives an error the words that users know. What others can cure by
// running the operation again, here only the caller can.
func (j *joined) failure(conn *pgx.Conn, err error) error {
	pg, answered := errors.AsType[*pgconn.PgError](err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrTxClosed):
		return fmt.Errorf("%w: %w", errCallerEnded, err)
	case j.db.Again(err) == wire.Conflict:
		return fmt.Errorf("the transaction conflicts with another one: roll it back and begin it again: %w", err)
	case answered && pg.Code == "25P02":
		return fmt.Errorf("an error before it failed the transaction: roll it back: %w", err)
	case conn.IsClosed() && !errors.Is(err, errCallerEnded):
		err = wire.LostError{Err: err}
	}
	return j.db.Failure(err)
}

// part implements Tx inside the transaction.
func (j *joined) part(ctx context.Context, f func(ctx context.Context) error) error {
	if j.tied {
		return f(ctx)
	}
	inner := &joined{db: j.db, caller: j.caller, tx: j.tx, tied: true}
	conn, leave, err := inner.begin(ctx)
	if err != nil {
		return err
	}
	defer leave()
	done := false
	defer func() {
		inner.mu.Lock()
		defer inner.mu.Unlock()
		inner.ended = true
		if !done && !conn.IsClosed() { // also after a panic of f
			_ = inner.end(ctx, false)
		}
	}()
	if err = f(engine.WithTx(ctx, j.db, inner)); err != nil {
		return err
	}
	inner.mu.Lock()
	defer inner.mu.Unlock()
	inner.ended = true
	if err = inner.end(ctx, true); err == nil {
		done = true
	}
	return inner.failure(conn, err)
}

// Width implements runner.
func (j *joined) Width() int { return 1 }

// Read implements runner.
func (j *joined) Read(ctx context.Context, op func(*pgx.Conn) error) error {
	return j.run(ctx, false, op)
}

func (j *joined) change(ctx context.Context, _ proof, op func(*pgx.Conn) error) error {
	return j.run(ctx, true, op)
}

func (j *joined) whole(ctx context.Context, _ string, op func(*pgx.Conn) error) error {
	return j.run(ctx, true, op)
}

func (j *joined) send(ctx context.Context, _ proof, sql string, args ...any) error {
	return j.run(ctx, true, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, sql, args...)
		return err
	})
}
