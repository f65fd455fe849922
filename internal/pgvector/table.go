package pgvector

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// idKind is the type of a table's key.
type idKind uint8

const (
	idText idKind = iota
	idInt
	idUUID
)

var idTypes = [...]string{idText: "text", idInt: "bigint", idUUID: "uuid"}

// vectorKind is the type of a table's vectors.
type vectorKind uint8

const (
	asVector  vectorKind = iota // vector(n)
	asHalf                      // halfvec(n)
	asDoubles                   // double precision[]
)

// table knows a collection's table and writes the SQL that is about it. All
// names in it are quoted.
type table struct {
	schema engine.Schema
	ext    string // the extension's schema
	name   string // with its schema
	own    bool   // made by Create, so that its types are known
	view   bool   // it has no indexes and no rows of its own
	place  placement

	toldUnlike atomic.Bool // that a value is none of its field's type

	namespace, relation string // the two parts of name, not quoted

	id         string
	idKind     idKind
	idSorts    bool // a text key whose own collation is by bytes
	vector     string
	vectorKind vectorKind
	nullable   bool   // there may be rows without a vector
	text       string // "" for none
	fields     []string
	sorts      []bool // whether a String field's own collation is by bytes
	short      []bool // whether a field's index holds short values only
}

// An entry of a B-tree has about 2,700 bytes at most, so the index over a field
// whose values may be longer leaves the long ones out. The condition is written
// as an inequality because the planner takes such a one to be true of nearly
// all rows, as it is.
const maxIndexed = 2_000

func isShort(column string) string {
	return fmt.Sprintf("sign((octet_length(%s) / %d)::float8) <> 1", column, maxIndexed+1)
}

// fieldTypes are the columns of fields in tables that this package makes.
var fieldTypes = [...]string{
	filter.String: `text`, filter.Int: "bigint", filter.Float: "double precision",
	filter.Bool: "boolean", filter.Time: "timestamptz", filter.Bytes: "bytea",
	filter.Strings: "text[]", filter.Ints: "bigint[]", filter.Floats: "double precision[]", filter.JSON: "jsonb",
}

// systemColumns are the names that PostgreSQL keeps to itself.
var systemColumns = map[string]bool{"tableoid": true, "xmin": true, "cmin": true, "xmax": true, "cmax": true, "ctid": true}

// newTable returns the table that Create makes for a schema.
func newTable(namespace, relation string, s engine.Schema, x extension) *table {
	t := &table{
		schema: s, ext: quote(x.schema), name: quote(namespace) + "." + quote(relation), own: true,
		namespace: namespace, relation: relation,
		id: "id", idSorts: true, vector: "vector", text: "text",
	}
	if s.Element == codec.DOUBLE {
		t.vectorKind = asDoubles
	}
	for _, f := range s.Fields {
		column := strings.ToLower(f.Name)
		if systemColumns[column] {
			column = "vecwire_" + column
		}
		t.fields = append(t.fields, quote(column))
		t.sorts = append(t.sorts, true)
		t.short = append(t.short, f.Index && (f.Type == filter.String || f.Type == filter.Bytes))
	}
	return t
}

// create returns the statements that make the table.
func (t *table) create() []string {
	var b strings.Builder
	fmt.Fprintf(&b, `CREATE TABLE %s (id text COLLATE "C" NOT NULL, vector %s NOT NULL, text text`, t.name, t.vectorType())
	for i := range t.schema.Fields {
		b.WriteString(", " + t.columnOf(i))
	}
	if t.vectorKind == asDoubles {
		fmt.Fprintf(&b, ", CHECK (cardinality(vector) = %d AND array_position(vector, NULL) IS NULL)", t.schema.Dim)
	}
	if t.schema.FullText != engine.NoFullText {
		b.WriteString(", " + wordsColumn + " tsvector, " + wordsCheck)
	}
	b.WriteString(", PRIMARY KEY (" + strings.Join(t.key(), ", ") + "))")
	out := []string{b.String()}
	if t.schema.FullText != engine.NoFullText {
		out = append(out, t.wordsIndex())
	}
	for i, f := range t.schema.Fields {
		for _, path := range f.Paths {
			out = append(out, t.pathIndex(i, "", path), t.numberIndex(i, "", path))
		}
		if f.Index {
			out = append(out, t.fieldIndex(i, "", t.fields[i]))
		}
	}
	return out
}

// columnOf is the definition of a field's column.
func (t *table) columnOf(i int) string {
	typ := t.schema.Fields[i].Type
	definition := t.fields[i] + " " + fieldTypes[typ]
	if typ == filter.String || typ == filter.Strings {
		definition += ` COLLATE "C"`
	}
	return definition
}

// A GIN index keeps aside what was written, and every search reads through that: with the
// server's 4 MB searches are slower than without an index, until the table is vacuumed.
// These bound it, in kB. Texts have many words, so that writing them costs more the less
// is kept aside.
const (
	pendingLists = "gin_pending_list_limit = 64"
	pendingWords = "gin_pending_list_limit = 256"
)

// wordsIndex is the statement that makes the index of full text.
func (t *table) wordsIndex() string {
	return fmt.Sprintf("CREATE INDEX ON %s USING gin (%s) WITH (%s)", t.name, wordsColumn, pendingWords)
}

// fieldIndex is the statement that makes the index over a field, whose column has
// this name. What else CREATE INDEX is to say, such as a name, goes before ON.
func (t *table) fieldIndex(i int, how, column string) string {
	method, options := "", ""
	if _, list := t.schema.Fields[i].Type.Elem(); list {
		method, options = " USING gin", " WITH ("+pendingLists+")"
	}
	statement := fmt.Sprintf("CREATE INDEX %s ON %s%s (%s)%s", how, t.name, method, column, options)
	if t.short[i] {
		statement += " WHERE " + isShort(column)
	}
	return statement
}

// vectorType is the type of the column of vectors.
func (t *table) vectorType() string {
	switch t.vectorKind {
	case asDoubles:
		return "double precision[]"
	case asHalf:
		return fmt.Sprintf("%s.halfvec(%d)", t.ext, t.schema.Dim)
	}
	return fmt.Sprintf("%s.vector(%d)", t.ext, t.schema.Dim)
}

// operator is the distance that the metric stands for.
func (t *table) operator() string {
	op := "<=>"
	switch t.schema.Metric {
	case codec.Dot:
		op = "<#>"
	case codec.L2:
		op = "<->"
	}
	return fmt.Sprintf(" OPERATOR(%s.%s) ", t.ext, op)
}

// scoreOf turns such a distance into a score, clamped to what a cosine can be.
func scoreOf(m codec.Metric, distance float64) float64 {
	if m == codec.Cosine {
		return max(-1, min(1, 1-distance))
	}
	return -distance + 0 // + 0: no negative zero
}

// payload returns the columns of a record, in the order in which decoder reads
// them.
func (t *table) payload(fields, vectors bool) []string {
	out := []string{t.id}
	if t.idKind != idText {
		out[0] += "::text"
	}
	if fields && t.text != "" {
		out = append(out, t.text)
	}
	if fields {
		out = append(out, t.fields...)
	}
	if vectors {
		v := t.vector
		if t.vectorKind == asHalf {
			v += "::" + t.ext + ".vector"
		}
		out = append(out, v)
	}
	return out
}

// columns returns the columns that a record is written to, the one of words last.
func (t *table) columns() []string {
	out := []string{t.id, t.vector}
	if t.text != "" {
		out = append(out, t.text)
	}
	out = append(out, t.fields...)
	if t.schema.FullText != engine.NoFullText {
		out = append(out, wordsColumn)
	}
	return out
}

// merge is the end of an INSERT that replaces the records that are there.
func (t *table) merge() string {
	var b strings.Builder
	fmt.Fprintf(&b, " ON CONFLICT (%s) DO UPDATE SET ", strings.Join(t.key(), ", "))
	between := ""
	for _, c := range t.columns() {
		if !slices.Contains(t.key(), c) {
			fmt.Fprintf(&b, "%s%s = EXCLUDED.%s", between, c, c)
			between = ", "
		}
	}
	return b.String()
}

// ids writes the condition that a record's ID is one of an argument's, which
// goes with idArg.
func (t *table) ids(argument int) string {
	return fmt.Sprintf("%s = ANY($%d::%s[])", t.id, argument, idTypes[t.idKind])
}

// idArg returns IDs as an argument for the type of the key, without those that
// no key can have.
func (t *table) idArg(ids []string) []string {
	if t.idKind == idText {
		return ids
	}
	var out []string
	for _, id := range ids {
		if t.checkID(id) == nil {
			out = append(out, id)
		}
	}
	return out
}

// checkID reports whether an ID is a key of the table, written as the server
// writes it: 7 and not 007, a UUID in small letters.
func (t *table) checkID(id string) error {
	switch t.idKind {
	case idInt:
		if n, err := strconv.ParseInt(id, 10, 64); err != nil || strconv.FormatInt(n, 10) != id {
			return &codec.ValueError{Field: "id", Pos: -1, Want: "a whole number such as 7, as the table's key is", Got: filter.Describe(id)}
		}
	case idUUID:
		if !isUUID(id) {
			return &codec.ValueError{Field: "id", Pos: -1, Want: "a UUID in small letters, as the table's key is", Got: filter.Describe(id)}
		}
	}
	return nil
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}
