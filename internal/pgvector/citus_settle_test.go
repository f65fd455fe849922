package pgvector

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/testenv"
	"github.com/vecwire/vecwire/internal/wire"
)

// TestCitusSettle has a worker that is not told of a commit until the coordinator has been
// asked twice to see to it.
func TestCitusSettle(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	server := testenv.StartPostgres(t, testenv.Settings{"max_prepared_transactions": "5"})
	url := server.CreateDatabase(t, "CREATE TABLE t (i int)", "CREATE TABLE pg_dist_partition ()", "CREATE SEQUENCE asked",
		`CREATE FUNCTION recover_prepared_transactions() RETURNS int LANGUAGE sql AS $$SELECT nextval('asked')::int$$`,
		`CREATE FUNCTION run_command_on_workers(command text, OUT success boolean, OUT result text) RETURNS SETOF record LANGUAGE plpgsql AS $$
		BEGIN
			EXECUTE command INTO result;
			RETURN QUERY SELECT true, result;
			RETURN QUERY SELECT true, '0';
		END$$`)
	e := openDatabase(t, wire.Options{URL: url})
	connect := func() *pgx.Conn {
		conn, err := pgx.Connect(ctx, url)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(ctx)) })
		return conn
	}
	worker, watcher := connect(), connect()
	asked := func() (n int) {
		require.NoError(t, watcher.QueryRow(ctx, "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM asked").Scan(&n))
		return n
	}
	warned := false
	done := make(chan error, 1)
	go func() {
		done <- e.commit(ctx, nil, e.plainly, func(conn *pgx.Conn, pending func(bool)) error {
			if !warned {
				warned = true
				var process string
				if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()::text").Scan(&process); err != nil {
					return err
				}
				for _, sql := range []string{"BEGIN", "INSERT INTO t VALUES (1)", "PREPARE TRANSACTION 'citus_0_" + process + "_7_1'"} {
					if _, err := worker.Exec(ctx, sql); err != nil {
						return err
					}
				}
				conn.Config().OnNotice(conn.PgConn(), &pgconn.Notice{Severity: "WARNING", Routine: "FinishRemoteTransactionCommit"})
			}
			pending(true)
			return end(ctx, conn)
		})
	}()
	require.Eventually(t, func() bool { return asked() >= 2 }, time.Minute, time.Millisecond)
	require.Empty(t, done)
	var name string
	require.NoError(t, worker.QueryRow(ctx, "SELECT gid FROM pg_prepared_xacts").Scan(&name))
	_, err := worker.Exec(ctx, "COMMIT PREPARED '"+name+"'")
	require.NoError(t, err)
	require.NoError(t, <-done)

	before := asked()
	require.NoError(t, e.commit(ctx, nil, e.plainly, func(conn *pgx.Conn, pending func(bool)) error { return end(ctx, conn) }))
	require.Equal(t, before, asked(), "asked without a reason")
}
