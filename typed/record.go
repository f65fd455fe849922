package typed

import (
	"fmt"
	"reflect"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// record returns the struct v, which is addressable, as a record. With an error, the
// record has its ID, if that could be told, and a field that no collection takes.
func (p *plan) record(v reflect.Value) (vecwire.Record, error) {
	var r vecwire.Record
	broken := func(f *field, name string, err error) (vecwire.Record, error) {
		return vecwire.Record{ID: r.ID, Fields: vecwire.Fields{name: unwritable{}}}, p.fail(f, err)
	}
	var err error
	if r.ID, err = p.asID.get(p.id.of(v)); err != nil {
		return broken(p.id, p.id.name, err)
	}
	if p.vector != nil {
		if p.element == vecwire.FLOAT {
			r.Vector = vectorOf[float32](p.vector.of(v))
		} else {
			r.Vector64 = vectorOf[float64](p.vector.of(v))
		}
	}
	r.Vectors = p.namedVectors(v)
	if p.text != nil {
		r.Text = p.text.of(v).String()
	}
	if p.tenant != nil {
		if err := p.checkTenant(p.tenant.of(v)); err != nil {
			return broken(p.tenant, p.tenant.name, err)
		}
	}
	var rest vecwire.Fields
	if p.rest != nil {
		rest = *at[vecwire.Fields](p.rest.of(v))
	}
	if len(p.fields)+len(rest) > 0 {
		r.Fields = make(vecwire.Fields, len(p.fields)+len(rest))
	}
	for _, f := range p.fields {
		fv := f.of(v)
		if f.omitZero && isZero(fv) {
			continue
		}
		x, err := f.get(fv)
		if err != nil {
			return broken(f, f.name, err)
		}
		if x != nil {
			r.Fields[f.name] = x
		}
	}
	for name, x := range rest {
		if f := p.named(name); f != nil {
			return broken(p.rest, name, fmt.Errorf("holds %q, which is in %s", name, f.goName))
		}
		r.Fields[name] = x
	}
	return r, nil
}

// unwritable stands in a record for a value that cannot be written. No field takes
// it: the collection refuses the record together with the others that it refuses, and
// a transaction fails as with any refused record.
type unwritable struct{}

// checkTenant refuses a value that says it is of another namespace.
func (p *plan) checkTenant(v reflect.Value) error {
	switch x, err := p.tenant.get(v); {
	case err != nil:
		return err
	case x != nil && x != "" && x != p.name:
		return &vecwire.ValueError{Field: p.tenant.name, Pos: -1, Want: filter.Describe(p.name) + " or nothing", Got: filter.Describe(x)}
	}
	return nil
}

// fill sets the struct v, which is zero and addressable, to a record.
func (p *plan) fill(v reflect.Value, r *vecwire.Record) error {
	if want := p.asID.set(p.id.of(v), r.ID); want != "" {
		return p.fail(p.id, &vecwire.ValueError{Field: "id", Pos: -1, Want: want, Got: filter.Describe(r.ID)})
	}
	if err := p.fillVector(v, r); err != nil {
		return p.fail(p.vector, err)
	}
	if err := p.fillNamed(v, r); err != nil {
		return err
	}
	if p.text != nil {
		p.text.of(v).SetString(r.Text)
	}
	if p.tenant != nil {
		if err := p.fillField(p.tenant, v, p.name); err != nil {
			return err
		}
	}
	filled := 0
	for _, f := range p.fields {
		x, ok := r.Fields[f.name]
		if ok {
			filled++
		}
		if err := p.fillField(f, v, x); err != nil {
			return err
		}
	}
	if p.rest == nil || filled == len(r.Fields) {
		return nil
	}
	rest := make(vecwire.Fields, len(r.Fields)-filled)
	for name, x := range r.Fields {
		if p.named(name) == nil {
			rest[name] = x
		}
	}
	p.rest.of(v).Set(reflect.ValueOf(rest))
	return nil
}

func (p *plan) fillField(f *field, v reflect.Value, x any) error {
	if x == nil {
		return nil
	}
	fv := f.of(v)
	want := f.set(fv, x)
	if want != "" { // it may be of another Go type, as users may put it into Fields
		if y, err := f.typ.Convert(f.name, x); err == nil {
			want = f.set(fv, y)
		}
	}
	if want != "" {
		return p.fail(f, &vecwire.ValueError{Field: f.name, Pos: -1, Want: want, Got: filter.Describe(x)})
	}
	return nil
}

func (p *plan) fillVector(v reflect.Value, r *vecwire.Record) error {
	if p.vector == nil {
		return nil
	}
	fv := p.vector.of(v)
	switch {
	case r.Vector64 != nil && p.element == vecwire.FLOAT:
		return &vecwire.ElementError{Want: vecwire.FLOAT, Got: vecwire.DOUBLE}
	case r.Vector != nil && p.element == vecwire.DOUBLE:
		return &vecwire.ElementError{Want: vecwire.DOUBLE, Got: vecwire.FLOAT}
	case r.Vector != nil && !setVector(fv, r.Vector):
		return &vecwire.DimensionError{Want: fv.Len(), Got: len(r.Vector)}
	case r.Vector64 != nil && !setVector(fv, r.Vector64):
		return &vecwire.DimensionError{Want: fv.Len(), Got: len(r.Vector64)}
	}
	return nil
}

// vectorOf returns the vector that a slice or an array holds, sharing its elements.
func vectorOf[T float32 | float64](v reflect.Value) []T {
	if v.Kind() == reflect.Array {
		out, _ := v.Slice(0, v.Len()).Interface().([]T)
		return out
	}
	return *at[[]T](v) // and no Interface of the slice, which would copy it to the heap
}

// setVector is the reverse of vectorOf. It reports whether x has as many elements as
// an array.
func setVector[T float32 | float64](v reflect.Value, x []T) bool {
	if v.Kind() == reflect.Array {
		return len(x) == v.Len() && reflect.Copy(v, reflect.ValueOf(x)) == len(x)
	}
	*at[[]T](v) = x
	return true
}

// at returns the address of a value of type T, or of a type made of T.
func at[T any](v reflect.Value) *T {
	p, ok := v.Addr().Interface().(*T)
	if !ok {
		p, _ = v.Addr().Convert(reflect.TypeFor[*T]()).Interface().(*T)
	}
	return p
}
