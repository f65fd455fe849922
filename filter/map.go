package filter

// Map returns f with each value replaced by the one that change returns for it.
// The function is given the operation, the field and the value, in the order of
// the text that [Filter.String] writes; what it returns is kept as it is, so
// [Filter.Check] belongs after Map wherever change returns another type. The
// first error of change ends the work and is returned as it is.
//
// Map keeps the operations and how they are joined: a filter without values,
// such as [IsNull], comes back unchanged.
func (f Filter) Map(change func(op Op, field string, value any) (any, error)) (Filter, error) {
	out := Filter{op: f.op, field: f.field}
	if len(f.args) > 0 {
		out.args = make([]Filter, len(f.args))
		for i, arg := range f.args {
			var err error
			if out.args[i], err = arg.Map(change); err != nil {
				return Filter{}, err
			}
		}
	}
	if f.values == nil {
		return out, nil
	}
	values := make([]any, len(f.values))
	for i, v := range f.values {
		var err error
		if values[i], err = change(f.op, f.field, v); err != nil {
			return Filter{}, err
		}
	}
	out.values = owned(values)
	return out, nil
}
