package pgvector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// The levels of isolation that transactions have, whatever the database's default is.
const (
	readCommitted = "READ COMMITTED"
	serializable  = "SERIALIZABLE"
)

// commit is a transaction whose connection may break while it commits. Whether it
// did is asked of the server before anything is run again: to run a write again
// that was done would overwrite what others wrote since, and miscount.
type commit struct {
	xid     string
	epoch   string
	history string // of the server, "" where nothing needs it; see historySQL
	process string // of the server's that runs it
	// begun is when it began by the server's clock, in seconds, and asked when this side
	// asked for that; noticed is when its connection was found to be broken.
	begun          float64
	asked, noticed time.Time
}

// lost notes that the connection broke.
func (c *commit) lost() { c.noticed = time.Now() }

// epochSQL changes when the server has crashed and recovered, which resets its
// statistics, or is another one. Numbers of transactions that left no trace then
// belong to others.
const epochSQL = `extract(epoch FROM pg_catalog.pg_postmaster_start_time())::text || ' ' ||
	coalesce((SELECT extract(epoch FROM stats_reset) FROM pg_catalog.pg_stat_bgwriter)::text, '')`

// A proof reports whether a transaction of that number wrote what is there. It is
// asked after a crash, when the number alone proves nothing.
type proof func(ctx context.Context, conn *pgx.Conn, xid string) (bool, error)

// begin begins a transaction, in one round trip. first are statements that come before
// any that sees the database.
func (e *database) begin(ctx context.Context, conn *pgx.Conn, level string, first ...string) (c commit, err error) {
	var batch pgx.Batch
	before := append([]string{"BEGIN ISOLATION LEVEL " + level + " NOT DEFERRABLE"}, first...)
	if e.local != "" {
		before = append(before, e.local)
	}
	for _, sql := range before {
		batch.Queue(sql)
	}
	batch.Queue("SELECT pg_catalog.pg_current_xact_id()::text, pg_catalog.pg_backend_pid()::text, extract(epoch FROM pg_catalog.clock_timestamp())::float8, " + epochSQL)
	c.asked = time.Now()
	results := conn.SendBatch(ctx, &batch)
	for range before {
		if _, err = results.Exec(); err != nil {
			break
		}
	}
	if err == nil {
		c.history = e.history
		err = results.QueryRow().Scan(&c.xid, &c.process, &c.begun, &c.epoch)
	}
	return c, cmp.Or(err, results.Close())
}

// notAsked is why a commit failed for which the server was not asked.
type notAsked struct{ error }

func (e *notAsked) Unwrap() error { return e.error }

// end commits.
func end(ctx context.Context, conn *pgx.Conn) error {
	if err := ctx.Err(); err != nil {
		return &notAsked{err}
	}
	tag, err := conn.Exec(ctx, "COMMIT")
	return cmp.Or(err, committed(tag))
}

// committed tells a COMMIT of a transaction that had failed, which the server
// answers with a ROLLBACK.
func committed(tag pgconn.CommandTag) error {
	if tag.String() == "ROLLBACK" {
		return pgx.ErrTxCommitRollback
	}
	return nil
}

// undo ends a transaction that failed. If it cannot, the pool drops the connection
// because of its open transaction.
func undo(ctx context.Context, conn *pgx.Conn) {
	if !conn.IsClosed() {
		_, _ = conn.Exec(context.WithoutCancel(ctx), "ROLLBACK")
	}
}

// answered reports whether a commit is known to have failed: the server says so itself,
// or was not asked. What it says while it ends the connection may come after a commit
// that succeeded. [pgconn.SafeToRetry] is no help: it is true also of an answer that could
// not be read.
func answered(err error) bool {
	if _, ok := errors.AsType[*notAsked](err); ok {
		return true
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && cmp.Or(pg.SeverityUnlocalized, pg.Severity) == "ERROR" && !without(pg, endReports) || errors.Is(err, pgx.ErrTxCommitRollback)
}

// A lost transaction ends when the server notices that its client is gone. It is
// waited for with these pauses, for so long.
const (
	outcomePause = 50 * time.Millisecond
	outcomeFor   = 20 * time.Second
)

// outcome reports whether a transaction was committed, and waits for it if the
// server has not yet noticed that its client is gone.
func (c commit) outcome(ctx context.Context, conn *pgx.Conn, p proof) (bool, error) {
	for begin := time.Now(); ; {
		var status *string
		var epoch string
		err := conn.QueryRow(ctx, "SELECT pg_catalog.pg_xact_status($1::text::xid8), "+epochSQL, c.xid).Scan(&status, &epoch)
		switch {
		case isCode(err, "22023"): // a number that is not given out yet
			return false, nil
		case err != nil:
			return false, err
		case status == nil:
			return false, fmt.Errorf("%w: the server has forgotten the transaction %s", engine.ErrOutcomeUnknown, c.xid)
		case *status == "aborted":
			return false, nil
		case *status == "committed" && epoch == c.epoch:
			return true, nil
		case *status == "committed" && p != nil:
			return p(ctx, conn, c.xid)
		case *status == "committed":
			return c.committedBefore(ctx, conn)
		case time.Since(begin) > outcomeFor:
			return false, fmt.Errorf("%w: the transaction goes on in the server without its client", engine.ErrOutcomeUnknown)
		}
		timer := time.NewTimer(outcomePause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false, ctx.Err()
		case <-timer.C:
		}
	}
}

// A runner runs operations on a connection: of the pool, or a transaction's. An
// operation may be run more than once and must give the same result then.
type runner interface {
	// Read runs an operation that changes nothing.
	Read(ctx context.Context, op func(*pgx.Conn) error) error
	// change runs an operation in a transaction, which is committed if it returns nil.
	change(ctx context.Context, p proof, op func(*pgx.Conn) error) error
	// whole is change for an operation on a table that chooses what it changes by what
	// it sees, which is one state of the database.
	whole(ctx context.Context, table string, op func(*pgx.Conn) error) error
	// send is change for a statement whose answer is not needed.
	send(ctx context.Context, p proof, sql string, args ...any) error
	// Width says how many operations may usefully be run at the same time.
	Width() int
}

func (e *database) change(ctx context.Context, p proof, op func(*pgx.Conn) error) error {
	return e.commit(ctx, p, e.plainly, ending(ctx, op))
}

// ending is op, and COMMIT after it.
func ending(ctx context.Context, op func(*pgx.Conn) error) func(*pgx.Conn, func(bool)) error {
	return func(conn *pgx.Conn, pending func(bool)) error {
		if err := op(conn); err != nil {
			return err
		}
		pending(true)
		return end(ctx, conn)
	}
}

// plainly begins a transaction whose statements see, each, what is committed.
func (e *database) plainly(ctx context.Context, conn *pgx.Conn) (commit, error) {
	return e.begin(ctx, conn, readCommitted)
}

// send needs two round trips, where change needs three: COMMIT follows the
// statement without waiting for its answer, and is skipped if the statement fails.
func (e *database) send(ctx context.Context, p proof, sql string, args ...any) error {
	return e.commit(ctx, p, e.plainly, func(conn *pgx.Conn, pending func(bool)) error {
		var batch pgx.Batch
		batch.Queue(sql, args...)
		batch.Queue("COMMIT")
		pending(true)
		results := conn.SendBatch(ctx, &batch)
		_, err := results.Exec()
		if err == nil {
			var tag pgconn.CommandTag
			if tag, err = results.Exec(); err == nil {
				err = committed(tag)
			}
		}
		return cmp.Or(err, results.Close())
	})
}

// commit runs op in transactions until one is known to be committed. op says when
// its transaction may be.
func (e *database) commit(ctx context.Context, p proof, begin func(context.Context, *pgx.Conn) (commit, error), op func(conn *pgx.Conn, pending func(bool)) error) error {
	var lost *commit // a transaction that may have been committed
	var open unsettled
	err := e.Write(ctx, func(conn *pgx.Conn) error {
		if lost != nil {
			done, err := lost.outcome(ctx, conn, p)
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
		open.sweep(ctx, conn)
		c, err := begin(ctx, conn)
		if err == nil {
			err = op(conn, func(is bool) {
				if is {
					lost = &c
				}
			})
		}
		switch {
		case err == nil || answered(err):
			lost = nil
		case lost != nil:
			lost.lost()
		}
		if err != nil {
			undo(ctx, conn)
		}
		open.heed(e, conn, &c, false)
		if err == nil {
			open.settle(ctx, e, conn)
		}
		return err
	})
	return unknown(err, lost)
}

// unknown returns the error of an operation whose transaction may be committed.
func unknown(err error, lost *commit) error {
	if err == nil || lost == nil || errors.Is(err, engine.ErrOutcomeUnknown) {
		return err
	}
	return fmt.Errorf("%w: %w", engine.ErrOutcomeUnknown, err)
}

// storedBy is a proof for a transaction that wrote records: after it, one of them
// bears its number.
func (c *collection) storedBy(ids []string) proof {
	if c.view {
		return nil
	}
	if c.place.remote() { // whose rows bear the numbers of transactions of the workers
		return nil
	}
	return func(ctx context.Context, conn *pgx.Conn, xid string) (stored bool, err error) {
		err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+c.name+" WHERE "+c.ids(1)+" AND xmin = $2::text::xid8::xid)", ids, xid).Scan(&stored)
		return stored, err
	}
}

var _ runner = (*database)(nil)
var _ wire.Dialect = (*dialect)(nil)
