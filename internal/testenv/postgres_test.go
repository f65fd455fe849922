package testenv

import (
	"context"
	"net"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// connect connects to the database for the length of the test.
func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// get returns the one value that the query gives.
func get[T any](t *testing.T, conn *pgx.Conn, query string, args ...any) T {
	t.Helper()
	var v T
	require.NoError(t, conn.QueryRow(t.Context(), query, args...).Scan(&v))
	return v
}

func run(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	_, err := conn.Exec(t.Context(), statement)
	require.NoError(t, err)
}

func TestPostgresBuildsAnHNSWIndex(t *testing.T) {
	conn := connect(t, Postgres(t))
	require.Zero(t, get[int](t, conn, "SELECT count(*) FROM pg_extension WHERE extname = 'vector'"), "the database is empty")
	run(t, conn, "CREATE EXTENSION vector")
	run(t, conn, "CREATE TABLE items (id int PRIMARY KEY, e vector(3))")
	run(t, conn, "INSERT INTO items SELECT i, ARRAY[i, 1, 0]::real[]::vector FROM generate_series(1, 500) i")
	run(t, conn, "CREATE INDEX items_e ON items USING hnsw (e vector_l2_ops)")
	run(t, conn, "SET enable_seqscan = off")
	require.Equal(t, 40, get[int](t, conn, "SELECT id FROM items ORDER BY e <-> '[40, 1, 0]' LIMIT 1"))
	rows, err := conn.Query(t.Context(), "EXPLAIN SELECT id FROM items ORDER BY e <-> '[40, 1, 0]' LIMIT 1")
	require.NoError(t, err)
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Contains(t, plan[1], "items_e")
}

func TestPostgresDropsTheDatabase(t *testing.T) {
	SharedPostgres(t)
	var first string
	t.Run("uses one", func(t *testing.T) {
		first = Postgres(t)
		run(t, connect(t, first), "CREATE TABLE items (id int)")
		require.NotEqual(t, first, Postgres(t), "each call gives another database")
	})
	_, err := pgx.Connect(t.Context(), first)
	var pgErr *pgconn.PgError
	require.ErrorAs(t, err, &pgErr)
	require.Equal(t, "3D000", pgErr.Code, "the database does not exist any more")
}

func TestPostgresRunsStatementsInANewDatabase(t *testing.T) {
	u := SharedPostgres(t).CreateDatabase(t, "CREATE SCHEMA ext", "CREATE EXTENSION vector SCHEMA ext")
	conn := connect(t, u)
	require.Equal(t, "[1,2]", get[string](t, conn, "SELECT '[1,2]'::ext.vector::text"))
	_, err := conn.Exec(t.Context(), "SELECT '[1,2]'::vector")
	require.Error(t, err, "the schema is not on the search path")
}

func TestPostgresRoleNeedsItsPasswordAndMayNothing(t *testing.T) {
	s := SharedPostgres(t)
	database := s.CreateDatabase(t, "CREATE TABLE items (id int)", "CREATE TABLE secrets (id int)")
	role := s.CreateRole(t, database, "GRANT SELECT ON items TO %s")
	conn := connect(t, role)
	require.Zero(t, get[int](t, conn, "SELECT count(*) FROM items"))
	_, err := conn.Exec(t.Context(), "SELECT * FROM secrets")
	var pgErr *pgconn.PgError
	require.ErrorAs(t, err, &pgErr)
	require.Equal(t, "42501", pgErr.Code)

	u, err := url.Parse(role)
	require.NoError(t, err)
	u.User = url.UserPassword(u.User.Username(), "wrong")
	_, err = pgx.Connect(t.Context(), u.String())
	require.ErrorAs(t, err, &pgErr)
	require.Equal(t, "28P01", pgErr.Code)
}

func TestPostgresTakesSettings(t *testing.T) {
	s := StartPostgres(t, Settings{"max_connections": "17"})
	require.Equal(t, "17", get[string](t, connect(t, s.URL("postgres")), "SHOW max_connections"))
	s.Restart(t, Settings{"max_connections": "18"})
	require.Equal(t, "18", get[string](t, connect(t, s.URL("postgres")), "SHOW max_connections"))
}

func TestPostgresKeepsItsDataOverStopAndKill(t *testing.T) {
	s := StartPostgres(t, nil)
	u := s.CreateDatabase(t, "CREATE TABLE items (id int)", "INSERT INTO items VALUES (7)")
	for name, end := range map[string]func(testing.TB){"stop": s.Stop, "kill": s.Kill} {
		t.Run(name, func(t *testing.T) {
			conn := connect(t, u)
			run(t, conn, "CHECKPOINT")
			end(t)
			require.Error(t, conn.Ping(t.Context()), "a session ends with the server")
			_, err := net.Dial("tcp", s.Addr())
			require.Error(t, err)
			s.Start(t)
			require.Equal(t, 7, get[int](t, connect(t, u), "SELECT id FROM items"))
		})
	}
}

func TestPostgresLeavesNothingBehindAfterKill(t *testing.T) {
	var path string
	t.Run("killed", func(t *testing.T) {
		s := StartPostgres(t, nil)
		path = s.dir.Path
		s.CreateDatabase(t)
		s.Kill(t)
	})
	require.NoDirExists(t, path)
	require.NoFileExists(t, path+".lock")
}

func TestPostgresTellsWhyItDoesNotStart(t *testing.T) {
	inst, err := installPostgres()
	if err != nil {
		unavailable(t, "private PostgreSQL", err, postgresRemedy)
	}
	_, err = inst.start(Settings{"max_connections": "many"})
	require.ErrorContains(t, err, `invalid value for parameter "max_connections": "many"`)
}

func TestPostgresTellsThatItsPortIsTaken(t *testing.T) {
	s := StartPostgres(t, nil)
	s.Stop(t)
	l, err := net.Listen("tcp", s.Addr())
	require.NoError(t, err)
	err = s.run(t.Context())
	require.Error(t, err)
	require.True(t, portTaken(err), err)
	require.NoError(t, l.Close())
	s.Start(t)
}

func TestPgBouncerPoolsTransactions(t *testing.T) {
	// Statements prepared by name do not outlive a transaction in PgBouncer 1.18.
	u := PgBouncer(t, Postgres(t), Settings{"default_pool_size": "1"}) + "&default_query_exec_mode=exec"
	first, second := connect(t, u), connect(t, u)
	require.Equal(t, get[int](t, first, "SELECT pg_backend_pid()"), get[int](t, second, "SELECT pg_backend_pid()"),
		"two clients share the one server connection")
	tx, err := first.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "CREATE TABLE items (id int)")
	require.NoError(t, err)
	require.NoError(t, tx.Commit(t.Context()))
	require.Zero(t, get[int](t, second, "SELECT count(*) FROM items"))
}

func TestPgBouncerChecksPasswords(t *testing.T) {
	u, err := url.Parse(PgBouncer(t, Postgres(t)))
	require.NoError(t, err)
	u.User = url.UserPassword(u.User.Username(), "wrong")
	_, err = pgx.Connect(t.Context(), u.String())
	require.Error(t, err)
}
