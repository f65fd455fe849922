package schema

import (
	"fmt"
	"maps"
	"slices"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Payload checks all of a record but its vector. The values of its fields go into
// values, which has a place for each.
func (r *Rules) Payload(id, text string, fields map[string]any, values []any) (engine.Record, error) {
	if err := r.ID(id); err != nil {
		return engine.Record{}, err
	}
	if err := filter.CheckString("text", text); err != nil {
		return engine.Record{}, err
	}
	known := 0
	for i, f := range r.schema.Fields {
		v, ok := fields[f.Name]
		if ok {
			known++
		}
		if v == nil {
			continue
		}
		var err error
		if values[i], err = f.Type.Convert(f.Name, v); err != nil {
			return engine.Record{}, err
		}
	}
	if known < len(fields) {
		i := slices.IndexFunc(r.schema.Fields, func(f engine.Field) bool { return f.Extra })
		if i < 0 {
			return engine.Record{}, r.unknown(fields)
		}
		var err error
		if values[i], err = r.gather(i, fields); err != nil {
			return engine.Record{}, err
		}
	}
	return engine.Record{ID: id, Text: text, Fields: values}, nil
}

// Vector checks the vector of a record with a text, or without.
func (r *Rules) Vector(v32 []float32, v64 []float64, text string) (engine.Vector, error) {
	v, err := r.schema.Vector(v32, v64)
	if err != nil && v32 == nil && v64 == nil && text != "" {
		err = fmt.Errorf("%w: give it one, or use the collection that WithEmbedder returns", err)
	}
	return v, err
}

// Values checks values for fields, and returns them in the order of the schema. What
// several of the sets give the same value, nil, counts once.
func (r *Rules) Values(sets ...map[string]any) ([]engine.FieldValue, error) {
	var plan []engine.FieldValue
	for _, set := range sets {
		for _, name := range slices.Sorted(maps.Keys(set)) {
			f, at, ok := r.Field(name)
			if !ok {
				switch name {
				case "id":
					return nil, r.fail(name, "is what a record is known by, which no Update changes: store it under another ID, and delete this one")
				case "vector":
					return nil, r.fail(name, "is no field, and no record is without: set Change.Vector or Vector64")
				}
				if extra := Extra(r.schema); extra != "" {
					return nil, r.fail(name, "does not exist: an Update sets what %q gathers as a whole, so set %[1]q to the object that it is to hold", extra)
				}
				return nil, r.fail(name, "does not exist")
			}
			v := set[name]
			if v != nil {
				var err error
				if v, err = f.Type.Convert(name, v); err != nil {
					return nil, err
				}
			}
			plan = append(plan, engine.FieldValue{Place: at, Value: v})
		}
	}
	slices.SortFunc(plan, func(a, b engine.FieldValue) int { return a.Place - b.Place })
	return slices.CompactFunc(plan, func(a, b engine.FieldValue) bool { return a.Place == b.Place }), nil
}

// unknown names the first of the fields that the schema does not have.
func (r *Rules) unknown(fields map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if _, ok := r.places[name]; !ok {
			return r.fail(name, "does not exist")
		}
	}
	return nil
}

// gather puts the values that no field is for into the object of the field that
// gathers them, whose place is given.
func (r *Rules) gather(place int, fields map[string]any) (any, error) {
	name := r.schema.Fields[place].Name
	all := map[string]any{}
	if given := fields[name]; given != nil {
		v, err := filter.JSON.Convert(name, given)
		if err != nil {
			return nil, err
		}
		object, ok := v.(map[string]any)
		if !ok && v != nil {
			return nil, &codec.ValueError{Field: name, Pos: -1, Want: "JSON: an object, which gathers what no field is for", Got: filter.Describe(given)}
		}
		maps.Copy(all, object)
	}
	for key, v := range fields {
		if _, known := r.places[key]; known {
			continue
		}
		if _, twice := all[key]; twice {
			return nil, &codec.ValueError{Field: Shorten(key), Pos: -1, Want: "one value", Got: fmt.Sprintf("another in %q", name)}
		}
		all[key] = v
	}
	return filter.JSON.Convert(name, all)
}
