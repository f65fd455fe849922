package typed

import (
	"reflect"
	"strconv"

	"github.com/vecwire/vecwire"
)

// An idScalar takes an ID out of a struct field of one type, and puts it in. The
// field is addressable.
type idScalar struct {
	get func(v reflect.Value) (string, error)
	set func(v reflect.Value, id string) string // returns what was wanted instead, "" if it fits
}

// idOf returns how to convert an ID of a Go type: an integer is its decimal digits.
func idOf(t reflect.Type) (idScalar, error) {
	typ, s, ok := scalarOf(t)
	switch {
	case !ok || t.Kind() == reflect.Pointer || isNull(t) || typ != vecwire.String && typ != vecwire.Int:
		return idScalar{}, wrongType(t, "a string, an integer, or a type with MarshalText and UnmarshalText")
	case typ == vecwire.Int:
		return integerID, nil
	case isText(t):
		return idScalar{
			get: func(v reflect.Value) (string, error) {
				x, err := s.get(v)
				id, _ := x.(string)
				return id, err
			},
			set: func(v reflect.Value, id string) string { return s.set(v, id) },
		}, nil
	}
	return idScalar{
		get: func(v reflect.Value) (string, error) { return v.String(), nil },
		set: func(v reflect.Value, id string) string { v.SetString(id); return "" },
	}, nil
}

// integerID takes only the digits that it writes: two IDs are never one integer.
var integerID = idScalar{
	get: func(v reflect.Value) (string, error) {
		if v.CanUint() {
			return strconv.FormatUint(v.Uint(), 10), nil
		}
		return strconv.FormatInt(v.Int(), 10), nil
	},
	set: func(v reflect.Value, id string) string {
		if v.CanUint() {
			if n, err := strconv.ParseUint(id, 10, 64); err == nil && !v.OverflowUint(n) && strconv.FormatUint(n, 10) == id {
				v.SetUint(n)
				return ""
			}
		} else if n, err := strconv.ParseInt(id, 10, 64); err == nil && !v.OverflowInt(n) && strconv.FormatInt(n, 10) == id {
			v.SetInt(n)
			return ""
		}
		return "the decimal digits of a " + v.Type().String()
	},
}
