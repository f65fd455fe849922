package engine

import (
	"context"

	"github.com/vecwire/vecwire/filter"
)

// Facet asks how many of the records that a filter lets pass have each value of a
// field. Strings are told apart byte by byte.
type Facet struct {
	Field  string      // of the schema; never of the type Bytes
	Type   filter.Type // the field's
	Filter filter.Filter
	Limit  int // at most so many values, always positive; records without one are beyond it
}

// FacetCount is how many records have a value, nil for those that have none.
type FacetCount struct {
	Value any
	Count int // positive
}

// LackFacets is the feature Can.Facets, as errors name it.
const LackFacets = "counting by value"

// Facet implements Collection.
func (l Lacks) Facet(context.Context, Facet) ([]FacetCount, error) {
	return nil, Unsupported(LackFacets, string(l))
}
