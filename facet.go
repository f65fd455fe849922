package vecwire

import (
	"context"
	"math"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// FacetOptions says what [Collection.Facet] counts.
type FacetOptions struct {
	Filter filter.Filter // only records that pass; the zero filter lets all pass
	Limit  int           // how many values are wanted at most, the most frequent ones; 0 for all
}

// FacetCount is how many records have a value.
type FacetCount struct {
	Value any // of the field's Go type, as in [Fields], or that of a list's elements; nil for the records without a value
	Count int // 1 or more
}

// Facet counts how many records have each value of a field, the most frequent values
// first and those of equal count by value: what a page offers as filters beside its
// hits. If there are records without a value, they are counted last, under a Value of
// nil, and beyond Limit.
//
// With no Limit these are the field's different values. Strings are told apart byte by
// byte. A list counts once for each of the different values in it, and an empty one not
// at all. The field is of the type String, Int, Float, Bool, Time, Strings, Ints or
// Floats; others are a [*SchemaError].
func (c *Collection) Facet(ctx context.Context, field string, o FacetOptions) ([]FacetCount, error) {
	c, ctx, call, err := c.begin(ctx, OpFacet)
	if err != nil {
		return nil, err
	}
	defer call.leave()
	counts, err := c.facet(ctx, field, o)
	return counts, call.end(len(counts), err)
}

func (c *Collection) facet(ctx context.Context, name string, o FacetOptions) ([]FacetCount, error) {
	if !c.engine.Can().Facets {
		return nil, engine.Unsupported(engine.LackFacets, c.db.engine.Capabilities().Engine)
	}
	field, err := c.rules.Counted(name)
	if err != nil {
		return nil, err
	}
	f := engine.Facet{Field: field.Name, Type: field.Type, Limit: o.Limit}
	switch {
	case o.Limit < 0:
		return nil, badValue("Limit", "a positive number, or 0 for all", o.Limit)
	case o.Limit == 0:
		f.Limit = math.MaxInt
	}
	if f.Filter, err = c.checkFilter(o.Filter); err != nil {
		return nil, err
	}
	found, err := c.engine.Facet(ctx, f)
	if err != nil {
		return nil, err
	}
	counts := make([]FacetCount, len(found))
	for i, n := range found {
		counts[i] = FacetCount(n)
	}
	return counts, nil
}

// Range returns the least and the greatest value that the records which f lets pass
// have of a field; both are nil if none of them has a value. Strings are compared
// byte by byte, and false is less than true. The field is of the type String, Int,
// Float, Bool or Time; others are a [*SchemaError]. With an index over the field it
// takes a look at either end.
//
// The two are looked for one after the other, so that a writer can come between
// them; in a transaction none does.
func (c *Collection) Range(ctx context.Context, field string, f filter.Filter) (least, greatest any, err error) {
	c, ctx, call, err := c.begin(ctx, OpRange)
	if err != nil {
		return nil, nil, err
	}
	defer call.leave()
	ends, n, err := c.ends(ctx, field, f)
	return ends[0], ends[1], call.end(n, err)
}

// ends returns the values at both ends of a field's order, and how many there are.
func (c *Collection) ends(ctx context.Context, name string, f filter.Filter) (ends [2]any, n int, err error) {
	field, err := c.rules.Ordered(name, "to have a range")
	if err != nil {
		return ends, 0, err
	}
	if f, err = c.checkFilter(f); err != nil {
		return ends, 0, err
	}
	_, at, _ := c.rules.Field(name)
	for i, desc := range []bool{false, true} {
		found, err := c.engine.Scan(ctx, engine.Scan{Filter: f, Limit: 1, Order: engine.Order{Field: name, Type: field.Type, Desc: desc}})
		if err != nil {
			return [2]any{}, 0, err
		}
		if len(found) == 1 {
			ends[i] = found[0].Fields[at]
			n++
		}
	}
	return ends, n, nil
}
