package filter

import (
	"fmt"
	"reflect"

	"github.com/vecwire/vecwire/codec"
)

// The limits of a list that a record holds. A longer one belongs into records of
// its own; an element is a name or a number and not a text, so that every engine
// can have it in an index.
const (
	MaxListElements = 10_000 // of a list
	MaxListString   = 2_000  // bytes of an element of Strings
)

// Elem returns the type of a list's elements, and whether t is a list.
func (t Type) Elem() (elem Type, list bool) {
	switch t {
	case Strings:
		return String, true
	case Ints:
		return Int, true
	case Floats:
		return Float, true
	}
	return 0, false
}

// convertList returns the elements of a slice or an array as a slice of their own.
// It is never nil, which would be no value.
func (t Type) convertList(field string, elem Type, v any) (any, error) {
	rv := reflect.ValueOf(v)
	fail := func(pos int, want, got string) (any, error) {
		return nil, &codec.ValueError{Field: field, Pos: pos, Want: want, Got: got}
	}
	if !isList(rv) {
		return fail(-1, t.String(), Describe(v))
	}
	n := rv.Len()
	if n > MaxListElements {
		return fail(-1, fmt.Sprintf("%s of at most %d elements", t, MaxListElements), fmt.Sprintf("one of %d", n))
	}
	strings, ints, floats := make([]string, 0, n), []int64(nil), []float64(nil)
	switch elem {
	case Int:
		ints = make([]int64, 0, n)
	case Float:
		floats = make([]float64, 0, n)
	}
	for i := range n {
		x := rv.Index(i).Interface()
		out, want := elem.convert(x)
		if want != "" {
			return fail(i, want, Describe(x))
		}
		switch out := out.(type) {
		case string:
			if len(out) > MaxListString {
				return fail(i, fmt.Sprintf("String of at most %d bytes", MaxListString), Describe(out))
			}
			strings = append(strings, out)
		case int64:
			ints = append(ints, out)
		case float64:
			floats = append(floats, out)
		}
	}
	switch elem {
	case Int:
		return ints, nil
	case Float:
		return floats, nil
	}
	return strings, nil
}

// isList reports whether a value is a slice or an array, and not bytes.
func isList(rv reflect.Value) bool {
	switch rv.Kind() {
	case reflect.Slice:
		return rv.Type().Elem().Kind() != reflect.Uint8
	case reflect.Array:
		return true
	}
	return false
}

// elements returns the elements of a list that a filter compares with.
func elements(v any) []any {
	rv := reflect.ValueOf(v)
	out := make([]any, rv.Len())
	for i := range out {
		out[i] = rv.Index(i).Interface()
	}
	return out
}

// ContainsAny passes records whose list has at least one of values; none, if there
// are no values. The list is a Strings, Ints or Floats field.
func ContainsAny[T any](field string, values ...T) Filter {
	return compare(OpContainsAny, field, anys(values)...)
}

// ContainsAll passes records whose list has each of values, in any order; every
// record, if there are no values. See [ContainsAny].
func ContainsAll[T any](field string, values ...T) Filter {
	return compare(OpContainsAll, field, anys(values)...)
}

// forList returns what an operation is for a list: to be in it is to be one of its
// elements. [OpNotIn] is then the negation.
func (o Op) forList() Op {
	switch o {
	case OpIn, OpNotIn, OpContains:
		return OpContainsAny
	}
	return o
}
