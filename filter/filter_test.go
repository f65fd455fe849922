package filter_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
)

func TestConstructors(t *testing.T) {
	tests := []struct {
		f      filter.Filter
		op     filter.Op
		field  string
		values []any
		text   string
	}{
		{filter.Filter{}, filter.OpAll, "", nil, ""},
		{filter.Eq("a", 1), filter.OpEq, "a", []any{1}, `a == 1`},
		{filter.Ne("a", "x"), filter.OpNe, "a", []any{"x"}, `a != "x"`},
		{filter.Gt("a", 1.5), filter.OpGt, "a", []any{1.5}, `a > 1.5`},
		{filter.Ge("a", 2.0), filter.OpGe, "a", []any{2.0}, `a >= 2.0`},
		{filter.Lt("a", -1), filter.OpLt, "a", []any{-1}, `a < -1`},
		{filter.Le("a", true), filter.OpLe, "a", []any{true}, `a <= true`},
		{filter.Between("a", 1, 2), filter.OpBetween, "a", []any{1, 2}, `between(a, 1, 2)`},
		{filter.In("a", "x", "y"), filter.OpIn, "a", []any{"x", "y"}, `in(a, "x", "y")`},
		{filter.In[int]("a"), filter.OpIn, "a", []any{}, `in(a)`},
		{filter.NotIn("a", 1), filter.OpNotIn, "a", []any{1}, `notIn(a, 1)`},
		{filter.Prefix("a", "net/"), filter.OpPrefix, "a", []any{"net/"}, `prefix(a, "net/")`},
		{filter.Contains("a", `"`), filter.OpContains, "a", []any{`"`}, `contains(a, "\"")`},
		{filter.IsNull("a"), filter.OpIsNull, "a", nil, `isNull(a)`},
		{filter.Eq("a", []byte{0, 255}), filter.OpEq, "a", []any{[]byte{0, 255}}, `a == hex("00ff")`},
		{filter.Or(), filter.OpOr, "", nil, `false`},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			require.Equal(t, tt.op, tt.f.Op())
			require.Equal(t, tt.field, tt.f.Field())
			require.Equal(t, tt.values, tt.f.Values())
			require.Empty(t, tt.f.Args())
			require.Equal(t, tt.text, tt.f.String())
			require.Equal(t, tt.op == filter.OpAll, tt.f.IsZero())
		})
	}
}

func TestSimplification(t *testing.T) {
	a, b, c := filter.Eq("a", 1), filter.Eq("b", 2), filter.Eq("c", 3)
	var all filter.Filter
	tests := []struct {
		name      string
		got, want filter.Filter
		text      string
	}{
		{"And of nothing lets all pass", filter.And(), all, ""},
		{"And of one is that one", filter.And(a), a, "a == 1"},
		{"And leaves out what lets all pass", filter.And(all, a, all), a, "a == 1"},
		{"And of all is all", filter.And(all, all), all, ""},
		{"And within And is flat", filter.And(filter.And(a, b), c), filter.And(a, b, c), "a == 1 && b == 2 && c == 3"},
		{"Or of one is that one", filter.Or(b), b, "b == 2"},
		{"Or with all is all", filter.Or(a, all), all, ""},
		{"Or within Or is flat", filter.Or(a, filter.Or(b, c)), filter.Or(a, b, c), "a == 1 || b == 2 || c == 3"},
		{"Or leaves out what lets none pass", filter.Or(filter.Or(), a), a, "a == 1"},
		{"Or within And keeps its brackets", filter.And(filter.Or(a, b), c), filter.And(filter.Or(a, b), c), "(a == 1 || b == 2) && c == 3"},
		{"And within Or needs none", filter.Or(filter.And(a, b), c), filter.Or(filter.And(a, b), c), "a == 1 && b == 2 || c == 3"},
		{"And with none keeps it", filter.And(filter.Or(), a), filter.And(filter.Or(), a), "(false) && a == 1"},
		{"Not", filter.Not(filter.Or(a, b)), filter.Not(filter.Or(a, b)), "!(a == 1 || b == 2)"},
		{"Not of all", filter.Not(all), filter.Not(all), "!(true)"},
		{"Not of none", filter.Not(filter.Or()), filter.Not(filter.Or()), "!(false)"},
		{"Not of Not", filter.Not(filter.Not(a)), filter.Not(filter.Not(a)), "!(!(a == 1))"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.True(t, tt.got.Equal(tt.want), "got %q, want %q", tt.got, tt.want)
			require.Equal(t, tt.text, tt.got.String())
		})
	}
}

func TestEqualTellsFiltersApart(t *testing.T) {
	different := []filter.Filter{
		{}, filter.Or(), filter.Eq("a", 1), filter.Eq("a", int64(1)), filter.Eq("a", "1"), filter.Eq("b", 1), filter.Ne("a", 1),
		filter.In("a", 1), filter.In("a", 1, 2), filter.In("a", 2, 1), filter.IsNull("a"), filter.Not(filter.IsNull("a")),
		filter.Eq("a", []byte("x")), filter.Eq("a", []byte("y")), filter.Eq("a", "x"),
		filter.And(filter.Eq("a", 1), filter.Eq("b", 1)), filter.Or(filter.Eq("a", 1), filter.Eq("b", 1)),
		filter.And(filter.Eq("b", 1), filter.Eq("a", 1)),
	}
	for i, f := range different {
		for j, g := range different {
			require.Equal(t, i == j, f.Equal(g), "%q and %q", f, g)
		}
	}
}

func TestFilterKeepsNoReferenceToBytes(t *testing.T) {
	b := []byte("abc")
	eq, in := filter.Eq("a", b), filter.In("a", b)
	b[0] = 'X'
	require.True(t, eq.Equal(filter.Eq("a", []byte("abc"))), "Eq changed with the caller's slice")
	require.True(t, in.Equal(filter.In("a", []byte("abc"))), "In changed with the caller's slice")
}

func TestAndDoesNotShareItsArguments(t *testing.T) {
	filters := []filter.Filter{filter.Eq("a", 1), filter.Eq("b", 2)}
	and := filter.And(filters...)
	filters[0] = filter.Eq("changed", 0)
	require.Equal(t, "a == 1 && b == 2", and.String())

	one, two := filter.And(and, filter.Eq("c", 3)), filter.And(and, filter.Eq("d", 4))
	require.Equal(t, "a == 1 && b == 2 && c == 3", one.String())
	require.Equal(t, "a == 1 && b == 2 && d == 4", two.String())
}

func TestOpString(t *testing.T) {
	require.Equal(t, "notIn", filter.OpNotIn.String())
	require.Equal(t, "Op(200)", filter.Op(200).String())
}
