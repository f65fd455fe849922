package pgvector

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/testenv"
	"github.com/vecwire/vecwire/internal/wire"
	"github.com/vecwire/vecwire/internal/wire/wiretest"
)

// statements records what is sent.
type statements struct {
	mu  sync.Mutex
	all []string
}

func (s *statements) add(sql string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, sql)
}

// during returns what is sent while f runs.
func (s *statements) during(t *testing.T, f func() error) []string {
	t.Helper()
	s.mu.Lock()
	s.all = nil
	s.mu.Unlock()
	require.NoError(t, f())
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	s.add(d.SQL)
	return ctx
}
func (*statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (*statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}
func (s *statements) TraceBatchQuery(_ context.Context, _ *pgx.Conn, d pgx.TraceBatchQueryData) {
	s.add(d.SQL)
}
func (*statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}
func (s *statements) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceCopyFromStartData) context.Context {
	s.add("COPY " + strings.Join(d.TableName, "."))
	return ctx
}
func (*statements) TraceCopyFromEnd(context.Context, *pgx.Conn, pgx.TraceCopyFromEndData) {}

// TestCitusStatements says which statements differ by where a table is.
func TestCitusStatements(t *testing.T) {
	ctx := t.Context()
	var sent statements
	e := openDatabase(t, wire.Options{URL: testenv.Citus(t), Tracer: &sent})
	records := wiretest.Records("r", 200, 8, codec.FLOAT)
	near := engine.Search{Vector: records[7].Vector, K: 3, Effort: 77}

	local := create(t, e, engine.Schema{Name: "local", Dim: 8, Fields: wiretest.Buckets})
	spread := create(t, e, engine.Schema{Name: "spread", Dim: 8, Fields: wiretest.Buckets, FullText: engine.English, Distributed: engine.ByID})
	require.Equal(t, placement{}, local.place)
	require.Equal(t, placement{kind: shards, column: "id", shards: 3}, spread.place)
	opened, err := e.Open(ctx, "spread")
	require.NoError(t, err)
	require.Equal(t, spread.place, opened.(*collection).place)
	require.Equal(t, engine.ByID, opened.Schema().Distributed)

	for _, c := range []*collection{local, spread} {
		require.NoError(t, c.Insert(ctx, records))
		require.NoError(t, c.BuildIndex(ctx, engine.IndexPlan{}))
		_, err := c.usable(ctx)
		require.NoError(t, err)
	}
	remove := func(c *collection) []string {
		return sent.during(t, func() error { _, err := c.Delete(ctx, []string{"none"}); return err })
	}
	require.Contains(t, strings.Join(remove(local), ";"), "FOR UPDATE")
	require.NotContains(t, strings.Join(remove(spread), ";"), "FOR UPDATE")

	search := func(c *collection) []string {
		return sent.during(t, func() error {
			r, err := c.Search(ctx, []engine.Search{near})
			require.NoError(t, err)
			require.Equal(t, 77, r[0].Plan.Effort)
			require.Equal(t, "graph", r[0].Plan.Path)
			require.Equal(t, "r000007", r[0].Hits[0].ID)
			return nil
		})
	}
	require.Equal(t, "SELECT set_config('hnsw.ef_search', '77', true), set_config('hnsw.iterative_scan', 'relaxed_order', true)", search(local)[0])
	got := search(spread)
	require.Equal(t, []string{"BEGIN", "SET LOCAL citus.propagate_set_commands = 'local'", "SET LOCAL hnsw.ef_search = '77'", "SET LOCAL hnsw.iterative_scan = 'relaxed_order'"}, got[:4])
	require.Equal(t, "COMMIT", got[5])
	require.Len(t, got, 6)

	for k, want := range map[int]int{10: 50, 100: 108} { // of 100 and 216 on one server, and three shards
		r, err := spread.Search(ctx, []engine.Search{{Vector: near.Vector, K: k}})
		require.NoError(t, err)
		require.Equal(t, want, r[0].Plan.Effort)
	}

	// In a transaction there is no second BEGIN.
	require.NoError(t, e.Tx(ctx, func(ctx context.Context) error {
		got := sent.during(t, func() error { _, err := spread.Search(ctx, []engine.Search{near}); return err })
		require.Equal(t, "SET LOCAL citus.propagate_set_commands = 'local'", got[0])
		require.Len(t, got, 4)
		got = sent.during(t, func() error { return spread.Insert(ctx, wiretest.Records("tx", 1, 8, codec.FLOAT)) })
		require.Contains(t, strings.Join(got, ";"), "RETURNING 1", "no COPY into the table, whose errors have no code")
		return nil
	}))
	require.Contains(t, strings.Join(sent.during(t, func() error { return spread.Insert(ctx, wiretest.Records("n", 1, 8, codec.FLOAT)) }), ";"), "COPY "+spread.name)

	sql, _ := spread.textSQL(engine.TextSearch{Text: "word", K: 3}, "'word'", []string{"'word'"})
	require.NotContains(t, sql, "OFFSET 0")
	some := filter.Eq("bucket", int64(7))
	condition, _ := spread.where(some, "match", "word")
	sql, _ = spread.textSQL(engine.TextSearch{Text: "word", K: 3, Filter: some}, "'word'", []string{"'word'"})
	require.Equal(t, 2, strings.Count(sql, condition), "by which Citus knows for all parts of the statement which workers to ask: %s", sql)
	sql, _ = local.textSQL(engine.TextSearch{Text: "word", K: 3}, "'word'", []string{"'word'"})
	require.Contains(t, sql, "OFFSET 0")

	// A compressed index gives candidates, without a query within the query.
	require.NoError(t, spread.BuildIndex(ctx, engine.IndexPlan{Compress: engine.HalfPrecision}))
	found, err := spread.usable(ctx)
	index := found.whole
	require.NoError(t, err)
	sql, _ = spread.indexSQL(near, index)
	require.NotContains(t, sql, "FROM (SELECT")
	r, err := spread.Search(ctx, []engine.Search{near})
	require.NoError(t, err)
	require.Len(t, r[0].Hits, 3)
	require.Equal(t, "r000007", r[0].Hits[0].ID)

	indexes, err := spread.Indexes(ctx)
	require.NoError(t, err)
	require.Len(t, indexes, 1)
	require.Greater(t, indexes[0].Bytes, int64(16384), "of the shards")

	// What an index over some records is over is known to all servers.
	for _, c := range []*collection{local, spread} {
		said := strings.Join(sent.during(t, func() error { return c.BuildIndex(ctx, engine.IndexPlan{Where: some}) }), ";")
		require.Equal(t, c == spread, strings.Contains(said, "run_command_on_all_nodes"))
		indexes, err := c.Indexes(ctx)
		require.NoError(t, err)
		require.Len(t, indexes, 2)
		require.True(t, some.Equal(indexes[1].Where), "%v", indexes)
	}

	for _, p := range []engine.IndexPlan{{MemoryBytes: 1 << 20}, {Workers: 2}} {
		require.ErrorIs(t, spread.BuildIndex(ctx, p), engine.ErrUnsupported)
		require.NoError(t, local.BuildIndex(ctx, p))
	}
	require.False(t, e.Capabilities().Snapshots)
	require.False(t, e.Capabilities().Serializable)

	// The same ID is refused by its class, with COPY and without.
	require.ErrorIs(t, spread.Insert(ctx, records[:1]), engine.ErrExists)
	err = e.Tx(ctx, func(ctx context.Context) error { return spread.Insert(ctx, records[:1]) })
	require.ErrorIs(t, err, engine.ErrExists)
	n, err := spread.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, 202, n)
}

// TestCitusPlacements reads where tables are that others have made.
func TestCitusPlacements(t *testing.T) {
	ctx := t.Context()
	url := testenv.Citus(t)
	execute(t, url, "CREATE EXTENSION vector",
		"CREATE TABLE here (id text PRIMARY KEY, v vector(2))",
		"CREATE TABLE everywhere (id text PRIMARY KEY, v vector(2))", "SELECT create_reference_table('everywhere')",
		"CREATE TABLE spread (id bigint PRIMARY KEY, v vector(2))", "SELECT create_distributed_table('spread', 'id', shard_count => 4)")
	e := openDatabase(t, wire.Options{URL: url})
	for table, want := range map[string]placement{
		"here": {}, "everywhere": {kind: reference, shards: 1}, "spread": {kind: shards, column: "id", shards: 4},
	} {
		c, err := e.Attach(ctx, engine.Attach{Table: table})
		require.NoError(t, err)
		require.Equal(t, want, c.(*collection).place, table)
		require.NoError(t, c.Upsert(ctx, []engine.Record{{ID: "1", Vector: engine.Vector{F32: []float32{1, 2}}}, {ID: "2", Vector: engine.Vector{F32: []float32{2, 1}}}}))
		require.NoError(t, c.BuildIndex(ctx, engine.IndexPlan{}))
		r, err := c.Search(ctx, []engine.Search{{Vector: engine.Vector{F32: []float32{1, 2}}, K: 2}})
		require.NoError(t, err)
		require.Len(t, r[0].Hits, 2)
		require.Equal(t, "graph", r[0].Plan.Path, table)
		n, err := c.Delete(ctx, []string{"1", "3"})
		require.NoError(t, err)
		require.Equal(t, 1, n)
	}
}

// TestCitusErrors maps what a coordinator says about its workers. Messages and places
// are those of Citus 13.2.
func TestCitusErrors(t *testing.T) {
	d := &dialect{}
	s := &wire.Server{Dialect: d, Target: "postgres://c"}
	for _, tt := range []struct {
		err   pgconn.PgError
		again wire.Again
		says  string // in the remedy
	}{
		{pgconn.PgError{Code: "08006", Message: "connection to the remote node postgres@w:5432 failed with the following error: Connection refused", Routine: "ReportConnectionError"}, wire.Later, "a worker of Citus is away"},
		{pgconn.PgError{Code: "XX000", Message: "server closed the connection unexpectedly", Where: "while executing command on w:5432", Routine: "ReportResultError"}, wire.Later, "while executing command on w:5432"},
		{pgconn.PgError{Code: "58030", Message: "failed to COPY to shard 102008 on w:5432", Routine: "SendCopyDataToPlacement"}, wire.Later, "a worker"},
		{pgconn.PgError{Code: "XX000", Message: "failure on connection marked as essential: w:5432", Routine: "MarkRemoteTransactionFailed"}, wire.Later, "a worker"},
		{pgconn.PgError{Code: "XX000", Message: "duplicate key value violates unique constraint", Routine: "ReportCopyError"}, wire.Later, "a worker"},
		{pgconn.PgError{Code: "57P01", Message: "terminating connection due to administrator command", Routine: "ReportResultError"}, wire.Later, "try again later"},
		{pgconn.PgError{Code: "XX000", Message: "cannot colocate tables", Routine: "EnsureColocated"}, wire.Never, ""},
		{pgconn.PgError{Code: "23505", Message: "duplicate key", Routine: "ReportResultError"}, wire.Never, ""},
	} {
		tt.err.Severity = "ERROR"
		d.citus.Store(true)
		require.Equal(t, tt.again, d.Again(&tt.err), tt.err.Message)
		require.Contains(t, d.Remedy(&tt.err), tt.says)
		var away *engine.ConnectError
		if tt.says != "" {
			require.ErrorAs(t, s.Failure(&tt.err), &away)
			require.ErrorContains(t, away, tt.err.Message)
		}
		d.citus.Store(false)
		if tt.err.Code != "57P01" {
			require.Equal(t, wire.Never, d.Again(&tt.err), "not a word of it where there is no Citus")
		}
	}
	elsewhere := &pgconn.PgError{Severity: "ERROR", Code: "XX000", Message: "operation is not allowed on this node", Hint: "Connect to the coordinator and run it again.", Routine: "EnsureCoordinator"}
	require.NotErrorIs(t, s.Failure(elsewhere), engine.ErrUnsupported)
	d.citus.Store(true)
	require.ErrorIs(t, s.Failure(elsewhere), engine.ErrUnsupported)
	require.ErrorContains(t, s.Failure(elsewhere), "open the database at the coordinator's address")
	require.True(t, answered(&pgconn.PgError{Severity: "ERROR", Code: "XX000", Routine: "ReportResultError"}))
	require.False(t, answered(&pgconn.PgError{Severity: "ERROR", Code: "XX000", Routine: "ProcessWaitEvents"}), "the coordinator ends while it commits")
}

// TestCommittedBefore asks after a crash for a transaction whose rows are elsewhere.
func TestCommittedBefore(t *testing.T) {
	for _, kept := range []string{"on", "off"} {
		t.Run("track_commit_timestamp "+kept, func(t *testing.T) {
			ctx := t.Context()
			server := testenv.StartPostgres(t, testenv.Settings{"synchronous_commit": "on", "track_commit_timestamp": kept})
			url := server.CreateDatabase(t, "CREATE TABLE t (i int)", "CREATE TABLE pg_dist_partition ()")
			e := openDatabase(t, wire.Options{URL: url})
			require.NotEmpty(t, e.history)
			write := func() (c commit) {
				require.NoError(t, e.Write(ctx, func(conn *pgx.Conn) (err error) {
					if c, err = e.begin(ctx, conn, readCommitted); err != nil {
						return err
					}
					if _, err = conn.Exec(ctx, "INSERT INTO t VALUES (1)"); err != nil {
						return err
					}
					return end(ctx, conn)
				}))
				return c
			}
			before := write()
			server.Kill(t)
			before.lost()
			server.Start(t)
			after := before
			after.xid = write().xid // as a number that another has now
			elsewhere := before
			elsewhere.history = "1 00000001"
			require.NoError(t, e.Read(ctx, func(conn *pgx.Conn) error {
				_, err := elsewhere.outcome(ctx, conn, nil)
				require.ErrorIs(t, err, engine.ErrOutcomeUnknown)
				late := before
				late.lost()
				if kept == "on" {
					_, err = late.outcome(ctx, conn, nil)
					require.ErrorIs(t, err, engine.ErrOutcomeUnknown, "there may have been another crash, and another transaction of that number")
				}
				for c, want := range map[commit]bool{before: true, after: false} {
					got, err := c.outcome(ctx, conn, nil)
					if kept == "off" {
						require.ErrorIs(t, err, engine.ErrOutcomeUnknown)
						require.ErrorContains(t, err, "track_commit_timestamp")
						continue
					}
					require.NoError(t, err)
					require.Equal(t, want, got)
				}
				return nil
			}))
			if kept == "off" {
				return
			}
			server.Kill(t)
			server.Start(t)
			require.NoError(t, e.Read(ctx, func(conn *pgx.Conn) error {
				for c, want := range map[commit]bool{before: true, after: false} {
					got, err := c.outcome(ctx, conn, nil)
					if err != nil { // of a connection that the crash broke
						return err
					}
					require.Equal(t, want, got, "after a second crash")
				}
				return nil
			}))
		})
	}
}
