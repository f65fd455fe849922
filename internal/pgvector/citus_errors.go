package pgvector

import (
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// The functions of Citus that report an error of a worker without the code that the
// worker gave it. The protocol carries their names beside the message, which is for
// people and may be in their language.
var (
	// copyReports are about a COPY, whatever went wrong in it.
	copyReports = []string{"ReportCopyError"}
	// lostReports are about a connection to a worker that broke.
	lostReports = []string{"ReportResultError", "ReportConnectionError", "MarkRemoteTransactionFailed", "CheckRemoteTransactionsHealth"}
	// endReports come from a coordinator that ends while it waits for workers, so that
	// they say nothing about a commit.
	endReports = []string{
		"FinishConnectionIO", "WaitForAllConnections", "ProcessWaitEvents", "ProcessWaitEventsForSocketClosed",
		"FinishConnectionListEstablishment", "FetchRemoteIntermediateResult",
	}
	// elsewhereReports come from a worker about what the coordinator alone does, which is
	// to change definitions.
	elsewhereReports = []string{"EnsureCoordinator", "EnsurePropagationToCoordinator", "CreateTenantSchemaTable"}
)

// without reports whether an error has no code of its own and comes from one of these
// functions.
func without(pg *pgconn.PgError, reports []string) bool {
	return pg.Code == "XX000" && slices.Contains(reports, pg.Routine)
}

// isCopyError reports whether Citus says that a COPY failed, without saying of what kind
// that was.
func isCopyError(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && without(pg, copyReports)
}

// workerAway reports whether an error is that a worker of Citus could not be reached, or
// was lost, in which case the coordinator has undone the transaction.
func workerAway(pg *pgconn.PgError) bool {
	switch pg.Code {
	case "08000", "08001", "08003", "08004", "08006", "58030":
		return true
	}
	return without(pg, lostReports) || without(pg, copyReports) || without(pg, endReports)
}

// workerRemedy is what can be done about it. Some errors name the worker in their message
// and others in what they say about where they arose.
func workerRemedy(pg *pgconn.PgError) string {
	where := pg.Where[strings.LastIndexByte(pg.Where, '\n')+1:]
	if where != "" {
		where = " (" + where + ")"
	}
	return "a worker of Citus is away" + where + ": start it, or see pg_dist_node and citus_check_cluster_node_health() on the coordinator"
}
