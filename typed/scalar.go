package typed

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/vecwire/vecwire"
)

// A scalar takes values out of struct fields of one type, and puts them in. The
// fields are addressable.
type scalar struct {
	get func(v reflect.Value) (any, error)  // nil for no value
	set func(v reflect.Value, x any) string // returns what was wanted instead, "" if it fits
}

var (
	timeType    = reflect.TypeFor[time.Time]()
	marshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	unmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// scalarOf returns the field type that stands for a Go type, and how to convert.
func scalarOf(t reflect.Type) (vecwire.FieldType, scalar, bool) {
	switch {
	case t == timeType:
		return vecwire.Time, timeScalar, true
	case isJSON(t):
		return vecwire.JSON, jsonScalar, true
	case t.Kind() == reflect.Pointer:
		typ, inner, ok := scalarOf(t.Elem())
		return typ, pointerTo(t.Elem(), inner), ok && t.Elem().Kind() != reflect.Pointer
	case isNull(t):
		typ, inner, ok := scalarOf(t.Field(0).Type)
		return typ, nullable(inner), ok && t.Field(0).Type.Kind() != reflect.Pointer
	case isText(t):
		return vecwire.String, textScalar(t), true
	case isTime(t):
		return vecwire.Time, timeScalar, true
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return vecwire.Bytes, bytesScalar, true
	case t.Kind() == reflect.Slice:
		return listOf(t)
	}
	switch t.Kind() {
	case reflect.String:
		return vecwire.String, stringScalar, true
	case reflect.Bool:
		return vecwire.Bool, boolScalar, true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return vecwire.Int, intScalar, true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return vecwire.Int, uintScalar, true
	case reflect.Float32, reflect.Float64:
		return vecwire.Float, floatScalar, true
	}
	return 0, scalar{}, false
}

// isText tells whether a type reads and writes itself as text.
func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(marshaler) && reflect.PointerTo(t).Implements(unmarshaler)
}

// isTime tells whether a type is made of time.Time.
func isTime(t reflect.Type) bool { return t.Kind() == reflect.Struct && t.ConvertibleTo(timeType) }

// isNull tells whether a type is sql.Null or one of its older kin, such as
// sql.NullString.
func isNull(t reflect.Type) bool {
	return t.PkgPath() == "database/sql" && t.Kind() == reflect.Struct && t.NumField() == 2 && t.Field(1).Name == "Valid"
}

// isZero tells whether a field is zero; a time is in any zone.
func isZero(v reflect.Value) bool {
	if isTime(v.Type()) {
		return at[time.Time](v).IsZero()
	}
	return v.IsZero()
}

var stringScalar = scalar{
	get: func(v reflect.Value) (any, error) { return v.String(), nil },
	set: func(v reflect.Value, x any) string {
		s, ok := x.(string)
		if !ok {
			return vecwire.String.String()
		}
		v.SetString(s)
		return ""
	},
}

var boolScalar = scalar{
	get: func(v reflect.Value) (any, error) { return v.Bool(), nil },
	set: func(v reflect.Value, x any) string {
		b, ok := x.(bool)
		if !ok {
			return vecwire.Bool.String()
		}
		v.SetBool(b)
		return ""
	},
}

var intScalar = scalar{
	get: func(v reflect.Value) (any, error) { return v.Int(), nil },
	set: func(v reflect.Value, x any) string {
		n, ok := x.(int64)
		if !ok || v.OverflowInt(n) {
			return "Int that " + v.Type().String() + " holds"
		}
		v.SetInt(n)
		return ""
	},
}

var uintScalar = scalar{
	get: func(v reflect.Value) (any, error) { return v.Uint(), nil },
	set: func(v reflect.Value, x any) string {
		n, ok := x.(int64)
		if !ok || n < 0 || v.OverflowUint(uint64(n)) {
			return "Int that " + v.Type().String() + " holds"
		}
		v.SetUint(uint64(n))
		return ""
	},
}

var floatScalar = scalar{
	get: func(v reflect.Value) (any, error) { return v.Float(), nil },
	set: func(v reflect.Value, x any) string {
		f, ok := x.(float64)
		if !ok {
			return vecwire.Float.String()
		}
		if v.Kind() == reflect.Float32 && math.IsInf(float64(float32(f)), 0) {
			return "Float that float32 holds"
		}
		v.SetFloat(f)
		return ""
	},
}

var timeScalar = scalar{
	get: func(v reflect.Value) (any, error) { return *at[time.Time](v), nil },
	set: func(v reflect.Value, x any) string {
		t, ok := x.(time.Time)
		if !ok {
			return vecwire.Time.String()
		}
		*at[time.Time](v) = t
		return ""
	},
}

var bytesScalar = scalar{
	get: func(v reflect.Value) (any, error) {
		if v.IsNil() {
			return nil, nil
		}
		return v.Bytes(), nil
	},
	set: func(v reflect.Value, x any) string {
		b, ok := x.([]byte)
		if !ok {
			return vecwire.Bytes.String()
		}
		if b == nil { // an empty value is a value
			b = []byte{}
		}
		v.SetBytes(b)
		return ""
	},
}

func pointerTo(t reflect.Type, inner scalar) scalar {
	return scalar{
		get: func(v reflect.Value) (any, error) {
			if v.IsNil() {
				return nil, nil
			}
			return inner.get(v.Elem())
		},
		set: func(v reflect.Value, x any) string {
			to := reflect.New(t)
			want := inner.set(to.Elem(), x)
			if want == "" {
				v.Set(to)
			}
			return want
		},
	}
}

// nullable is a struct of a value and of whether it is there.
func nullable(inner scalar) scalar {
	return scalar{
		get: func(v reflect.Value) (any, error) {
			if !v.Field(1).Bool() {
				return nil, nil
			}
			return inner.get(v.Field(0))
		},
		set: func(v reflect.Value, x any) string {
			want := inner.set(v.Field(0), x)
			v.Field(1).SetBool(want == "")
			return want
		},
	}
}

func textScalar(t reflect.Type) scalar {
	return scalar{
		get: func(v reflect.Value) (any, error) {
			m, ok := v.Addr().Interface().(encoding.TextMarshaler)
			if !ok {
				return nil, wrongType(t, marshaler.String())
			}
			b, err := m.MarshalText()
			if err != nil {
				return nil, fmt.Errorf("cannot be written as text: %w", err)
			}
			return string(b), nil
		},
		set: func(v reflect.Value, x any) string {
			s, ok := x.(string)
			u, is := v.Addr().Interface().(encoding.TextUnmarshaler)
			if !ok || !is || u.UnmarshalText([]byte(s)) != nil {
				return "the text of a " + t.String()
			}
			return ""
		},
	}
}
