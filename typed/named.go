package typed

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/vecwire/vecwire"
)

// addNamed adds a field that is a named vector.
func (p *plan) addNamed(f *field, t reflect.Type, dim int) error {
	if f.indexed || f.omitZero || f.asJSON {
		return errors.New("is a named vector, which takes no index or omitzero or json")
	}
	if kind := t.Kind(); kind != reflect.Slice && kind != reflect.Array || t.Elem() != reflect.TypeFor[float32]() {
		return wrongType(t, "a slice or an array of float32")
	}
	f.dim = dim
	if t.Kind() == reflect.Array {
		if f.dim = t.Len(); dim != 0 && dim != f.dim {
			return fmt.Errorf("has %d elements, and dim=%d in its tag", f.dim, dim)
		}
	}
	p.vectors = append(p.vectors, f)
	return nil
}

// isNamed reports whether the struct has a named vector of the name.
func (p *plan) isNamed(name string) bool {
	return slices.ContainsFunc(p.vectors, func(f *field) bool { return f.name == name })
}

// vectorsFit is fits for named vectors.
func (p *plan) vectorsFit(s vecwire.Schema) error {
	for _, f := range p.vectors {
		i := slices.IndexFunc(s.Vectors, func(v vecwire.VectorField) bool { return v.Name == f.name })
		switch {
		case i < 0:
			return p.fail(f, &vecwire.SchemaError{Collection: s.Name, Field: f.name, Msg: "is not among its Vectors"})
		case f.dim != 0 && f.dim != s.Vectors[i].Dim:
			return p.fail(f, &vecwire.DimensionError{Want: s.Vectors[i].Dim, Got: f.dim})
		}
	}
	for _, v := range s.Vectors {
		if !p.isNamed(v.Name) {
			return p.fail(nil, &vecwire.SchemaError{Collection: s.Name, Field: v.Name, Msg: fmt.Sprintf("is a vector without a field in the struct, and Upsert would erase it: add a []float32 with the tag vecwire:%q", v.Name+",named")})
		}
	}
	return nil
}

// namedVectors returns the named vectors of the struct v.
func (p *plan) namedVectors(v reflect.Value) (vectors map[string][]float32) {
	for _, f := range p.vectors {
		fv := f.of(v)
		if fv.Kind() == reflect.Slice && fv.IsNil() || fv.Kind() == reflect.Array && fv.IsZero() {
			continue
		}
		if vectors == nil {
			vectors = make(map[string][]float32, len(p.vectors))
		}
		vectors[f.name] = vectorOf[float32](fv)
	}
	return vectors
}

// fillNamed sets the named vectors of the struct v.
func (p *plan) fillNamed(v reflect.Value, r *vecwire.Record) error {
	for _, f := range p.vectors {
		x := r.Vectors[f.name]
		if fv := f.of(v); x != nil && !setVector(fv, x) {
			return p.fail(f, &vecwire.DimensionError{Want: fv.Len(), Got: len(x)})
		}
	}
	return nil
}

// vectorFields returns the named vectors as a schema has them.
func (p *plan) vectorFields() (out []vecwire.VectorField) {
	for _, f := range p.vectors {
		out = append(out, vecwire.VectorField{Name: f.name, Dim: f.dim})
	}
	return out
}
