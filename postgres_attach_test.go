package vecwire_test

import (
	"errors"
	"fmt"
	"log/slog"
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
		c, err := db.AttachCollection(t.Context(), vecwire.AttachOptions{Table: "shop.items", TextColumn: "title", Metric: vecwire.L2})
		require.NoError(t, err)
		require.Equal(t, vecwire.Schema{Name: "items", Dim: 3, Metric: vecwire.L2, Fields: []vecwire.Field{
			{Name: "price", Type: vecwire.Float}, {Name: "stock", Type: vecwire.Int}, {Name: "sold", Type: vecwire.Bool},
			{Name: "added", Type: vecwire.Time}, {Name: "note", Type: vecwire.String}, {Name: "j", Type: vecwire.JSON},
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
		require.Equal(t, "[7 new 0 true]", row(t, url, `SELECT item_no, title, coalesce(price, 0), j IS NULL FROM shop.items WHERE item_no = 7`))
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
		c, err := db.AttachCollection(t.Context(), vecwire.AttachOptions{Table: "by_uuid"})
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

	t.Run("one name, many tables", func(t *testing.T) {
		run(t, url, `CREATE TABLE shop.docs (id bigint PRIMARY KEY, v vector(2), w vector(2))`, `CREATE TABLE shop."Docs" (id bigint PRIMARY KEY, v vector(2))`,
			`CREATE TABLE "Docs" (id bigint PRIMARY KEY, v vector(2))`)
		var all []*vecwire.Collection
		for _, a := range []vecwire.AttachOptions{
			{Table: "shop.docs", VectorColumn: "v"}, {Table: "shop.docs", VectorColumn: "w"}, {Table: "shop.Docs"}, {Table: "Docs"},
		} {
			c, err := db.AttachCollection(t.Context(), a)
			require.NoError(t, err)
			all = append(all, c)
		}
		own, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "docs", Dim: 2})
		require.NoError(t, err)
		all = append(all, own)
		for i, c := range all {
			gone := errors.New("gone")
			_, err := c.Ingest(t.Context(), func(yield func(vecwire.Record, error) bool) {
				for n := range i + 1 {
					yield(vecwire.Record{ID: fmt.Sprint(n), Vector: []float32{1, 1}}, nil)
				}
				yield(vecwire.Record{}, gone)
			}, vecwire.IngestOptions{Job: "nightly"})
			require.ErrorIs(t, err, gone)
		}
		for i, c := range all {
			done, err := c.Cursor(t.Context(), "nightly")
			require.NoError(t, err)
			require.EqualValues(t, i+1, done)
		}
		require.NoError(t, db.DropCollection(t.Context(), "docs"))
		done, err := all[3].Cursor(t.Context(), "nightly")
		require.NoError(t, err)
		require.EqualValues(t, 4, done, "the table of that name is another")
	})

	t.Run("refused", func(t *testing.T) {
		for _, test := range []struct {
			a    vecwire.AttachOptions
			want string
		}{
			{vecwire.AttachOptions{Table: "missing"}, "not found"},
			{vecwire.AttachOptions{Table: "a.b.c"}, "not found"},
			{vecwire.AttachOptions{Table: `shop.items"; DROP TABLE x; --`}, "not found"},
			{vecwire.AttachOptions{Table: "shop.items", IDColumn: "nope"}, "not found"},
			{vecwire.AttachOptions{Table: "shop.items", IDColumn: "title"}, "unique"},
			{vecwire.AttachOptions{Table: "shop.items", VectorColumn: "title"}, "want vector"},
			{vecwire.AttachOptions{Table: "shop.items", TextColumn: "price"}, "want text"},
			{vecwire.AttachOptions{Table: "shop.items", Dim: 4}, "3"},
			{vecwire.AttachOptions{Table: "shop.items", Fields: []vecwire.Field{{Name: "price", Type: vecwire.Int}}}, "float4"},
			{vecwire.AttachOptions{Table: "by_text"}, "Dim"},
		} {
			_, err := db.AttachCollection(t.Context(), test.a)
			require.ErrorContains(t, err, test.want, "%+v", test.a)
		}
		_, err := db.AttachCollection(t.Context(), vecwire.AttachOptions{Table: "by_text", Dim: 3})
		require.NoError(t, err)
	})
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
	c, err := db.AttachCollection(ctx, vecwire.AttachOptions{Table: table, IDColumn: id, VectorColumn: vector, TextColumn: text})
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

// TestPostgresAttachOdd attaches tables as others make them: what can be read is,
// and what cannot is named with the reason.
func TestPostgresAttachOdd(t *testing.T) {
	target := testenv.Postgres(t)
	run(t, target, `CREATE EXTENSION vector`, `CREATE SCHEMA "odd.schema"`, `CREATE DOMAIN mail AS text`, `CREATE TYPE mood AS ENUM ('good')`,
		`CREATE TABLE plain (id bigint PRIMARY KEY, at timestamptz, price numeric, day timestamp, u uuid, tags text[], j jsonb, who mail, m mood,
			twice int GENERATED ALWAYS AS (7) STORED, "two words" text, v vector(2))`,
		`INSERT INTO plain (id, at, price, who, v) VALUES (1, 'infinity', 1, 'a@b', '[1,0]'), (2, '-infinity', 2, NULL, '[0,1]'), (3, '2026-01-02T03:04:05Z', 3, 'c', '[1,1]')`,
		`CREATE VIEW seen AS SELECT id, at, price::float8 AS price, v FROM plain`,
		`CREATE MATERIALIZED VIEW kept AS SELECT id, v FROM plain`, `CREATE UNIQUE INDEX ON kept (id)`,
		`CREATE TABLE "odd.schema"."a.table" (id text PRIMARY KEY, v vector(2))`, `CREATE TABLE "dotted.name" (id text PRIMARY KEY, v vector(2))`,
		`CREATE INDEX far ON plain USING hnsw (v vector_l2_ops)`)
	var logged strings.Builder
	db, err := vecwire.Config{Logger: slog.New(slog.NewTextHandler(&logged, nil))}.Open(t.Context(), target)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	ctx := t.Context()

	t.Run("infinite times, and columns of other types", func(t *testing.T) {
		c, err := db.AttachCollection(ctx, vecwire.AttachOptions{Table: "plain"})
		require.NoError(t, err)
		require.Equal(t, []vecwire.Field{{Name: "at", Type: vecwire.Time}, {Name: "tags", Type: vecwire.Strings}, {Name: "j", Type: vecwire.JSON}, {Name: "who", Type: vecwire.String}}, c.Schema().Fields)
		for _, out := range []string{"price: no field has the type numeric", "day: no field has the type timestamp", "m: no field has the type mood", "twice: it is generated", "two words: no field can have the name"} {
			require.Contains(t, logged.String(), out)
		}
		got, err := c.Get(ctx, "1", "2", "3")
		require.NoError(t, err)
		require.Len(t, got, 3)
		require.Equal(t, vecwire.Fields{"who": "a@b"}, got[0].Fields)
		require.Contains(t, got[2].Fields, "at")
		require.Contains(t, logged.String(), "infinity")
		require.Contains(t, logged.String(), "field=at")
		n, err := c.Count(ctx, filter.Eq("who", "a@b"))
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
	t.Run("an index for another metric", func(t *testing.T) {
		c, err := db.AttachCollection(ctx, vecwire.AttachOptions{Table: "plain"})
		require.NoError(t, err)
		r, err := c.SearchMany(ctx, []vecwire.Query{{Vector: []float32{1, 0}, K: 1}})
		require.NoError(t, err)
		require.Contains(t, r[0].Plan.Why, "the index far is for the metric l2")
		require.Contains(t, r[0].Plan.Why, "Metric: vecwire.L2")
		require.Contains(t, logged.String(), "the index far is for the metric l2")
	})
	t.Run("views", func(t *testing.T) {
		_, err := db.AttachCollection(ctx, vecwire.AttachOptions{Table: "seen"})
		require.ErrorContains(t, err, "name it")
		c, err := db.AttachCollection(ctx, vecwire.AttachOptions{Table: "seen", IDColumn: "id"})
		require.NoError(t, err)
		hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 0}, K: 5, Filter: filter.Gt("price", 1)})
		require.NoError(t, err)
		require.Equal(t, []string{"3", "2"}, []string{hits[0].ID, hits[1].ID})
		require.ErrorIs(t, c.BuildIndex(ctx, vecwire.IndexOptions{}), vecwire.ErrUnsupported)
		c, err = db.AttachCollection(ctx, vecwire.AttachOptions{Table: "kept", IDColumn: "id"})
		require.NoError(t, err)
		require.NoError(t, c.BuildIndex(ctx, vecwire.IndexOptions{}))
	})
	t.Run("names with dots", func(t *testing.T) {
		for _, name := range []string{`"odd.schema"."a.table"`, `odd.schema.a.table`, `dotted.name`, `"dotted.name"`, `public."dotted.name"`, `public.dotted.name`} {
			c, err := db.AttachCollection(ctx, vecwire.AttachOptions{Table: name})
			require.NoError(t, err, name)
			require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: name, Vector: []float32{1, 2}}))
		}
		require.Equal(t, "[2 4]", row(t, target, `SELECT (SELECT count(*) FROM "odd.schema"."a.table"), (SELECT count(*) FROM "dotted.name")`))
	})
}

// TestPostgresAttachOrder orders and counts what only a table of others can hold:
// numbers and times that no field can be given, and strings in another collation.
func TestPostgresAttachOrder(t *testing.T) {
	url := testenv.Postgres(t)
	run(t, url, `CREATE EXTENSION vector`,
		`CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
		`CREATE TABLE others (id int PRIMARY KEY, x float8, y real, at timestamptz, name text COLLATE nocase, v vector(2))`,
		`INSERT INTO others VALUES
			(1, 'NaN', 0.1, 'infinity', 'b', '[1,0]'), (2, 'infinity', 0.1, '-infinity', 'B', '[1,0]'), (3, '-infinity', NULL, '2026-01-01Z', 'a', '[1,0]'),
			(4, 0, 'NaN', NULL, 'A', '[1,0]'), (5, '-0', 0.2, '0044-03-15 BC', 'a', '[1,0]'), (10, NULL, '-infinity', '20000-01-01Z', NULL, '[1,0]'), (20, 'NaN', 0, '2026-01-01Z', 'ä', '[1,0]')`)
	db := openURL(t, url)
	c, err := db.AttachCollection(t.Context(), vecwire.AttachOptions{Table: "others"})
	require.NoError(t, err)
	for _, test := range []struct {
		by   string
		desc bool
		want []string
	}{
		{"", true, []string{"20", "10", "5", "4", "3", "2", "1"}},
		{"x", false, []string{"3", "4", "5", "2", "1", "20", "10"}},
		{"x", true, []string{"1", "20", "2", "4", "5", "3", "10"}},
		{"y", false, []string{"10", "20", "1", "2", "5", "4", "3"}},
		{"y", true, []string{"4", "5", "1", "2", "20", "10", "3"}},
		{"at", false, []string{"5", "3", "20", "10", "1", "2", "4"}},
		{"at", true, []string{"10", "3", "20", "5", "1", "2", "4"}},
		{"name", false, []string{"4", "2", "3", "5", "1", "20", "10"}},
		{"name", true, []string{"20", "1", "3", "5", "2", "4", "10"}},
	} {
		scan := vecwire.Scan{OrderBy: test.by, Desc: test.desc}
		require.Equal(t, test.want, scanned(t, c, scan), "%+v", scan)
		scan.Limit = 1
		var pages []string
		for range test.want {
			for r, err := range c.All(t.Context(), scan) {
				require.NoError(t, err)
				pages = append(pages, r.ID)
				scan.After = scan.Token(r)
			}
		}
		require.Equal(t, test.want, pages, "%+v, one by one", scan)
	}
	for field, want := range map[string]string{
		"x":    "[{0 2} {NaN 2} {-Inf 1} {+Inf 1} {<nil> 1}]",
		"at":   "[{2026-01-01 00:00:00 +0000 UTC 2} {-0043-03-15 00:00:00 +0000 UTC 1} {20000-01-01 00:00:00 +0000 UTC 1} {<nil> 3}]",
		"name": "[{a 2} {A 1} {B 1} {b 1} {ä 1} {<nil> 1}]",
	} {
		counts, err := c.Facet(t.Context(), field, vecwire.FacetOptions{})
		require.NoError(t, err)
		require.Equal(t, want, fmt.Sprint(counts))
	}
}

// All goes by a key that is a number as by a number on every page.
func TestPostgresAttachedNumbersInOrder(t *testing.T) {
	url := testenv.Postgres(t)
	run(t, url, `CREATE EXTENSION vector`, `CREATE TABLE numbers (id int PRIMARY KEY, v vector(1))`,
		`INSERT INTO numbers SELECT i, '[1]' FROM generate_series(-700, 700) i`)
	c, err := openURL(t, url).AttachCollection(t.Context(), vecwire.AttachOptions{Table: "numbers"})
	require.NoError(t, err)
	ids := scanned(t, c, vecwire.Scan{})
	require.Len(t, ids, 1401)
	require.Equal(t, []string{"-700", "-699", "-698"}, ids[:3])
	require.Equal(t, []string{"698", "699", "700"}, ids[1398:])
}

// scanned returns the IDs that a scan yields.
func scanned(t *testing.T, c *vecwire.Collection, scan vecwire.Scan) (ids []string) {
	t.Helper()
	for r, err := range c.All(t.Context(), scan) {
		require.NoError(t, err)
		ids = append(ids, r.ID)
	}
	return ids
}
