package columns

import (
	"slices"

	"github.com/vecwire/vecwire/filter"
)

// Evaluation puts the answers of columns together.
type Evaluation struct {
	Live Set // all rows that there are
	From Source
}

// Source is what an evaluation asks.
type Source interface {
	// Column returns the column that answers a condition, nil if none does.
	Column(f filter.Filter) Selector
	// Other returns an answer to a filter that no column has a part in. What it says of
	// rows that are not in within does not count; nil is for all rows. The set is not
	// changed.
	Other(f filter.Filter, within Set) (Set, error)
	// Kept answers again what takes long, and Keep keeps such an answer.
	Kept(f filter.Filter) (Set, bool)
	Keep(f filter.Filter, answer Set)
	// Room returns an empty set, always of the same length, in which there is room for
	// every row, and Back takes it back.
	Room() Set
	Back(set Set)
}

// Rows returns the rows for which a filter is true. The set belongs to the caller unless
// it is shared: then it is a kept answer, which must not be changed, and may be shorter
// than others.
func (e *Evaluation) Rows(f filter.Filter) (set Set, shared bool, err error) {
	if f.Op() > filter.OpNot && e.From.Column(f) == nil {
		set, err = e.From.Other(f, nil)
		return set, true, err
	}
	set, err = e.rows(f, false, nil)
	return set, false, err
}

// Whole reports whether columns answer all of a filter.
func (e *Evaluation) Whole(f filter.Filter) bool { return e.part(f) == ours }

// part says who answers a filter.
type part uint8

const (
	ours   part = iota // columns
	theirs             // Other
	mixed
)

func (e *Evaluation) part(f filter.Filter) part {
	switch f.Op() {
	case filter.OpAll:
		return ours
	case filter.OpAnd, filter.OpOr, filter.OpNot:
		var has [mixed + 1]bool
		for _, arg := range f.Args() {
			has[e.part(arg)] = true
		}
		switch {
		case !has[theirs] && !has[mixed]:
			return ours
		case has[ours] || has[mixed]:
			return mixed
		}
		return theirs
	}
	if e.From.Column(f) == nil {
		return theirs
	}
	return ours
}

// rows returns the rows for which a filter is true, or false with negated. It need not
// be right about rows that are not in within.
func (e *Evaluation) rows(f filter.Filter, negated bool, within Set) (Set, error) {
	switch f.Op() {
	case filter.OpAll:
		all := e.From.Room()
		if !negated {
			all.Or(e.Live)
		}
		return all, nil
	case filter.OpNot:
		return e.rows(f.Args()[0], !negated, within)
	case filter.OpAnd, filter.OpOr:
		if (f.Op() == filter.OpAnd) != negated {
			return e.both(f, negated, within)
		}
		return e.either(f, negated, within)
	}
	column := e.From.Column(f)
	if column == nil {
		return e.other(f, negated, within)
	}
	if !column.Dear(f) {
		out := e.From.Room()
		column.Select(out, e.Live, f, negated)
		return out, nil
	}
	key := f
	if negated {
		key = filter.Not(f)
	}
	out := e.From.Room()
	kept, ok := e.From.Kept(key)
	if !ok {
		kept = e.From.Room()
		column.Select(kept, e.Live, f, negated)
		e.From.Keep(key, kept)
	}
	out.Or(kept[:min(len(kept), len(out))])
	return out, nil
}

// other is rows for what no column has a part in.
func (e *Evaluation) other(f filter.Filter, negated bool, within Set) (Set, error) {
	if negated {
		f = filter.Not(f)
	}
	answer, err := e.From.Other(f, within)
	if err != nil {
		return nil, err
	}
	out := e.From.Room()
	out.Or(answer[:min(len(answer), len(out))])
	return out, nil
}

// sorted returns the arguments of a filter with those first that columns answer, then
// those that they have a part in, and the others as one filter, if there are any.
func (e *Evaluation) sorted(f filter.Filter) (first []filter.Filter, rest filter.Filter, has bool) {
	var mixedArgs, others []filter.Filter
	for _, arg := range Gather(f) {
		switch e.part(arg) {
		case ours:
			first = append(first, arg)
		case mixed:
			mixedArgs = append(mixedArgs, arg)
		default:
			others = append(others, arg)
		}
	}
	if rest = filter.Or(others...); f.Op() == filter.OpAnd {
		rest = filter.And(others...)
	}
	return slices.Concat(first, mixedArgs), rest, len(others) > 0
}

// both is rows where each argument has to be true, or each false.
func (e *Evaluation) both(f filter.Filter, negated bool, within Set) (Set, error) {
	args, rest, has := e.sorted(f)
	var out Set
	for i, arg := range args {
		set, err := e.rows(arg, negated, within)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			set.And(out)
			e.From.Back(out)
		} else if within != nil {
			set.And(within)
		}
		out, within = set, set
	}
	if has {
		set, err := e.other(rest, negated, within)
		if err != nil {
			return nil, err
		}
		if out != nil {
			set.And(out)
			e.From.Back(out)
		}
		return set, nil
	}
	if out == nil { // no arguments
		out = e.From.Room()
		out.Or(e.Live)
	}
	return out, nil
}

// either is rows where one argument has to be true, or one false.
func (e *Evaluation) either(f filter.Filter, negated bool, within Set) (Set, error) {
	args, rest, has := e.sorted(f)
	out := e.From.Room()
	add := func(set Set, err error) error {
		if err == nil {
			out.Or(set)
			e.From.Back(set)
		}
		return err
	}
	for _, arg := range args {
		if err := add(e.rows(arg, negated, within)); err != nil {
			return nil, err
		}
	}
	if has {
		if err := add(e.other(rest, negated, within)); err != nil {
			return nil, err
		}
	}
	return out, nil
}
