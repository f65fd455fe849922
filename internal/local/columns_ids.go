package local

import (
	"slices"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/columns"
)

// idColumn answers which records have IDs.
type idColumn struct{ row func(id string) (int32, bool) }

func (i idColumn) answers(f filter.Filter) bool {
	return (f.Op() == filter.OpEq || f.Op() == filter.OpIn) && len(f.Values()) > 0
}

// Select implements columns.Selector. No record is without an ID.
func (i idColumn) Select(dst, live columns.Set, f filter.Filter, negated bool) {
	for _, v := range f.Values() {
		if row, ok := i.row(v.(string)); ok { // a checked filter compares the ID with strings
			dst.Add(row)
		}
	}
	if negated {
		some := slices.Clone(dst)
		dst.Or(live)
		dst.AndNot(some)
	}
}

// Few implements columns.Selector.
func (i idColumn) Few(f filter.Filter, negated bool, most int) ([]int32, bool) {
	if negated || len(f.Values()) > most {
		return nil, false
	}
	rows := make([]int32, 0, len(f.Values()))
	for _, v := range f.Values() {
		if row, ok := i.row(v.(string)); ok && !slices.Contains(rows, row) {
			rows = append(rows, row)
		}
	}
	return rows, true
}

// Dear implements columns.Selector.
func (i idColumn) Dear(filter.Filter) bool { return false }
