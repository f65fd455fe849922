package typed

import (
	"encoding/json"
	"reflect"

	"github.com/vecwire/vecwire"
)

// isJSON tells whether a type is one of the plain forms of JSON.
func isJSON(t reflect.Type) bool {
	return t == reflect.TypeFor[map[string]any]() || t == reflect.TypeFor[[]any]() || t == reflect.TypeFor[json.RawMessage]()
}

// jsonScalar is a value that encoding/json reads and writes. A nil map, slice or
// pointer is no value.
var jsonScalar = scalar{
	get: func(v reflect.Value) (any, error) {
		switch v.Kind() {
		case reflect.Map, reflect.Slice, reflect.Pointer:
			if v.IsNil() {
				return nil, nil
			}
		}
		return v.Interface(), nil
	},
	set: func(v reflect.Value, x any) string {
		switch x.(type) {
		case map[string]any, []any:
		default:
			return vecwire.JSON.String()
		}
		if v.Type() == reflect.TypeOf(x) {
			v.Set(reflect.ValueOf(x))
			return ""
		}
		text, err := json.Marshal(x)
		if err == nil {
			err = json.Unmarshal(text, v.Addr().Interface())
		}
		if err != nil {
			return "JSON of a " + v.Type().String()
		}
		return ""
	},
}
