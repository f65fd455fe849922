package vecwire_test

import (
	"encoding/json"
	"iter"
	"log/slog"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

// TestPostgresAttachLists attaches a table with arrays, some of which no list can be.
func TestPostgresAttachLists(t *testing.T) {
	target := testenv.Postgres(t)
	run(t, target, `CREATE EXTENSION vector`,
		`CREATE TABLE notes (id text PRIMARY KEY, tags text[], names varchar(20)[], years int4[], small int2[], big int8[], price float8[], half float4[], v vector(2))`,
		`INSERT INTO notes VALUES ('1', '{go,"a,b",""}', '{x}', '{2020,-1}', '{3}', '{9007199254740993}', '{0.1}', '{0.5}', '[1,0]'),
			('2', '{}', NULL, '{}', '{}', '{}', '{}', '{}', '[1,0]'), ('3', '{a,NULL}', '{{a,b},{c,d}}', '{NULL}', NULL, NULL, NULL, NULL, '[1,0]')`,
		`CREATE INDEX ON notes USING gin (tags)`)
	var logged strings.Builder
	db, err := vecwire.Config{Logger: slog.New(slog.NewTextHandler(&logged, nil))}.Open(t.Context(), target)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	ctx := t.Context()
	c, err := db.AttachCollection(ctx, vecwire.AttachOptions{Table: "notes"})
	require.NoError(t, err)
	require.Equal(t, []vecwire.Field{
		{Name: "tags", Type: vecwire.Strings}, {Name: "names", Type: vecwire.Strings}, {Name: "years", Type: vecwire.Ints}, {Name: "small", Type: vecwire.Ints},
		{Name: "big", Type: vecwire.Ints}, {Name: "price", Type: vecwire.Floats}, {Name: "half", Type: vecwire.Floats},
	}, c.Schema().Fields)

	want := vecwire.Fields{
		"tags": []string{"go", "a,b", ""}, "names": []string{"x"}, "years": []int64{2020, -1}, "small": []int64{3}, "big": []int64{9007199254740993},
		"price": []float64{0.1}, "half": []float64{0.5},
	}
	got, err := c.Get(ctx, "1", "2", "3")
	require.NoError(t, err)
	require.Equal(t, want, got[0].Fields)
	require.Equal(t, vecwire.Fields{
		"tags": []string{}, "years": []int64{}, "small": []int64{}, "big": []int64{}, "price": []float64{}, "half": []float64{},
	}, got[1].Fields)
	require.Empty(t, got[2].Fields, "what no list can hold is read as missing")
	require.Contains(t, logged.String(), "NULL among its elements")

	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "4", Vector: []float32{0, 1}, Fields: want}))
	require.NoError(t, c.Insert(ctx, vecwire.Record{ID: "5", Vector: []float32{0, 1}, Fields: want}))
	got, err = c.Get(ctx, "4", "5")
	require.NoError(t, err)
	require.Equal(t, want, got[0].Fields)
	require.Equal(t, want, got[1].Fields)
	for text, n := range map[string]int{
		`containsAny(tags, "go", "zig")`: 3, `containsAll(names, "x")`: 3, `containsAny(years, 2020, 9223372036854775807)`: 3, `containsAny(small, 3)`: 3,
		`big == list(9007199254740993)`: 3, `containsAny(big, 9007199254740992)`: 0, `price == list(0.1)`: 3, `half == list(0.5)`: 3, `years == list()`: 1, `names == nil`: 1,
	} {
		f, err := filter.Parse(text)
		require.NoError(t, err)
		got, err := c.Count(ctx, f)
		require.NoError(t, err, text)
		require.Equal(t, n, got, text)
	}
	require.Error(t, c.Upsert(ctx, vecwire.Record{ID: "6", Vector: []float32{0, 1}, Fields: vecwire.Fields{"small": []int{100_000}}}), "more than a smallint")
}

// TestPostgresAttachJSON attaches columns of both of the server's types, in which
// others have put what no record of ours would have.
func TestPostgresAttachJSON(t *testing.T) {
	target := testenv.Postgres(t)
	run(t, target, `CREATE EXTENSION vector`, `CREATE TABLE posts (id text PRIMARY KEY, b jsonb, j json, v vector(2))`,
		`INSERT INTO posts VALUES ('1', '{"a": {"n": 9007199254740993}}', '{"a": {"n": 1e2}, "a" : {"n": 7}}', '[1,0]'), ('2', '"text"', 'null', '[1,0]'), ('3', NULL, NULL, '[1,0]')`)
	db := openURL(t, target)
	ctx := t.Context()
	c, err := db.AttachCollection(ctx, vecwire.AttachOptions{Table: "posts"})
	require.NoError(t, err)
	require.Equal(t, []vecwire.Field{{Name: "b", Type: vecwire.JSON}, {Name: "j", Type: vecwire.JSON}}, c.Schema().Fields)
	got, err := c.Get(ctx, "1", "2", "3")
	require.NoError(t, err)
	require.Equal(t, map[string]any{"a": map[string]any{"n": json.Number("9007199254740993")}}, got[0].Fields["b"])
	require.Equal(t, map[string]any{"a": map[string]any{"n": json.Number("7")}}, got[0].Fields["j"])
	require.Equal(t, vecwire.Fields{"b": "text"}, got[1].Fields)
	require.Empty(t, got[2].Fields)

	fields := vecwire.Fields{"b": map[string]any{"x": []any{json.Number("1.50"), nil}}, "j": []any{"a"}}
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "4", Vector: []float32{0, 1}, Fields: fields}))
	require.NoError(t, c.Insert(ctx, vecwire.Record{ID: "5", Vector: []float32{0, 1}, Fields: fields}))
	got, err = c.Get(ctx, "4", "5")
	require.NoError(t, err)
	require.Equal(t, fields, got[0].Fields)
	require.Equal(t, fields, got[1].Fields)
	report, err := c.Ingest(ctx, all(got), vecwire.IngestOptions{})
	require.NoError(t, err)
	require.EqualValues(t, 2, report.Unchanged)
	for text, n := range map[string]int{`b.a.n == 9007199254740993`: 1, `b.a.n == 9007199254740992`: 0, `j.a.n > 6`: 1, `containsAny(j, "a")`: 2, `containsAll(b.x, 1.5)`: 2, `b == "text"`: 1, `j == nil`: 2} {
		f, err := filter.Parse(text)
		require.NoError(t, err)
		got, err := c.Count(ctx, f)
		require.NoError(t, err, text)
		require.Equal(t, n, got, text)
	}
}

func all(records []vecwire.Record) iter.Seq2[vecwire.Record, error] {
	return func(yield func(vecwire.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// TestPostgresListIndexes: what is written to an index over lists is not kept aside
// for long, whether the index came with the collection or later.
func TestPostgresListIndexes(t *testing.T) {
	target := testenv.Postgres(t)
	db, err := vecwire.Open(t.Context(), target)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	_, err = db.CreateCollection(t.Context(), vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{
		{Name: "tags", Type: vecwire.Strings, Index: true}, {Name: "years", Type: vecwire.Ints}}})
	require.NoError(t, err)
	require.NoError(t, db.AlterCollection(t.Context(), "docs", vecwire.Alter{
		Indexed: map[string]bool{"years": true}, AddFields: []vecwire.Field{{Name: "prices", Type: vecwire.Floats, Index: true}}}))
	conn, err := pgx.Connect(t.Context(), target)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	var n int
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
		WHERE x.indrelid = 'docs'::regclass AND c.reloptions = '{gin_pending_list_limit=64}'`).Scan(&n))
	require.Equal(t, 3, n)
}
