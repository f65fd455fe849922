package columns

import (
	"cmp"
	"slices"

	"github.com/vecwire/vecwire/filter"
)

// A Selector answers conditions over a field.
type Selector interface {
	// Select puts the rows for which a condition over the field is true into dst, which
	// is empty; or with negated those for which it is false. Live are all rows that there
	// are. The condition is one that the column answers: see [Answers].
	Select(dst, live Set, f filter.Filter, negated bool)
	// Few returns the same rows as a list, each once and in any order, if they are at most
	// so many and known that way; else it reports false. The list must not be changed.
	Few(f filter.Filter, negated bool, most int) (rows []int32, ok bool)
	// Dear reports whether a condition takes so long that its answer is worth keeping.
	Dear(f filter.Filter) bool
}

// A Column is what is kept of one field. Conditions may be asked side by side, and not
// while the column is built or changed.
type Column interface {
	Selector
	// Counts passes on how many of the rows have each value, in the ascending order of
	// the keys, and what returns the value until then; nil is for all rows.
	Counts(within Set, each func(count int, value func() any))
	// Groups passes on the rows that have each value, in the order of the keys or, with
	// desc, the other way around, from one value on unless that is nil, until each
	// returns false. The rows are valid until then.
	Groups(desc bool, from any, each func(value func() any, rows []int32) bool)
	// Present are the rows that have a value. The set must not be changed.
	Present() Set
	// Bytes is how much memory the column takes.
	Bytes() int
}

// A Builder takes the values that a field has.
type Builder interface {
	Column
	// Add takes a value, which is not less than any before, and rows that have it.
	Add(value any, rows []int32) error
	// Built says that there are no more, and which rows have a value, if a row can have
	// one without standing at any; nil otherwise.
	Built(present Set) error
	// Change says what the rows hold now. A row without values has none, unless present
	// is not nil and has it.
	Change(rows []int32, now []Entry, present Set) error
}

// Entry is a value that a row has.
type Entry struct {
	Row   int32
	Value any
}

// Answers reports whether a column can answer a condition over a field: its own
// comparisons, and of a list whether it has elements.
func Answers(t filter.Type, f filter.Filter) bool {
	_, list := t.Elem()
	elements := f.Op() == filter.OpContainsAny || f.Op() == filter.OpContainsAll
	return f.Op() == filter.OpIsNull || f.Op() > filter.OpNot && f.Op() != filter.OpWords && list == elements
}

// Options say what a column is of. A value is turned into a key by Key, which takes
// values of filters and of rows alike, and comes out as Value makes it.
type Options[K cmp.Ordered] struct {
	Lists bool // a row may have several values
	Key   func(v any) K
	Value func(k K) any
	// Kind returns the first key of those that a key can be compared with by order, and
	// the first behind them. Of others nothing can be told. It is nil if all can be.
	Kind func(k K) (first, after K)
}

type column[K cmp.Ordered] struct {
	o       Options[K]
	base    *run[K]
	delta   *run[K] // what was changed since the base was made
	stale   Set     // rows that do not count in the base
	changed int     // how many rows stale has
	present Set
}

// New returns a column without values.
func New[K cmp.Ordered](o Options[K]) Builder {
	return &column[K]{o: o, base: newRun[K](o.Lists), delta: newRun[K](o.Lists)}
}

func (c *column[K]) Add(value any, rows []int32) error {
	k, r := c.o.Key(value), c.base
	r.keys.done()
	if n := r.keys.len(); n > 0 {
		switch cmp.Compare(r.keys.at(n-1), k) {
		case 1:
			return errOrder
		case 0:
			return r.more(rows)
		}
	}
	return r.add(k, rows)
}

func (c *column[K]) Built(present Set) error {
	c.base.keys.done()
	c.base.mark()
	if c.present = present; present == nil {
		c.present = Set{}
		for _, row := range c.base.rows {
			c.present.Add(row)
		}
	}
	return nil
}

// most is how many rows may have changed before the runs become one: merging takes
// time for all rows, and each condition takes time for what has changed.
func (c *column[K]) most() int {
	n := 512
	for n*n < 4*len(c.base.rows) {
		n *= 2
	}
	return n
}

func (c *column[K]) Change(rows []int32, now []Entry, present Set) error {
	var these Set
	for _, row := range rows {
		these.Add(row)
		if !c.stale.Has(row) {
			c.stale.Add(row)
			c.changed++
		}
		c.present.Remove(row)
		if present.Has(row) {
			c.present.Add(row)
		}
	}
	type keyed struct {
		key K
		row int32
	}
	entries := make([]keyed, len(now))
	for i, e := range now {
		entries[i] = keyed{c.o.Key(e.Value), e.Row}
		c.present.Add(e.Row)
	}
	slices.SortFunc(entries, func(a, b keyed) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.row, b.row)) })
	entries = slices.Compact(entries)
	more := newRun[K](c.o.Lists)
	var same []int32
	for i, e := range entries {
		same = append(same, e.row)
		if i == len(entries)-1 || entries[i+1].key != e.key {
			if err := more.add(e.key, same); err != nil {
				return err
			}
			same = same[:0]
		}
	}
	more.keys.done()
	var err error
	if c.delta, err = merge(c.delta, these, more); err != nil || max(c.changed, len(c.delta.rows)) <= c.most() {
		return err
	}
	if c.base, err = merge(c.base, c.stale, c.delta); err != nil {
		return err
	}
	c.base.mark()
	c.delta, c.stale, c.changed = newRun[K](c.o.Lists), nil, 0
	return nil
}

func (c *column[K]) Present() Set { return c.present }

func (c *column[K]) Bytes() int {
	return c.base.bytes() + c.delta.bytes() + 8*(len(c.stale)+len(c.present))
}
