package local

import (
	"crypto/rand"
	"database/sql"
	"errors"
)

// indexedFrom is from how many records on a collection has SQLite's indexes over its
// indexed fields. Fewer records are read in less time than a program notices, and each
// index makes the next CREATE of any collection dearer, for which SQLite goes through
// the list of all tables and indexes.
//
// The indexes over lists and over paths into JSON are made with the collection, as are
// those that Alter adds, and all of them by programs older than this.
const indexedFrom = 1024

// indexFields makes the indexes that the collection still lacks, if it has become so
// large within the transaction.
func (c *collection) indexFields(t *txn) error {
	ch := t.change(c)
	if c.indexed || ch.indexed || ch.end < indexedFrom {
		return nil
	}
	have, err := t.indexedFields(c.schema.Name)
	if err != nil {
		return err
	}
	for _, f := range c.schema.Fields {
		if !f.Index || hasValues(f) || have[f.Name] {
			continue
		}
		if err := execAll(t.ctx, t.tx, createFieldIndex(c.schema.Name, f, rand.Text())); err != nil {
			return err
		}
	}
	ch.indexed = true
	return nil
}

// indexedFields returns the fields over whose columns a collection has indexes.
func (t *txn) indexedFields(collection string) (map[string]bool, error) {
	rows, err := t.tx.QueryContext(t.ctx, `SELECT (SELECT group_concat(i.name) FROM pragma_index_info(l.name) i)
		FROM pragma_index_list(?) l WHERE l.origin = 'c'`, collection+".rows")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	have := map[string]bool{}
	for rows.Next() {
		var field sql.NullString // none for an index over a path
		if err := rows.Scan(&field); err != nil {
			return nil, err
		}
		have[field.String] = true
	}
	return have, errors.Join(rows.Err(), rows.Close())
}
