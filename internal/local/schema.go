package local

import (
	"fmt"
	"strings"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// The file says what it is in SQLite's header: the application is ours, and the
// format is the one that this version writes.
const (
	applicationID = 0x76656377 // "vecw"
	formatVersion = 1
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

func createTables(s engine.Schema) []string {
	var fields strings.Builder
	var indexes []string
	for _, f := range s.Fields {
		fmt.Fprintf(&fields, ", %s %s", quote(f.Name), columnTypes[f.Type])
		if f.Index {
			indexes = append(indexes, fmt.Sprintf(`CREATE INDEX "%s.index.%s" ON %s (%s)`, s.Name, f.Name, rowsTable(s.Name), quote(f.Name)))
		}
	}
	return append([]string{
		fmt.Sprintf(`CREATE TABLE %s (%s INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE%s) STRICT`, rowsTable(s.Name), rowColumn, &fields),
		fmt.Sprintf(`CREATE TABLE %s (%s INTEGER PRIMARY KEY, vector BLOB NOT NULL, text TEXT) STRICT`, dataTable(s.Name), rowColumn),
	}, indexes...)
}

func dropTables(name string) []string {
	return []string{"DROP TABLE " + rowsTable(name), "DROP TABLE " + dataTable(name)}
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
