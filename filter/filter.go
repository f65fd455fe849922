// Package filter says which records a search, a count or a delete is about.
//
// A [Filter] is a plain value: it is built by functions such as [Eq] and [And],
// or read from text by [Parse], and its zero value lets every record pass. It
// is evaluated with SQL's three-valued logic on every engine: a missing value
// never matches a comparison, not even a negated one; only [IsNull] finds it.
//
// Strings are compared byte by byte, as Go compares them. A filter knows no
// engine: each engine writes it in its own language, with every value bound.
package filter

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
)

// Op is what a filter does. It is for those who translate filters.
type Op uint8

// The operations. Those with a field compare it with Values; And, Or and Not
// join Args.
const (
	OpAll      Op = iota // every record
	OpAnd                // all of Args; true for none
	OpOr                 // at least one of Args; false for none
	OpNot                // not Args[0]
	OpEq                 // field = Values[0]
	OpNe                 // field <> Values[0]
	OpGt                 // field > Values[0]
	OpGe                 // field >= Values[0]
	OpLt                 // field < Values[0]
	OpLe                 // field <= Values[0]
	OpIn                 // field is one of Values; false for none
	OpNotIn              // field is none of Values; true for none
	OpBetween            // Values[0] <= field <= Values[1]
	OpPrefix             // field begins with Values[0]
	OpContains           // field has Values[0] somewhere within
	OpIsNull             // field has no value

	OpContainsAny // the list field has at least one of Values; false for none
	OpContainsAll // the list field has each of Values; true for none

	OpLike  // field has the form of the pattern Values[0], in any case; see Like
	OpWords // the text has each word of Values[0]
)

var opNames = [...]string{
	OpAll: "all", OpAnd: "&&", OpOr: "||", OpNot: "!", OpEq: "==", OpNe: "!=", OpGt: ">", OpGe: ">=", OpLt: "<", OpLe: "<=",
	OpIn: "in", OpNotIn: "notIn", OpBetween: "between", OpPrefix: "prefix", OpContains: "contains", OpIsNull: "isNull",
	OpContainsAny: "containsAny", OpContainsAll: "containsAll", OpLike: "like", OpWords: "words",
}

// String returns the operation as [Parse] reads it.
func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return fmt.Sprintf("Op(%d)", uint8(o))
}

// Filter lets some records pass and not others. The zero Filter lets all pass.
// The name of a field may lead into a JSON field: see [Filter.Path].
// It never changes once made, so it may be shared.
type Filter struct {
	op     Op
	field  string
	values []any
	args   []Filter
}

// Op returns what the filter does.
func (f Filter) Op() Op { return f.op }

// Field returns the field that is compared, "" for And, Or, Not and All.
func (f Filter) Field() string { return f.field }

// Values returns the values that the field is compared with. The slice must not
// be changed.
func (f Filter) Values() []any { return f.values }

// Args returns the filters that And, Or and Not join. The slice must not be
// changed.
func (f Filter) Args() []Filter { return f.args }

// IsZero reports whether f is the zero Filter, which lets every record pass.
func (f Filter) IsZero() bool { return f.op == OpAll }

func compare(op Op, field string, values ...any) Filter {
	return Filter{op: op, field: field, values: owned(values)}
}

// owned replaces each slice in values by a copy, so that a filter never changes
// with the caller's memory.
func owned(values []any) []any {
	for i, v := range values {
		switch rv := reflect.ValueOf(v); {
		case isBytes(rv):
			values[i] = bytes.Clone(rv.Bytes())
		case rv.Kind() == reflect.Slice:
			copied := reflect.MakeSlice(rv.Type(), rv.Len(), rv.Len())
			reflect.Copy(copied, rv)
			values[i] = copied.Interface()
		}
	}
	return values
}

// Eq passes records whose field equals value. To find missing values use [IsNull].
// A list equals one that has the same elements in the same order.
func Eq(field string, value any) Filter { return compare(OpEq, field, value) }

// Ne passes records whose field has a value, and another one.
func Ne(field string, value any) Filter { return compare(OpNe, field, value) }

// Gt passes records whose field is greater than value.
func Gt(field string, value any) Filter { return compare(OpGt, field, value) }

// Ge passes records whose field is greater than value or equal to it.
func Ge(field string, value any) Filter { return compare(OpGe, field, value) }

// Lt passes records whose field is less than value.
func Lt(field string, value any) Filter { return compare(OpLt, field, value) }

// Le passes records whose field is less than value or equal to it.
func Le(field string, value any) Filter { return compare(OpLe, field, value) }

// Between passes records whose field is at least low and at most high.
func Between(field string, low, high any) Filter { return compare(OpBetween, field, low, high) }

// In passes records whose field is one of values; none, if there are no values. For
// a list it is [ContainsAny].
func In[T any](field string, values ...T) Filter { return compare(OpIn, field, anys(values)...) }

// NotIn passes records whose field has a value that is none of values; every
// record, if there are no values. For a list it is Not([ContainsAny]).
func NotIn[T any](field string, values ...T) Filter { return compare(OpNotIn, field, anys(values)...) }

// Prefix passes records whose String field begins with prefix.
func Prefix(field, prefix string) Filter { return compare(OpPrefix, field, prefix) }

// Contains passes records whose String field has part somewhere within, or whose
// Strings have it as an element. Case counts.
func Contains(field, part string) Filter { return compare(OpContains, field, part) }

// IsNull passes records whose field has no value.
func IsNull(field string) Filter { return Filter{op: OpIsNull, field: field} }

// Exists passes records whose field has a value: it is Not([IsNull]). A path into a
// JSON field that leads to null, or nowhere, has none.
func Exists(field string) Filter { return Not(IsNull(field)) }

// And passes records that all of filters pass; every record, if there are none.
func And(filters ...Filter) Filter {
	var args []Filter
	for _, f := range filters {
		switch f.op {
		case OpAll:
		case OpAnd:
			args = append(args, f.args...)
		default:
			args = append(args, f)
		}
	}
	switch len(args) {
	case 0:
		return Filter{}
	case 1:
		return args[0]
	}
	return Filter{op: OpAnd, args: args}
}

// Or passes records that at least one of filters passes; none, if there are no
// filters.
func Or(filters ...Filter) Filter {
	var args []Filter
	for _, f := range filters {
		switch f.op {
		case OpAll:
			return Filter{}
		case OpOr:
			args = append(args, f.args...)
		default:
			args = append(args, f)
		}
	}
	if len(args) == 1 {
		return args[0]
	}
	return Filter{op: OpOr, args: args}
}

// Not passes the records that f refuses. Records of which f cannot tell,
// because a value is missing, pass neither f nor Not(f).
func Not(f Filter) Filter { return Filter{op: OpNot, args: []Filter{f}} }

func anys[T any](values []T) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

// Equal reports whether two filters are the same, value for value.
func (f Filter) Equal(g Filter) bool {
	return f.op == g.op && f.field == g.field &&
		slices.EqualFunc(f.values, g.values, equalValues) &&
		slices.EqualFunc(f.args, g.args, Filter.Equal)
}
