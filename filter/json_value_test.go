package filter_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
)

func TestConvertJSON(t *testing.T) {
	type author struct {
		Name string    `json:"name"`
		Born time.Time `json:"born,omitzero"`
	}
	for in, want := range map[any]any{
		`{"a": 1.50, "b": [true, null, "x"]}`: map[string]any{"a": json.Number("1.50"), "b": []any{true, nil, "x"}},
		`[9007199254740993, -0, -0.0, 1e2, 1.25E+1, 12e-4, 0e9]`: []any{
			json.Number("9007199254740993"), json.Number("0"), json.Number("0.0"), json.Number("100"), json.Number("12.5"), json.Number("0.0012"), json.Number("0"),
		},
		`null`: nil,
	} {
		got, err := filter.JSON.Convert("m", json.RawMessage(in.(string)))
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
		if got != nil {
			again, err := filter.JSON.Convert("m", got)
			require.NoError(t, err)
			require.Equal(t, got, again)
		}
	}
	got, err := filter.JSON.Convert("m", map[string]any{
		"int": int64(math.MaxInt64), "uint": uint64(math.MaxUint64), "float": 0.1, "narrow": float32(0.1), "large": 1e21, "author": author{Name: "gopher"}, "list": []string{"a"},
		"at": time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC), "nil": nil, "map": map[namedString]int{"x": 1}, "pointer": new(7), "none": (*int)(nil), "raw": json.RawMessage(`{"x": 1}`),
	})
	require.NoError(t, err)
	require.Equal(t, map[string]any{
		"int": json.Number("9223372036854775807"), "uint": json.Number("18446744073709551615"), "float": json.Number("0.1"), "narrow": json.Number("0.1"),
		"large": json.Number("1000000000000000000000"), "author": map[string]any{"name": "gopher"}, "list": []any{"a"}, "at": "2026-11-29T00:00:00Z", "nil": nil,
		"map": map[string]any{"x": json.Number("1")}, "pointer": json.Number("7"), "none": nil, "raw": map[string]any{"x": json.Number("1")},
	}, got)
}

func TestConvertJSONRefusals(t *testing.T) {
	deep := any("x")
	for range 102 {
		deep = []any{deep}
	}
	for _, tt := range []struct {
		in    any
		field string
		want  string
	}{
		{"x", "m", "an object or a list"},
		{7, "m", "an object or a list"},
		{nil, "m", "an object or a list"},
		{json.RawMessage(`"x"`), "m", "an object or a list"},
		{json.RawMessage(`{"a": `), "m", "JSON, and not: unexpected EOF"},
		{json.RawMessage(`{} {}`), "m", "more after the first value"},
		{json.RawMessage(`{"a": "\ud800"}`), "m", "valid Unicode"},
		{json.RawMessage("{\"a\": \"\xff\"}"), "m", "valid UTF-8"},
		{json.RawMessage(`{"a": "\u0000"}`), "m.a", "without NUL"},
		{json.RawMessage(`{"a": 1, "b": 2, "a": 3}`), "m.a", "each key of an object once"},
		{json.RawMessage(`{"a": [0, {"b": {"c:\"": ":", "c\u003a\u0022": 1}}]}`), "m.a[1].b.c:\"", "each key of an object once"},
		{map[string]any{"x": json.RawMessage(`{"a": 1, "\u0061": 1}`)}, "m.x.a", "each key of an object once"},
		{map[string]any{"a": []any{1, math.NaN()}}, "m.a[1]", "a finite Float"},
		{map[string]any{"a\xff": 1}, "m", "valid UTF-8"},
		{map[string]any{"a": struct{ X string }{"\xff"}}, "m.a", "valid Unicode"},
		{map[string]any{"a": make(chan int)}, "m.a", "encoding/json"},
		{map[string]any{"a": json.Number("01")}, "m.a", "a number as JSON writes it"},
		{map[string]any{"a": json.Number("1e1001")}, "m.a", "at most 1000 digits"},
		{map[string]any{"a": json.Number("1e-100000000000")}, "m.a", "at most 1000 digits"},
		{deep, "m", "at most 100 levels"},
		{[]any{strings.Repeat("x", 1<<20)}, "m", "at most 1048576 bytes"},
	} {
		t.Run(fmt.Sprintf("%.40v", tt.in), func(t *testing.T) {
			_, err := filter.JSON.Convert("m", tt.in)
			var e *codec.ValueError
			require.ErrorAs(t, err, &e)
			require.Equal(t, tt.field, e.Field)
			require.Contains(t, e.Want, tt.want)
		})
	}
}

func TestCheckFiltersOverJSON(t *testing.T) {
	for _, tt := range []struct{ in, want filter.Filter }{
		{filter.Eq("m.a", 1), filter.Eq("m.a", json.Number("1"))},
		{filter.In[any]("m.a", "x", 1.5, true), filter.In[any]("m.a", "x", json.Number("1.5"), true)},
		{filter.Between("m.a.b", 1, 1e3), filter.Between("m.a.b", json.Number("1"), json.Number("1000"))},
		{filter.ContainsAny[any]("m.a", namedString("x"), 1, true), filter.ContainsAny[any]("m.a", "x", json.Number("1"), true)},
		{filter.Exists("m.a"), filter.Not(filter.IsNull("m.a"))},
		{filter.Contains("m", "x"), filter.Contains("m", "x")},
	} {
		got, err := tt.in.Check(typeOf)
		require.NoError(t, err)
		require.True(t, got.Equal(tt.want), "got %s, want %s", got, tt.want)
	}
	for _, tt := range []struct {
		f    filter.Filter
		want string
	}{
		{filter.Gt("m.a", true), `filter: field "m.a" of type JSON has no operation > for true and false`},
		{filter.Between("m.a", 1, "x"), `filter: field "m.a" is compared with values of two kinds`},
		{filter.Eq("m.a", []string{"x"}), `m.a is a list of length 1`},
		{filter.Eq("m.a", nil), `use IsNull`},
		{filter.Eq("m.", 1), `filter: field "m." has the key "" in its path`},
		{filter.Eq("m..a", 1), `filter: field "m..a" has the key "" in its path`},
		{filter.Eq("m.b", 1), `filter: field "m.b" does not exist`},
	} {
		_, err := tt.f.Check(typeOf)
		require.ErrorContains(t, err, tt.want)
	}
}
