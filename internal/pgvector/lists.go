package pgvector

import (
	"encoding/binary"
	"errors"
	"strconv"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/vecwire/vecwire/filter"
)

// errUnlike is about an array that no list can be: one of a table that others
// write, with NULL among its elements or with several dimensions.
var errUnlike = errors.New("the array has NULL among its elements or several dimensions")

// overlap writes the condition that an array has some of the values, which are
// bound as one.
func (w *where) overlap(column, operator string, typ filter.Type, values []any, none string) {
	if len(values) == 0 {
		w.sql.WriteString(none)
		return
	}
	elem, _ := typ.Elem()
	w.args = append(w.args, arrayOf(elem, values))
	value := "$" + strconv.Itoa(len(w.args)) + "::" + fieldTypes[typ]
	if w.planOnce {
		value = "(SELECT " + value + ")"
	}
	w.sql.WriteString(column + operator + value)
}

// unnested returns the type in which a field's values come to unnest, and the cast
// of each to the type of its column. Unnest takes nested arrays apart to the
// bottom, so a list comes as the text of an array.
func unnested(typ filter.Type) (argument, cast string) {
	if _, list := typ.Elem(); list || typ == filter.JSON {
		return "text", "::" + fieldTypes[typ]
	}
	return fieldTypes[typ], ""
}

// listLiteral returns a list as the text of an array, and false for what is no list.
func listLiteral(v any) (string, bool) {
	b := []byte{'{'}
	switch list := v.(type) {
	case []string:
		b = appendElements(b, list)
	case []int64:
		b = appendElements(b, list)
	case []float64:
		b = appendElements(b, list)
	default:
		return "", false
	}
	return string(append(b, '}')), true
}

func appendElements[T any](b []byte, list []T) []byte {
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendElement(b, v)
	}
	return b
}

// appendBinaryValue appends a list as an array, or a JSON value as a jsonb, in binary
// form, with its length, and reports whether it is one.
func appendBinaryValue(buf []byte, v any) ([]byte, bool) {
	switch list := v.(type) {
	case []string:
		return withLength(buf, func(b []byte) []byte {
			b = appendArrayHeader(b, pgtype.TextOID, len(list))
			for _, s := range list {
				b = appendBinary(b, s)
			}
			return b
		}), true
	case []int64:
		return withLength(buf, func(b []byte) []byte {
			b = appendArrayHeader(b, pgtype.Int8OID, len(list))
			for _, n := range list {
				b = appendBinary(b, n)
			}
			return b
		}), true
	case []float64:
		return withLength(buf, func(b []byte) []byte {
			return appendDoubles(appendArrayHeader(b, pgtype.Float8OID, len(list)), list)
		}), true
	case map[string]any, []any:
		text := jsonText(v)
		buf = binary.BigEndian.AppendUint32(buf, uint32(1+len(text)))
		return append(append(buf, 1), text...), true // with the version of the form
	}
	return buf, false
}

func withLength(buf []byte, add func([]byte) []byte) []byte {
	start := len(buf)
	buf = add(append(buf, 0, 0, 0, 0))
	binary.BigEndian.PutUint32(buf[start:], uint32(len(buf)-start-4))
	return buf
}

// list reads an array of any width as a list.
func (d decoder) list(typ filter.Type, raw []byte, oid uint32, format int16) (any, error) {
	switch typ {
	case filter.Ints:
		return scanList[int64](d.m, oid, format, raw)
	case filter.Floats:
		return scanList[float64](d.m, oid, format, raw)
	}
	return scanList[string](d.m, oid, format, raw)
}

func scanList[T any](m *pgtype.Map, oid uint32, format int16, raw []byte) (any, error) {
	var array pgtype.Array[*T]
	if err := m.Scan(oid, format, raw, &array); err != nil {
		return nil, err
	}
	if len(array.Dims) > 1 {
		return nil, errUnlike
	}
	out := make([]T, len(array.Elements))
	for i, v := range array.Elements {
		if v == nil {
			return nil, errUnlike
		}
		out[i] = *v
	}
	return out, nil
}
