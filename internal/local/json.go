package local

import (
	"bytes"
	"database/sql/driver"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"modernc.org/sqlite"

	"github.com/vecwire/vecwire/filter"
)

// A JSON field is stored as its text, without white space. What a path leads to
// becomes a key: bytes whose order is that of the values, for numbers of any size,
// and that tell apart what JSON tells apart. SQLite's own functions for JSON round
// numbers, so the keys come from functions of ours, which every connection has. The
// index over a path is one over such a key.
const (
	keyFunction = "vecwire_json"     // (json, path): the key, NULL if there is nothing
	anyFunction = "vecwire_json_any" // (json, path, keys): whether a list has one of them, NULL if it is none
	allFunction = "vecwire_json_all" // (json, path, keys): whether a list has each of them
)

// The first byte of a key says what the value is. No such byte is in UTF-8, so that
// no part of a string is found in it.
const (
	keyFalse  = 0xf8
	keyTrue   = 0xf9
	keyNumber = 0xfa
	keyString = 0xfb
	keyList   = 0xfc
	keyObject = 0xfd
)

// newDriver returns SQLite's driver with our functions.
func newDriver() (*sqlite.Driver, error) {
	d := new(sqlite.Driver)
	for name, f := range map[string]struct {
		args int32
		call func(args []driver.Value) driver.Value
	}{
		keyFunction: {2, func(args []driver.Value) driver.Value { return keyAt(args[0], args[1]) }},
		anyFunction: {3, func(args []driver.Value) driver.Value { return listHas(args, false) }},
		allFunction: {3, func(args []driver.Value) driver.Value { return listHas(args, true) }},

		likeFunction: {2, func(args []driver.Value) driver.Value { return like(args[0], args[1]) }},
	} {
		err := d.RegisterFunction(name, &sqlite.FunctionImpl{
			NArgs: f.args, Deterministic: true, VolatileArgs: true,
			Scalar: func(_ *sqlite.FunctionContext, args []driver.Value) (out driver.Value, err error) {
				defer func() {
					if recover() != nil { // of text that is no JSON, or has white space
						err = fmt.Errorf("%w: what %s was given is not JSON as it is stored", errDamaged, name)
					}
				}()
				return f.call(args), nil
			},
		})
		if err != nil {
			return nil, err
		}
	}
	return d, nil
}

// keyAt is keyFunction.
func keyAt(text, path driver.Value) driver.Value {
	value := jsonAt(text, path)
	if value == "" {
		return nil
	}
	key := appendKey(nil, value)
	if key == nil {
		return nil // and no empty blob
	}
	return key
}

// listHas is anyFunction and allFunction.
func listHas(args []driver.Value, all bool) driver.Value {
	list := jsonAt(args[0], args[1])
	if list == "" || list[0] != '[' {
		return nil
	}
	wanted, _ := args[2].([]byte)
	missing := keysOf(wanted)
	var key []byte
	for rest := list[1:]; len(rest) > 1; {
		n := jsonLength(rest)
		if key = appendKey(key[:0], rest[:n]); key != nil {
			if _, ok := missing[string(key)]; ok {
				delete(missing, string(key))
				if !all || len(missing) == 0 {
					return int64(1)
				}
			}
		}
		rest = rest[n+1:] // and the comma, or the end
	}
	return int64(0)
}

// joinKeys returns the keys of values as one argument, each with its length before.
func joinKeys(values []any) []byte {
	var b []byte
	for _, v := range values {
		key := keyOf(v)
		b = append(binary.AppendUvarint(b, uint64(len(key))), key...)
	}
	return b
}

func keysOf(joined []byte) map[string]struct{} {
	keys := map[string]struct{}{}
	for len(joined) > 0 {
		n, size := binary.Uvarint(joined)
		joined = joined[size:]
		keys[string(joined[:n])] = struct{}{}
		joined = joined[n:]
	}
	return keys
}

// keyOf returns the key of a checked filter's value.
func keyOf(v any) []byte {
	switch v := v.(type) {
	case bool:
		if v {
			return []byte{keyTrue}
		}
		return []byte{keyFalse}
	case json.Number:
		return appendNumber([]byte{keyNumber}, string(v))
	case string:
		return append([]byte{keyString}, v...)
	}
	return nil
}

// appendKey appends the key of a value in JSON's text; nil for null.
func appendKey(b []byte, value string) []byte {
	switch value[0] {
	case 'n':
		return nil
	case 'f':
		return append(b, keyFalse)
	case 't':
		return append(b, keyTrue)
	case '[':
		return append(b, keyList)
	case '{':
		return append(b, keyObject)
	case '"':
		return append(append(b, keyString), unquoted(value)...)
	}
	return appendNumber(append(b, keyNumber), value)
}

// appendNumber appends a number without exponent so that the order of the bytes is
// that of the numbers: the sign, where the point is among the digits, and the
// digits without zeros around them. For negative numbers all is turned over, and a
// last byte puts fewer digits after more.
func appendNumber(b []byte, text string) []byte {
	const zero, positive, negative = 1, 2, 0
	text, isNegative := strings.CutPrefix(text, "-")
	whole, fraction, _ := strings.Cut(text, ".")
	whole = strings.TrimLeft(whole, "0")
	point := len(whole)
	digits := whole + fraction
	if whole == "" {
		digits = strings.TrimLeft(fraction, "0")
		point = len(digits) - len(fraction)
	}
	digits = strings.TrimRight(digits, "0")
	if digits == "" {
		return append(b, zero)
	}
	start := len(b) + 1
	b = append(b, positive)
	b = binary.BigEndian.AppendUint16(b, uint16(1<<15+point))
	b = append(b, digits...)
	if isNegative {
		b[start-1] = negative
		for i := start; i < len(b); i++ {
			b[i] = ^b[i]
		}
		b = append(b, 0xff)
	}
	return b
}

// jsonAt returns what a path leads to in JSON's text as it is stored, "" for
// nothing. Both are strings, or NULL.
func jsonAt(text, path driver.Value) string {
	value, _ := text.(string)
	rest, _ := path.(string)
	for value != "" && rest != "" {
		key, after, _ := strings.Cut(rest, ".")
		value, rest = member(value, key), after
	}
	return value
}

// member returns the value of a key of an object, "" for nothing.
func member(object, key string) string {
	if object[0] != '{' {
		return ""
	}
	for rest := object[1:]; len(rest) > 1; {
		n := jsonLength(rest)
		name := rest[:n]
		rest = rest[n+1:] // and the colon
		n = jsonLength(rest)
		if unquoted(name) == key {
			return rest[:n]
		}
		rest = rest[n+1:] // and the comma, or the end
	}
	return ""
}

// unquoted returns the string that a JSON string stands for.
func unquoted(quoted string) string {
	inner := quoted[1 : len(quoted)-1]
	if strings.IndexByte(inner, '\\') < 0 {
		return inner
	}
	var s string
	_ = json.Unmarshal([]byte(quoted), &s) // it was written by encoding/json
	return s
}

// jsonLength returns how many bytes the value at the beginning of b has.
func jsonLength(b string) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth == 0 {
				return i // of what holds the value
			}
			depth--
		case ',', ':':
			if depth == 0 {
				return i
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(b)
}

// jsonText returns a JSON value as it is stored.
func jsonText(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // what Convert returned cannot fail
	return strings.TrimSuffix(b.String(), "\n")
}

// parseJSON reads what jsonText wrote.
func parseJSON(stored any) (any, bool) {
	text, ok := stored.(string)
	if !ok {
		return nil, false
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err == nil
}

// pathKey is the SQL for the key of what a path leads to. The index over a path is
// found by this text, so the path stands in it and is not bound.
func pathKey(table, field string, path string) string {
	return fmt.Sprintf("%s(%s%s, '%s')", keyFunction, table, quote(field), strings.ReplaceAll(path, "'", "''"))
}

// json writes a filter over a JSON field.
func (c *compiler) json(f filter.Filter) {
	field, keys := f.Path()
	path, values := strings.Join(keys, "."), f.Values()
	name := pathKey("r.", field, path)
	bound := make([]any, len(values))
	for i, v := range values {
		bound[i] = keyOf(v)
	}
	switch f.Op() {
	case filter.OpContainsAny, filter.OpContainsAll:
		function, none := anyFunction, "0"
		if f.Op() == filter.OpContainsAll {
			function, none = allFunction, "1"
		}
		if len(values) == 0 {
			c.sql.WriteString(none)
			return
		}
		c.sql.WriteString(function + "(r." + quote(field) + ", ?, ?)")
		c.args = append(c.args, path, joinKeys(values))
	case filter.OpIsNull:
		c.sql.WriteString(name + " IS NULL")
	case filter.OpIn:
		c.list(name+" IN (", bound, "0")
	case filter.OpNotIn:
		c.list(name+" NOT IN (", bound, "1")
	case filter.OpEq, filter.OpNe:
		c.sql.WriteString(name + map[filter.Op]string{filter.OpEq: " = ", filter.OpNe: " <> "}[f.Op()])
		c.bind(bound[0])
	default:
		c.jsonOrder(f.Op(), name, keyOf(values[0]), keyOf(values[len(values)-1]))
	}
}

// jsonOrder compares a key by its order or as a string. Of a value of another kind
// nothing can be told; where that is as good as no, it is a range, which an index
// can answer.
func (c *compiler) jsonOrder(op filter.Op, name string, low, high []byte) {
	first, after := low[:1:1], []byte{low[0] + 1}
	type bound struct {
		operator string
		key      []byte
	}
	var bounds []bound
	switch op {
	case filter.OpGt:
		bounds = []bound{{" > ", low}, {" < ", after}}
	case filter.OpGe:
		bounds = []bound{{" >= ", low}, {" < ", after}}
	case filter.OpLt:
		bounds = []bound{{" >= ", first}, {" < ", low}}
	case filter.OpLe:
		bounds = []bound{{" >= ", first}, {" <= ", low}}
	case filter.OpBetween:
		bounds = []bound{{" >= ", low}, {" <= ", high}}
	case filter.OpPrefix:
		next := slices.Clone(low)
		next[len(next)-1]++ // no byte of valid UTF-8, and no first byte, is 0xFF
		bounds = []bound{{" >= ", low}, {" < ", next}}
	}
	if c.negated || op == filter.OpContains {
		c.sql.WriteString("CASE WHEN " + name + " >= ")
		c.bind(first)
		c.sql.WriteString(" AND " + name + " < ")
		c.bind(after)
		c.sql.WriteString(" THEN ")
		defer c.sql.WriteString(" END")
	}
	if op == filter.OpContains {
		c.sql.WriteString("instr(" + name + ", ")
		c.bind(low[1:])
		c.sql.WriteString(") > 0")
		return
	}
	c.sql.WriteByte('(')
	for i, b := range bounds {
		if i > 0 {
			c.sql.WriteString(" AND ")
		}
		c.sql.WriteString(name + b.operator)
		c.bind(b.key)
	}
	c.sql.WriteByte(')')
}
