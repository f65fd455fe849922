package parquet

import (
	"fmt"
	"maps"
	"slices"

	"github.com/vecwire/vecwire"
)

// putAside keeps the value of a column that no name is for, if a field, which is read of
// another column, has the column's name, and reports whether it does: as a value of the
// record it would be taken for the field's.
func (d *decoder) putAside(name string, v any) bool {
	if !slices.ContainsFunc(d.schema.Fields, func(f vecwire.Field) bool { return f.Name == name }) {
		return false
	}
	if d.aside == nil {
		d.aside = map[string]any{}
	}
	d.aside[name] = v
	return true
}

// gather puts what was kept aside into the field that gathers such values.
func (d *decoder) gather(r *vecwire.Record) error {
	if len(d.aside) == 0 {
		return nil
	}
	if given := r.Fields[d.schema.Extra]; given != nil {
		object, ok := given.(map[string]any)
		if !ok {
			return nil // which the collection refuses, whatever it is to gather
		}
		for name := range object {
			if _, again := d.aside[name]; again {
				return &vecwire.ValueError{Field: fmt.Sprintf("%s.%s", d.schema.Extra, name), Pos: -1, Want: "one value", Got: "that of a column, too"}
			}
		}
		maps.Copy(d.aside, object)
	}
	if r.Fields == nil {
		r.Fields = vecwire.Fields{}
	}
	r.Fields[d.schema.Extra] = d.aside
	return nil
}
