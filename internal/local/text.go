package local

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/words"
)

// A collection with full text has a third table, of SQLite's FTS5, which holds
// the words of the texts and not the texts themselves. Package words takes texts
// apart; FTS5's tokenizer "ascii" splits at the spaces between words and nowhere
// else. It is written in the same transaction as the table of data; a trigger
// only takes out the words of deleted rows.
func wordsTable(name string) string { return `"` + name + `.words"` }

// createWords returns the statements that make the table of words. The tag is
// that of createTables.
func createWords(s engine.Schema, tag string) []string {
	if s.FullText == engine.NoFullText {
		return nil
	}
	return []string{
		fmt.Sprintf(`CREATE VIRTUAL TABLE %s USING fts5(text, content='', contentless_delete=1, tokenize='ascii')`, wordsTable(s.Name)),
		fmt.Sprintf(`CREATE TRIGGER "%s.delete.%s" AFTER DELETE ON %s WHEN old.text IS NOT NULL BEGIN DELETE FROM %s WHERE rowid = old.%s; END`,
			s.Name, tag, dataTable(s.Name), wordsTable(s.Name), rowColumn),
	}
}

// oldText is what a row's text was.
type oldText struct{ some, same bool }

// oldTexts returns what the texts of records were, and whether they are the same
// now: their words stay then. One query is for all of them, as one for each would
// cost as much as writing it does.
func (c *collection) oldTexts(t *txn, records []engine.Record) ([]oldText, error) {
	if c.schema.FullText == engine.NoFullText {
		return nil, nil
	}
	old := make([]oldText, len(records))
	places := make(map[int32]int, len(records))
	rows := []byte{'['}
	for i, r := range records {
		row, known := t.change(c).row(r.ID)
		if !known {
			continue
		}
		if len(places) > 0 {
			rows = append(rows, ',')
		}
		rows = strconv.AppendInt(rows, int64(row), 10)
		places[row] = i
	}
	if len(places) == 0 {
		return old, nil
	}
	err := t.query(c.writes.texts, string(append(rows, ']')), func(v []driver.Value) error {
		row, _ := v[0].(int64)
		text, _ := v[1].(string)
		i := places[int32(row)]
		old[i] = oldText{some: true, same: text == records[i].Text}
		return nil
	})
	return old, err
}

// putWords stores the words of a row's text, for a collection with full text.
func (c *collection) putWords(t *txn, row int32, old oldText, text string) error {
	if old.same {
		return nil
	}
	if old.some {
		if _, err := t.exec(c.writes.dropWords, []any{int64(row)}); err != nil {
			return err
		}
	}
	if text == "" {
		return nil
	}
	return c.addWords(t, row, text)
}

func (c *collection) addWords(t *txn, row int32, text string) error {
	t.words = words.Named(c.schema.FullText.String()).Append(t.words[:0], text)
	_, err := t.exec(c.writes.words, []any{int64(row), string(t.words)})
	return err
}

// moveWords gives the words of a row that has another number now that number.
// FTS5 keeps no text from which it could do so itself.
func (c *collection) moveWords(t *txn, from, to int64) error {
	if c.schema.FullText == engine.NoFullText || from == to {
		return nil
	}
	var text string
	err := t.query(c.writes.texts, fmt.Sprintf("[%d]", to), func(v []driver.Value) error {
		text, _ = v[1].(string)
		return nil
	})
	if err != nil || text == "" {
		return err
	}
	if _, err := t.exec(c.writes.dropWords, []any{from}); err != nil {
		return err
	}
	return c.addWords(t, int32(to), text)
}

// rebuildWords makes the tables of words again, of what package words finds.
// Before, FTS5 itself took texts apart, and triggers gave them to it.
func rebuildWords(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, "SELECT name, full_text FROM vecwire_collections WHERE full_text <> 'none'")
	if err != nil {
		return err
	}
	defer rows.Close()
	var schemas []engine.Schema
	for rows.Next() {
		var s engine.Schema
		var kind string
		if err := rows.Scan(&s.Name, &kind); err != nil {
			return err
		}
		var known bool
		if s.FullText, known = engine.ParseFullText(kind); !known {
			return fmt.Errorf("%w: collection %q has full text %q", errDamaged, s.Name, kind)
		}
		schemas = append(schemas, s)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, s := range schemas {
		if err := rebuildTable(ctx, tx, s); err != nil {
			return fmt.Errorf("make the words of %s: %w", s.Name, err)
		}
	}
	return nil
}

func rebuildTable(ctx context.Context, tx *sql.Tx, s engine.Schema) error {
	if err := dropWords(ctx, tx, s.Name); err != nil {
		return err
	}
	return makeWords(ctx, tx, s)
}

// dropWords removes the table of words of a collection.
func dropWords(ctx context.Context, tx *sql.Tx, collection string) error {
	statements := []string{"DROP TABLE " + wordsTable(collection)}
	triggers, err := tx.QueryContext(ctx, "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE", collection+".data")
	if err != nil {
		return err
	}
	defer triggers.Close()
	for triggers.Next() {
		var name string
		if err := triggers.Scan(&name); err != nil {
			return err
		}
		statements = append(statements, "DROP TRIGGER "+quote(name))
	}
	if err := errors.Join(triggers.Err(), triggers.Close()); err != nil {
		return err
	}
	return execAll(ctx, tx, statements)
}

// execAll runs statements.
func execAll(ctx context.Context, tx *sql.Tx, statements []string) error {
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// makeWords makes the table of words of a collection, and fills it from its texts.
func makeWords(ctx context.Context, tx *sql.Tx, s engine.Schema) error {
	if err := execAll(ctx, tx, createWords(s, rand.Text())); err != nil {
		return err
	}
	put, err := tx.PrepareContext(ctx, fmt.Sprintf("INSERT INTO %s (rowid, text) VALUES (?, ?)", wordsTable(s.Name)))
	if err != nil {
		return err
	}
	defer put.Close()
	var list []byte
	for after := int64(-1); ; {
		texts, err := textsAfter(ctx, tx, s.Name, after)
		if err != nil || len(texts) == 0 {
			return err
		}
		for _, t := range texts {
			list = words.Named(s.FullText.String()).Append(list[:0], t.text)
			if _, err := put.ExecContext(ctx, t.row, string(list)); err != nil {
				return err
			}
			after = t.row
		}
	}
}

type rowText struct {
	row  int64
	text string
}

// textsAfter returns the next texts of a collection, in the order of rows.
func textsAfter(ctx context.Context, tx *sql.Tx, name string, after int64) (texts []rowText, err error) {
	const page = 200
	rows, err := tx.QueryContext(ctx, fmt.Sprintf("SELECT %s, text FROM %s WHERE %[1]s > ? AND text IS NOT NULL ORDER BY 1 LIMIT %[3]d", rowColumn, dataTable(name), page), after)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t rowText
		if err := rows.Scan(&t.row, &t.text); err != nil {
			return nil, err
		}
		texts = append(texts, t)
	}
	return texts, errors.Join(rows.Err(), rows.Close())
}

// SearchText implements engine.Collection. Several searches run side by side.
// They hold no lock while they run, since one statement reads all that they need.
func (c *collection) SearchText(ctx context.Context, searches []engine.TextSearch) ([][]engine.Hit, error) {
	if tx := c.in(ctx); tx != nil {
		return tx.SearchText(ctx, searches)
	}
	if err := c.store.follow(ctx); err != nil {
		return nil, err
	}
	if err := c.store.reading(ctx, c.call("Search")); err != nil {
		return nil, err
	}
	defer c.store.endReading()
	results := make([][]engine.Hit, len(searches))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, s := range searches {
		group.Go(func() (err error) {
			// A connection that takes in what another process did to tables can fail once.
			for range 3 {
				if results[i], err = c.searchText(groupCtx, c.store.read, s, c.heldNow); !isSchema(err) {
					break
				}
			}
			return err
		})
	}
	err := group.Wait()
	if followed := c.store.follow(ctx); followed != nil {
		return nil, followed
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.gone { // perhaps after the first look at its tables, whose names another may have now
		return nil, c.lost()
	}
	return results, err
}

// SearchText implements engine.Collection.
func (c *txCollection) SearchText(ctx context.Context, searches []engine.TextSearch) (results [][]engine.Hit, err error) {
	err = c.do(ctx, func(t *txn) error {
		for _, s := range searches {
			hits, err := c.searchText(ctx, t.tx, s, t.change(c.collection).vectorsOf(c.collection))
			if err != nil {
				return err
			}
			results = append(results, hits)
		}
		return nil
	})
	return results, err
}

// searchText ranks by BM25, as FTS5 has it. FTS5 comes first in the join, or it
// would count again for each row how rare the words are.
func (c *collection) searchText(ctx context.Context, q queryer, s engine.TextSearch, held vectorSource) ([]engine.Hit, error) {
	match := c.anyWord(s.Text)
	if s.Terms != nil {
		match = matchTerms(s.Terms)
	}
	if match == "" {
		return nil, ctx.Err()
	}
	where, args := c.compile(s.Filter)
	p := parts{s.Payload, s.Vectors && !c.store.held()}
	query := fmt.Sprintf(`%s JOIN (SELECT f.rowid AS row, f.rank AS score FROM %s f CROSS JOIN %s r ON r.%s = f.rowid
		WHERE f.text MATCH ? AND (%s) ORDER BY f.rank, r.id LIMIT ?) best ON best.row = r.%[4]s ORDER BY best.score, r.id`,
		c.selectFrom(p, "best.score", "best.row"), wordsTable(c.schema.Name), rowsTable(c.schema.Name), rowColumn, where)
	all := append(append([]any{match}, args...), s.K)
	rows, err := q.QueryContext(ctx, query, all...)
	if err != nil {
		return nil, explain(err)
	}
	var hits []engine.Hit
	var numbers []int32
	var score float64
	var row int32
	err = c.records(rows, p, func(r engine.Record) {
		hits, numbers = append(hits, engine.Hit{Record: r, Score: -score}), append(numbers, row)
	}, &score, &row)
	if s.Vectors && !p.vectors {
		for i := range hits {
			if err == nil {
				err = c.putHeld(&hits[i].Record, numbers[i], held)
			}
		}
	}
	return hits, err
}

// anyWord returns FTS5's query for the first words of a text, "" for none. Each
// is a string to FTS5, in which nothing has a meaning.
func (c *collection) anyWord(text string) string {
	var b strings.Builder
	for i, word := range words.Named(c.schema.FullText.String()).Distinct(text, engine.MaxWords) {
		if i > 0 {
			b.WriteString(" OR ")
		}
		b.WriteString(`"` + word + `"`)
	}
	return b.String()
}
