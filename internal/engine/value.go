package engine

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// SameValue reports whether two values of a field are the same; see [SameFields].
func SameValue(a, b any) bool {
	switch x := a.(type) {
	case []byte:
		y, ok := b.([]byte)
		return ok && bytes.Equal(x, y)
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	case []string:
		y, ok := b.([]string)
		return ok && slices.Equal(x, y)
	case []int64:
		y, ok := b.([]int64)
		return ok && slices.Equal(x, y)
	case []float64:
		y, ok := b.([]float64)
		return ok && slices.Equal(x, y)
	case map[string]any:
		y, ok := b.(map[string]any)
		return ok && maps.EqualFunc(x, y, SameValue)
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, SameValue)
	}
	switch b.(type) {
	case []byte, []string, []int64, []float64, map[string]any, []any:
		return false // and not comparable
	}
	return a == b
}

// CloneValue returns a value of a field that shares no memory with v which its
// owner can change.
func CloneValue(v any) any {
	switch x := v.(type) {
	case []byte:
		return slices.Clone(x)
	case []string:
		return slices.Clone(x)
	case []int64:
		return slices.Clone(x)
	case []float64:
		return slices.Clone(x)
	case map[string]any:
		out := make(map[string]any, len(x))
		for key, v := range x {
			out[key] = CloneValue(v)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, v := range x {
			out[i] = CloneValue(v)
		}
		return out
	}
	return v
}

// SizeOfValue returns about how many bytes of memory a value takes beside its
// place.
func SizeOfValue(v any) int {
	switch x := v.(type) {
	case string:
		return len(x)
	case json.Number:
		return len(x)
	case []byte:
		return len(x)
	case map[string]any:
		n := 48
		for key, v := range x {
			n += 48 + len(key) + SizeOfValue(v)
		}
		return n
	case []any:
		n := 24
		for _, v := range x {
			n += 16 + SizeOfValue(v)
		}
		return n
	case []string:
		n := 24
		for _, s := range x {
			n += 16 + len(s)
		}
		return n
	case []int64:
		return 24 + 8*len(x)
	case []float64:
		return 24 + 8*len(x)
	}
	return 0
}
