package filter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vecwire/vecwire/codec"
)

// Type is the type of a field's values.
type Type uint8

// The types, and the Go values that stand for them.
const (
	String Type = iota // string: valid UTF-8 without NUL
	Int                // int64, and every other integer or whole number that fits
	Float              // float64, finite; integers up to 2^53
	Bool               // bool
	Time               // time.Time, kept to the microsecond and in UTC, years 1 to 9999; text in RFC 3339 or 2006-01-02
	Bytes              // []byte

	// Lists, in the order in which they are given: slices and arrays of what stands
	// for their elements. An empty list is a value. See [MaxListElements].
	Strings // []string
	Ints    // []int64
	Floats  // []float64

	// JSON is an object or a list of any depth: map[string]any or []any of string,
	// json.Number, bool, nil and such maps and lists. It is given as such or as
	// anything that encoding/json writes as one, also as a json.RawMessage. A number
	// keeps all its digits; an exponent is written out. See [MaxJSONBytes].
	JSON
)

var typeNames = [...]string{"String", "Int", "Float", "Bool", "Time", "Bytes", "Strings", "Ints", "Floats", "JSON"}

// String returns the type's name, such as "Int".
func (t Type) String() string {
	if t.Valid() {
		return typeNames[t]
	}
	return fmt.Sprintf("Type(%d)", uint8(t))
}

// Valid reports whether t is one of the types above.
func (t Type) Valid() bool { return int(t) < len(typeNames) }

// ordered reports whether values of t have an order that filters may use.
func (t Type) ordered() bool { return t < Bool || t == Time }

// maxExact is the largest integer up to which float64 holds every one.
const maxExact = 1 << 53

// Convert returns v as the one Go type that stands for t: string, int64,
// float64, bool, time.Time (UTC, whole microseconds), []byte (a copy), or for lists
// []string, []int64 or []float64 (a copy), or for JSON map[string]any or []any, or nil
// for null. Named
// types such as `type Lang string` are taken for what they are underneath, and a
// [json.Number] for the number that it writes, which an Int holds exactly and a
// Float as the nearest float64 if it has a fraction, exactly if it has none, unless it
// has the digits with which encoding/json writes that float64. If
// v cannot be converted without loss, apart from a time's nanoseconds and such a
// fraction, Convert returns a [*codec.ValueError] that names the field.
func (t Type) Convert(field string, v any) (any, error) {
	if elem, ok := t.Elem(); ok {
		return t.convertList(field, elem, v)
	}
	if t == JSON {
		return convertJSON(field, v)
	}
	out, problem := t.convert(v)
	if problem != "" {
		return nil, &codec.ValueError{Field: field, Pos: -1, Want: problem, Got: Describe(v)}
	}
	return out, nil
}

// convert returns the value, or what was wanted instead.
func (t Type) convert(v any) (out any, want string) {
	switch x := v.(type) {
	case time.Time:
		if t == Time {
			return convertTime(x)
		}
		return nil, t.String()
	case json.Number:
		return t.convertNumber(x)
	}
	rv := reflect.ValueOf(v)
	switch t {
	case Bytes:
		if isBytes(rv) {
			return append([]byte{}, rv.Bytes()...), "" // never nil, which would be no value
		}
	case String:
		if rv.Kind() == reflect.String {
			s := rv.String()
			return s, wantString(s)
		}
	case Bool:
		if rv.Kind() == reflect.Bool {
			return rv.Bool(), ""
		}
	case Time:
		if rv.Kind() == reflect.String {
			return parseTime(rv.String())
		}
	case Int:
		switch {
		case rv.CanInt():
			return rv.Int(), ""
		case rv.CanUint() && rv.Uint() <= math.MaxInt64:
			return int64(rv.Uint()), ""
		case rv.CanUint():
			return nil, wantInt
		case rv.CanFloat():
			return intOf(rv.Float())
		}
	case Float:
		switch {
		case rv.CanFloat() && rv.Float()-rv.Float() == 0:
			return rv.Float() + 0, "" // + 0: the databases do not all keep the sign of zero
		case rv.CanInt() && rv.Int() >= -maxExact && rv.Int() <= maxExact:
			return float64(rv.Int()), ""
		case rv.CanUint() && rv.Uint() <= maxExact:
			return float64(rv.Uint()), ""
		case rv.CanFloat():
			return nil, wantFinite
		case rv.CanInt() || rv.CanUint():
			return nil, wantExact
		}
	}
	return nil, t.String()
}

func isBytes(rv reflect.Value) bool {
	return rv.Kind() == reflect.Slice && rv.Type().Elem().Kind() == reflect.Uint8
}

// CheckString returns a [*codec.ValueError] that names the field if s cannot be
// a String: if it is not valid UTF-8 or holds NUL.
func CheckString(field, s string) error {
	if want := wantString(s); want != "" {
		return &codec.ValueError{Field: field, Pos: -1, Want: want, Got: Describe(s)}
	}
	return nil
}

// wantString returns what is wanted instead of s, "" if s will do.
func wantString(s string) string {
	switch {
	case !utf8.ValidString(s):
		return "String in valid UTF-8"
	case strings.IndexByte(s, 0) >= 0:
		return "String without NUL"
	}
	return ""
}

func convertTime(x time.Time) (any, string) {
	x = x.UTC().Truncate(time.Microsecond)
	if y := x.Year(); y < 1 || y > 9999 {
		return nil, "Time of the years 1 to 9999"
	}
	return x, ""
}

func parseTime(s string) (any, string) {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if x, err := time.Parse(layout, s); err == nil {
			return convertTime(x)
		}
	}
	return nil, "Time, or text such as 2006-01-02T15:04:05Z or 2006-01-02"
}

// Describe says in a few words what v is, for an error: its type as a field
// would name it, and its value, shortened.
func Describe(v any) string {
	rv := reflect.ValueOf(v)
	switch {
	case v == nil:
		return "nothing"
	case rv.Type() == reflect.TypeFor[json.Number]():
		return "Number " + quoteShort(rv.String())
	case rv.Kind() == reflect.String:
		return "String " + quoteShort(rv.String())
	case rv.CanInt() || rv.CanUint():
		return fmt.Sprintf("Int %v", v)
	case rv.CanFloat():
		return fmt.Sprintf("Float %v", v)
	case rv.Kind() == reflect.Bool:
		return fmt.Sprintf("Bool %v", v)
	case isBytes(rv):
		return fmt.Sprintf("Bytes of length %d", rv.Len())
	case isList(rv):
		return fmt.Sprintf("a list of length %d, Go type %s", rv.Len(), rv.Type())
	}
	if x, ok := v.(time.Time); ok {
		return "Time " + x.Format(time.RFC3339Nano)
	}
	return "Go type " + rv.Type().String()
}

// quoteShort quotes the beginning of s, so that an error stays readable.
func quoteShort(s string) string {
	const most = 40
	if len(s) <= most {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%q… (%d bytes)", strings.ToValidUTF8(s[:most], ""), len(s))
}

func equalValues(a, b any) bool {
	switch x := a.(type) {
	case []byte:
		y, ok := b.([]byte)
		return ok && bytes.Equal(x, y)
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	}
	return reflect.DeepEqual(a, b)
}
