package serve

import (
	"fmt"

	"github.com/vecwire/vecwire/filter"
)

// filterOf returns the filter of a body or of the URL, within the limits.
func (c *call) filterOf(v values) (filter.Filter, error) {
	f := get[filter.Filter](v, "filter")
	return f, c.bounded("/filter", f)
}

// bounded refuses a filter that is beyond the limits.
func (c *call) bounded(pointer string, f filter.Filter) error {
	depth, size := measure(f)
	switch l := c.o.Limits; {
	case depth > l.FilterDepth:
		return invalid(pointer, fmt.Sprintf("at most %d levels", l.FilterDepth), fmt.Sprint(depth))
	case size > l.FilterValues:
		return invalid(pointer, fmt.Sprintf("at most %d values", l.FilterValues), fmt.Sprint(size))
	}
	return nil
}

// measure returns how deep a filter is, and how many values and joins it has.
func measure(f filter.Filter) (depth, size int) {
	size = max(1, len(f.Values()))
	for _, part := range f.Args() {
		d, s := measure(part)
		depth, size = max(depth, d), size+s
	}
	return depth + 1, size
}

// inFilterParameter places all names in the parameter filter.
func inFilterParameter(string) string { return "/filter" }
