package vecwire_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/testenv"
)

// bound is a collection of three records at most, and who writes to its table by SQL.
type bound struct {
	*testing.T
	url  string
	conn *pgx.Conn
	db   *vecwire.DB
	c    *vecwire.Collection
}

func newBound(t *testing.T) *bound {
	b := &bound{T: t, url: testenv.Postgres(t)}
	conn, err := pgx.Connect(t.Context(), b.url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	b.conn = conn
	b.db = b.open()
	b.c, err = b.db.CreateCollection(t.Context(), vecwire.Schema{Name: "cache", Dim: 2, MaxRecords: 3})
	require.NoError(t, err)
	b.upsert("a", "b", "c")
	return b
}

func (b *bound) open() *vecwire.DB {
	b.Helper()
	db, err := vecwire.Open(b.Context(), b.url)
	require.NoError(b, err)
	b.Cleanup(func() { _ = db.Close() })
	return db
}

// again has another process open the collection.
func (b *bound) again() {
	b.Helper()
	require.NoError(b, b.db.Close())
	b.db = b.open()
	var err error
	b.c, err = b.db.OpenCollection(b.Context(), "cache")
	require.NoError(b, err)
}

func (b *bound) upsert(ids ...string) {
	b.Helper()
	for _, id := range ids {
		require.NoError(b, b.c.Upsert(b.Context(), vecwire.Record{ID: id, Vector: []float32{1, 1}}))
	}
}

func (b *bound) exec(statements ...string) {
	b.Helper()
	for _, statement := range statements {
		_, err := b.conn.Exec(b.Context(), statement)
		require.NoError(b, err, statement)
	}
}

func (b *bound) one(sql string) (out string) {
	b.Helper()
	require.NoError(b, b.conn.QueryRow(b.Context(), sql).Scan(&out), sql)
	return out
}

// has expects the IDs, and that their number is kept.
func (b *bound) has(want string) {
	b.Helper()
	require.Equal(b, want, b.one(`SELECT coalesce(string_agg(id, ' ' ORDER BY id), '') FROM cache`))
	require.Equal(b, b.one(`SELECT count(*)::text FROM cache`), b.one(`SELECT records::text FROM vecwire_counts WHERE table_name = 'cache'`))
}

// TestPostgresMaxRecordsOfOthers has others write to the table by SQL: whatever they do,
// the number of records stays right.
func TestPostgresMaxRecordsOfOthers(t *testing.T) {
	t.Parallel()
	b := newBound(t)
	b.has("a b c")
	b.exec(`DELETE FROM cache WHERE id < 'c'`)
	b.has("c")
	b.upsert("d", "e", "f")
	b.has("d e f")
	b.exec(`TRUNCATE cache`)
	b.has("")
	b.exec(`INSERT INTO cache (id, vector) SELECT 'plain' || n, '[1,1]' FROM generate_series(1, 5) n`)
	b.upsert("g")
	b.has("g plain4 plain5")
	b.exec(`BEGIN`, `DELETE FROM cache`, `ROLLBACK`)
	b.exec(`INSERT INTO cache (id, vector) VALUES ('g', '[2,2]') ON CONFLICT (id) DO UPDATE SET vector = EXCLUDED.vector`)
	b.exec(`INSERT INTO cache (id, vector) VALUES ('g', '[2,2]') ON CONFLICT DO NOTHING`, `UPDATE cache SET text = 'x'`)
	b.upsert("h")
	b.has("h plain4 plain5")

	t.Log("as a role that may write to the table alone")
	b.exec(`CREATE ROLE k16_writer`, `GRANT INSERT, DELETE, SELECT ON cache TO k16_writer`, `SET ROLE k16_writer`)
	b.exec(`INSERT INTO cache (id, vector) VALUES ('role', '[1,1]')`, `RESET ROLE`)
	b.upsert("i")
	b.has("i plain5 role")
	b.exec(`DROP OWNED BY k16_writer`, `DROP ROLE k16_writer`)
}

// TestPostgresMaxRecordsOpened opens collections whose records nobody has counted, or
// counted wrongly.
func TestPostgresMaxRecordsOpened(t *testing.T) {
	t.Parallel()
	b := newBound(t)
	b.exec(`SET session_replication_role = replica`, `DELETE FROM cache WHERE id = 'a'`, `SET session_replication_role = origin`)
	b.again()
	b.has("b c")
	b.upsert("d")
	b.has("b c d")
	for _, lost := range []string{
		`DROP FUNCTION vecwire_count CASCADE; DROP TABLE vecwire_counts`, // as in a table of an earlier version
		`DROP TRIGGER vecwire_count_delete ON cache`,
		`ALTER TABLE cache DISABLE TRIGGER ALL`,
	} {
		b.exec(lost)
		b.exec(`DELETE FROM cache WHERE id = 'c'`, `INSERT INTO cache (id, vector) VALUES ('x', '[1,1]'), ('y', '[1,1]')`)
		b.again()
		b.upsert("c")
		b.has("b c d")
		b.upsert("d", "c", "b")
	}
	none, two := 0, 2
	require.NoError(t, b.db.AlterCollection(t.Context(), "cache", vecwire.Alter{MaxRecords: &none}))
	b.upsert("e", "f")
	require.Equal(t, "0", b.one(`SELECT (SELECT count(*) FROM vecwire_counts) + (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'cache'::regclass) || ''`))
	require.NoError(t, b.db.AlterCollection(t.Context(), "cache", vecwire.Alter{MaxRecords: &two}))
	b.has("e f")
	require.NoError(t, b.db.DropCollection(t.Context(), "cache"))
	require.Equal(t, "0", b.one(`SELECT count(*)::text FROM vecwire_counts`))
}

// TestPostgresMaxRecordsWithoutTriggers counts where the role may make none.
func TestPostgresMaxRecordsWithoutTriggers(t *testing.T) {
	t.Parallel()
	b := newBound(t)
	b.exec(`DROP FUNCTION vecwire_count CASCADE`, `DROP TABLE vecwire_counts`)

	b.exec(`BEGIN`, `LOCK TABLE cache IN ROW EXCLUSIVE MODE`) // which no trigger can be made beside
	b.again()
	b.exec(`ROLLBACK`)
	b.upsert("d")
	require.Equal(t, "b c d", b.one(`SELECT string_agg(id, ' ' ORDER BY id) FROM cache`))
	b.again()
	b.has("b c d")
}
