package main

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// TestSchemaShowsAll takes one field after the other out of a schema that has all: what
// is printed changes each time, whatever fields schemas have.
func TestSchemaShowsAll(t *testing.T) {
	var places []reflect.Value
	var fill func(reflect.Value)
	fill = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				fill(v.Field(i))
			}
			return
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0))
			return
		case reflect.String:
			v.SetString(fmt.Sprint("word", len(places)))
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Int:
			v.SetInt(int64(100 + len(places)))
		case reflect.Uint8:
			v.SetUint(1)
		default:
			t.Fatalf("a %v cannot be filled: say here what a schema may have of it", v.Type())
		}
		places = append(places, v)
	}
	var s vecwire.Schema
	fill(reflect.ValueOf(&s).Elem())
	printed := func() string {
		var out bytes.Buffer
		require.NoError(t, (&app{out: &out}).describe(s))
		return out.String()
	}
	all := printed()
	for i, v := range places {
		was := reflect.ValueOf(v.Interface())
		v.SetZero()
		require.NotEqual(t, all, printed(), "place %d, which was %v", i, was)
		v.Set(was)
	}
}
