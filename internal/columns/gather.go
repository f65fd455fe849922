package columns

import "github.com/vecwire/vecwire/filter"

// Gather returns the arguments of an And or Or, with one list of all values that the
// arguments of Or compare a field with for equality, or that those of And compare it
// with for inequality: a list is looked up in the time of one value.
func Gather(f filter.Filter) []filter.Filter {
	one, list := filter.OpEq, filter.OpIn
	if f.Op() == filter.OpAnd {
		one, list = filter.OpNe, filter.OpNotIn
	}
	fields := map[string][]any{}
	var rest []filter.Filter
	var order []string
	for _, arg := range f.Args() {
		if arg.Op() != one && arg.Op() != list || len(arg.Values()) == 0 {
			rest = append(rest, arg)
			continue
		}
		if _, ok := fields[arg.Field()]; !ok {
			order = append(order, arg.Field())
		}
		fields[arg.Field()] = append(fields[arg.Field()], arg.Values()...)
	}
	for _, field := range order {
		if list == filter.OpIn {
			rest = append(rest, filter.In(field, fields[field]...))
		} else {
			rest = append(rest, filter.NotIn(field, fields[field]...))
		}
	}
	return rest
}
