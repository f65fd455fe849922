package filter

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vecwire/vecwire/codec"
)

// The limits of a JSON value that a record holds.
const (
	MaxJSONBytes  = 1 << 20 // of its keys, strings and numbers together, and one for each value
	MaxJSONDepth  = 100     // lists and objects within each other
	MaxJSONDigits = 1_000   // of a number that is written without an exponent
)

// convertJSON returns an object as map[string]any and a list as []any, whose values
// are string, json.Number, bool, nil and such maps and lists, in memory of their
// own. A nil map or slice, and JSON's null, is nil.
func convertJSON(field string, v any) (any, error) {
	c := jsonConverter{field: field}
	out, err := c.value("", v, 0)
	if err != nil {
		return nil, err
	}
	switch out.(type) {
	case map[string]any, []any, nil:
		if v != nil {
			return out, nil
		}
	}
	return nil, c.fail("", "JSON: an object or a list", v)
}

type jsonConverter struct {
	field string
	size  int
}

// fail is the error of a value within the field.
func (c *jsonConverter) fail(path, want string, v any) error {
	return &codec.ValueError{Field: c.field + path, Pos: -1, Want: want, Got: Describe(v)}
}

func (c *jsonConverter) grow(path string, by int) error {
	if c.size += by + 1; c.size > MaxJSONBytes {
		return &codec.ValueError{Field: c.field, Pos: -1, Want: fmt.Sprintf("JSON of at most %d bytes", MaxJSONBytes), Got: "more, at " + c.field + path}
	}
	return nil
}

func (c *jsonConverter) value(path string, v any, depth int) (any, error) {
	if depth > MaxJSONDepth {
		return nil, &codec.ValueError{Field: c.field, Pos: -1, Want: fmt.Sprintf("JSON of at most %d levels", MaxJSONDepth), Got: "a deeper one"}
	}
	switch x := v.(type) {
	case nil:
		return nil, c.grow(path, 0)
	case json.RawMessage:
		return c.raw(path, x, depth, false)
	case json.Number:
		return c.number(path, v, string(x))
	case json.Marshaler, encoding.TextMarshaler:
		return c.marshal(path, v, depth)
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.String:
		if want := wantString(rv.String()); want != "" {
			return nil, c.fail(path, want, v)
		}
		return rv.String(), c.grow(path, rv.Len())
	case reflect.Bool:
		return rv.Bool(), c.grow(path, 0)
	case reflect.Pointer, reflect.Interface:
		if rv.IsNil() {
			return nil, c.grow(path, 0)
		}
		return c.value(path, rv.Elem().Interface(), depth+1)
	case reflect.Map:
		if rv.Type().Key().Kind() == reflect.String {
			return c.object(path, rv, depth)
		}
	case reflect.Slice, reflect.Array:
		if isList(rv) {
			return c.list(path, rv, depth)
		}
	case reflect.Float32, reflect.Float64:
		x := rv.Float()
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, c.fail(path, wantFinite, v)
		}
		bits := rv.Type().Bits()
		return c.number(path, v, strconv.FormatFloat(x, 'f', -1, bits))
	}
	switch {
	case rv.CanInt():
		return c.number(path, v, strconv.FormatInt(rv.Int(), 10))
	case rv.CanUint():
		return c.number(path, v, strconv.FormatUint(rv.Uint(), 10))
	}
	return c.marshal(path, v, depth)
}

func (c *jsonConverter) number(path string, v any, text string) (any, error) {
	plain, want := plainNumber(text)
	if want != "" {
		return nil, c.fail(path, want, v)
	}
	return json.Number(plain), c.grow(path, len(plain))
}

func (c *jsonConverter) object(path string, rv reflect.Value, depth int) (any, error) {
	if rv.IsNil() {
		return nil, c.grow(path, 0)
	}
	out := make(map[string]any, rv.Len())
	for iter := rv.MapRange(); iter.Next(); {
		key := iter.Key().String()
		if want := wantString(key); want != "" {
			return nil, c.fail(path, "keys: "+want, key)
		}
		within := path + "." + key
		if err := c.grow(within, len(key)); err != nil {
			return nil, err
		}
		x, err := c.value(within, iter.Value().Interface(), depth+1)
		if err != nil {
			return nil, err
		}
		out[key] = x
	}
	return out, c.grow(path, 0)
}

func (c *jsonConverter) list(path string, rv reflect.Value, depth int) (any, error) {
	if rv.Kind() == reflect.Slice && rv.IsNil() {
		return nil, c.grow(path, 0)
	}
	out := make([]any, rv.Len())
	for i := range out {
		var err error
		if out[i], err = c.value(path+"["+strconv.Itoa(i)+"]", rv.Index(i).Interface(), depth+1); err != nil {
			return nil, err
		}
	}
	return out, c.grow(path, 0)
}

// marshal takes what encoding/json writes for a value of any other type.
func (c *jsonConverter) marshal(path string, v any, depth int) (any, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, c.fail(path, "what encoding/json can write, and not: "+err.Error(), v)
	}
	return c.raw(path, text, depth, true)
}

// raw reads JSON's text. What encoding/json would replace is refused: half a
// surrogate pair, and in what it has written itself the mark of a string that was
// not valid UTF-8.
func (c *jsonConverter) raw(path string, text []byte, depth int, written bool) (any, error) {
	got := json.RawMessage(text)
	switch {
	case len(text) > 8*MaxJSONBytes: // with white space and escapes
		return nil, c.fail(path, fmt.Sprintf("JSON of at most %d bytes", 8*MaxJSONBytes), got)
	case !utf8.Valid(text):
		return nil, c.fail(path, "JSON in valid UTF-8", got)
	case replaced(text, written):
		return nil, c.fail(path, "JSON whose strings are valid Unicode", got)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	err := dec.Decode(&v)
	if _, more := dec.Token(); err == nil && !errors.Is(more, io.EOF) {
		err = errors.New("there is more after the first value")
	}
	if err != nil {
		return nil, c.fail(path, "JSON, and not: "+err.Error(), got)
	}
	if twice := codec.KeyTwice(text, false); twice != nil {
		return nil, &codec.ValueError{Field: c.field + path + dotted(twice), Pos: -1, Want: "each key of an object once", Got: "the key twice"}
	}
	return c.value(path, v, depth+1)
}

// replaced reports whether JSON's text has half a surrogate pair or, if that is
// asked for, the escape of the replacement character.
func replaced(text []byte, mark bool) bool {
	high := false // the escape just before was the first half of a pair
	for i := 0; i < len(text); i++ {
		unit := uint64(0)
		if text[i] == '\\' && i+1 < len(text) {
			i++
			if text[i] == 'u' && i+4 < len(text) {
				unit, _ = strconv.ParseUint(string(text[i+1:i+5]), 16, 16)
				i += 4
			}
		}
		low := 0xdc00 <= unit && unit < 0xe000
		if low != high || mark && unit == utf8.RuneError {
			return true
		}
		high = 0xd800 <= unit && unit < 0xdc00
	}
	return high
}

// plainNumber returns a number in JSON's text without an exponent and with the
// digits that it has, as PostgreSQL's numeric keeps it, or what is wanted instead.
func plainNumber(text string) (plain, want string) {
	if !isNumber(text) {
		return "", wantNumber
	}
	tooLong := fmt.Sprintf("a number of at most %d digits without its exponent", MaxJSONDigits)
	if len(text) > 2*MaxJSONDigits {
		return "", tooLong
	}
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	exponent := 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		text, exponent = text[:i], clampedInt(text[i+1:])
	}
	whole, fraction, _ := strings.Cut(text, ".")
	switch {
	case strings.Trim(whole+fraction, "0") == "": // zero times anything
		sign, exponent = "", min(0, exponent)
		if exponent < -MaxJSONDigits {
			return "", tooLong
		}
	case exponent > MaxJSONDigits || exponent < -MaxJSONDigits:
		return "", tooLong
	}
	if exponent > 0 {
		moved := min(exponent, len(fraction))
		whole, fraction = whole+fraction[:moved]+strings.Repeat("0", exponent-moved), fraction[moved:]
	} else if exponent < 0 {
		whole = strings.Repeat("0", max(0, 1-exponent-len(whole))) + whole
		at := len(whole) + exponent
		whole, fraction = whole[:at], whole[at:]+fraction
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if len(whole)+len(fraction) > MaxJSONDigits {
		return "", tooLong
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return sign + whole, ""
}

// convertJSONScalar returns a value that what a path leads to is compared with, as
// string, json.Number or bool.
func convertJSONScalar(field string, v any) (any, error) {
	c := jsonConverter{field: field}
	out, err := c.value("", v, 0)
	if err != nil {
		return nil, err
	}
	switch out.(type) {
	case string, json.Number, bool:
		return out, nil
	}
	return nil, c.fail("", "a string, a number, true or false", v)
}

// Path takes a field's name apart that leads into a JSON field: "meta.author.name"
// is the key name of what the key author of the field meta holds. There are no keys
// in the name of any other field. A key that has a dot itself cannot be named.
func (f Filter) Path() (field string, keys []string) { return SplitPath(f.field) }

// SplitPath is [Filter.Path] for any name.
func SplitPath(name string) (field string, keys []string) {
	field, rest, found := strings.Cut(name, ".")
	if found {
		keys = strings.Split(rest, ".")
	}
	return field, keys
}

// checkJSON refuses what cannot be asked of what a path leads to.
func (f Filter) checkJSON() error {
	fail := func(format string, args ...any) error {
		return &Error{Field: f.field, Offset: -1, Msg: fmt.Sprintf(format, args...)}
	}
	_, keys := f.Path()
	if len(keys) > MaxJSONDepth {
		return fail("has a path of more than %d keys", MaxJSONDepth)
	}
	for _, key := range keys {
		if key == "" || wantString(key) != "" {
			return fail("has the key %q in its path", key)
		}
	}
	kinds := map[reflect.Type]bool{}
	for _, v := range f.values {
		kinds[reflect.TypeOf(v)] = true
	}
	_, isString := first(f.values).(string)
	_, isBool := first(f.values).(bool)
	switch f.op {
	case OpLike, OpWords:
		return fail("of type JSON has no operation %s", f.op)
	case OpGt, OpGe, OpLt, OpLe, OpBetween:
		if isBool {
			return fail("of type JSON has no operation %s for true and false", f.op)
		}
		if len(kinds) > 1 {
			return fail("is compared with values of two kinds")
		}
	case OpPrefix, OpContains:
		if !isString {
			return fail("of type JSON has no operation %s but for a string", f.op)
		}
	}
	return nil
}

func first(values []any) any {
	if len(values) == 0 {
		return nil
	}
	return values[0]
}

// dotted writes a path in a JSON value, such as .a[1].b.
func dotted(path []any) string {
	var b strings.Builder
	for _, step := range path {
		switch step := step.(type) {
		case string:
			b.WriteString("." + step)
		case int:
			fmt.Fprintf(&b, "[%d]", step)
		}
	}
	return b.String()
}
