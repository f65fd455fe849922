package engine

import (
	"slices"

	"github.com/vecwire/vecwire/filter"
)

// Conjuncts returns the filters all of which a record has to pass to pass f, none for
// the zero filter.
func Conjuncts(f filter.Filter) []filter.Filter {
	switch {
	case f.IsZero():
		return nil
	case f.Op() != filter.OpAnd:
		return []filter.Filter{f}
	}
	var all []filter.Filter
	for _, part := range f.Args() {
		all = append(all, Conjuncts(part)...)
	}
	return all
}

// Without takes parts, which are filters that a record has to pass to pass f, out of it. It
// reports whether f has all of them.
func Without(f filter.Filter, parts []filter.Filter) (rest filter.Filter, ok bool) {
	left := Conjuncts(f)
	for _, part := range parts {
		n := len(left)
		if left = slices.DeleteFunc(left, part.Equal); len(left) == n {
			return f, false
		}
	}
	return filter.And(left...), true
}
