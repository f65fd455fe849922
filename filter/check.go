package filter

import (
	"fmt"
	"reflect"

	"github.com/vecwire/vecwire/codec"
)

// Limits that keep a filter within what every engine takes in one statement.
const (
	maxDepth     = 100    // levels of And, Or and Not within each other
	maxValues    = 10_000 // values in the whole filter; a condition without one counts too
	maxNegations = 10_000 // Nots in the whole filter
)

// Error reports a filter that does not fit the records it is meant for, or text
// that is not a filter.
type Error struct {
	Field  string // the field in question, "" if there is none
	Offset int    // for [Parse]: the byte at which the text goes wrong; otherwise -1
	Msg    string // what is wrong
}

func (e *Error) Error() string {
	switch {
	case e.Offset >= 0:
		return fmt.Sprintf("filter: %s at byte %d", e.Msg, e.Offset)
	case e.Field != "":
		return fmt.Sprintf("filter: field %q %s", e.Field, e.Msg)
	default:
		return "filter: " + e.Msg
	}
}

// Check returns f with every value converted to the type of its field (see
// [Type.Convert]), ready to be translated. The function typeOf tells the type
// of a field, or that there is none of that name. Check returns an [*Error] for
// an unknown field or an operation that the type does not have, and a
// [*codec.ValueError] for a value of the wrong type.
//
// A filter holds at most 10,000 values, 10,000 Nots, and 100 levels of And, Or
// and Not. A condition without values, such as IsNull, counts as one value.
func (f Filter) Check(typeOf func(field string) (Type, bool)) (Filter, error) {
	var s size
	return f.check(typeOf, 0, &s)
}

// size is how large a filter is, as far as it has been looked at.
type size struct{ values, negations int }

// add counts f without its arguments, and returns an error once a limit is
// passed. An And or Or of filters joins at least two, so that these need no
// limit of their own.
func (s *size) add(f Filter) error {
	switch {
	case f.op == OpNot:
		if s.negations++; s.negations > maxNegations {
			return &Error{Offset: -1, Msg: fmt.Sprintf("more than %d Nots", maxNegations)}
		}
	case len(f.args) == 0:
		if s.values += max(1, f.count()); s.values > maxValues {
			msg := fmt.Sprintf("brings the filter to more than %d values, of which a condition without values counts as one", maxValues)
			if f.field == "" {
				msg = fmt.Sprintf("more than %d values, of which a condition without values counts as one", maxValues)
			}
			return &Error{Field: f.field, Offset: -1, Msg: msg}
		}
	}
	return nil
}

// count returns how many values a condition has, each element of a list counted.
func (f Filter) count() int {
	n := len(f.values)
	for _, v := range f.values {
		if rv := reflect.ValueOf(v); isList(rv) {
			n += max(1, rv.Len()) - 1
		}
	}
	return n
}

func (f Filter) check(typeOf func(string) (Type, bool), depth int, s *size) (Filter, error) {
	if depth > maxDepth {
		return Filter{}, &Error{Offset: -1, Msg: fmt.Sprintf("more than %d levels deep", maxDepth)}
	}
	if err := s.add(f); err != nil {
		return Filter{}, err
	}
	out := Filter{op: f.op, field: f.field}
	if len(f.args) > 0 {
		out.args = make([]Filter, len(f.args))
		for i, arg := range f.args {
			var err error
			if out.args[i], err = arg.check(typeOf, depth+1, s); err != nil {
				return Filter{}, err
			}
		}
	}
	if f.op <= OpNot {
		return out, nil
	}
	t, ok := typeOf(f.field)
	if !ok {
		return Filter{}, &Error{Field: f.field, Offset: -1, Msg: "does not exist"}
	}
	elem, list := t.Elem()
	negated := list && f.op == OpNotIn
	if list {
		out.op = f.op.forList()
		f.op = out.op
	}
	if err := f.checkOp(t); err != nil {
		return Filter{}, err
	}
	if list && (f.op == OpContainsAny || f.op == OpContainsAll) {
		t = elem
	}
	if len(f.values) > 0 {
		out.values = make([]any, len(f.values))
		for i, v := range f.values {
			if v == nil {
				return Filter{}, &Error{Field: f.field, Offset: -1, Msg: "is compared with nil: use IsNull"}
			}
			var err error
			if t == JSON {
				out.values[i], err = convertJSONScalar(f.field, v)
			} else {
				out.values[i], err = t.Convert(f.field, v)
			}
			if err != nil {
				return Filter{}, err
			}
		}
	}
	if f.op == OpLike {
		pattern, _ := out.values[0].(string)
		if want := wantPattern(pattern); want != "" {
			return Filter{}, &codec.ValueError{Field: f.field, Pos: -1, Want: want, Got: Describe(pattern)}
		}
	}
	if t == JSON {
		if err := out.checkJSON(); err != nil {
			return Filter{}, err
		}
	}
	if negated {
		return Not(out), nil
	}
	return out, nil
}

func (f Filter) checkOp(t Type) error {
	fits := true
	if t == JSON {
		return nil // see checkJSON
	}
	switch f.op {
	case OpGt, OpGe, OpLt, OpLe, OpBetween:
		fits = t.ordered()
	case OpPrefix, OpContains, OpLike, OpWords:
		fits = t == String
	case OpContainsAny, OpContainsAll:
		_, fits = t.Elem()
	}
	if fits {
		return nil
	}
	return &Error{Field: f.field, Offset: -1, Msg: fmt.Sprintf("of type %s has no operation %s", t, f.op)}
}
