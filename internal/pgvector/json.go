package pgvector

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/vecwire/vecwire/filter"
)

// jsonText returns a value in JSON's text.
func jsonText(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // what Convert returned cannot fail
	return strings.TrimSuffix(b.String(), "\n")
}

// fieldText returns a list or a JSON value as the text that is cast to its column's
// type, and false for what is neither.
func fieldText(v any) (string, bool) {
	switch v.(type) {
	case map[string]any, []any:
		return jsonText(v), true
	}
	return listLiteral(v)
}

// readJSON reads a json or jsonb in either form.
func readJSON(raw []byte, oid uint32, format int16) (v any, err error) {
	if oid == pgtype.JSONBOID && format == pgtype.BinaryFormatCode {
		raw = raw[1:] // the version
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// pathSQL is what a path into a JSON column leads to, NULL for nothing and for
// JSON's null. The index over a path is found by this text.
func pathSQL(column string, keys []string) string {
	var b strings.Builder
	b.WriteString("nullif((" + column)
	for _, key := range keys {
		b.WriteString(" -> " + literal(key))
	}
	b.WriteString("), 'null'::jsonb)")
	return b.String()
}

// literal writes a text that is part of a statement.
func literal(s string) string { return quoteText(s) + "::text" }

// quoteText writes a constant, whatever the session takes a backslash for.
func quoteText(s string) string {
	quoted := strings.ReplaceAll(s, "'", "''")
	if strings.Contains(s, `\`) {
		return "E'" + strings.ReplaceAll(quoted, `\`, `\\`) + "'"
	}
	return "'" + quoted + "'"
}

// numberSQL is the number that a path into a JSON column leads to, NULL for all else.
func numberSQL(column string, keys []string) string {
	at := "(" + column
	for _, key := range keys {
		at += " -> " + literal(key)
	}
	at += ")"
	return "CASE WHEN jsonb_typeof(" + at + ") = 'number' THEN " + at + "::numeric END"
}

// pathIndex is the statement that makes the index over the values of a path into a JSON
// field, with how as in fieldIndex.
func (t *table) pathIndex(i int, how, path string) string {
	key := pathSQL(t.fields[i], strings.Split(path, "."))
	return fmt.Sprintf("CREATE INDEX %s ON %s ((%s)) WHERE %s", how, t.name, key, isShort("("+key+")::text"))
}

// numberIndex is the one over the numbers alone. The server takes a microsecond to
// compare two jsonb, so that a range of them through the other index is slow.
func (t *table) numberIndex(i int, how, path string) string {
	keys := strings.Split(path, ".")
	key, number := pathSQL(t.fields[i], keys), numberSQL(t.fields[i], keys)
	return fmt.Sprintf("CREATE INDEX %s ON %s ((%s)) WHERE %s AND (%s) IS NOT NULL", how, t.name, number, isShort("("+key+")::text"), number)
}

// json writes a filter over a JSON column. The server compares numbers exactly, and
// strings by the database's locale, so these are ordered as text.
func (w *where) json(f filter.Filter, column string, paths []string) {
	_, keys := f.Path()
	key, values := pathSQL(column, keys), f.Values()
	texts := make([]string, len(values))
	indexed := slices.Contains(paths, strings.Join(keys, "."))
	short := indexed
	for i, v := range values {
		texts[i] = jsonText(v)
		short = short && len(texts[i]) <= maxIndexed
	}
	one := func(i int) string {
		w.args = append(w.args, texts[i])
		return "$" + strconv.Itoa(len(w.args)) + "::text::jsonb"
	}
	all := func() string {
		w.args = append(w.args, texts)
		return "($" + strconv.Itoa(len(w.args)) + "::text[]::jsonb[])"
	}
	if short && !w.negated && alwaysShort(f) {
		// What equals a short value is short, and so is every number. To say so lets
		// the index be used.
		w.sql.WriteString(isShort("("+key+")::text") + " AND ")
	}
	switch f.Op() {
	case filter.OpIsNull:
		w.sql.WriteString(key + " IS NULL")
	case filter.OpEq:
		w.sql.WriteString(key + " = " + one(0))
	case filter.OpNe:
		w.sql.WriteString(key + " <> " + one(0))
	case filter.OpIn:
		w.among(key+" = ANY", values, all, "FALSE")
	case filter.OpNotIn:
		w.among(key+" <> ALL", values, all, "TRUE")
	case filter.OpContainsAny:
		w.ofKind(key, "array", func() { w.among(key+" @> ANY", values, all, "FALSE") }, len(values) > 0)
	case filter.OpContainsAll:
		w.ofKind(key, "array", func() { w.among(key+" @> ALL", values, all, "TRUE") }, len(values) > 0)
	default:
		if _, isString := values[0].(string); isString {
			w.ofKind(key, "string", func() { w.jsonString(f, key) }, true)
			return
		}
		if w.plain || indexed && w.t.schema.Dated {
			w.ofKind(key, "number", func() { w.jsonNumber(f.Op(), key, "::jsonb", texts) }, true)
			return
		}
		w.jsonNumber(f.Op(), numberSQL(column, keys), "::numeric", texts)
	}
}

func (w *where) among(comparison string, values []any, all func() string, none string) {
	if len(values) == 0 {
		w.sql.WriteString(none)
		return
	}
	w.sql.WriteString(comparison + " " + all())
}

// ofKind writes a condition on values of one kind. Of others nothing can be told;
// where that is as good as no, an index may answer the condition.
func (w *where) ofKind(key, kind string, condition func(), needed bool) {
	switch {
	case !needed:
		condition()
	case w.negated || kind != "number":
		w.sql.WriteString("CASE WHEN jsonb_typeof(" + key + ") = '" + kind + "' THEN ")
		condition()
		w.sql.WriteString(" END")
	default:
		w.sql.WriteString("jsonb_typeof(" + key + ") = '" + kind + "' AND ")
		condition()
	}
}

// jsonNumber compares with numbers, which are cast from their texts.
func (w *where) jsonNumber(op filter.Op, key, cast string, texts []string) {
	one := func(i int) string {
		w.args = append(w.args, texts[i])
		return "$" + strconv.Itoa(len(w.args)) + "::text" + cast
	}
	operators := map[filter.Op]string{filter.OpGt: " > ", filter.OpGe: " >= ", filter.OpLt: " < ", filter.OpLe: " <= "}
	if op == filter.OpBetween {
		w.sql.WriteString(key + " BETWEEN " + one(0) + " AND " + one(1))
		return
	}
	w.sql.WriteString(key + operators[op] + one(0))
}

// jsonString compares a string byte by byte.
func (w *where) jsonString(f filter.Filter, key string) {
	text := "((" + key + " #>> '{}') COLLATE \"C\")"
	w.compare(f.Op(), text, filter.String, f.Values())
}

// alwaysShort reports whether what passes a filter is as short as its values, or a
// number, which has at most filter.MaxJSONDigits digits.
func alwaysShort(f filter.Filter) bool {
	switch f.Op() {
	case filter.OpEq, filter.OpIn:
		return len(f.Values()) > 0
	case filter.OpGt, filter.OpGe, filter.OpLt, filter.OpLe, filter.OpBetween:
		_, isNumber := f.Values()[0].(json.Number)
		return isNumber
	}
	return false
}
