package filter_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
)

type names []namedString

func TestConvertLists(t *testing.T) {
	for _, tt := range []struct {
		typ      filter.Type
		in, want any
	}{
		{filter.Strings, []string{"b", "", "a", "b"}, []string{"b", "", "a", "b"}},
		{filter.Strings, []string(nil), []string{}},
		{filter.Strings, names{"x"}, []string{"x"}},
		{filter.Strings, []any{"x", namedString("y")}, []string{"x", "y"}},
		{filter.Strings, [2]string{"x", "y"}, []string{"x", "y"}},
		{filter.Ints, []int{3, -1}, []int64{3, -1}},
		{filter.Ints, []uint16{3}, []int64{3}},
		{filter.Ints, []any{1.0, json.Number("9007199254740993")}, []int64{1, 9007199254740993}},
		{filter.Ints, []int64{}, []int64{}},
		{filter.Floats, []float32{0.5}, []float64{0.5}},
		{filter.Floats, []int{1, 2}, []float64{1, 2}},
		{filter.Floats, []any{1, 2.5, json.Number("0.1")}, []float64{1, 2.5, 0.1}},
	} {
		t.Run(fmt.Sprintf("%s from %T %v", tt.typ, tt.in, tt.in), func(t *testing.T) {
			got, err := tt.typ.Convert("f", tt.in)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			again, err := tt.typ.Convert("f", got)
			require.NoError(t, err)
			require.Equal(t, got, again, "converting twice changes the value")
		})
	}
}

func TestConvertListRefusals(t *testing.T) {
	for _, tt := range []struct {
		typ       filter.Type
		in        any
		pos       int
		want, got string
	}{
		{filter.Strings, "x", -1, "Strings", `String "x"`},
		{filter.Strings, nil, -1, "Strings", "nothing"},
		{filter.Strings, []any{"x", nil}, 1, "String", "nothing"},
		{filter.Strings, []int{1}, 0, "String", "Int 1"},
		{filter.Strings, []string{"x", "\xff"}, 1, "valid UTF-8", "String"},
		{filter.Strings, []string{"a\x00"}, 0, "without NUL", "String"},
		{filter.Strings, []string{strings.Repeat("x", 2001)}, 0, "at most 2000 bytes", "(2001 bytes)"},
		{filter.Strings, make([]string, 10_001), -1, "at most 10000 elements", "one of 10001"},
		{filter.Strings, []byte("x"), -1, "Strings", "Bytes of length 1"},
		{filter.Strings, map[string]string{}, -1, "Strings", "Go type map"},
		{filter.Ints, []byte{1}, -1, "Ints", "Bytes of length 1"},
		{filter.Ints, []float64{1, 1.5}, 1, "Int", "Float 1.5"},
		{filter.Ints, []string{"1"}, 0, "Int", "String"},
		{filter.Floats, []float64{0, math.NaN()}, 1, "a finite Float", "Float NaN"},
		{filter.Floats, []float64{math.Inf(-1)}, 0, "a finite Float", "Float -Inf"},
		{filter.Floats, []int64{1<<53 + 1}, 0, "exactly", "Int 9007199254740993"},
		{filter.String, []string{"x"}, -1, "String", "a list of length 1, Go type []string"},
	} {
		t.Run(fmt.Sprintf("%s from %T %.30v", tt.typ, tt.in, tt.in), func(t *testing.T) {
			_, err := tt.typ.Convert("f", tt.in)
			var e *codec.ValueError
			require.ErrorAs(t, err, &e)
			require.Equal(t, "f", e.Field)
			require.Equal(t, tt.pos, e.Pos)
			require.Contains(t, e.Want, tt.want)
			require.Contains(t, e.Got, tt.got)
		})
	}
}

func TestConvertCopiesLists(t *testing.T) {
	list := []string{"a"}
	got, err := filter.Strings.Convert("f", list)
	require.NoError(t, err)
	f := filter.Eq("l", list)
	list[0] = "b"
	require.Equal(t, []string{"a"}, got)
	require.Equal(t, []any{[]string{"a"}}, f.Values())
}

func TestCheckFiltersOverLists(t *testing.T) {
	for _, tt := range []struct{ in, want filter.Filter }{
		{filter.ContainsAny("l", namedString("a"), "b"), filter.ContainsAny("l", "a", "b")},
		{filter.ContainsAll("li", 1, 2), filter.ContainsAll[int64]("li", 1, 2)},
		{filter.Contains("l", "a"), filter.ContainsAny("l", "a")},
		{filter.In("lf", 1, 2), filter.ContainsAny("lf", 1.0, 2.0)},
		{filter.NotIn("l", "a"), filter.Not(filter.ContainsAny("l", "a"))},
		{filter.Eq("li", []int{1, 2}), filter.Eq("li", []int64{1, 2})},
		{filter.Ne("l", []any{}), filter.Ne("l", []string{})},
		{filter.IsNull("l"), filter.IsNull("l")},
	} {
		got, err := tt.in.Check(typeOf)
		require.NoError(t, err)
		require.True(t, got.Equal(tt.want), "got %s, want %s", got, tt.want)
		again, err := got.Check(typeOf)
		require.NoError(t, err)
		require.True(t, again.Equal(got), "checking twice gave %s", again)
	}
	for f, want := range map[string]string{
		`l > list("a")`:             `filter: field "l" of type Strings has no operation >`,
		`prefix(l, "a")`:            `filter: field "l" of type Strings has no operation prefix`,
		`between(li, 1, 2)`:         `filter: field "li" of type Ints has no operation between`,
		`containsAny(s, "a")`:       `filter: field "s" of type String has no operation containsAny`,
		`l == "a"`:                  `l is String "a", want Strings`,
		`containsAny(l, 1)`:         `l is Int 1, want String`,
		`containsAll(l, list("a"))`: `l is a list of length 1`,
		`s == list("a")`:            `s is a list of length 1`,
		`l == list("a", 1)`:         `l[1] is Int 1, want String`,
	} {
		parsed, err := filter.Parse(f)
		require.NoError(t, err, f)
		_, err = parsed.Check(typeOf)
		require.ErrorContains(t, err, want, f)
	}
	many := slices.Repeat([]int{1}, 6000)
	_, err := filter.NotIn("li", many...).Check(typeOf)
	require.NoError(t, err)
	_, err = filter.Or(filter.Eq("li", many), filter.Ne("li", many)).Check(typeOf)
	require.ErrorContains(t, err, "10000 values", "each element of a list counts")
}
