package local

import (
	"cmp"
	"context"
	"slices"
	"sort"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/columns"
	"github.com/vecwire/vecwire/internal/engine"
)

// A count by value and a page of records are found in the columns if these have the
// field and answer all of the filter.

// looking makes the columns ready that a filter over a field needs, and returns the
// field's and the rows that pass, nil for all; no column if SQLite has to be asked.
func (c *collection) looking(ctx context.Context, field string, f filter.Filter) (columns.Column, columns.Set, error) {
	e, err := c.evaluation(ctx, f, field)
	if err != nil {
		return nil, nil, err
	}
	column, ok := e.Column(filter.IsNull(field)).(columns.Column)
	if !ok || !e.Whole(f) {
		return nil, nil, nil
	}
	if f.IsZero() {
		return column, nil, nil
	}
	passing, _, err := e.Rows(f)
	return column, passing, err
}

// spend notes what SQLite took for fields.
func (c *collection) spend(f filter.Filter, field string, took time.Duration) {
	t, s := c.fields, &c.schema
	t.mu.Lock()
	defer t.mu.Unlock()
	note := func(f filter.Filter) {
		if k := t.columnOf(s, f); k != nil {
			k.spent += took
		}
	}
	conditions(f, note)
	if field != "" {
		note(filter.IsNull(field))
	}
}

// facetOfColumn is facet by a column. It reports false if SQLite has to be asked.
func (c *collection) facetOfColumn(ctx context.Context, f engine.Facet) ([]engine.FacetCount, bool, error) {
	column, passing, err := c.looking(ctx, f.Field, f.Filter)
	if column == nil || err != nil {
		return nil, false, err
	}
	missing := c.ids.len()
	if passing != nil {
		defer c.fields.give(passing)
		missing = passing.Count()
		having := slices.Clone(passing)
		having.And(column.Present())
		missing -= having.Count()
	} else {
		missing -= column.Present().Count()
	}
	// The keys of floats within lists are texts, and in the order of those.
	elem, list := f.Type.Elem()
	asNumbers := list && elem == filter.Float
	top := topCounts{most: f.Limit, before: func(a, b *engine.FacetCount) bool { return a.Count > b.Count }}
	if asNumbers {
		top.before = func(a, b *engine.FacetCount) bool {
			x, _ := a.Value.(float64)
			y, _ := b.Value.(float64)
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(x, y)) < 0
		}
	}
	column.Counts(passing, func(count int, value func() any) {
		one := engine.FacetCount{Count: count}
		if asNumbers {
			one.Value = value()
		}
		if top.add(&one) && !asNumbers {
			top.counts[top.at].Value = value()
		}
	})
	if missing > 0 {
		top.counts = append(top.counts, engine.FacetCount{Count: missing})
	}
	return top.counts, true, nil
}

// topCounts keeps the first of what is added, up to most, in their order; of two that
// are alike the one that was added first.
type topCounts struct {
	most   int
	before func(a, b *engine.FacetCount) bool
	counts []engine.FacetCount
	at     int // where the last one stands
}

// add reports whether one is among the first.
func (t *topCounts) add(one *engine.FacetCount) bool {
	n := len(t.counts)
	if n == t.most {
		if !t.before(one, &t.counts[n-1]) {
			return false
		}
		t.counts = t.counts[:n-1]
	}
	t.at = sort.Search(len(t.counts), func(i int) bool { return t.before(one, &t.counts[i]) })
	t.counts = slices.Insert(t.counts, t.at, *one)
	return true
}

// pageOfColumns is scan by columns: of the records in the order of a field that has one,
// or of few that pass in the order of their IDs. It reports false if SQLite has to be
// asked.
func (c *collection) pageOfColumns(ctx context.Context, s engine.Scan) ([]engine.Record, bool, error) {
	if s.Order.Missing {
		s.Filter = filter.And(s.Filter, filter.IsNull(s.Order.Field))
	}
	var numbers []int32
	switch {
	case s.Order.Backwards() || s.Filter.IsZero() && s.Order.ByID():
		return nil, false, nil
	case s.Order.ByID():
		e, err := c.evaluation(ctx, s.Filter)
		if err != nil || !e.Whole(s.Filter) {
			return nil, false, err
		}
		passing, _, err := e.Rows(s.Filter) // not shared, since columns answer
		if err != nil {
			return nil, false, err
		}
		defer c.fields.give(passing)
		// SQLite looks at all/n records for each of the page; here it is n for the page.
		if n := passing.Count(); n/pageShare*n > c.ids.len()*min(s.Limit, n) {
			return nil, false, nil
		}
		page := pageByID{id: c.ids.id, most: s.Limit, after: s.After}
		for row := range passing.All() {
			page.add(row)
		}
		numbers = page.rows
	default:
		column, passing, err := c.looking(ctx, s.Order.Field, s.Filter)
		if column == nil || err != nil {
			return nil, false, err
		}
		if passing != nil {
			defer c.fields.give(passing)
		}
		numbers = c.inOrder(column, passing, s)
	}
	records := make([]engine.Record, len(numbers))
	for i, row := range numbers {
		records[i].ID = c.ids.id(row)
	}
	p, to := parts{payload: true, vectors: s.Vectors}, func(place int) *engine.Record { return &records[place] }
	if len(numbers) <= atMost {
		return records, true, c.read(ctx, numbers, p, to)
	}
	read := func(ctx context.Context, numbers []int32, p parts, to func(place int) *engine.Record) error {
		return c.byRow(ctx, c.store.borrow, numbers, p, to) // and keep nothing of an export
	}
	return records, true, c.withHeld(read, c.index.given)(ctx, numbers, p, to)
}

// pageShare is how many times longer it takes SQLite to look at a record than it takes
// to compare an ID here.
const pageShare = 4

// inOrder returns the rows of a page in the order of a field, those of equal values by
// ID.
func (c *collection) inOrder(column columns.Column, passing columns.Set, s engine.Scan) (numbers []int32) {
	first := s.Order.After != nil
	column.Groups(s.Order.Desc, s.Order.After, func(value func() any, rows []int32) bool {
		page := pageByID{id: c.ids.id, most: s.Limit - len(numbers)}
		if first && equalValue(value(), s.Order.After) {
			page.after = s.After
		}
		first = false
		for _, row := range rows {
			if passing == nil || passing.Has(row) {
				page.add(row)
			}
		}
		numbers = append(numbers, page.rows...)
		return len(numbers) < s.Limit
	})
	return numbers
}

// equalValue compares values of a field that has an order.
func equalValue(a, b any) bool {
	if t, ok := a.(time.Time); ok {
		u, ok := b.(time.Time)
		return ok && t.Equal(u)
	}
	return a == b
}

// pageByID keeps the rows with the least IDs after one, in their order.
type pageByID struct {
	id    func(row int32) string
	most  int
	after string
	rows  []int32
	ids   []string // of the rows
}

func (p *pageByID) add(row int32) {
	id := p.id(row)
	if id <= p.after { // also a row of a commit that is still to be followed
		return
	}
	n := len(p.rows)
	if n == p.most {
		if id >= p.ids[n-1] {
			return
		}
		n--
	}
	at, _ := slices.BinarySearch(p.ids[:n], id)
	p.rows, p.ids = slices.Insert(p.rows[:n], at, row), slices.Insert(p.ids[:n], at, id)
}
