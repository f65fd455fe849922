package local

import (
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/vecwire/vecwire/internal/engine"
)

// writes are the statements by which records are written. The writer's connection
// prepares each when it is first run: collections that were made and are not written to
// need none, and SQLite goes through all that there are at each change of any table.
type writes struct {
	row, data         string // store a record in the two tables
	rows, datas       string // store many
	many              int    // so many
	dropRow, dropData string // remove a row from them

	// For a collection with full text: the texts of rows, given as a JSON array; and the
	// words of a row.
	texts, words, dropWords string
}

// A statement for one record takes SQLite and its driver half as long again, for each, as
// one for atOnce of them. It may have mostParameters.
const (
	atOnce         = 32
	mostParameters = 32766
)

func repeated(marks string, n int) string {
	return strings.TrimSuffix(strings.Repeat(marks+", ", n), ", ")
}

// writesTo returns the statements for a collection.
func writesTo(s engine.Schema) writes {
	rows, data := rowsTable(s.Name), dataTable(s.Name)
	columns, marks, updates := rowColumn+", id", "(?, ?", "id = excluded.id"
	for _, f := range s.Fields {
		columns += ", " + quote(f.Name)
		marks += ", ?"
		updates += fmt.Sprintf(", %s = excluded.%[1]s", quote(f.Name))
	}
	many := max(2, min(atOnce, mostParameters/(2+len(s.Fields))))
	row := func(n int) string {
		return fmt.Sprintf("INSERT INTO %s (%s) VALUES %s ON CONFLICT (%s) DO UPDATE SET %s", rows, columns, repeated(marks+")", n), rowColumn, updates)
	}
	texts := func(n int) string {
		return fmt.Sprintf(`INSERT INTO %s (%s, vector, text) VALUES %s
			ON CONFLICT (%[2]s) DO UPDATE SET vector = excluded.vector, text = excluded.text`, data, rowColumn, repeated("(?, ?, ?)", n))
	}
	w := writes{
		row: row(1), data: texts(1), rows: row(many), datas: texts(many), many: many,
		dropRow:  fmt.Sprintf("DELETE FROM %s WHERE %s = ?", rows, rowColumn),
		dropData: fmt.Sprintf("DELETE FROM %s WHERE %s = ?", data, rowColumn),
	}
	if s.FullText == engine.NoFullText {
		return w
	}
	w.texts = fmt.Sprintf("SELECT d.%s, d.text FROM json_each(?) j CROSS JOIN %s d ON d.%[1]s = j.value WHERE d.text IS NOT NULL", rowColumn, data)
	w.words = fmt.Sprintf("INSERT INTO %s (rowid, text) VALUES (?, ?)", wordsTable(s.Name))
	w.dropWords = fmt.Sprintf("DELETE FROM %s WHERE rowid = ?", wordsTable(s.Name))
	return w
}

// exec runs a statement that the connection keeps, and returns how many rows it
// changed.
func (t *txn) exec(query string, args []any) (n int64, err error) {
	err = raw(t.conn, func(c *conn) error {
		done, err := c.run(query, args...)
		if err == nil {
			n, err = done.RowsAffected()
		}
		return err
	})
	return n, err
}

// query passes on the values of each row that a statement returns, which the connection
// keeps. They are valid until each returns, which must not use the transaction.
func (t *txn) query(query string, arg any, each func(values []driver.Value) error) error {
	return raw(t.conn, func(c *conn) error {
		c.args = append(c.args[:0], driver.NamedValue{Ordinal: 1, Value: arg})
		return c.rows(query, each)
	})
}
