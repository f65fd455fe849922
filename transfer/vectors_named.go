package transfer

import (
	"errors"
	"fmt"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
)

// setVector gives a record the named vector that a text is.
func setVector(r *vecwire.Record, v vecwire.VectorField, text []byte) error {
	x, err := codec.ParseText(make([]float32, 0, max(0, min(v.Dim, 1<<16))), text)
	if bad, ok := errors.AsType[*codec.SyntaxError](err); ok {
		return &vecwire.ValueError{Field: placeOf(v.Name), Pos: -1, Want: "a list of numbers", Got: fmt.Sprintf("a list that is broken at byte %d (%s)", bad.Offset, bad.Msg)}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", placeOf(v.Name), err)
	}
	addVector(r, v.Name, x)
	return nil
}

// placeOf is how errors name a named vector.
func placeOf(name string) string { return "vectors." + name }

func addVector(r *vecwire.Record, name string, x []float32) {
	if r.Vectors == nil {
		r.Vectors = map[string][]float32{}
	}
	r.Vectors[name] = x
}

// namedVectors reads the named vectors of a record.
func (d *decoder) namedVectors(r *vecwire.Record, object []byte) error {
	if object[0] != '{' {
		return mismatch("vectors", "an object", object)
	}
	seen := map[string]bool{}
	for key, value := range members(object, &d.lists) {
		name, err := unquote("key", key)
		if err != nil {
			return err
		}
		v, ok := namedVector(d.schema, name)
		switch {
		case !ok:
			return &vecwire.SchemaError{Collection: d.schema.Name, Field: placeOf(shorten(name)), Msg: "does not exist among Vectors"}
		case seen[name]:
			return twice(placeOf(name))
		case value[0] == 'n': // null
		case value[0] == '[':
			if list := d.lists.of(value); list != nil {
				addVector(r, name, list.numbers)
			} else {
				err = setVector(r, v, value)
			}
		default:
			var x []float32
			if x, err = fromBase64[float32](placeOf(name), value); err == nil {
				addVector(r, name, x)
			}
		}
		if err != nil {
			return err
		}
		seen[name] = true
	}
	return nil
}

func namedVector(s vecwire.Schema, name string) (vecwire.VectorField, bool) {
	for _, v := range s.Vectors {
		if v.Name == name {
			return v, true
		}
	}
	return vecwire.VectorField{}, false
}

// namedFit returns an error that names the vectors of from which to does not have, or
// has otherwise.
func namedFit(from, to vecwire.Schema) error {
	var errs []error
	for _, f := range from.Vectors {
		t, ok := namedVector(to, f.Name)
		switch {
		case !ok:
			errs = append(errs, &vecwire.SchemaError{Collection: to.Name, Field: f.Name, Msg: fmt.Sprintf("does not exist among Vectors, and %q has it", from.Name)})
		case t.Dim != f.Dim:
			errs = append(errs, fmt.Errorf("the vector %q: %w", f.Name, &vecwire.DimensionError{Want: t.Dim, Got: f.Dim}))
		case f.Model != "" && t.Model != "" && f.Model != t.Model:
			errs = append(errs, fmt.Errorf("the vector %q: %w: vectors of %q, and %q has those of %q", f.Name, vecwire.ErrModelMismatch, f.Model, to.Name, t.Model))
		}
	}
	return join(errs)
}
