package filter

import "fmt"

// Limits that keep a filter within what every engine takes in one statement.
const (
	maxDepth  = 100    // levels of And, Or and Not within each other
	maxValues = 10_000 // values in the whole filter
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
// A filter holds at most 10,000 values and 100 levels of And, Or and Not.
func (f Filter) Check(typeOf func(field string) (Type, bool)) (Filter, error) {
	values := 0
	return f.check(typeOf, 0, &values)
}

func (f Filter) check(typeOf func(string) (Type, bool), depth int, values *int) (Filter, error) {
	if depth > maxDepth {
		return Filter{}, &Error{Offset: -1, Msg: fmt.Sprintf("more than %d levels deep", maxDepth)}
	}
	out := Filter{op: f.op, field: f.field}
	if len(f.args) > 0 {
		out.args = make([]Filter, len(f.args))
		for i, arg := range f.args {
			var err error
			if out.args[i], err = arg.check(typeOf, depth+1, values); err != nil {
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
	if err := f.checkOp(t); err != nil {
		return Filter{}, err
	}
	if *values += len(f.values); *values > maxValues {
		return Filter{}, &Error{Field: f.field, Offset: -1, Msg: fmt.Sprintf("brings the filter to more than %d values", maxValues)}
	}
	if len(f.values) > 0 {
		out.values = make([]any, len(f.values))
		for i, v := range f.values {
			if v == nil {
				return Filter{}, &Error{Field: f.field, Offset: -1, Msg: "is compared with nil: use IsNull"}
			}
			var err error
			if out.values[i], err = t.Convert(f.field, v); err != nil {
				return Filter{}, err
			}
		}
	}
	return out, nil
}

func (f Filter) checkOp(t Type) error {
	fits := true
	switch f.op {
	case OpGt, OpGe, OpLt, OpLe, OpBetween:
		fits = t.ordered()
	case OpPrefix, OpContains:
		fits = t == String
	}
	if fits {
		return nil
	}
	return &Error{Field: f.field, Offset: -1, Msg: fmt.Sprintf("of type %s has no operation %s", t, f.op)}
}
