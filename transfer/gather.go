package transfer

import (
	"maps"

	"github.com/vecwire/vecwire"
)

// gathered holds the values of a record that no name of the file is for, although a field
// has the name: it is read of another one. As values of the record they would be taken
// for the field's.
type gathered map[string]any

func (g *gathered) put(name string, v any) {
	if *g == nil {
		*g = gathered{}
	}
	(*g)[name] = v
}

// into puts them into the field that gathers such values.
func (g gathered) into(r *vecwire.Record, s vecwire.Schema) error {
	if len(g) == 0 {
		return nil
	}
	all := map[string]any(g)
	if given := r.Fields[s.Extra]; given != nil {
		object, ok := given.(map[string]any)
		if !ok {
			return nil // which the collection refuses, whatever it is to gather
		}
		for name := range object {
			if _, again := all[name]; again {
				return twice(s.Extra + "." + name)
			}
		}
		maps.Copy(all, object)
	}
	setField(r, s, s.Extra, all)
	return nil
}
