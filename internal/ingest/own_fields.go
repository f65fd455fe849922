package ingest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/fault"
)

// OwnFields copies fields and all that their values lead to, so that nothing of it is
// the caller's. The function isJSON tells the fields that hold any value which
// encoding/json can write.
func OwnFields[M ~map[string]any](fields M, isJSON func(name string) bool) M {
	if fields == nil {
		return nil
	}
	out := make(M, len(fields))
	for name, v := range fields {
		out[name] = ownValue(name, v, isJSON)
	}
	return out
}

func ownValue(name string, v any, isJSON func(name string) bool) any {
	switch x := v.(type) {
	case nil, string, bool, int, int64, float64, json.Number:
		return v
	case []byte:
		return bytes.Clone(x)
	case json.RawMessage:
		return slices.Clone(x)
	case []string:
		return slices.Clone(x)
	case []int64:
		return slices.Clone(x)
	case []float64:
		return slices.Clone(x)
	}
	if isJSON(name) {
		return ownJSON(name, v)
	}
	// Values of the other types are scalars, and lists of scalars. What leads further is
	// refused whatever becomes of it.
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Slice || rv.IsNil() {
		return v
	}
	own := reflect.MakeSlice(rv.Type(), rv.Len(), rv.Len())
	reflect.Copy(own, rv)
	return own.Interface()
}

// ownJSON copies the form in which most values of a JSON field come, and converts all
// others. What cannot be converted, or panics, is refused later.
func ownJSON(name string, v any) any {
	c := jsonCopier{left: filter.MaxJSONBytes}
	if own, ok := c.value(v, filter.MaxJSONDepth); ok {
		return own
	}
	own := v
	_ = fault.Guard("the code of a value", func() error {
		within, err := filter.JSON.Convert(name, []any{v}) // in which anything is converted that a value may be
		if err == nil {
			own = within.([]any)[0]
		}
		return err
	})
	return own
}

// jsonCopier copies no more than a record may hold: a map may be within itself.
type jsonCopier struct{ left int }

func (c *jsonCopier) value(v any, depth int) (own any, ok bool) {
	switch x := v.(type) {
	case nil, string, bool, int, int64, float64, json.Number:
		return v, true
	case json.RawMessage:
		return slices.Clone(x), true
	case map[string]any:
		if c.left -= len(x); x == nil || c.left < 0 || depth == 0 {
			return v, x == nil
		}
		out := make(map[string]any, len(x))
		for key, within := range x {
			if out[key], ok = c.value(within, depth-1); !ok {
				return nil, false
			}
		}
		return out, true
	case []any:
		if c.left -= len(x); x == nil || c.left < 0 || depth == 0 {
			return v, x == nil
		}
		out := make([]any, len(x))
		for i, within := range x {
			if out[i], ok = c.value(within, depth-1); !ok {
				return nil, false
			}
		}
		return out, true
	}
	return nil, false
}
