package local

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// The file says what it is in SQLite's header: the application is ours, and the
// format is the one that this version writes.
const (
	applicationID = 0x76656377 // "vecw"
	formatVersion = 2
)

const createRegistry = `CREATE TABLE vecwire_collections (
	name    TEXT PRIMARY KEY COLLATE NOCASE,
	dim     INTEGER NOT NULL,
	element TEXT NOT NULL,
	metric  TEXT NOT NULL,
	model   TEXT NOT NULL,
	fields  TEXT NOT NULL, -- JSON
	created TEXT NOT NULL
) STRICT, WITHOUT ROWID`

// Since format 2 the file knows the approximate indexes: their settings, which
// file holds the snapshot of each, and the rows that were changed since it.
const createIndexes = `CREATE TABLE vecwire_indexes (
	id         INTEGER PRIMARY KEY,
	collection TEXT NOT NULL UNIQUE COLLATE NOCASE,
	m          INTEGER NOT NULL,
	ef         INTEGER NOT NULL,
	snapshot   TEXT NOT NULL -- the tag in the name of its file, '' for none
) STRICT;
CREATE TABLE vecwire_changed (
	id    INTEGER NOT NULL, -- of the index
	row   INTEGER NOT NULL,
	since INTEGER NOT NULL, -- how many snapshots were begun before
	PRIMARY KEY (id, row)
) STRICT, WITHOUT ROWID`

// Since format 2 collections may have full text, too.
const addFullText = `ALTER TABLE vecwire_collections ADD COLUMN full_text TEXT NOT NULL DEFAULT 'none'`

// registry makes what a new store has.
const registry = createRegistry + ";" + createIndexes + ";" + addFullText

// migrations bring a store from each format to the next, from format 1 on.
var migrations = [...]string{createIndexes + ";" + addFullText}

// A collection has two tables: what filters read, and what is large. Both have
// the arena's row numbers as their keys.
func rowsTable(name string) string { return `"` + name + `.rows"` }
func dataTable(name string) string { return `"` + name + `.data"` }

// rowColumn names the row number; no field's name begins so.
const rowColumn = "vecwire_row"

var columnTypes = [...]string{
	filter.String: "TEXT",
	filter.Int:    "INTEGER",
	filter.Float:  "REAL",
	filter.Bool:   "INTEGER", // 0 or 1
	filter.Time:   "INTEGER", // microseconds since 1970
	filter.Bytes:  "BLOB",
}

func quote(name string) string { return `"` + name + `"` }

// createTables returns the statements that make a collection's tables. An index
// keeps its name when its table gets another, so a tag tells it apart from those
// of collections that had the same name.
func createTables(s engine.Schema, tag string) []string {
	var fields strings.Builder
	var indexes []string
	for _, f := range s.Fields {
		fmt.Fprintf(&fields, ", %s %s", quote(f.Name), columnTypes[f.Type])
		if f.Index {
			indexes = append(indexes, fmt.Sprintf(`CREATE INDEX "%s.index.%s.%s" ON %s (%s)`, s.Name, f.Name, tag, rowsTable(s.Name), quote(f.Name)))
		}
	}
	tables := []string{
		fmt.Sprintf(`CREATE TABLE %s (%s INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE%s) STRICT`, rowsTable(s.Name), rowColumn, &fields),
		fmt.Sprintf(`CREATE TABLE %s (%s INTEGER PRIMARY KEY, vector BLOB NOT NULL, text TEXT) STRICT`, dataTable(s.Name), rowColumn),
	}
	return slices.Concat(tables, indexes, createWords(s, tag))
}

func dropTables(name string) []string {
	tables := []string{"DROP TABLE " + rowsTable(name), "DROP TABLE " + dataTable(name), "DROP TABLE IF EXISTS " + wordsTable(name)}
	return append(tables, dropIndex(name)...)
}

func dropIndex(collection string) []string {
	return []string{
		"DELETE FROM vecwire_changed WHERE id IN (SELECT id FROM vecwire_indexes WHERE collection = '" + collection + "')",
		"DELETE FROM vecwire_indexes WHERE collection = '" + collection + "'",
	}
}

func renameTables(from, to string) []string {
	return []string{
		"ALTER TABLE " + rowsTable(from) + " RENAME TO " + rowsTable(to),
		"ALTER TABLE " + dataTable(from) + " RENAME TO " + dataTable(to),
		"UPDATE vecwire_indexes SET collection = '" + to + "' WHERE collection = '" + from + "'",
	}
}

func parseKinds(element, metric string) (e codec.Element, m codec.Metric, known bool) {
	for e = codec.FLOAT; e <= codec.DOUBLE; e++ {
		for m = codec.Cosine; m <= codec.L2; m++ {
			if e.String() == element && m.String() == metric {
				return e, m, true
			}
		}
	}
	return 0, 0, false
}
