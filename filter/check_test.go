package filter_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
)

// typeOf is the schema of these tests: one field of each type.
func typeOf(field string) (filter.Type, bool) {
	types := map[string]filter.Type{
		"s": filter.String, "i": filter.Int, "f": filter.Float, "b": filter.Bool, "t": filter.Time, "y": filter.Bytes,
		"m": filter.JSON, "m.a": filter.JSON, "m.a.b": filter.JSON, "m.": filter.JSON, "m..a": filter.JSON,
		"l": filter.Strings, "li": filter.Ints, "lf": filter.Floats,
	}
	t, ok := types[field]
	return t, ok
}

func TestCheckConvertsValues(t *testing.T) {
	type lang string
	noon := time.Date(2024, 1, 15, 12, 0, 0, 1999, time.FixedZone("CET", 3600))
	tests := []struct{ in, want filter.Filter }{
		{filter.Filter{}, filter.Filter{}},
		{filter.Eq("s", lang("go")), filter.Eq("s", "go")},
		{filter.Eq("i", uint8(7)), filter.Eq("i", int64(7))},
		{filter.Gt("i", 7.0), filter.Gt("i", int64(7))},
		{filter.Le("f", 7), filter.Le("f", 7.0)},
		{filter.Eq("t", noon), filter.Eq("t", time.Date(2024, 1, 15, 11, 0, 0, 1000, time.UTC))},
		{filter.Ge("t", "2024-01-15"), filter.Ge("t", time.Date(2024, 1, 15, 0, 0, 0, 0, time.UTC))},
		{filter.In("i", 1, 2), filter.In("i", int64(1), int64(2))},
		{filter.Between("f", 1, 2), filter.Between("f", 1.0, 2.0)},
		{filter.IsNull("y"), filter.IsNull("y")},
		{filter.Or(), filter.Or()},
		{filter.Not(filter.And(filter.Eq("i", 1), filter.Eq("b", true))), filter.Not(filter.And(filter.Eq("i", int64(1)), filter.Eq("b", true)))},
	}
	for _, tt := range tests {
		t.Run(tt.want.String(), func(t *testing.T) {
			got, err := tt.in.Check(typeOf)
			require.NoError(t, err)
			require.True(t, got.Equal(tt.want), "got %s, want %s", got, tt.want)
			again, err := got.Check(typeOf)
			require.NoError(t, err)
			require.True(t, again.Equal(got), "checking twice gave %s", again)
		})
	}
}

func TestCheckRefusesAFilterThatDoesNotFit(t *testing.T) {
	tests := []struct {
		f    filter.Filter
		text string
	}{
		{filter.Eq("nope", 1), `filter: field "nope" does not exist`},
		{filter.IsNull("nope"), `filter: field "nope" does not exist`},
		{filter.In[int]("nope"), `filter: field "nope" does not exist`},
		{filter.Eq("", 1), `filter: `},
		{filter.Gt("b", true), `filter: field "b" of type Bool has no operation >`},
		{filter.Between("y", []byte{1}, []byte{2}), `filter: field "y" of type Bytes has no operation between`},
		{filter.Prefix("i", "1"), `filter: field "i" of type Int has no operation prefix`},
		{filter.Contains("t", "2024"), `filter: field "t" of type Time has no operation contains`},
		{filter.Eq("s", nil), `filter: field "s" is compared with nil: use IsNull`},
		{filter.In[any]("s", "x", nil), `filter: field "s" is compared with nil: use IsNull`},
		{filter.Not(filter.And(filter.Eq("s", "x"), filter.Or(filter.Eq("i", 1), filter.Eq("nope", 1)))), `filter: field "nope" does not exist`},
	}
	for _, tt := range tests {
		t.Run(tt.f.String(), func(t *testing.T) {
			_, err := tt.f.Check(typeOf)
			var e *filter.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, -1, e.Offset)
			require.Contains(t, err.Error(), tt.text)
		})
	}
}

func TestCheckNamesFieldAndBothTypes(t *testing.T) {
	tests := []struct {
		f    filter.Filter
		text string
	}{
		{filter.Eq("i", "2020"), `i is String "2020", want Int`},
		{filter.Eq("s", 2020), `s is Int 2020, want String`},
		{filter.Gt("f", "x"), `f is String "x", want Float`},
		{filter.Eq("b", 1), `b is Int 1, want Bool`},
		{filter.Eq("y", "x"), `y is String "x", want Bytes`},
		{filter.Eq("t", 5), `t is Int 5, want Time`},
		{filter.In("i", 1.5), `i is Float 1.5, want Int`},
		{filter.Between("i", 1, true), `i is Bool true, want Int`},
		{filter.Prefix("s", "\xff"), `want String in valid UTF-8`},
		{filter.Contains("s", "a\x00"), `want String without NUL`},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			_, err := filter.Not(tt.f).Check(typeOf)
			var e *codec.ValueError
			require.ErrorAs(t, err, &e)
			require.Equal(t, tt.f.Field(), e.Field)
			require.Contains(t, err.Error(), tt.text)
		})
	}
}

func TestCheckLimits(t *testing.T) {
	var e *filter.Error
	most := filter.In("i", slices.Repeat([]int{1}, 10_000)...)
	_, err := most.Check(typeOf)
	require.NoError(t, err, "10,000 values are allowed")
	_, err = filter.And(most, filter.Eq("i", 1)).Check(typeOf)
	require.ErrorAs(t, err, &e, "10,001 values in the whole filter")
	require.Equal(t, "i", e.Field)

	deep := filter.Eq("i", 1)
	for range 100 {
		deep = filter.Not(deep)
	}
	_, err = deep.Check(typeOf)
	require.NoError(t, err, "100 levels are allowed")
	_, err = filter.Not(deep).Check(typeOf)
	require.ErrorAs(t, err, &e, "101 levels")
}

// Nothing that a filter is made of may be repeated without end: a server would
// work on it for minutes.
func TestCheckLimitsWhateverHasNoValues(t *testing.T) {
	for name, one := range map[string]filter.Filter{
		"IsNull":        filter.IsNull("i"),
		"In of none":    filter.In[int]("i"),
		"NotIn of none": filter.NotIn[int]("i"),
		"Or of none":    filter.And(filter.Or(), filter.IsNull("s")),
		"Not":           filter.Not(filter.IsNull("i")),
		"Not of all":    filter.Not(filter.Filter{}),
		"Nots":          filter.Not(filter.Not(filter.Not(filter.Not(filter.IsNull("i"))))),
	} {
		_, err := filter.Or(slices.Repeat([]filter.Filter{one}, 1000)...).Check(typeOf)
		require.NoError(t, err, name)
		var e *filter.Error
		_, err = filter.Or(slices.Repeat([]filter.Filter{one}, 10_001)...).Check(typeOf)
		require.ErrorAs(t, err, &e, name)
		require.Contains(t, e.Msg, "more than 10000", name)
	}
	_, err := filter.Or(slices.Repeat([]filter.Filter{filter.Not(filter.Eq("i", 1))}, 10_000)...).Check(typeOf)
	require.NoError(t, err, "10,000 values and as many Nots are allowed")
}

func TestCheckLeavesTheFilterAsItWas(t *testing.T) {
	f := filter.In("i", uint8(1), uint8(2))
	_, err := f.Check(typeOf)
	require.NoError(t, err)
	require.Equal(t, []any{uint8(1), uint8(2)}, f.Values())
}
