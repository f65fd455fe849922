package columns

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
)

// table is what a column should hold: the values of each row that has any.
type table[K cmp.Ordered] map[int32][]K

// groups returns the rows of each value.
func (m table[K]) groups() (all []K, rows map[K][]int32) {
	rows = map[K][]int32{}
	for _, row := range slices.Sorted(maps.Keys(m)) {
		for _, k := range m[row] {
			rows[k] = append(rows[k], row)
		}
	}
	return slices.Sorted(maps.Keys(rows)), rows
}

// build makes the column of a table.
func build[K cmp.Ordered](t testing.TB, o Options[K], m table[K]) Builder {
	c := New(o)
	all, rows := m.groups()
	for _, k := range all {
		require.NoError(t, c.Add(any(k), rows[k]))
	}
	var present Set
	for row := range m {
		present.Add(row)
	}
	require.NoError(t, c.Built(present))
	return c
}

// requireSelected asks a column and, of each row, the function.
func requireSelected[K cmp.Ordered](t testing.TB, c Column, rows int32, m table[K], f filter.Filter, passes func(values []K) bool) {
	live := make(Set, Words(int(rows)))
	for row := range rows {
		live.Add(row)
	}
	for _, negated := range []bool{false, true} {
		got := make(Set, len(live))
		c.Select(got, live, f, negated)
		var want []int32
		for row := range rows {
			values, ok := m[row]
			if f.Op() == filter.OpIsNull && ok == negated || f.Op() != filter.OpIsNull && ok && passes(values) != negated {
				want = append(want, row)
			}
		}
		require.Equal(t, want, slices.Collect(got.All()), "%v, negated %v", f, negated)
		for _, most := range []int{len(want) / 2, len(want), int(rows)} {
			if few, ok := c.Few(f, negated, most); ok {
				few = append([]int32(nil), few...)
				slices.Sort(few)
				require.Equal(t, want, few, "%v, negated %v, at most %d", f, negated, most)
				require.LessOrEqual(t, len(few), most)
			}
		}
	}
}

// Numbers, few and many different ones, in runs with marks and without, before and
// after changes, are found by each comparison.
func TestNumbers(t *testing.T) {
	for _, rows := range []int32{100, markFrom + 100, 20_000} {
		for _, different := range []int64{1, 2, 7, 300, 1 << 40} {
			t.Run(fmt.Sprint(rows, " rows, ", different), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(uint64(rows), uint64(different)))
				number := func() int64 { return min(rng.Int64N(different), rng.Int64N(different)) - different/3 }
				m := table[int64]{}
				for row := range rows {
					if rng.IntN(10) > 0 {
						m[row] = []int64{number()}
					}
				}
				c := build(t, Options[int64]{Key: func(v any) int64 { return v.(int64) }, Value: func(k int64) any { return k }}, m)
				for range 6 {
					requireNumbers(t, rng, c, rows, m, number)
					changed := map[int32]bool{}
					var now []Entry
					for range rng.IntN(700) {
						row := rng.Int32N(rows)
						if changed[row] {
							continue
						}
						changed[row] = true
						delete(m, row)
						if rng.IntN(4) > 0 {
							m[row] = []int64{number()}
							now = append(now, Entry{row, m[row][0]})
						}
					}
					require.NoError(t, c.Change(slices.Collect(maps.Keys(changed)), now, nil))
				}
			})
		}
	}
}

func requireNumbers(t testing.TB, rng *rand.Rand, c Column, rows int32, m table[int64], number func() int64) {
	x, y := number(), number()
	some := []int64{x, y, number(), number()}
	for _, tt := range []struct {
		f      filter.Filter
		passes func(v int64) bool
	}{
		{filter.Eq("n", x), func(v int64) bool { return v == x }}, {filter.Ne("n", x), func(v int64) bool { return v != x }},
		{filter.Lt("n", x), func(v int64) bool { return v < x }}, {filter.Le("n", x), func(v int64) bool { return v <= x }},
		{filter.Gt("n", x), func(v int64) bool { return v > x }}, {filter.Ge("n", x), func(v int64) bool { return v >= x }},
		{filter.Between("n", x, y), func(v int64) bool { return x <= v && v <= y }},
		{filter.In("n", some...), func(v int64) bool { return slices.Contains(some, v) }},
		{filter.NotIn("n", some...), func(v int64) bool { return !slices.Contains(some, v) }},
		{filter.IsNull("n"), nil},
	} {
		requireSelected(t, c, rows, m, tt.f, func(values []int64) bool { return tt.passes(values[0]) })
	}
	var within Set
	for row := range rows {
		if rng.IntN(3) > 0 {
			within.Add(row)
		}
	}
	all, of := m.groups()
	for _, set := range []Set{nil, within} {
		want := map[int64]int{}
		for k, rows := range of {
			for _, row := range rows {
				if set == nil || set.Has(row) {
					want[k]++
				}
			}
		}
		got := map[int64]int{}
		c.Counts(set, func(count int, value func() any) { got[value().(int64)] = count })
		require.Equal(t, want, got)
	}
	for _, desc := range []bool{false, true} {
		want := slices.Clone(all)
		if desc {
			slices.Reverse(want)
		}
		want = slices.DeleteFunc(want, func(k int64) bool { return !desc && k < x || desc && k > x })
		var got []int64
		c.Groups(desc, x, func(value func() any, rows []int32) bool {
			if len(rows) > 0 {
				got = append(got, value().(int64))
				rows = slices.Sorted(slices.Values(rows))
				require.Equal(t, of[value().(int64)], rows)
			}
			return len(got) < 20
		})
		require.Equal(t, want[:min(len(want), 20)], got, "desc %v from %d", desc, x)
	}
}

// Texts are compared by their bytes, and found by their beginning, by what is in them
// and by their form.
func TestTexts(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	const rows = markFrom + 1000
	text := func() string {
		return strings.Repeat([]string{"", "a", "b", "é", "日"}[rng.IntN(5)], rng.IntN(3)) + string(rune('a'+rng.IntN(3)))
	}
	m := table[string]{}
	for row := range int32(rows) {
		if rng.IntN(10) > 0 {
			m[row] = []string{text()}
		}
	}
	c := build(t, Options[string]{Key: func(v any) string { return v.(string) }, Value: func(k string) any { return k }}, m)
	for range 50 {
		x := text()
		for _, tt := range []struct {
			f      filter.Filter
			passes func(v string) bool
		}{
			{filter.Eq("s", x), func(v string) bool { return v == x }}, {filter.Lt("s", x), func(v string) bool { return v < x }},
			{filter.Prefix("s", x), func(v string) bool { return strings.HasPrefix(v, x) }},
			{filter.Prefix("s", ""), func(v string) bool { return true }},
			{filter.Contains("s", x), func(v string) bool { return strings.Contains(v, x) }},
			{filter.Like("s", "_%"+x), func(v string) bool { return filter.MatchLike("_%"+x, v) }},
		} {
			requireSelected(t, c, rows, m, tt.f, func(values []string) bool { return tt.passes(values[0]) })
		}
		row := rng.Int32N(rows)
		m[row] = []string{text()}
		require.NoError(t, c.Change([]int32{row}, []Entry{{row, m[row][0]}}, nil))
	}
}

// A list is found by any of its elements or by all, an empty one by neither, and it has a
// value.
func TestListsInColumns(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	const rows = 2 * markFrom
	list := func() []int64 {
		list := map[int64]bool{}
		for range rng.IntN(4) {
			list[min(rng.Int64N(200), rng.Int64N(3)*rng.Int64N(70))] = true
		}
		return slices.Sorted(maps.Keys(list))
	}
	m := table[int64]{}
	for row := range int32(rows) {
		if rng.IntN(10) > 0 {
			m[row] = list()
		}
	}
	c := build(t, Options[int64]{Lists: true, Key: func(v any) int64 { return v.(int64) }, Value: func(k int64) any { return k }}, m)
	require.NotEmpty(t, c.(*column[int64]).base.heavy)
	for range 40 {
		some := []int64{rng.Int64N(3), rng.Int64N(200)}
		has := func(values []int64) func(k int64) bool {
			return func(k int64) bool { return slices.Contains(values, k) }
		}
		requireSelected(t, c, rows, m, filter.ContainsAny("n", some...), func(values []int64) bool { return slices.ContainsFunc(some, has(values)) })
		requireSelected(t, c, rows, m, filter.ContainsAll("n", some...), func(values []int64) bool { return has(values)(some[0]) && has(values)(some[1]) })
		requireSelected(t, c, rows, m, filter.IsNull("n"), nil)
		var changed []int32
		var now []Entry
		var present Set
		for range rng.IntN(100) {
			row := rng.Int32N(rows)
			if slices.Contains(changed, row) {
				continue
			}
			changed = append(changed, row)
			if delete(m, row); rng.IntN(5) == 0 {
				continue
			}
			m[row] = list()
			present.Add(row)
			for _, k := range m[row] {
				now = append(now, Entry{row, k})
			}
		}
		require.NoError(t, c.Change(changed, now, present))
	}
}

// A condition with no values says the same of a missing value.
func TestConditionsWithoutValues(t *testing.T) {
	c := build(t, Options[int64]{Key: func(v any) int64 { return v.(int64) }, Value: func(k int64) any { return k }}, table[int64]{1: {5}})
	live := Set{0b111}
	for _, tt := range []struct {
		f    filter.Filter
		want bool
	}{{filter.In[int64]("n"), false}, {filter.NotIn[int64]("n"), true}, {filter.ContainsAny[int64]("n"), false}, {filter.ContainsAll[int64]("n"), true}} {
		for _, negated := range []bool{false, true} {
			got := make(Set, 1)
			c.Select(got, live, tt.f, negated)
			require.Equal(t, tt.want != negated, got.Count() == 3, "%v, negated %v", tt.f, negated)
			require.Contains(t, []int{0, 3}, got.Count())
		}
	}
}

// A column whose values do not come in order is refused.
func TestOrder(t *testing.T) {
	c := New(Options[string]{Key: func(v any) string { return v.(string) }, Value: func(k string) any { return k }})
	require.NoError(t, c.Add("b", []int32{2, 1}))
	require.Error(t, c.Add("a", []int32{3}))
	require.NoError(t, c.Add("b", []int32{0}))
	require.NoError(t, c.Built(nil))
	c.Groups(false, nil, func(_ func() any, rows []int32) bool {
		require.Equal(t, []int32{0, 1, 2}, rows)
		return true
	})
}

// A comparison takes about as long whichever share of the rows it lets pass, and the
// memory is what the package says.
func BenchmarkSelect(b *testing.B) {
	const rows = 1_000_000
	for _, different := range []int64{2, 30, 10_000, 1 << 40} {
		rng := rand.New(rand.NewPCG(9, uint64(different)))
		m := table[int64]{}
		for row := range int32(rows) {
			m[row] = []int64{rng.Int64N(different)}
		}
		c := build(b, Options[int64]{Key: func(v any) int64 { return v.(int64) }, Value: func(k int64) any { return k }}, m)
		live := c.Present()
		dst := make(Set, len(live))
		for _, share := range []float64{0.0001, 0.01, 0.3, 0.9} {
			f := filter.Lt("n", int64(share*float64(different)))
			b.Run(fmt.Sprintf("%d different/%g", different, share), func(b *testing.B) {
				for b.Loop() {
					clear(dst)
					c.Select(dst, live, f, false)
				}
				b.ReportMetric(float64(c.Bytes())/rows, "B/record")
			})
		}
	}
}
