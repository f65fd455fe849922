package typed

import (
	"reflect"

	"github.com/vecwire/vecwire"
)

// listOf returns the list that stands for a slice, and how to convert. A nil slice
// is no value, and an empty one is.
func listOf(t reflect.Type) (vecwire.FieldType, scalar, bool) {
	var typ vecwire.FieldType
	elem := t.Elem()
	of, inner, ok := scalarOf(elem)
	switch {
	case !ok || elem.Kind() == reflect.Pointer || isNull(elem):
		return 0, scalar{}, false
	case of == vecwire.String:
		typ = vecwire.Strings
	case of == vecwire.Int:
		typ = vecwire.Ints
	case of == vecwire.Float:
		typ = vecwire.Floats
	default:
		return 0, scalar{}, false
	}
	return typ, scalar{
		get: func(v reflect.Value) (any, error) {
			if v.IsNil() {
				return nil, nil
			}
			out := make([]any, v.Len())
			for i := range out {
				var err error
				if out[i], err = inner.get(v.Index(i)); err != nil {
					return nil, err
				}
			}
			return out, nil
		},
		set: func(v reflect.Value, x any) string {
			list := reflect.ValueOf(x)
			if list.Kind() != reflect.Slice || list.Type().Elem().Kind() == reflect.Uint8 {
				return typ.String()
			}
			out := reflect.MakeSlice(t, list.Len(), list.Len())
			for i := range list.Len() {
				if want := inner.set(out.Index(i), list.Index(i).Interface()); want != "" {
					return typ.String() + " of " + want
				}
			}
			v.Set(out)
			return ""
		},
	}, true
}
