package pgvector

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/internal/engine"
)

// historySQL tells the history of a server's transactions: that of another server is
// another one, and that of a standby which took over has another timeline. It is asked
// where Citus is, whose rows do not tell who wrote them.
const historySQL = `SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system())::text || ' ' ||
	CASE WHEN pg_catalog.pg_is_in_recovery() THEN '' ELSE left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8) END`

// lookUpHistory reads the history. A server that does not tell it has none.
func (e *database) lookUpHistory(ctx context.Context) {
	_ = e.With(ctx, func(conn *pgx.Conn) error { return conn.QueryRow(ctx, historySQL).Scan(&e.history) })
}

// committedBefore reports whether the transaction was committed, of a server that has
// crashed since. Transactions that left no trace have lost their numbers to others, so
// that a number proves nothing. But what was committed before the crash was ours, and
// what was committed after it was not, if the history is the same: the times of commits
// tell, where the server keeps them.
//
// The server knows of its last crash alone, and may have had another before it, between
// which the number was another's. Ours was committed before this side found its connection
// broken. If that was after the server was last started, nothing tells how often it was.
func (c commit) committedBefore(ctx context.Context, conn *pgx.Conn) (bool, error) {
	unknown := func(why string) (bool, error) {
		return false, fmt.Errorf("%w: the server crashed meanwhile, or is another one%s", engine.ErrOutcomeUnknown, why)
	}
	if c.history == "" {
		return unknown("")
	}
	var history string
	if err := conn.QueryRow(ctx, historySQL).Scan(&history); err != nil {
		return false, err
	}
	if history != c.history {
		return unknown("")
	}
	var at *float64
	var started float64
	err := conn.QueryRow(ctx, `SELECT CASE WHEN current_setting('track_commit_timestamp')::bool THEN
		extract(epoch FROM pg_catalog.pg_xact_commit_timestamp($1::text::xid8::xid))::float8 END,
		extract(epoch FROM greatest(pg_catalog.pg_postmaster_start_time(), (SELECT stats_reset FROM pg_catalog.pg_stat_bgwriter)))::float8`,
		c.xid).Scan(&at, &started)
	if err != nil {
		return false, err
	}
	noticed := c.begun + c.noticed.Sub(c.asked).Seconds()
	switch {
	case at == nil:
		return unknown(", and its setting track_commit_timestamp is off, with which it would tell")
	case *at >= started, *at > noticed:
		return false, nil
	case noticed >= started:
		return unknown(", and was back before its client found out")
	}
	return true, nil
}
