package vecwire_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

func openURL(t testing.TB, url string) *vecwire.DB {
	t.Helper()
	db, err := vecwire.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestPostgresAttach(t *testing.T) {
	url := testenv.Postgres(t)
	run(t, url, `CREATE EXTENSION vector`, `CREATE SCHEMA shop`,
		`CREATE TABLE shop.items (item_no integer PRIMARY KEY, title varchar(100), price real, stock smallint,
			sold boolean, added timestamptz, note text NOT NULL DEFAULT 'kept', j jsonb, emb vector(3))`,
		`INSERT INTO shop.items (item_no, title, price, stock, sold, emb) SELECT i, 'item ' || i, i, i, i % 2 = 0, ARRAY[i, 1, 0]::vector
			FROM generate_series(1, 30) i`,
		`INSERT INTO shop.items (item_no) VALUES (99)`,
		`CREATE TABLE by_uuid (key uuid PRIMARY KEY, v halfvec(2))`,
		`CREATE TABLE by_text (k text PRIMARY KEY, v vector)`)
	db := openURL(t, url)

	t.Run("integer", func(t *testing.T) {
		c, err := db.AttachCollection(t.Context(), vecwire.Attach{Table: "shop.items", TextColumn: "title", Metric: vecwire.L2})
		require.NoError(t, err)
		require.Equal(t, vecwire.Schema{Name: "items", Dim: 3, Metric: vecwire.L2, Fields: []vecwire.Field{
			{Name: "price", Type: vecwire.Float}, {Name: "stock", Type: vecwire.Int}, {Name: "sold", Type: vecwire.Bool},
			{Name: "added", Type: vecwire.Time}, {Name: "note", Type: vecwire.String},
		}}, c.Schema())

		got, err := c.Get(t.Context(), "7", "007", "x", "99")
		require.NoError(t, err)
		require.Equal(t, []vecwire.Record{
			{ID: "7", Vector: []float32{7, 1, 0}, Text: "item 7", Fields: vecwire.Fields{"price": 7.0, "stock": int64(7), "sold": false, "note": "kept"}},
			{ID: "99", Fields: vecwire.Fields{"note": "kept"}},
		}, got)

		hits, err := c.Search(t.Context(), vecwire.Query{Vector: []float32{10.4, 1, 0}, K: 3, Filter: filter.Eq("sold", false)})
		require.NoError(t, err)
		require.Equal(t, []string{"11", "9", "13"}, []string{hits[0].ID, hits[1].ID, hits[2].ID})
		hits, err = c.Search(t.Context(), vecwire.Query{Vector: []float32{1, 1, 0}, K: 100})
		require.NoError(t, err)
		require.Len(t, hits, 30, "a row without a vector is not found")

		var order []string
		for r, err := range c.All(t.Context(), vecwire.Scan{After: "27"}) {
			require.NoError(t, err)
			order = append(order, r.ID)
		}
		require.Equal(t, []string{"28", "29", "30", "99"}, order, "in the order of the key")

		run(t, url, `UPDATE shop.items SET j = '{"a": 1}' WHERE item_no = 7`)
		require.NoError(t, c.Upsert(t.Context(), vecwire.Record{ID: "7", Vector: []float32{0, 0, 1}, Text: "new", Fields: vecwire.Fields{"stock": 5, "note": "n"}}))
		require.NoError(t, c.Insert(t.Context(), vecwire.Record{ID: "-8", Vector: []float32{0, 0, 2}, Fields: vecwire.Fields{"note": "n"}}))
		require.Equal(t, "[7 new 0 true]", row(t, url, `SELECT item_no, title, coalesce(price, 0), j IS NOT NULL FROM shop.items WHERE item_no = 7`))
		require.ErrorIs(t, c.Insert(t.Context(), vecwire.Record{ID: "-8", Vector: []float32{0, 0, 2}, Fields: vecwire.Fields{"note": "n"}}), vecwire.ErrExists)
		for _, id := range []string{"x", "07", "1.5", "9223372036854775808", ""} {
			require.Error(t, c.Upsert(t.Context(), vecwire.Record{ID: id, Vector: []float32{0, 0, 1}}), id)
		}
		require.Error(t, c.Upsert(t.Context(), vecwire.Record{ID: "8", Vector: []float32{0, 0, 1}, Fields: vecwire.Fields{"note": "n", "stock": 100_000}}), "more than a smallint")
		n, err := c.Delete(t.Context(), "-8", "x", "1")
		require.NoError(t, err)
		require.Equal(t, 2, n)
		require.NoError(t, c.BuildIndex(t.Context(), vecwire.IndexOptions{}))
	})

	t.Run("uuid and halfvec", func(t *testing.T) {
		c, err := db.AttachCollection(t.Context(), vecwire.Attach{Table: "by_uuid"})
		require.NoError(t, err)
		const id = "00000000-0000-4000-8000-00000000000a"
		require.NoError(t, c.Upsert(t.Context(),
			vecwire.Record{ID: id, Vector: []float32{1, 0.5}},
			vecwire.Record{ID: id[:35] + "b", Vector: []float32{1, 0}}))
		require.Error(t, c.Upsert(t.Context(), vecwire.Record{ID: strings.ToUpper(id), Vector: []float32{1, 0.5}}))
		many := make([]vecwire.Record, 6_000)
		for i := range many {
			many[i] = vecwire.Record{ID: fmt.Sprintf("10000000-0000-4000-8000-%012x", i), Vector: []float32{-1, float32(i)}}
		}
		require.NoError(t, c.Upsert(t.Context(), many...))
		check := func() {
			t.Helper()
			hits, err := c.Search(t.Context(), vecwire.Query{Vector: []float32{2, 1}, K: 2, Vectors: true})
			require.NoError(t, err)
			require.Equal(t, []string{id, id[:35] + "b"}, []string{hits[0].ID, hits[1].ID})
			require.Equal(t, []float32{1, 0.5}, hits[0].Vector)
			require.InDelta(t, 1, hits[0].Score, 1e-6)
		}
		check()
		require.NoError(t, c.BuildIndex(t.Context(), vecwire.IndexOptions{}))
		check()
		n, err := c.Count(t.Context(), filter.Prefix("id", "10000000-"))
		require.NoError(t, err)
		require.Equal(t, 6_000, n)
	})

	t.Run("refused", func(t *testing.T) {
		for _, test := range []struct {
			a    vecwire.Attach
			want string
		}{
			{vecwire.Attach{Table: "missing"}, "not found"},
			{vecwire.Attach{Table: "a.b.c"}, "not found"},
			{vecwire.Attach{Table: `shop.items"; DROP TABLE x; --`}, "not found"},
			{vecwire.Attach{Table: "shop.items", IDColumn: "nope"}, "not found"},
			{vecwire.Attach{Table: "shop.items", IDColumn: "title"}, "unique"},
			{vecwire.Attach{Table: "shop.items", VectorColumn: "title"}, "want vector"},
			{vecwire.Attach{Table: "shop.items", TextColumn: "price"}, "want text"},
			{vecwire.Attach{Table: "shop.items", Dim: 4}, "3"},
			{vecwire.Attach{Table: "shop.items", Fields: []vecwire.Field{{Name: "price", Type: vecwire.Int}}}, "float4"},
			{vecwire.Attach{Table: "by_text"}, "Dim"},
		} {
			_, err := db.AttachCollection(t.Context(), test.a)
			require.ErrorContains(t, err, test.want, "%+v", test.a)
		}
		_, err := db.AttachCollection(t.Context(), vecwire.Attach{Table: "by_text", Dim: 3})
		require.NoError(t, err)
	})
}

// row returns the only row of a query, formatted.
func row(t testing.TB, url, sql string, args ...any) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), sql, args...)
	require.NoError(t, err)
	got, err := pgx.CollectExactlyOneRow(rows, func(r pgx.CollectableRow) ([]any, error) { return r.Values() })
	require.NoError(t, err)
	return fmt.Sprint(got)
}

// hostile are pieces of names and values that mean something to SQL.
var hostile = []string{
	`'`, `''`, `"`, `""`, `\`, `;`, `--`, `/*`, `*/`, `$1`, `$$`, `{`, `}`, `,`, `NULL`, `%`, `_`, `(`, `)`, ` `, "\n", "\t", `E'\\`, `::text`,
	`DROP TABLE victim`, `' OR '1'='1`, `"; DELETE FROM victim; --`, `é`, `😀`, `?`, `@`, `\x41`, `\.`, `x`, `1`, `0`, "\u0085", "\u2028", "\ufeff",
}

func hostileText(random *rand.Rand) string {
	var b strings.Builder
	for range 1 + random.IntN(6) {
		b.WriteString(hostile[random.IntN(len(hostile))])
	}
	return b.String()
}

// TestPostgresHostile uses tables whose names, and records whose values, are
// made to break out of statements, and looks at the tables from beside.
func TestPostgresHostile(t *testing.T) {
	target := testenv.Postgres(t)
	run(t, target, `CREATE EXTENSION vector`, `CREATE TABLE victim AS SELECT i AS id FROM generate_series(1, 10) i`)
	conn, err := pgx.Connect(t.Context(), target)
	require.NoError(t, err)
	defer conn.Close(t.Context())

	for _, mode := range []string{"cache_statement", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			db := openURL(t, withParam(t, target, "default_query_exec_mode", mode))
			random := rand.New(rand.NewPCG(7, uint64(len(mode))))
			for range 12 {
				hostileRound(t, db, conn, random)
			}
		})
	}
	require.Equal(t, "[10 55]", row(t, target, `SELECT count(*), sum(id) FROM victim`))
}

func hostileRound(t *testing.T, db *vecwire.DB, conn *pgx.Conn, random *rand.Rand) {
	ctx := t.Context()
	name := func() string { // unique: names of one table must differ
		return fmt.Sprintf("%.40s%d", strings.ReplaceAll(hostileText(random), ".", ""), random.IntN(1e9))
	}
	quoted := func(n string) string { return pgx.Identifier{n}.Sanitize() }
	table, id, vector, text := name(), name(), name(), name()
	_, err := conn.Exec(ctx, fmt.Sprintf(`CREATE TABLE %s (%s text PRIMARY KEY, %s vector(2), %s text, "select" text, "order" bytea)`,
		quoted(table), quoted(id), quoted(vector), quoted(text)))
	require.NoError(t, err)
	defer func() {
		_, err := conn.Exec(ctx, `DROP TABLE `+quoted(table))
		require.NoError(t, err)
	}()
	c, err := db.AttachCollection(ctx, vecwire.Attach{Table: table, IDColumn: id, VectorColumn: vector, TextColumn: text})
	require.NoError(t, err)

	type values struct{ text, field, bytes string }
	want := map[string]values{}
	check := func(after string) {
		t.Helper()
		rows, err := conn.Query(ctx, fmt.Sprintf(`SELECT %s, %s, "select", "order" FROM %s`, quoted(id), quoted(text), quoted(table)))
		require.NoError(t, err)
		got := map[string]values{}
		var k string
		var v values
		var bytes []byte
		_, err = pgx.ForEachRow(rows, []any{&k, &v.text, &v.field, &bytes}, func() error {
			v.bytes = string(bytes)
			got[k] = v
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, want, got, after)
	}
	var batch []vecwire.Record
	for range 20 {
		key, v := hostileText(random), values{hostileText(random), hostileText(random), hostileText(random)}
		want[key] = v
		batch = append(batch, vecwire.Record{ID: key, Vector: []float32{1, random.Float32()}, Text: v.text, Fields: vecwire.Fields{"select": v.field, "order": []byte(v.bytes)}})
	}
	require.NoError(t, c.Upsert(ctx, batch...))
	check("upsert")

	keys := slices.Sorted(maps.Keys(want))
	got, err := c.Get(ctx, keys...)
	require.NoError(t, err)
	for i, r := range got {
		require.Equal(t, keys[i], r.ID)
		v := want[r.ID]
		require.Equal(t, values{r.Text, r.Fields["select"].(string), string(r.Fields["order"].([]byte))}, v)
	}
	_, err = c.Delete(ctx, hostileText(random)+"not there")
	require.NoError(t, err)
	check("delete of nothing")
	_, err = c.Delete(ctx, keys[0])
	require.NoError(t, err)
	delete(want, keys[0])
	check("delete")

	value := want[keys[1]].field
	for _, f := range []filter.Filter{
		filter.And(filter.Eq("select", value), filter.Prefix("id", keys[1])),
		filter.In("select", value, hostileText(random)), filter.Contains("select", value), filter.Prefix("select", value),
		filter.Ge("select", value), filter.Eq("order", []byte(want[keys[1]].bytes)),
	} {
		hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 1}, K: 100, Filter: f})
		require.NoError(t, err, f.Op())
		n, err := c.Count(ctx, f)
		require.NoError(t, err)
		require.Len(t, hits, n)
	}
	_, err = c.DeleteWhere(ctx, filter.Eq("select", value))
	require.NoError(t, err)
	maps.DeleteFunc(want, func(_ string, v values) bool { return v.field == value })
	check("delete where")
}
