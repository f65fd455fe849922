package columns

import (
	"slices"

	"github.com/vecwire/vecwire/filter"
)

// Few returns what Rows does as a list, each row once and in any order, if columns alone
// answer the filter and it finds at most so many rows without making sets of more; else it
// reports false. The list must not be changed.
func (e *Evaluation) Few(f filter.Filter, most int) (rows []int32, ok bool) {
	switch f.Op() {
	case filter.OpAll:
		return nil, false
	case filter.OpAnd:
		return e.fewOfAll(f, most)
	case filter.OpOr:
		return e.fewOfAny(f, most)
	case filter.OpNot:
		return e.few(f.Args()[0], true, most)
	}
	return e.few(f, false, most)
}

// few is Few for a condition.
func (e *Evaluation) few(f filter.Filter, negated bool, most int) ([]int32, bool) {
	if f.Op() <= filter.OpNot {
		return nil, false
	}
	column := e.From.Column(f)
	if column == nil || column.Dear(f) {
		return nil, false
	}
	return column.Few(f, negated, most)
}

// fewOfAll goes by the argument with the fewest rows, and looks for these in the sets of
// the others.
func (e *Evaluation) fewOfAll(f filter.Filter, most int) ([]int32, bool) {
	if !e.Whole(f) {
		return nil, false
	}
	var least []int32
	at := -1
	for i, arg := range f.Args() {
		if rows, ok := e.Few(arg, most); ok {
			least, at, most = rows, i, len(rows)
		}
	}
	if at < 0 {
		return nil, false
	}
	for i, arg := range f.Args() {
		if i == at {
			continue
		}
		set, err := e.rows(arg, false, nil)
		if err != nil {
			return nil, false // Rows meets it, too
		}
		left := make([]int32, 0, len(least))
		for _, row := range least {
			if set.Has(row) {
				left = append(left, row)
			}
		}
		least = left
		e.From.Back(set)
	}
	return least, true
}

// fewOfAny puts the lists of the arguments together.
func (e *Evaluation) fewOfAny(f filter.Filter, most int) ([]int32, bool) {
	var all []int32
	for _, arg := range f.Args() {
		rows, ok := e.Few(arg, most-len(all))
		if !ok {
			return nil, false
		}
		all = append(all, rows...)
	}
	slices.Sort(all)
	return slices.Compact(all), true
}

// Few implements Column. What goes by which rows have a value, or may find a row at several
// values, is left to Select.
func (c *column[K]) Few(f filter.Filter, negated bool, most int) (rows []int32, ok bool) {
	op, values := f.Op(), len(f.Values())
	if op == filter.OpIsNull || values == 0 || c.o.Lists && (negated || values > 1) {
		return nil, false
	}
	if op == filter.OpNe || op == filter.OpNotIn { // neither is true of a missing value
		negated = !negated
	}
	var spans [2][]span
	for i, r := range [2]*run[K]{c.base, c.delta} {
		if len(r.rows) == 0 {
			continue
		}
		if c.o.Lists {
			spans[i] = c.exactly(r, f.Values())
		} else {
			spans[i] = c.spans(r, f, negated)
		}
	}
	base, delta := stretches{c.base.ends, c.base.rows, spans[0]}, stretches{c.delta.ends, c.delta.rows, spans[1]}
	if base.count()+delta.count() > most {
		return nil, false
	}
	if len(base.spans) == 1 && len(delta.spans) == 0 && c.changed == 0 {
		return base.list(base.spans[0]), true
	}
	return delta.appendTo(base.appendTo(nil, c.stale), nil), true
}

// stretches are those of a run's rows that the keys of spans have.
type stretches struct {
	ends, rows []int32
	spans      []span
}

// list returns the rows of one stretch.
func (t *stretches) list(s span) []int32 {
	if s.from >= s.to {
		return nil
	}
	first := int32(0)
	if s.from > 0 {
		first = t.ends[s.from-1]
	}
	return t.rows[first:t.ends[s.to-1]]
}

// count returns how many rows they have.
func (t *stretches) count() (n int) {
	for _, s := range t.spans {
		n += len(t.list(s))
	}
	return n
}

// appendTo appends the rows that are not in a set to dst.
func (t *stretches) appendTo(dst []int32, but Set) []int32 {
	for _, s := range t.spans {
		for _, row := range t.list(s) {
			if !but.Has(row) {
				dst = append(dst, row)
			}
		}
	}
	return dst
}
