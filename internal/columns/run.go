package columns

import (
	"cmp"
	"errors"
	"slices"
	"sort"
)

// run is values in ascending order, and the rows that have each, ascending too.
type run[K cmp.Ordered] struct {
	lists bool // a row may stand at several values
	keys  keys[K]
	ends  []int32 // where the rows of each key end
	rows  []int32

	at    []int32     // without lists: where a mark stands
	marks []Set       // and the rows before it
	heavy map[int]Set // with lists: the rows of a key that many have, by its place
}

const (
	// markFrom is from how many rows on a run has marks.
	markFrom = 4096
	// markParts is how many stretches of equal length the rows would be cut into if
	// each had another value. There are at most twice as many.
	markParts = 32
)

var errOrder = errors.New("the values of a column are not in ascending order")

func newRun[K cmp.Ordered](lists bool) *run[K] { return &run[K]{lists: lists, keys: newKeys[K]()} }

// add appends a value that is greater than all before, with rows that have it.
func (r *run[K]) add(k K, rows []int32) error {
	if len(rows) == 0 {
		return nil
	}
	r.ends = append(r.ends, int32(len(r.rows)))
	if err := r.keys.add(k); err != nil {
		return err
	}
	return r.more(rows)
}

// more appends rows that have the last value.
func (r *run[K]) more(rows []int32) error {
	last := len(r.ends) - 1
	sorted := slices.IsSorted(rows) && (r.ends[last] == r.start(last) || r.rows[r.ends[last]-1] <= rows[0])
	r.rows = append(r.rows, rows...)
	r.ends[last] = int32(len(r.rows))
	if !sorted {
		slices.Sort(r.rowsOf(last))
	}
	return nil
}

// rowsOf returns the rows of a key.
func (r *run[K]) rowsOf(i int) []int32 { return r.rows[r.start(i):r.ends[i]] }

// start returns where the rows of a key begin.
func (r *run[K]) start(i int) int32 {
	if i == 0 {
		return 0
	}
	return r.ends[i-1]
}

// mark makes the marks, or the sets of values that many rows have.
func (r *run[K]) mark() {
	if len(r.rows) < markFrom {
		return
	}
	words := Words(int(slices.Max(r.rows)) + 1)
	part := int32(len(r.rows) / markParts)
	if r.lists {
		r.heavy = map[int]Set{}
		for i := range r.ends {
			if rows := r.rowsOf(i); len(rows) >= max(words, int(part)) {
				s := make(Set, words)
				s.addAll(rows)
				r.heavy[i] = s
			}
		}
		return
	}
	before, last := make(Set, words), int32(0)
	put := func(at int32) {
		r.at, r.marks, last = append(r.at, at), append(r.marks, slices.Clone(before)), at
	}
	for i, end := range r.ends {
		start := r.start(i)
		if start > last && end-last > part {
			put(start)
		}
		before.addAll(r.rows[start:end])
		if end-last >= part || i == len(r.ends)-1 {
			put(end)
		}
	}
}

// bytes returns how much memory the run takes.
func (r *run[K]) bytes() int {
	n := r.keys.bytes() + 4*cap(r.ends) + 4*cap(r.rows)
	for _, m := range r.marks {
		n += 8 * len(m)
	}
	for _, m := range r.heavy {
		n += 8 * len(m)
	}
	return n
}

// span is a stretch of keys.
type span struct{ from, to int }

// fill puts the rows of spans, which are apart and in order, into dst, which is empty
// and has room for them.
func (r *run[K]) fill(dst Set, spans []span) {
	for _, s := range spans {
		if s.from >= s.to {
			continue
		}
		if r.lists {
			r.fillLists(dst, s)
			continue
		}
		from, to := r.start(s.from), r.ends[s.to-1]
		m, n := r.nearest(from), r.nearest(to)
		if int(to-from) <= r.away(from, m)+r.away(to, n) {
			dst.addAll(r.rows[from:to])
			continue
		}
		r.toggle(dst, from, m)
		r.toggle(dst, to, n)
	}
}

// fillLists is fill for lists.
func (r *run[K]) fillLists(dst Set, s span) {
	for i := s.from; i < s.to; i++ {
		if set, ok := r.heavy[i]; ok {
			dst.Or(set)
		} else {
			dst.addAll(r.rowsOf(i))
		}
	}
}

// nearest returns the mark nearest to a place among the rows, -1 for their beginning.
func (r *run[K]) nearest(place int32) int {
	i := sort.Search(len(r.at), func(i int) bool { return r.at[i] >= place })
	if i == len(r.at) || place-r.markAt(i-1) < r.at[i]-place {
		i--
	}
	return i
}

func (r *run[K]) markAt(i int) int32 {
	if i < 0 {
		return 0
	}
	return r.at[i]
}

// away returns what toggle costs, in rows: four words take about as long as one.
func (r *run[K]) away(place int32, mark int) int {
	n := int(place - r.markAt(mark))
	if mark < 0 {
		return n
	}
	return max(n, -n) + len(r.marks[mark])/4
}

// toggle puts the rows before a place into dst or takes them out.
func (r *run[K]) toggle(dst Set, place int32, mark int) {
	at := r.markAt(mark)
	if mark >= 0 {
		dst.xor(r.marks[mark])
	}
	dst.flip(r.rows[min(at, place):max(at, place)])
}

// merge returns the rows of two runs as one, but for those of a that are in skip.
func merge[K cmp.Ordered](a *run[K], skip Set, b *run[K]) (*run[K], error) {
	out := newRun[K](a.lists)
	out.rows = make([]int32, 0, len(a.rows)+len(b.rows))
	out.ends = make([]int32, 0, len(a.ends)+len(b.ends))
	var left []int32
	i, j := 0, 0
	for i < len(a.ends) || j < len(b.ends) {
		order := -1
		switch {
		case i == len(a.ends):
			order = 1
		case j < len(b.ends):
			order = cmp.Compare(a.keys.at(i), b.keys.at(j))
		}
		left = left[:0]
		var k K
		if order <= 0 {
			k = a.keys.at(i)
			for _, row := range a.rowsOf(i) {
				if !skip.Has(row) {
					left = append(left, row)
				}
			}
			i++
		}
		if order >= 0 {
			k = b.keys.at(j)
			left = append(left, b.rowsOf(j)...)
			j++
		}
		if err := out.add(k, left); err != nil {
			return nil, err
		}
	}
	out.keys.done()
	return out, nil
}
