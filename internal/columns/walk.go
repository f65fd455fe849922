package columns

import (
	"cmp"
	"iter"
	"reflect"
	"slices"
)

// walk goes through the keys of both runs in their order, or the other way around, from
// a place in each on. It passes on the places where a key is, -1 where it is not.
func (c *column[K]) walk(desc bool, i, j int, each func(k K, i, j int) bool) {
	a, b, step := c.base.keys, c.delta.keys, 1
	if desc {
		step = -1
	}
	for {
		inA, inB := i >= 0 && i < a.len(), j >= 0 && j < b.len()
		order := 0
		switch {
		case !inA && !inB:
			return
		case !inB:
			order = -1
		case !inA:
			order = 1
		default:
			order = step * cmp.Compare(a.at(i), b.at(j))
		}
		k, atA, atB := *new(K), -1, -1
		if order <= 0 {
			k, atA, i = a.at(i), i, i+step
		}
		if order >= 0 {
			k, atB, j = b.at(j), j, j+step
		}
		if !each(k, atA, atB) {
			return
		}
	}
}

// Counts implements Column.
func (c *column[K]) Counts(within Set, each func(count int, value func() any)) {
	counting := within
	if c.changed > 0 {
		if counting = slices.Clone(within); within == nil {
			counting = slices.Clone(c.present)
		}
		counting.AndNot(c.stale)
	}
	var key K
	value := func() any { return c.o.Value(key) }
	c.walk(false, 0, 0, func(k K, i, j int) bool {
		n := 0
		if i >= 0 {
			n += count(c.base.rowsOf(i), counting)
		}
		if j >= 0 {
			n += count(c.delta.rowsOf(j), within)
		}
		if key = k; n > 0 {
			each(n, value)
		}
		return true
	})
}

// count returns how many of the rows are in a set; nil is for all rows.
func count(rows []int32, within Set) int {
	if within == nil {
		return len(rows)
	}
	n := uint64(0)
	for _, row := range rows {
		if w := int(row >> 6); w < len(within) {
			n += within[w] >> (row & 63) & 1
		}
	}
	return int(n)
}

// Groups implements Column.
func (c *column[K]) Groups(desc bool, from any, each func(value func() any, rows []int32) bool) {
	i, j := 0, 0
	switch {
	case from != nil && desc:
		i, j = upper(c.base.keys, c.o.Key(from))-1, upper(c.delta.keys, c.o.Key(from))-1
	case from != nil:
		i, j = lower(c.base.keys, c.o.Key(from)), lower(c.delta.keys, c.o.Key(from))
	case desc:
		i, j = c.base.keys.len()-1, c.delta.keys.len()-1
	}
	var key K
	var rows []int32
	value := func() any { return c.o.Value(key) }
	c.walk(desc, i, j, func(k K, i, j int) bool {
		key, rows = k, rows[:0]
		if i >= 0 {
			for _, row := range c.base.rowsOf(i) {
				if !c.stale.Has(row) {
					rows = append(rows, row)
				}
			}
		}
		if j >= 0 {
			rows = append(rows, c.delta.rowsOf(j)...)
		}
		return each(value, rows)
	})
}

// Differ compares columns of the same kind, and returns a value that not the same rows
// have.
func Differ(a, b Column) (value any, differ bool) {
	next, stop := iter.Pull2(groups(b))
	defer stop()
	for v, rows := range groups(a) {
		w, others, ok := next()
		if !ok || !slices.Equal(rows, others) {
			return v, true
		}
		if !reflect.DeepEqual(v, w) {
			return v, true
		}
	}
	if w, _, more := next(); more {
		return w, true
	}
	return nil, !slices.Equal(slices.Collect(a.Present().All()), slices.Collect(b.Present().All()))
}

// groups returns the values that rows have, and the rows.
func groups(c Column) iter.Seq2[any, []int32] {
	return func(yield func(any, []int32) bool) {
		c.Groups(false, nil, func(value func() any, rows []int32) bool {
			slices.Sort(rows)
			return len(rows) == 0 || yield(value(), rows)
		})
	}
}
