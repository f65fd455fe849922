package local

import (
	"context"
	"database/sql"
	"errors"
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
	formatVersion = 5
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

// Since format 2 the file knows the approximate indexes: their settings, and which
// file holds the snapshot of each, until format 5.
const createIndexes = `CREATE TABLE vecwire_indexes (
	id         INTEGER PRIMARY KEY,
	collection TEXT NOT NULL UNIQUE COLLATE NOCASE,
	m          INTEGER NOT NULL,
	ef         INTEGER NOT NULL,
	snapshot   TEXT NOT NULL -- the tag in the name of its file, '' for none
) STRICT`

// In formats 2 and 3 it knew the rows that were changed since a snapshot.
const createChanged = `CREATE TABLE vecwire_changed (
	id    INTEGER NOT NULL, -- of the index
	row   INTEGER NOT NULL,
	since INTEGER NOT NULL, -- how many snapshots were begun before
	PRIMARY KEY (id, row)
) STRICT, WITHOUT ROWID`

// Since format 4 it says what each commit has changed, so that other processes can
// follow, and collections have numbers, which say more than names that can be given
// again. A snapshot has the commits up to one.
const addCommits = createChanges + `;
ALTER TABLE vecwire_collections ADD COLUMN id INTEGER NOT NULL DEFAULT 0;
UPDATE vecwire_collections SET id = (SELECT count(*) FROM vecwire_collections o WHERE o.name <= vecwire_collections.name);
ALTER TABLE vecwire_indexes ADD COLUMN upto INTEGER NOT NULL DEFAULT 0;
INSERT INTO vecwire_changes SELECT count(*) + 1, 0, x'' FROM vecwire_collections;
UPDATE vecwire_indexes SET upto = (SELECT max(seq) - 1 FROM vecwire_changes)`

// Since format 5 collections without an index have snapshots, too.
const moveSnapshots = `CREATE TABLE vecwire_snapshots (
	collection INTEGER PRIMARY KEY, -- its id
	tag        TEXT NOT NULL,       -- in the name of its file
	upto       INTEGER NOT NULL     -- the last commit in it
) STRICT;
INSERT INTO vecwire_snapshots SELECT c.id, i.snapshot, i.upto FROM vecwire_indexes i JOIN vecwire_collections c ON c.name = i.collection
	WHERE i.snapshot <> '';
ALTER TABLE vecwire_indexes DROP COLUMN snapshot;
ALTER TABLE vecwire_indexes DROP COLUMN upto`

// Since format 2 collections may have full text, too.
const addFullText = `ALTER TABLE vecwire_collections ADD COLUMN full_text TEXT NOT NULL DEFAULT 'none'`

// registry makes what a new store has.
const registry = createRegistry + ";" + createIndexes + ";" + addFullText + ";" + addCommits + ";" + moveSnapshots

// migrations bring a store from each format to the next, from format 1 on. In
// format 3 full text holds the words that package words finds.
var migrations = [...]func(context.Context, *sql.Tx) error{
	func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, createIndexes+";"+createChanged+";"+addFullText)
		return err
	},
	rebuildWords,
	countCommits,
	func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, moveSnapshots)
		return err
	},
}

// countCommits makes the changes since each snapshot those of the first commit that has
// a number.
func countCommits(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, addCommits); err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, `SELECT c.id, n.row FROM vecwire_changed n JOIN vecwire_indexes i ON i.id = n.id
		JOIN vecwire_collections c ON c.name = i.collection`)
	if err != nil {
		return err
	}
	defer rows.Close()
	changed := map[int64][]int32{}
	for rows.Next() {
		var id int64
		var row int32
		if err := rows.Scan(&id, &row); err != nil {
			return err
		}
		changed[id] = append(changed[id], row)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for id, numbers := range changed {
		if _, err := tx.ExecContext(ctx, "INSERT INTO vecwire_changes SELECT max(seq), ?, ? FROM vecwire_changes", id, appendRows(nil, numbers)); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, "DROP TABLE vecwire_changed")
	return err
}

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

	filter.Strings: "TEXT", // see lists.go
	filter.Ints:    "TEXT",
	filter.Floats:  "TEXT",
	filter.JSON:    "TEXT",
}

func quote(name string) string { return `"` + name + `"` }

// createTables returns the statements that make a collection's tables, without those
// indexes that only many records need: see indexes.go. An index keeps its name when its
// table gets another, so a tag tells it apart from those of collections that had the same
// name.
func createTables(s engine.Schema, tag string) []string {
	var fields strings.Builder
	var indexes []string
	for _, f := range s.Fields {
		fmt.Fprintf(&fields, ", %s %s", quote(f.Name), columnTypes[f.Type])
		for i, path := range f.Paths {
			indexes = append(indexes, createPath(s.Name, f.Name, path, fmt.Sprint(i, ".", tag)))
		}
		if hasValues(f) {
			indexes = append(indexes, createFieldIndex(s.Name, f, tag)...)
		}
	}
	tables := []string{
		fmt.Sprintf(`CREATE TABLE %s (%s INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE%s) STRICT`, rowsTable(s.Name), rowColumn, &fields),
		fmt.Sprintf(`CREATE TABLE %s (%s INTEGER PRIMARY KEY, vector BLOB NOT NULL, text TEXT) STRICT`, dataTable(s.Name), rowColumn),
	}
	return slices.Concat(tables, indexes, createWords(s, tag))
}

// createFieldIndex returns the statements that make the index over a field, whose
// rows may be there already.
func createFieldIndex(collection string, f engine.Field, tag string) []string {
	if _, list := f.Type.Elem(); list {
		return createValues(collection, f.Name, tag)
	}
	return []string{createIndex(collection, f.Name, tag, quote(f.Name))}
}

// createPath returns the statement that makes the index over a path into a JSON field.
func createPath(collection, field, path, tag string) string {
	return createIndex(collection, field, tag, pathKey("", field, path))
}

func createIndex(collection, field, tag, key string) string {
	return fmt.Sprintf(`CREATE INDEX "%s.index.%s.%s" ON %s (%s)`, collection, field, tag, rowsTable(collection), key)
}

func dropTables(name string) []string {
	tables := []string{"DROP TABLE " + rowsTable(name), "DROP TABLE " + dataTable(name), "DROP TABLE IF EXISTS " + wordsTable(name)}
	return append(tables, dropIndex(name)...)
}

func dropIndex(collection string) []string {
	return []string{
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
