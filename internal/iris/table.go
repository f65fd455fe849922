package iris

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// table knows a collection's table and writes the SQL that is about it.
// Names are not quoted: they are made of letters, digits and underscores, and
// begin so that none is a word of SQL.
type table struct {
	schema engine.Schema
	name   string
	id     string
	idInt  bool // the key is an integer
	vector string
	text   string // "" for none
	fields []string
	own    bool // made by Create, so that no vector is missing
}

// newTable returns the table that Create makes for a schema.
func newTable(s engine.Schema) *table {
	t := &table{schema: s, name: safeName("vw", s.Name), id: "id", vector: "vec", text: "body", own: true}
	for _, f := range s.Fields {
		t.fields = append(t.fields, safeName("f", f.Name))
	}
	return t
}

// traps are words that the server looks for anywhere in a statement, to
// answer it by itself or to write it again.
var traps = append([]string{
	"version", "current_", "column_name", "sequence_", "deferr", "discard", "rawindex", "cast", "vector", "double", "real", "clob", "blob", "tinyint",
	"varbinary", "varchar", "minus", "conflict", "json", "limit", "offset", "lower", "fillfactor", "include", "using", "timestamp",
}, answers...)

// answers are those of them that make the server answer by itself, wrongly.
var answers = []string{
	"pg_", "returning", "current_setting", "current_database", "set_config", "format_type", "information_schema", "nspname", "typname", "contype",
}

// safeName makes the name of a table or column from a user's. One that holds a
// trap is written in hexadecimal digits.
func safeName(prefix, name string) string {
	name = strings.ToLower(name)
	for _, trap := range traps {
		if strings.Contains(name, trap) {
			return prefix + "x_" + hex.EncodeToString([]byte(name))
		}
	}
	return prefix + "_" + name
}

var tableRE = regexp.MustCompile(`^vwx?_[a-z0-9_]{1,128}$`)

// isOurs reports whether a name is one that newTable makes.
func isOurs(name string) bool { return tableRE.MatchString(name) }

// elementType is the element type as it survives the server, which writes an
// upper-case DOUBLE again.
func elementType(e codec.Element) string {
	if e == codec.DOUBLE {
		return "double"
	}
	return "FLOAT"
}

// columnTypes are the columns of fields. Times are texts of one length, whose
// order is that of the times; Bytes are base64.
var columnTypes = [...]string{
	filter.String: fmt.Sprintf("VARCHAR(%d) COLLATE %%EXACT", maxText), filter.Int: "BIGINT", filter.Float: "double", filter.Bool: "BIT",
	filter.Time: "VARCHAR(26) COLLATE %EXACT", filter.Bytes: fmt.Sprintf("VARCHAR(%d) COLLATE %%EXACT", maxText),
}

// create returns the statements that make the table. String and Bytes fields
// get no index: IRIS keeps an index's values in subscripts, which are short.
func (t *table) create() []string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (%s VARCHAR(%d) COLLATE %%EXACT NOT NULL PRIMARY KEY, %s VECTOR(%s, %d) NOT NULL, %s VARCHAR(%d) COLLATE %%EXACT",
		t.name, t.id, maxID, t.vector, elementType(t.schema.Element), t.schema.Dim, t.text, maxText)
	for i, f := range t.schema.Fields {
		fmt.Fprintf(&b, ", %s %s", t.fields[i], columnTypes[f.Type])
	}
	out := []string{b.String() + ")"}
	for i, f := range t.schema.Fields {
		if f.Index && f.Type != filter.String && f.Type != filter.Bytes {
			out = append(out, fmt.Sprintf("CREATE INDEX %s_i%d ON %s (%s)", t.name, i, t.name, t.fields[i]))
		}
	}
	return out
}

// checkRecord refuses what a column of the table could not hold.
func (t *table) checkRecord(r *engine.Record) error {
	if t.idInt {
		if err := checkIntegerID(r.ID); err != nil {
			return err
		}
	}
	if err := t.checkLength(r.Vector); err != nil {
		return err
	}
	refuse := func(field string, got int) error {
		return &codec.ValueError{Field: field, Pos: -1, Want: fmt.Sprintf("at most %d bytes", maxText), Got: fmt.Sprintf("%d bytes", got)}
	}
	if len(r.Text) > maxText {
		return refuse("text", len(r.Text))
	}
	for i, v := range r.Fields {
		switch v := v.(type) {
		case string:
			if len(v) > maxText {
				return refuse(t.schema.Fields[i].Name, len(v))
			}
		case []byte:
			if base64.StdEncoding.EncodedLen(len(v)) > maxText {
				return refuse(t.schema.Fields[i].Name, len(v))
			}
		}
	}
	return nil
}

// checkIntegerID reports whether an ID is an integer key as the server writes it.
func checkIntegerID(id string) error {
	if n, err := strconv.ParseInt(id, 10, 64); err != nil || strconv.FormatInt(n, 10) != id {
		return &codec.ValueError{Field: "id", Pos: -1, Want: "a whole number such as 7, as the table's key is", Got: filter.Describe(id)}
	}
	return nil
}

// columns returns the columns that a record is written to, and how many there are.
func (t *table) columns() []string {
	out := []string{t.id, t.vector}
	if t.text != "" {
		out = append(out, t.text)
	}
	return append(out, t.fields...)
}

// argument is the place of an argument of a type, which goes with valueArg.
// Whole numbers travel as guarded text: between 5e14 and 1.5e15 some servers take
// them for times.
func argument(typ filter.Type, n int) string {
	switch typ {
	case filter.Int:
		return fmt.Sprintf("CAST(SUBSTRING($%d,2) AS BIGINT)", n)
	case filter.Float, filter.Bool:
		return fmt.Sprintf("$%d", n)
	}
	return fmt.Sprintf("SUBSTRING($%d,2)", n)
}

// timeLayout is fixed in length, and its order as text is that of the times.
const timeLayout = "2006-01-02 15:04:05.000000"

// valueArg is a field's value as an argument, nil for none.
func valueArg(v any) []byte {
	switch v := v.(type) {
	case string:
		return guard(v)
	case int64:
		return strconv.AppendInt([]byte{'~'}, v, 10)
	case float64:
		return strconv.AppendFloat(nil, v, 'e', -1, 64) // with an exponent it is no whole number
	case bool:
		if v {
			return []byte("1")
		}
		return []byte("0")
	case time.Time:
		return v.UTC().AppendFormat([]byte{'~'}, timeLayout)
	case []byte:
		return base64.StdEncoding.AppendEncode([]byte{'~'}, v)
	}
	return nil
}

// idArgument is the place of an ID as an argument, which goes with guard.
func (t *table) idArgument(n int) string {
	if t.idInt {
		return argument(filter.Int, n)
	}
	return argument(filter.String, n)
}

// row is the select list of one record of an upsert, whose arguments begin with
// the n-th.
func (t *table) row(b *strings.Builder, n int) int {
	fmt.Fprintf(b, "SELECT %s, TO_VECTOR($%d, %s)", t.idArgument(n), n+1, elementType(t.schema.Element))
	n += 2
	if t.text != "" {
		b.WriteString(", " + argument(filter.String, n))
		n++
	}
	for _, f := range t.schema.Fields {
		b.WriteString(", " + argument(f.Type, n))
		n++
	}
	return n
}

// arguments appends what goes into the places of row.
func (t *table) arguments(args [][]byte, r *engine.Record) [][]byte {
	args = append(args, guard(r.ID), vectorText(r.Vector))
	if t.text != "" {
		if r.Text == "" {
			args = append(args, nil)
		} else {
			args = append(args, guard(r.Text))
		}
	}
	for i := range t.schema.Fields {
		args = append(args, valueArg(r.Fields[i]))
	}
	return args
}

// vectorText is a vector as an argument. The server pastes it into some
// statements as it is, which is harmless as long as it is made from numbers here.
func vectorText(v engine.Vector) []byte {
	if v.F64 != nil {
		return codec.AppendText(make([]byte, 0, 25*len(v.F64)+32), v.F64)
	}
	return codec.AppendText(make([]byte, 0, 16*len(v.F32)+32), v.F32)
}

// payload returns the columns of a record as a statement reads them, in the
// order in which record reads them.
func (t *table) payload(c *session, fields, vectors bool) []string {
	out := []string{t.id}
	if !t.idInt {
		out[0] = c.shown(t.id)
	}
	if fields && t.text != "" {
		out = append(out, c.shown(t.text))
	}
	if fields {
		for i, f := range t.schema.Fields {
			column := t.fields[i]
			if f.Type == filter.String || f.Type == filter.Time || f.Type == filter.Bytes {
				column = c.shown(column)
			}
			out = append(out, column)
		}
	}
	if vectors {
		out = append(out, t.vector)
	}
	return out
}

// record reads the columns of payload.
func (t *table) record(c *session, row [][]byte, fields, vectors bool) (r engine.Record, err error) {
	if r.ID, err = t.readID(c, row[0]); err != nil {
		return r, err
	}
	fail := func(what string, err error) (engine.Record, error) {
		return r, fmt.Errorf("record %q: %s: %w", r.ID, what, err)
	}
	at := 1
	if fields && t.text != "" {
		text, err := c.readText(row[at])
		if err != nil {
			return fail("text", err)
		}
		if text != nil {
			r.Text = *text
		}
		at++
	}
	if fields {
		if len(t.fields) > 0 {
			r.Fields = make([]any, len(t.fields))
		}
		for i, f := range t.schema.Fields {
			if r.Fields[i], err = c.readValue(f.Type, row[at]); err != nil {
				return fail("field "+f.Name, err)
			}
			at++
		}
	}
	if vectors {
		if r.Vector, err = t.readVector(row[at]); err != nil {
			return fail("vector", err)
		}
	}
	return r, nil
}

func (t *table) readID(c *session, raw []byte) (string, error) {
	if t.idInt {
		if err := checkIntegerID(string(raw)); err != nil {
			return "", fmt.Errorf("the server returned a key that is no integer: %w", err)
		}
		return string(raw), nil
	}
	id, err := c.readText(raw)
	if err == nil && id == nil {
		return "", fmt.Errorf("the server returned NULL for a key")
	}
	if err != nil {
		return "", err
	}
	return *id, nil
}

func (t *table) readVector(raw []byte) (v engine.Vector, err error) {
	if raw == nil {
		if t.own {
			err = fmt.Errorf("the server returned NULL")
		}
		return v, err
	}
	if t.schema.Element == codec.DOUBLE {
		v.F64, err = codec.ParseText(make([]float64, 0, t.schema.Dim), raw)
	} else {
		v.F32, err = codec.ParseText(make([]float32, 0, t.schema.Dim), raw)
	}
	if got := len(v.F32) + len(v.F64); err == nil && got != t.schema.Dim {
		err = &codec.DimensionError{Want: t.schema.Dim, Got: got}
	}
	return v, err
}

// readValue reads a field as the Go type that stands for its type.
func (c *session) readValue(typ filter.Type, raw []byte) (any, error) {
	if raw == nil {
		return nil, nil
	}
	switch typ {
	case filter.Int:
		return strconv.ParseInt(string(raw), 10, 64)
	case filter.Float:
		return strconv.ParseFloat(string(raw), 64)
	case filter.Bool:
		switch string(raw) {
		case "1", "t", "true", "True":
			return true, nil
		case "0", "f", "false", "False":
			return false, nil
		}
		return nil, fmt.Errorf("the server returned %.40q for a Bool", raw)
	}
	text, err := c.readText(raw)
	if err != nil {
		return nil, err
	}
	switch typ {
	case filter.Time:
		at, err := time.Parse(timeLayout, *text)
		return at, err
	case filter.Bytes:
		return base64.StdEncoding.DecodeString(*text)
	}
	return *text, nil
}
