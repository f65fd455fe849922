package local

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"unicode"

	"github.com/kljensen/snowball/english"
	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/internal/engine"
)

// A collection with full text has a third table, of SQLite's FTS5, which holds
// the words of the texts and not the texts themselves. Triggers keep it in step
// with the table of data, whoever writes there, in the same transaction.
func wordsTable(name string) string { return `"` + name + `.words"` }

// tokenizers say what a word is: letters, digits, and the marks on them. Accents
// count, as they do on the other engines.
var tokenizers = [...]string{
	engine.Words:   "unicode61 remove_diacritics 0",
	engine.English: "porter unicode61 remove_diacritics 0",
}

// createWords returns the statements that make the table of words. The tag is
// that of createTables.
func createWords(s engine.Schema, tag string) []string {
	if s.FullText == engine.NoFullText {
		return nil
	}
	words, data := wordsTable(s.Name), dataTable(s.Name)
	trigger := func(event, when, body string) string {
		return fmt.Sprintf(`CREATE TRIGGER "%s.%s.%s" AFTER %s ON %s WHEN %s BEGIN %s END`,
			s.Name, strings.ToLower(event[:6]), tag, event, data, when, body)
	}
	add := fmt.Sprintf("INSERT INTO %s (rowid, text) SELECT new.%s, new.text WHERE new.text IS NOT NULL;", words, rowColumn)
	remove := fmt.Sprintf("DELETE FROM %s WHERE rowid = old.%s;", words, rowColumn)
	return []string{
		fmt.Sprintf(`CREATE VIRTUAL TABLE %s USING fts5(text, content='', contentless_delete=1, tokenize='%s')`, words, tokenizers[s.FullText]),
		trigger("INSERT", "new.text IS NOT NULL", add),
		trigger("DELETE", "old.text IS NOT NULL", remove),
		trigger("UPDATE OF "+rowColumn+", text", fmt.Sprintf("new.text IS NOT old.text OR new.%s <> old.%[1]s", rowColumn), remove+" "+add),
	}
}

// SearchText implements engine.TextSearcher. Several searches run side by side.
// They hold no lock while they run, since one statement reads all that they need.
func (c *collection) SearchText(ctx context.Context, searches []engine.TextSearch) ([][]engine.Hit, error) {
	if err := c.store.reading(ctx); err != nil {
		return nil, err
	}
	defer c.store.endReading()
	results := make([][]engine.Hit, len(searches))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, s := range searches {
		group.Go(func() (err error) {
			results[i], err = c.searchText(groupCtx, c.store.read, s)
			return err
		})
	}
	err := group.Wait()
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.gone { // perhaps after the first look at its tables, whose names another may have now
		return nil, engine.ErrNotFound
	}
	return results, err
}

// SearchText implements engine.TextSearcher.
func (c *txCollection) SearchText(ctx context.Context, searches []engine.TextSearch) (results [][]engine.Hit, err error) {
	err = c.do(ctx, func(t *txn) error {
		for _, s := range searches {
			hits, err := c.searchText(ctx, t.tx, s)
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
// would count anew for each row how rare the words are.
func (c *collection) searchText(ctx context.Context, q queryer, s engine.TextSearch) ([]engine.Hit, error) {
	match := c.anyWord(s.Text)
	if match == "" {
		return nil, ctx.Err()
	}
	where, args := compile(s.Filter)
	p := parts{s.Payload, s.Vectors}
	query := fmt.Sprintf(`%s JOIN (SELECT f.rowid AS row, f.rank AS score FROM %s f CROSS JOIN %s r ON r.%s = f.rowid
		WHERE f.text MATCH ? AND (%s) ORDER BY f.rank, r.id LIMIT ?) best ON best.row = r.%[4]s ORDER BY best.score, r.id`,
		c.selectFrom(p, "best.score"), wordsTable(c.schema.Name), rowsTable(c.schema.Name), rowColumn, where)
	all := append(append([]any{match}, args...), s.K)
	rows, err := q.QueryContext(ctx, query, all...)
	if err != nil {
		return nil, explain(err)
	}
	var hits []engine.Hit
	var score float64
	err = c.records(rows, p, func(r engine.Record) {
		hits = append(hits, engine.Hit{Record: r, Score: -score})
	}, &score)
	return hits, err
}

// anyWord returns FTS5's query for the first words of a text, "" for none. Each
// is a string to FTS5, in which nothing has a meaning. English words that mean
// nothing alone are left out, as PostgreSQL leaves them out: nearly every record
// has them, so that they would take most of the time and change nearly nothing.
func (c *collection) anyWord(text string) string {
	var b strings.Builder
	seen := map[string]bool{}
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.N, unicode.Mn, unicode.Co)
	}) {
		if word = strings.ToLower(word); seen[word] || c.schema.FullText == engine.English && english.IsStopWord(word) {
			continue
		}
		if seen[word] = true; len(seen) > 1 {
			b.WriteString(" OR ")
		}
		b.WriteString(`"` + word + `"`)
		if len(seen) == engine.MaxWords {
			break
		}
	}
	return b.String()
}
