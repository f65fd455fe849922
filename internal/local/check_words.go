package local

import (
	"context"
	"database/sql/driver"
	"fmt"
	"hash/maphash"
	"strings"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/words"
)

// wordSum is a sum over all words of a text and their places. The order of summing
// makes no difference, since an index has its words in another one.
type wordSum struct {
	id      string
	sum     uint64
	indexed uint64 // of the words that the table of words has
	there   bool   // the table has the row
}

var wordSeed = maphash.MakeSeed()

func addWord(sum uint64, word string, place int64) uint64 {
	return sum + maphash.Comparable(wordSeed, struct {
		word  string
		place int64
	}{word, place})
}

func sumOfText(language engine.FullText, text string) (sum uint64) {
	list := string(words.Named(language.String()).Append(nil, text))
	place := int64(0)
	for word := range strings.FieldsSeq(list) {
		sum = addWord(sum, word, place)
		place++
	}
	return sum
}

// renewWords makes FTS5 look at its tables as they are now. Its check of them goes by what the
// connection read of them last, and finds damage where others have written since. What is wrong
// with a table, that check says.
func (k *checker) renewWords(ctx context.Context) {
	var tables []string
	_ = k.each(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE '%.words'", nil, func(v []any) {
		if name, ok := v[0].(string); ok {
			tables = append(tables, quote(name))
		}
	})
	for _, table := range tables {
		_ = k.each(ctx, "SELECT rowid FROM "+table+" LIMIT 1", nil, func([]any) {})
	}
}

// fullText compares the table of words with the texts. FTS5 shows what it has through a
// table of its own, which is a temporary one: nothing is written to the file.
func (k *checker) fullText(ctx context.Context, f *found) (err error) {
	name := f.c.schema.Name
	if f.words == nil || k.unread[f.c.id] {
		return nil
	}
	unknown := map[int64]bool{}
	of := func(v any) *wordSum {
		row, _ := v.(int64)
		w := f.words[row]
		if w == nil && !unknown[row] {
			unknown[row] = true
			k.add(name, "", "the full text has words of row %d, which has no text", row)
		}
		if w == nil {
			return &wordSum{}
		}
		return w
	}
	err = k.each(ctx, "SELECT rowid FROM "+wordsTable(name), nil, func(v []any) { of(v[0]).there = true })
	if err != nil {
		return err
	}
	defer func() {
		drop := k.execute("DROP TABLE IF EXISTS temp.vecwire_check")
		if readOnly := k.execute("PRAGMA query_only = 1"); err == nil && drop == nil {
			err = readOnly
		} else if err == nil {
			err = drop
		}
	}()
	for _, statement := range []string{
		"PRAGMA query_only = 0", // which is of this connection, and forbids temporary tables, too
		fmt.Sprintf("CREATE VIRTUAL TABLE temp.vecwire_check USING fts5vocab(main, %s, instance)", wordsTable(name)),
	} {
		if err := k.execute(statement); err != nil {
			return err
		}
	}
	err = k.each(ctx, `SELECT term, doc, "offset" FROM temp.vecwire_check`, nil, func(v []any) {
		w := of(v[1])
		place, _ := v[2].(int64)
		w.indexed = addWord(w.indexed, fmt.Sprint(v[0]), place)
	})
	if err != nil {
		return err
	}
	for _, w := range f.words {
		switch {
		case !w.there:
			k.add(name, w.id, "the full text lacks it")
		case w.indexed != w.sum:
			k.add(name, w.id, "the full text has other words than its text")
		}
	}
	return nil
}

// execute runs a statement on the connection of the check, also after its context has
// ended: what it undoes must be undone.
func (k *checker) execute(statement string) error {
	return raw(k.conn, func(c *conn) error {
		_, err := c.ExecContext(context.Background(), statement, []driver.NamedValue{})
		return err
	})
}
