package filter_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
)

func TestMapChangesEveryValueAndNothingElse(t *testing.T) {
	upper := func(op filter.Op, field string, v any) (any, error) {
		return fmt.Sprintf("%s %s %v", op, field, v), nil
	}
	for text, want := range map[string]string{
		``:                                ``,
		`false`:                           `false`,
		`isNull(a)`:                       `isNull(a)`,
		`in(a)`:                           `in(a)`,
		`a == "x"`:                        `a == "== a x"`,
		`in(a, "x", "y")`:                 `in(a, "in a x", "in a y")`,
		`between(b, 1, 2)`:                `between(b, "between b 1", "between b 2")`,
		`!(a == "x" || prefix(b, "y"))`:   `!(a == "== a x" || prefix(b, "prefix b y"))`,
		`(a || false) && a > 1 || !(b)`:   `a == "== a true" && a > "> a 1" || !(b == "== b true")`,
		`contains(a, "x") && notIn(b, 1)`: `contains(a, "contains a x") && notIn(b, "notIn b 1")`,
	} {
		f, err := filter.Parse(text)
		require.NoError(t, err)
		before := f.String()
		got, err := f.Map(upper)
		require.NoError(t, err)
		require.Equal(t, want, got.String())
		require.Equal(t, before, f.String(), "Map changed the filter that it was called on")
	}
}

func TestMapOfNothingChangedIsEqual(t *testing.T) {
	same := func(_ filter.Op, _ string, v any) (any, error) { return v, nil }
	for _, f := range []filter.Filter{
		{}, filter.Or(), filter.Not(filter.Filter{}), filter.IsNull("a"), filter.In[int]("a"), filter.Eq("a", []byte{1}),
		filter.And(filter.Or(filter.Eq("a", 1), filter.Ne("b", 2.5)), filter.Not(filter.Between("c", 1, 2))),
	} {
		got, err := f.Map(same)
		require.NoError(t, err)
		require.True(t, got.Equal(f), "got %q, want %q", got, f)
	}
}

func TestMapStopsAtTheFirstError(t *testing.T) {
	stop, calls := errors.New("stop"), 0
	f := filter.And(filter.Eq("a", 1), filter.Or(filter.In("b", 2, 3, 4), filter.Eq("c", 5)))
	got, err := f.Map(func(_ filter.Op, _ string, v any) (any, error) {
		if calls++; v == 3 {
			return nil, stop
		}
		return v, nil
	})
	require.Same(t, stop, err)
	require.True(t, got.IsZero())
	require.Equal(t, 3, calls)
}

func TestMapKeepsNoReferenceToBytes(t *testing.T) {
	b := []byte("abc")
	f, err := filter.Eq("a", "x").Map(func(filter.Op, string, any) (any, error) { return b, nil })
	require.NoError(t, err)
	b[0] = 'X'
	require.True(t, f.Equal(filter.Eq("a", []byte("abc"))))
}
