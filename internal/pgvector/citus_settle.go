package pgvector

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A transaction on several workers is prepared on all of them, then committed on the
// coordinator, and then on each of them. If a server ends in between, a worker hears of
// the commit when the coordinator is asked to see after it, which Citus does once a minute.
// Until then the worker shows nothing of what was stored, a DELETE does not find it, and
// the rows stay locked. So a call that stored something in this way makes up for it
// before it returns.

const (
	unsettledMark = "vecwire.unsettled" // in the data of a connection
	// settleFor is longer than Citus takes to see after it by itself, which is what remains
	// where the role may not.
	settleFor = 75 * time.Second
)

// unsettledReports are the functions of Citus that warn of a worker which could not be
// told how a transaction ended.
var unsettledReports = []string{"FinishRemoteTransactionCommit", "ReportConnectionError", "ReportResultError"}

// noteUnsettled marks a connection whose server warns so.
func noteUnsettled(conn *pgconn.PgConn, n *pgconn.Notice) {
	if slices.Contains(unsettledReports, n.Routine) {
		conn.CustomData()[unsettledMark] = true
	}
}

// unsettled are the processes of the coordinator whose transactions may be prepared on a
// worker, and neither committed nor undone there.
type unsettled []string

// heed adds the process of a transaction if its server has warned, or is lost.
func (u *unsettled) heed(e *database, conn *pgx.Conn, c *commit, lost bool) {
	if !e.citus.Load() || c.process == "" {
		return
	}
	data := conn.PgConn().CustomData()
	if data[unsettledMark] != nil || lost {
		*u = append(*u, c.process)
	}
	delete(data, unsettledMark)
}

// settleSQL has Citus see after what is prepared and, as a role that is no superuser may
// not, it may fail. preparedSQL reports whether nothing is left on any worker.
const (
	settleSQL   = "SELECT recover_prepared_transactions()"
	preparedSQL = `SELECT coalesce(bool_and(success), true) AND coalesce(sum(CASE WHEN success THEN result::int8 END), 0) = 0 FROM run_command_on_workers($1::text)`
	onWorkers   = `SELECT count(*) FROM pg_catalog.pg_prepared_xacts WHERE database = current_database() AND gid ~ '^citus_[0-9]+_(%s)_'`
)

// sweep sees once after what an earlier run of a call has left, whose locks the next one
// would wait for.
func (u *unsettled) sweep(ctx context.Context, conn *pgx.Conn) {
	if len(*u) > 0 {
		_, _ = conn.Exec(ctx, settleSQL)
	}
}

// settle waits until all workers know how the transactions ended. The one that counts is
// committed, so nothing that happens here is an error of the call.
func (u *unsettled) settle(ctx context.Context, e *database, conn *pgx.Conn) {
	if len(*u) == 0 {
		return
	}
	begin := time.Now()
	for pause := outcomePause; ; pause = min(2*pause, time.Second) {
		u.sweep(ctx, conn)
		var done bool
		err := conn.QueryRow(ctx, preparedSQL, fmt.Sprintf(onWorkers, strings.Join(*u, "|"))).Scan(&done)
		if done {
			return
		}
		if conn.IsClosed() || ctx.Err() != nil || time.Since(begin) > settleFor {
			e.Log.WarnContext(ctx, "what was stored is not to be seen on every worker of Citus yet: Citus sees to that within citus.recover_2pc_interval, once the worker is there", "server", e.Target, "err", err)
			return
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
}
