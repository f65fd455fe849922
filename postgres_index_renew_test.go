package vecwire_test

import (
	"net/url"
	"os"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

// TestPostgresIndexRenewal: a collection whose indexes an earlier version made answers as
// ever, and EnsureCollection and AlterCollection bring the indexes up to date.
func TestPostgresIndexRenewal(t *testing.T) {
	ctx := t.Context()
	target := testenv.Postgres(t)
	open := func() *vecwire.DB {
		db, err := vecwire.Open(ctx, target)
		require.NoError(t, err)
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	conn, err := pgx.Connect(ctx, target)
	require.NoError(t, err)
	defer conn.Close(ctx)
	schema := vecwire.Schema{Name: "docs", Dim: 2, FullText: vecwire.Words, Fields: []vecwire.Field{
		{Name: "tags", Type: vecwire.Strings, Index: true}, {Name: "years", Type: vecwire.Ints, Index: true}, {Name: "meta", Type: vecwire.JSON, Paths: []string{"n", "a.b"}}}}
	indexes := func() (bounded, numbers int) {
		require.NoError(t, conn.QueryRow(ctx, `SELECT count(*) FILTER (WHERE c.reloptions = CASE WHEN c.relname LIKE '%words%' THEN '{gin_pending_list_limit=256}'::text[] ELSE '{gin_pending_list_limit=64}' END),
			count(*) FILTER (WHERE pg_get_indexdef(c.oid) LIKE '%::numeric%' AND x.indisvalid)
			FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid WHERE x.indrelid = 'docs'::regclass`).Scan(&bounded, &numbers))
		return bounded, numbers
	}
	// earlier makes of the indexes what earlier versions made. The one over the years was
	// given a bound of its own since.
	earlier := func() {
		rows, err := conn.Query(ctx, `SELECT CASE WHEN m.amname = 'gin' THEN 'ALTER INDEX ' || c.relname || ' RESET (gin_pending_list_limit)' ELSE 'DROP INDEX ' || c.relname END
			FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_am m ON m.oid = c.relam
			WHERE x.indrelid = 'docs'::regclass AND (m.amname = 'gin' OR pg_get_indexdef(c.oid) LIKE '%::numeric%')`)
		require.NoError(t, err)
		statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		require.Len(t, statements, 5)
		for _, s := range append(statements, "ALTER INDEX docs_years_idx SET (gin_pending_list_limit = 128)", "UPDATE vecwire_collections SET spec = spec - 'indexes'") {
			_, err := conn.Exec(ctx, s)
			require.NoError(t, err, s)
		}
		bounded, numbers := indexes()
		require.Zero(t, bounded)
		require.Zero(t, numbers)
	}
	docs, err := open().CreateCollection(ctx, schema)
	require.NoError(t, err)
	bounded, numbers := indexes()
	require.Equal(t, 3, bounded)
	require.Equal(t, 2, numbers)
	values := []any{3, 5.5, "4", true, nil, []int{4}, map[string]any{"b": 4}, -1}
	for i, v := range values {
		require.NoError(t, docs.Upsert(ctx, vecwire.Record{ID: string(rune('a' + i)), Vector: []float32{1, 2}, Text: "some words",
			Fields: vecwire.Fields{"meta": map[string]any{"n": v, "a": map[string]any{"b": v}}, "tags": []string{"x"}}}))
	}
	answers := func(c *vecwire.Collection) {
		t.Helper()
		for f, want := range map[string]int{
			"meta.n > 3": 1, "meta.n >= 3": 2, "meta.a.b < 5.5": 2, "meta.n <= 5.50": 3, "between(meta.a.b, -1, 3.0)": 2, "!(meta.n > 3)": 2, `meta.n > "3"`: 1,
			"meta.n == 3.0": 1, `in(meta.n, 3, "4", true)`: 3, `containsAny(tags, "x")`: 8, `words(text, "words")`: 8,
		} {
			parsed, err := filter.Parse(f)
			require.NoError(t, err)
			n, err := c.Count(ctx, parsed)
			require.NoError(t, err)
			require.Equal(t, want, n, f)
		}
	}
	answers(docs)
	for name, renew := range map[string]func(db *vecwire.DB) error{
		"ensure": func(db *vecwire.DB) error { _, err := db.EnsureCollection(ctx, schema); return err },
		"alter": func(db *vecwire.DB) error {
			return db.AlterCollection(ctx, "docs", vecwire.Alter{Indexed: map[string]bool{"tags": true}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			earlier()
			db, other := open(), open()
			was, err := other.OpenCollection(ctx, "docs")
			require.NoError(t, err)
			answers(was)
			require.NoError(t, renew(db))
			bounded, numbers := indexes()
			require.Equal(t, 2, bounded)
			require.Equal(t, 2, numbers)
			is, err := db.OpenCollection(ctx, "docs")
			require.NoError(t, err)
			answers(is)
			answers(was)
			require.NoError(t, renew(db), "there is nothing to do any more")
		})
	}
	// One who does not own the table goes on with what is there.
	earlier()
	role := "renew_" + strconv.Itoa(os.Getpid())
	for _, statement := range []string{"CREATE ROLE " + role, "GRANT SELECT, INSERT, UPDATE ON docs, vecwire_collections TO " + role} {
		_, err = conn.Exec(ctx, statement)
		require.NoError(t, err)
	}
	defer func() { _, _ = conn.Exec(ctx, "DROP OWNED BY "+role+"; DROP ROLE "+role) }()
	as, err := url.Parse(target)
	require.NoError(t, err)
	q := as.Query()
	q.Set("role", role)
	as.RawQuery = q.Encode()
	guest, err := vecwire.Open(ctx, as.String())
	require.NoError(t, err)
	defer guest.Close()
	is, err := guest.EnsureCollection(ctx, schema)
	require.NoError(t, err)
	answers(is)
	bounded, _ = indexes()
	require.Zero(t, bounded)
}
