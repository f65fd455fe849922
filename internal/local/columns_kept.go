package local

import (
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/columns"
)

// answers are those to filters that took long, the last that was used at the end. They
// hold until something changes.
type answers struct {
	last  []answer
	bytes int
}

type answer struct {
	filter filter.Filter
	set    columns.Set // nil if only some rows were looked at
	looked int         // how many those were
	at     int64       // the last commit that may be in it
}

const (
	mostAnswers     = 64
	mostAnswerBytes = 8 << 20
)

// find returns the answer to a filter, as the last, or nil.
func (a *answers) find(f filter.Filter) *answer {
	n := len(a.last) - 1
	for i := n; i >= 0; i-- {
		if a.last[i].filter.Equal(f) {
			found := a.last[i]
			copy(a.last[i:], a.last[i+1:])
			a.last[n] = found
			return &a.last[n]
		}
	}
	return nil
}

// of is find, and makes an answer without a set if there is none.
func (a *answers) of(f filter.Filter) *answer {
	if found := a.find(f); found != nil {
		return found
	}
	if len(a.last) == mostAnswers {
		a.dropFirst()
	}
	a.last = append(a.last, answer{filter: f})
	return &a.last[len(a.last)-1]
}

func (a *answers) dropFirst() {
	a.bytes -= 8 * len(a.last[0].set)
	copy(a.last, a.last[1:])
	a.last[len(a.last)-1] = answer{}
	a.last = a.last[:len(a.last)-1]
}

// kept returns the kept answer to a filter, of commits up to the last.
func (t *fieldColumns) kept(last int64, f filter.Filter) (columns.Set, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := t.answers.find(f)
	if found == nil || found.set == nil || found.at > last {
		return nil, false
	}
	return found.set, true
}

// keep keeps an answer.
func (t *fieldColumns) keep(at int64, f filter.Filter, set columns.Set) {
	if set == nil {
		set = columns.Set{} // of no rows
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	a := &t.answers
	found := a.of(f)
	a.bytes += 8 * (len(set) - len(found.set))
	found.set, found.at = set, at
	for a.bytes > mostAnswerBytes && len(a.last) > 1 {
		a.dropFirst()
	}
}

// restrict reports whether a filter is to be put to so many rows only.
func (t *fieldColumns) restrict(f filter.Filter, rows, all int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := t.answers.of(f)
	found.looked += rows
	return found.looked*restrictShare <= all
}

// To look at one row takes about as long as to go through restrictShare.
const restrictShare = 4
