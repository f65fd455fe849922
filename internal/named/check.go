package named

import (
	"context"
	"fmt"
	"slices"

	"github.com/vecwire/vecwire/internal/engine"
)

// Check implements engine.Engine. The collections of the vectors are checked like any
// other, and then compared with the records.
func (d *database) Check(ctx context.Context) (engine.Checked, error) {
	checked, err := d.Engine.Check(ctx)
	checked = d.told(ctx, checked)
	if err != nil {
		return checked, err
	}
	all, err := d.Engine.List(ctx)
	if err != nil { // which the engine has told
		return checked, ctx.Err()
	}
	for _, s := range all {
		if len(s.Vectors) > 0 && !isHidden(s.Name) {
			if err := d.compare(ctx, s, &checked); err != nil {
				return checked, err
			}
		}
	}
	return checked, nil
}

// Salvage implements engine.Engine.
func (d *database) Salvage(ctx context.Context, path string) (engine.Checked, error) {
	checked, err := d.Engine.Salvage(ctx, path)
	return d.told(ctx, checked), err
}

// told speaks of named vectors by the names that users know. What belongs to no
// collection, or to one whose schema cannot be read, stays as it is.
func (d *database) told(ctx context.Context, checked engine.Checked) engine.Checked {
	all, err := d.Engine.List(ctx)
	if err != nil {
		return checked // of a store that is that much damaged
	}
	type vector struct{ collection, name string }
	of := map[string]vector{}
	for _, s := range all {
		for _, v := range s.Vectors {
			if !isHidden(s.Name) {
				of[v.Store] = vector{s.Name, v.Name}
			}
		}
	}
	checked.Collections = slices.DeleteFunc(checked.Collections, func(c engine.CheckedCollection) bool {
		_, known := of[c.Name]
		return known
	})
	for i := range checked.Problems {
		p := &checked.Problems[i]
		if v, known := of[p.Collection]; known {
			p.Collection, p.What = v.collection, fmt.Sprintf("the vector %q: %s", v.name, p.What)
		}
	}
	return checked
}
