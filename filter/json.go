package filter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// FromJSON reads a filter from JSON in the form of MongoDB's queries, which
// frameworks send:
//
//	{"lang": "go", "year": {"$gte": 2020, "$lt": 2026}}
//	{"$or": [{"draft": true}, {"title": {"$in": ["a", "b"]}}]}
//	{"tags": {"$in": ["go", "slices"], "$nin": ["draft"]}}
//
// An object's keys are fields, and all of its conditions must hold. A value is
// what the field equals; null finds a missing one. An object of operators says
// more: $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $exists, $prefix, $contains,
// $like, $words, $containsAny and $containsAll, which are those of this package, $all, which is
// $containsAll, and $not of such an object. For a list $in is $containsAny, and
// [1, 2] in place of a value is what the whole list equals. In
// place of a field, $and, $or and $nor join a list of objects, and $not negates
// one. An empty object, or no text, lets every record pass.
//
// As everywhere in this package, a missing value matches no comparison: $ne and
// $nin find records that have another value, where MongoDB's also find those
// that have none. Numbers are kept as json.Number, and so exactly.
//
// FromJSON does not know which fields there are: [Filter.Check] does. It returns
// an [*Error] whose Msg names the place, such as $.year.$gte, and whose Offset is
// -1, or where the text is no JSON.
func FromJSON(text []byte) (Filter, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return Filter{}, nil
	}
	if len(text) > maxText {
		return Filter{}, &Error{Offset: maxText, Msg: fmt.Sprintf("more than %d bytes of JSON", maxText)}
	}
	r := jsonReader{dec: json.NewDecoder(bytes.NewReader(text))}
	r.dec.UseNumber()
	f, err := r.filter("$", 0)
	if err == nil {
		if _, more := r.dec.Token(); !errors.Is(more, io.EOF) {
			err = &Error{Offset: int(r.dec.InputOffset()), Msg: "want the end of the JSON after one object"}
		}
	}
	if err == nil {
		err = exactStrings(text)
	}
	if err != nil {
		return Filter{}, err
	}
	return f, nil
}

// exactStrings refuses JSON of whose strings encoding/json has made others, by the mark
// for what is no character: they would compare equal to what nobody has written.
func exactStrings(text []byte) error {
	if replaced(text, false) {
		return wrong("$", "a string has half a surrogate pair, want valid Unicode")
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return &Error{Offset: i, Msg: "not JSON: not valid UTF-8"}
		}
		i += n
	}
	return nil
}

// jsonReader reads JSON token by token, so that a key that stands twice is seen
// and the order of conditions is kept.
type jsonReader struct{ dec *json.Decoder }

func (r jsonReader) token() (json.Token, error) {
	t, err := r.dec.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, &Error{Offset: int(r.dec.InputOffset()), Msg: "not JSON: " + strings.TrimPrefix(err.Error(), "json: ")}
	}
	return t, nil
}

func wrong(path, format string, args ...any) *Error {
	return &Error{Offset: -1, Msg: path + ": " + fmt.Sprintf(format, args...)}
}

// filter reads an object of conditions, all of which must hold.
func (r jsonReader) filter(path string, depth int) (Filter, error) {
	t, err := r.token()
	if err != nil {
		return Filter{}, err
	}
	if t != json.Delim('{') {
		return Filter{}, wrong(path, "want an object of conditions, such as {\"lang\": \"go\"}")
	}
	return r.object(path, depth, func(path, key string) (Filter, error) {
		switch {
		case key == "$and", key == "$or", key == "$nor":
			return r.join(path, key, depth+1)
		case key == "$not":
			f, err := r.filter(path, depth+1)
			return Not(f), err
		case strings.HasPrefix(key, "$"):
			return Filter{}, wrong(path, "no operator in place of a field: there are $and, $or, $nor and $not")
		}
		return r.field(path, key, depth+1)
	})
}

// object reads the rest of an object, and joins what each of its keys says.
func (r jsonReader) object(path string, depth int, condition func(path, key string) (Filter, error)) (Filter, error) {
	if depth > maxDepth {
		return Filter{}, wrong(path, "more than %d levels deep", maxDepth)
	}
	var filters []Filter
	seen := map[string]bool{}
	for r.dec.More() {
		t, err := r.token()
		if err != nil {
			return Filter{}, err
		}
		key := t.(string) // the decoder allows nothing else
		at := path + "." + key
		if seen[key] {
			return Filter{}, wrong(at, "the key stands twice")
		}
		seen[key] = true
		f, err := condition(at, key)
		if err != nil {
			return Filter{}, err
		}
		filters = append(filters, f)
	}
	_, err := r.token() // the end
	return And(filters...), err
}

// join reads the list of $and, $or and $nor.
func (r jsonReader) join(path, key string, depth int) (Filter, error) {
	t, err := r.token()
	if err != nil {
		return Filter{}, err
	}
	if t != json.Delim('[') {
		return Filter{}, wrong(path, "want a list of objects")
	}
	var filters []Filter
	for r.dec.More() {
		f, err := r.filter(path+"["+strconv.Itoa(len(filters))+"]", depth)
		if err != nil {
			return Filter{}, err
		}
		filters = append(filters, f)
	}
	if _, err := r.token(); err != nil {
		return Filter{}, err
	}
	if len(filters) == 0 {
		return Filter{}, wrong(path, "want at least one object in the list")
	}
	switch key {
	case "$and":
		return And(filters...), nil
	case "$or":
		return Or(filters...), nil
	}
	return Not(Or(filters...)), nil
}

// field reads what is said of a field: its value, or an object of operators.
func (r jsonReader) field(path, field string, depth int) (Filter, error) {
	t, err := r.token()
	if err != nil {
		return Filter{}, err
	}
	switch t {
	case json.Delim('{'):
		if !r.dec.More() {
			return Filter{}, wrong(path, "want operators, such as {\"$gte\": 1}, or a value")
		}
		return r.object(path, depth, func(path, key string) (Filter, error) {
			return r.operator(path, field, key, depth)
		})
	case json.Delim('['):
		values, err := r.list(path, t)
		return compare(OpEq, field, values), err
	case nil:
		return IsNull(field), nil
	}
	return Eq(field, t), nil
}

var jsonComparisons = map[string]Op{"$eq": OpEq, "$ne": OpNe, "$gt": OpGt, "$gte": OpGe, "$lt": OpLt, "$lte": OpLe}

var jsonTexts = map[string]Op{"$prefix": OpPrefix, "$contains": OpContains, "$like": OpLike, "$words": OpWords}

// operator reads an operator's value.
func (r jsonReader) operator(path, field, name string, depth int) (Filter, error) {
	t, err := r.token()
	if err != nil {
		return Filter{}, err
	}
	comparison, compares := jsonComparisons[name]
	textOp, ofText := jsonTexts[name]
	_, nested := t.(json.Delim)
	switch {
	case name == "$in" || name == "$nin":
		values, err := r.list(path, t)
		if err != nil {
			return Filter{}, err
		}
		if name == "$in" {
			return In(field, values...), nil
		}
		return NotIn(field, values...), nil
	case name == "$all" || name == "$containsAll" || name == "$containsAny":
		values, err := r.list(path, t)
		if err != nil {
			return Filter{}, err
		}
		if name == "$containsAny" {
			return ContainsAny(field, values...), nil
		}
		return ContainsAll(field, values...), nil
	case t == json.Delim('[') && (comparison == OpEq || comparison == OpNe):
		values, err := r.list(path, t)
		return compare(comparison, field, values), err
	case name == "$not":
		if t != json.Delim('{') {
			return Filter{}, wrong(path, "want an object of operators")
		}
		f, err := r.object(path, depth+1, func(path, key string) (Filter, error) { return r.operator(path, field, key, depth+1) })
		return Not(f), err
	case name == "$exists":
		exists, ok := t.(bool)
		if !ok {
			return Filter{}, wrong(path, "want true or false")
		}
		if exists {
			return Not(IsNull(field)), nil
		}
		return IsNull(field), nil
	case ofText:
		part, ok := t.(string)
		if !ok {
			return Filter{}, wrong(path, "want a string")
		}
		return compare(textOp, field, part), nil
	case !compares:
		return Filter{}, wrong(path, "no operator: there are $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $not, $exists, $prefix, $contains, $like, $words, $containsAny, $containsAll and $all")
	case nested:
		return Filter{}, wrong(path, "want a value: a string, a number, true or false")
	case t == nil && comparison == OpEq:
		return IsNull(field), nil
	case t == nil && comparison == OpNe:
		return Not(IsNull(field)), nil
	case t == nil:
		return Filter{}, wrong(path, "null has no order")
	}
	return compare(comparison, field, t), nil
}

// list reads the rest of a list of values.
func (r jsonReader) list(path string, open json.Token) ([]any, error) {
	if open != json.Delim('[') {
		return nil, wrong(path, "want a list of values")
	}
	values := []any{}
	for r.dec.More() {
		t, err := r.token()
		if err != nil {
			return nil, err
		}
		if _, nested := t.(json.Delim); nested || t == nil {
			return nil, wrong(path+"["+strconv.Itoa(len(values))+"]", "want a string, a number, true or false")
		}
		values = append(values, t)
	}
	_, err := r.token()
	return values, err
}
