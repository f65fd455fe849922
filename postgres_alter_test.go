package vecwire_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

// TestPostgresAlterLeftovers alters a table in which an alteration that was cut off
// has left columns and an index, which the registry does not know.
func TestPostgresAlterLeftovers(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := testenv.Postgres(t)
	db, err := vecwire.Open(ctx, url)
	require.NoError(t, err)
	defer db.Close()
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{{Name: "a"}, {Name: "b", Type: vecwire.Int}}})
	require.NoError(t, err)
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 1}, Fields: vecwire.Fields{"a": "x", "b": 2}}))
	for _, sql := range []string{
		`ALTER TABLE docs ADD COLUMN same bigint`, `ALTER TABLE docs ADD COLUMN other bytea`, `CREATE INDEX ON docs (b)`,
		`CREATE INDEX broken ON docs (same)`, `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass`,
	} {
		_, err := conn.Exec(ctx, sql)
		require.NoError(t, err, sql)
	}
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "2", Vector: []float32{1, 2}}), "nobody is kept from writing")
	require.NoError(t, db.AlterCollection(ctx, "docs", vecwire.Alter{
		AddFields: []vecwire.Field{{Name: "same", Type: vecwire.Int, Index: true}, {Name: "other", Index: true}},
		Indexed:   map[string]bool{"b": true}, RenameFields: map[string]string{"a": "title"},
	}))
	indexed := func() (columns []string) {
		rows, err := conn.Query(ctx, `SELECT a.attname::text FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
			WHERE x.indrelid = 'docs'::regclass AND x.indisvalid AND NOT x.indisprimary ORDER BY 1`)
		require.NoError(t, err)
		columns, err = pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		return columns
	}
	require.Equal(t, []string{"b", "other", "same"}, indexed())
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 1}, Fields: vecwire.Fields{"title": "x", "same": 3, "other": "y"}}))

	// Indexes go and come with what their columns are called now.
	require.NoError(t, db.AlterCollection(ctx, "docs", vecwire.Alter{
		RenameFields: map[string]string{"same": "b", "b": "same"}, AddFields: []vecwire.Field{{Name: "a", Index: true}}, Indexed: map[string]bool{"same": false, "title": true},
	}))
	require.Equal(t, []string{"a", "b", "other", "title"}, indexed())
	got, err := c.Get(ctx, "1")
	require.NoError(t, err)
	require.Equal(t, vecwire.Fields{"title": "x", "b": int64(3), "other": "y"}, got[0].Fields)
}

// TestPostgresAlterWaits alters a table that another session has locked for long:
// those who come later pass, and the alteration is done in the end.
func TestPostgresAlterWaits(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := testenv.Postgres(t)
	db, err := vecwire.Open(ctx, url)
	require.NoError(t, err)
	defer db.Close()
	elsewhere, err := vecwire.Open(ctx, url)
	require.NoError(t, err)
	defer elsewhere.Close()
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{{Name: "a"}}})
	require.NoError(t, err)
	other, err := elsewhere.OpenCollection(ctx, "docs")
	require.NoError(t, err)
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	tx, err := conn.Begin(ctx)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, `SELECT * FROM docs`)
	require.NoError(t, err)

	done := make(chan error, 1)
	go func() {
		done <- db.AlterCollection(ctx, "docs", vecwire.Alter{AddFields: []vecwire.Field{{Name: "b"}}, Rename: "papers"})
	}()
	var waits bool
	for !waits { // for the first time
		require.NoError(t, conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'docs'::regclass AND NOT granted)`).Scan(&waits))
	}
	for i := range 20 {
		require.NoError(t, other.Upsert(ctx, vecwire.Record{ID: fmt.Sprint(i), Vector: []float32{1, 1}}))
	}
	short, cancel := context.WithCancel(ctx)
	go cancel()
	require.Error(t, db.AlterCollection(short, "docs", vecwire.Alter{AddFields: []vecwire.Field{{Name: "c"}}}))
	require.NoError(t, tx.Rollback(ctx))
	require.NoError(t, <-done)
	require.Equal(t, "papers", c.Schema().Name)
	n, err := c.Count(ctx, filter.IsNull("b"))
	require.NoError(t, err)
	require.Equal(t, 20, n)

	// Who does not know of it goes on with the fields that are left, and is told of
	// those that are not.
	require.NoError(t, db.AlterCollection(ctx, "papers", vecwire.Alter{DropFields: []string{"a"}}))
	_, err = other.Get(ctx, "1")
	require.ErrorIs(t, err, vecwire.ErrAltered)
	again, err := elsewhere.OpenCollection(ctx, "papers")
	require.NoError(t, err)
	_, err = again.Get(ctx, "1")
	require.NoError(t, err)
}

// TestPgxTxAlter: a caller's transaction alters nothing, and what it has used is altered
// when it has ended, without keeping it waiting.
func TestPgxTxAlter(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := testenv.Postgres(t)
	db, err := vecwire.Open(ctx, url)
	require.NoError(t, err)
	defer db.Close()
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{{Name: "a"}}})
	require.NoError(t, err)
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	tx, err := conn.Begin(ctx)
	require.NoError(t, err)
	within := vecwire.WithPgxTx(ctx, tx)
	a := vecwire.Alter{RenameFields: map[string]string{"a": "b"}}
	require.ErrorContains(t, db.AlterCollection(within, "docs", a), "outside transactions")
	_, err = db.EnsureCollection(within, vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{{Name: "more"}}})
	require.ErrorContains(t, err, "outside transactions")

	record := func(id string) vecwire.Record {
		return vecwire.Record{ID: id, Vector: []float32{1, 2}, Fields: vecwire.Fields{"a": id}}
	}
	require.NoError(t, c.Upsert(within, record("1")))
	done := make(chan error, 1)
	go func() { done <- db.AlterCollection(ctx, "docs", a) }()
	watch, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer watch.Close(context.Background())
	var waits bool
	for !waits {
		require.NoError(t, watch.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'docs'::regclass AND NOT granted)`).Scan(&waits))
	}
	require.NoError(t, c.Upsert(within, record("2")))
	require.NoError(t, tx.Commit(ctx))
	require.NoError(t, <-done)
	got, err := c.Get(ctx, "1", "2")
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, vecwire.Fields{"b": "2"}, got[1].Fields)
}

// TestPostgresAlterPaths: indexes over paths are built beforehand, and one whose building
// was cut off is built again.
func TestPostgresAlterPaths(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := testenv.Postgres(t)
	db, err := vecwire.Open(ctx, url)
	require.NoError(t, err)
	defer db.Close()
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2})
	require.NoError(t, err)
	_, err = conn.Exec(ctx, `ALTER TABLE docs ADD COLUMN meta jsonb`)
	require.NoError(t, err)
	var name string
	require.NoError(t, conn.QueryRow(ctx, `SELECT 'vecwire_path_' || attrelid || '_' || attnum || '_' || left(md5('a.b'), 16)
		FROM pg_attribute WHERE attrelid = 'docs'::regclass AND attname = 'meta'`).Scan(&name))
	for _, sql := range []string{`CREATE INDEX ` + name + ` ON docs (id)`, `UPDATE pg_index SET indisvalid = false WHERE indexrelid = '` + name + `'::regclass`} {
		_, err := conn.Exec(ctx, sql)
		require.NoError(t, err)
	}
	require.NoError(t, db.AlterCollection(ctx, "docs", vecwire.Alter{
		AddFields: []vecwire.Field{{Name: "meta", Type: vecwire.JSON, Paths: []string{"a.b", "c"}}, {Name: "tags", Type: vecwire.Strings, Index: true}},
	}))
	rows, err := conn.Query(ctx, `SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'docs'::regclass AND indisvalid AND NOT indisprimary ORDER BY 1`)
	require.NoError(t, err)
	defs, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Len(t, defs, 5, "%q", defs) // a path has one over its numbers, too
	all := fmt.Sprint(defs)
	for _, part := range []string{`meta -> 'a'::text) -> 'b'::text`, `meta -> 'c'::text`, `USING gin (tags)`} {
		require.Contains(t, all, part)
	}
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 2}, Fields: vecwire.Fields{"meta": map[string]any{"c": 1}, "tags": []string{"x"}}}))
	var collation string
	require.NoError(t, conn.QueryRow(ctx, `SELECT collation_name FROM information_schema.columns WHERE table_name = 'docs' AND column_name = 'tags'`).Scan(&collation))
	require.Equal(t, "C", collation)
}
