package local

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/words"
)

func textSchema(name string) engine.Schema {
	s := testSchema
	s.Name, s.FullText = name, engine.English
	return s
}

var textWords = strings.Fields("alder birch cedar elm fir hazel larch maple oak pine rowan spruce willow yew")

func textRecord(rng *rand.Rand, id int) engine.Record {
	r := randomRecord(rng, fmt.Sprint(id))
	var words []string
	for range rng.IntN(6) {
		words = append(words, textWords[rng.IntN(len(textWords))])
	}
	r.Text = strings.Join(words, " ")
	return r
}

// requireWords looks whether the table of words is what a new one made of the
// texts would be, word for word.
func requireWords(t testing.TB, s *store, name string) {
	t.Helper()
	ctx := t.Context()
	conn, err := s.write.Conn(ctx)
	require.NoError(t, err)
	defer conn.Close()
	for _, statement := range []string{
		`INSERT INTO ` + wordsTable(name) + ` (` + wordsTable(name) + `) VALUES ('integrity-check')`,
		`CREATE VIRTUAL TABLE temp.fresh USING fts5(text, content='', contentless_delete=1, tokenize='ascii')`,
		`CREATE VIRTUAL TABLE temp.want USING fts5vocab(temp, fresh, instance)`,
		`CREATE VIRTUAL TABLE temp.got USING fts5vocab(main, ` + wordsTable(name) + `, instance)`,
	} {
		_, err := conn.ExecContext(ctx, statement)
		require.NoError(t, err, statement)
	}
	tx, err := conn.BeginTx(ctx, nil)
	require.NoError(t, err)
	texts, err := textsAfter(ctx, tx, name, -1)
	for after := int64(-1); len(texts) > 0; texts, err = textsAfter(ctx, tx, name, after) {
		require.NoError(t, err)
		for _, text := range texts {
			_, err := tx.ExecContext(ctx, "INSERT INTO temp.fresh (rowid, text) VALUES (?, ?)", text.row, string(words.English.Append(nil, text.text)))
			require.NoError(t, err)
			after = text.row
		}
	}
	require.NoError(t, tx.Commit())
	defer func() {
		for _, table := range []string{"want", "got", "fresh"} {
			_, err := conn.ExecContext(context.WithoutCancel(ctx), "DROP TABLE temp."+table)
			require.NoError(t, err)
		}
	}()
	var want, missing, surplus int
	require.NoError(t, conn.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM temp.want),
		(SELECT count(*) FROM (SELECT term, doc, offset FROM temp.want EXCEPT SELECT term, doc, offset FROM temp.got)),
		(SELECT count(*) FROM (SELECT term, doc, offset FROM temp.got EXCEPT SELECT term, doc, offset FROM temp.want))`).Scan(&want, &missing, &surplus))
	require.Equal(t, [2]int{}, [2]int{missing, surplus}, "words that are missing, and that are too many")
	require.NotZero(t, want)
}

func textIDs(t testing.TB, c engine.Collection, text string) (ids []string) {
	t.Helper()
	results, err := c.SearchText(t.Context(), []engine.TextSearch{{Text: text, K: 1 << 20}})
	require.NoError(t, err)
	for _, h := range results[0] {
		ids = append(ids, h.ID)
	}
	return ids
}

// TestWordsFollowRows changes records, gives the rows other numbers, and gives
// the collection another name, with the store closed in between.
func TestWordsFollowRows(t *testing.T) {
	ctx := t.Context()
	rng := rand.New(rand.NewPCG(1, 1))
	path := filepath.Join(t.TempDir(), "test.db")
	s := openStore(t, path)
	c := create(t, s, textSchema("docs"))
	var records []engine.Record
	for i := range 3 * sparse {
		records = append(records, textRecord(rng, i))
	}
	require.NoError(t, c.Upsert(ctx, records))
	records = nil
	for range 500 {
		records = append(records, textRecord(rng, len(records)*7))
	}
	require.NoError(t, c.Upsert(ctx, records))
	requireWords(t, s, "docs")
	_, err := c.DeleteWhere(ctx, filter.Lt("id", "8"))
	require.NoError(t, err)
	requireWords(t, s, "docs")
	want := textIDs(t, c, "hazel, or two yews")
	require.NotEmpty(t, want)

	require.NoError(t, s.Close())
	s = openStore(t, path)
	c, err = s.Open(ctx, "docs")
	require.NoError(t, err)
	require.EqualValues(t, c.(*collection).ids.len(), c.(*collection).end, "the rows were compacted")
	requireWords(t, s, "docs")
	require.Equal(t, want, textIDs(t, c, "hazel, or two yews"))

	next := create(t, s, textSchema("next"))
	require.NoError(t, next.Upsert(ctx, []engine.Record{textRecord(rng, 1), textRecord(rng, 2), textRecord(rng, 3)}))
	require.NoError(t, s.Swap(ctx, engine.Swap{Name: "docs", Next: "next", Old: "old", Settle: func(context.Context, engine.Collection, engine.Collection) error { return nil }}))
	_, err = c.SearchText(ctx, []engine.TextSearch{{Text: "yew", K: 1}})
	require.ErrorIs(t, err, engine.ErrNotFound)
	for _, name := range []string{"docs", "old"} {
		c, err := s.Open(ctx, name)
		require.NoError(t, err)
		require.NoError(t, c.Upsert(ctx, []engine.Record{textRecord(rng, 2), textRecord(rng, 900)}))
		requireWords(t, s, name)
	}
	require.NoError(t, s.Drop(ctx, "old"))
	create(t, s, textSchema("old"))
	require.NoError(t, s.Drop(ctx, "old"))
	require.NoError(t, s.Drop(ctx, "docs"))
	var left int
	require.NoError(t, s.read.QueryRow(`SELECT count(*) FROM sqlite_schema WHERE name LIKE 'docs.%' OR name LIKE 'old.%' OR name LIKE 'next.%'`).Scan(&left))
	require.Zero(t, left)
}

// TestFormat1 opens a store of the first format, which knew no full text.
func TestFormat1(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := sql.Open("sqlite", fileURI(path))
	require.NoError(t, err)
	statements := []string{
		createRegistry,
		fmt.Sprintf(`INSERT INTO vecwire_collections VALUES ('docs', 4, 'FLOAT', 'l2', 'm', '[{"name":"n","type":%d},{"name":"s","type":%d}]', '2026-01-01T00:00:00Z')`, filter.Int, filter.String),
		`CREATE TABLE "docs.rows" (vecwire_row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, "n" INTEGER, "s" TEXT) STRICT`,
		`CREATE TABLE "docs.data" (vecwire_row INTEGER PRIMARY KEY, vector BLOB NOT NULL, text TEXT) STRICT`,
		`INSERT INTO "docs.rows" VALUES (0, 'a', 7, NULL)`,
		`INSERT INTO "docs.data" VALUES (0, x'0000803f0000000000000000000000c0', 'a text')`,
		fmt.Sprintf("PRAGMA application_id = %d", applicationID),
		"PRAGMA user_version = 1",
	}
	for _, statement := range statements {
		_, err := db.ExecContext(ctx, statement)
		require.NoError(t, err, statement)
	}
	require.NoError(t, db.Close())

	for range 2 {
		s := openStore(t, path)
		header, err := readHeader(path)
		require.NoError(t, err)
		require.EqualValues(t, formatVersion, header.version, "a program of another format sees it")
		c, err := s.Open(ctx, "docs")
		require.NoError(t, err)
		require.Equal(t, engine.NoFullText, c.Schema().FullText)
		got := all(t, ctx, c)
		require.Equal(t, []engine.Record{{ID: "a", Text: "a text", Vector: engine.Vector{F32: []float32{1, 0, 0, -2}}, Fields: []any{int64(7), nil}}}, got)
		full, err := s.Open(ctx, "words")
		if err != nil {
			full = create(t, s, textSchema("words"))
			require.NoError(t, full.Upsert(ctx, []engine.Record{{ID: "a", Text: "an oak", Vector: engine.Vector{F32: []float32{1, 2, 3, 4}}, Fields: make([]any, 2)}}))
		}
		require.Equal(t, []string{"a"}, textIDs(t, full, "oaks"))
		require.NoError(t, s.Close())
	}
}

// TestFormat2 opens a store whose full text SQLite made itself, of words that it
// saw otherwise.
func TestFormat2(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := sql.Open("sqlite", fileURI(path))
	require.NoError(t, err)
	statements := []string{createRegistry, createIndexes, createChanged, addFullText}
	for name, kind := range map[string]engine.FullText{"docs": engine.English, "Plain": engine.Words, "none": engine.NoFullText} {
		statements = append(statements,
			fmt.Sprintf(`INSERT INTO vecwire_collections VALUES ('%s', 2, 'FLOAT', 'l2', '', '[]', '2026-01-01T00:00:00Z', '%s')`, name, kind),
			fmt.Sprintf(`CREATE TABLE "%s.rows" (vecwire_row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE) STRICT`, name),
			fmt.Sprintf(`CREATE TABLE "%s.data" (vecwire_row INTEGER PRIMARY KEY, vector BLOB NOT NULL, text TEXT) STRICT`, name))
		if kind != engine.NoFullText {
			tokenizer := map[engine.FullText]string{engine.Words: "unicode61 remove_diacritics 0", engine.English: "porter unicode61 remove_diacritics 0"}[kind]
			add, remove := fmt.Sprintf(`INSERT INTO "%s.words" (rowid, text) SELECT new.vecwire_row, new.text WHERE new.text IS NOT NULL;`, name), fmt.Sprintf(`DELETE FROM "%s.words" WHERE rowid = old.vecwire_row;`, name)
			statements = append(statements,
				fmt.Sprintf(`CREATE VIRTUAL TABLE "%s.words" USING fts5(text, content='', contentless_delete=1, tokenize='%s')`, name, tokenizer),
				fmt.Sprintf(`CREATE TRIGGER "%s.insert.TAG" AFTER INSERT ON "%[1]s.data" WHEN new.text IS NOT NULL BEGIN %s END`, name, add),
				fmt.Sprintf(`CREATE TRIGGER "%s.delete.TAG" AFTER DELETE ON "%[1]s.data" WHEN old.text IS NOT NULL BEGIN %s END`, name, remove),
				fmt.Sprintf(`CREATE TRIGGER "%s.update.TAG" AFTER UPDATE OF vecwire_row, text ON "%[1]s.data" WHEN new.text IS NOT old.text OR new.vecwire_row <> old.vecwire_row BEGIN %s %s END`, name, remove, add))
		}
		for i, text := range []string{"'the running of 型号XG-2000的'", "'oﬃces in МОСКВА'", "NULL"} {
			statements = append(statements, fmt.Sprintf(`INSERT INTO "%s.rows" VALUES (%d, '%[2]d')`, name, i), fmt.Sprintf(`INSERT INTO "%s.data" VALUES (%d, x'0000803f00000000', %s)`, name, i, text))
		}
		for i := 3; i < 500; i++ {
			statements = append(statements, fmt.Sprintf(`INSERT INTO "%s.rows" VALUES (%d, '%[2]d')`, name, i), fmt.Sprintf(`INSERT INTO "%s.data" VALUES (%d, x'0000803f00000000', 'many yews')`, name, i))
		}
	}
	for _, statement := range append(statements, fmt.Sprintf("PRAGMA application_id = %d", applicationID), "PRAGMA user_version = 2") {
		_, err := db.ExecContext(ctx, statement)
		require.NoError(t, err, statement)
	}
	require.NoError(t, db.Close())

	for range 2 {
		s := openStore(t, path)
		for _, name := range []string{"docs", "Plain"} {
			c, err := s.Open(ctx, name)
			require.NoError(t, err)
			require.Equal(t, []string{"0"}, textIDs(t, c, "XG-2000"), name)
			require.Equal(t, []string{"1"}, textIDs(t, c, "offices москва"), name)
			require.Len(t, textIDs(t, c, "yews"), 497)
			if name == "docs" {
				require.Equal(t, []string{"0"}, textIDs(t, c, "runs"))
				requireWords(t, s, name)
			}
		}
		var triggers int
		require.NoError(t, s.read.QueryRow("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'").Scan(&triggers))
		require.Equal(t, 2, triggers)
		require.NoError(t, s.Close())
	}
	s := openStore(t, path)
	c, err := s.Open(ctx, "docs")
	require.NoError(t, err)
	require.NoError(t, c.Upsert(ctx, []engine.Record{{ID: "0", Text: "an elm", Vector: engine.Vector{F32: []float32{1, 2}}}}))
	_, err = c.Delete(ctx, []string{"1"})
	require.NoError(t, err)
	require.Empty(t, textIDs(t, c, "XG-2000 offices"))
	requireWords(t, s, "docs")
}
