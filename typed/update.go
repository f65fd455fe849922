package typed

import (
	"context"
	"maps"
	"reflect"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// Update changes values in place: only what a change names; see
// [vecwire.Collection.Update]. Fields have the collection's names. A value in Set may
// also be of the type that the struct's field has, such as one with MarshalText, and
// [Collection.Change] makes a change of a T. The errors of refused values wrap a
// [*StructError] that names the struct's field.
func (c *Collection[T]) Update(ctx context.Context, changes ...vecwire.Change) error {
	changes = append([]vecwire.Change(nil), changes...)
	var broken map[int]error
	for i := range changes {
		set, err := c.plan.values(changes[i].Set)
		if err != nil {
			if broken == nil {
				broken = map[int]error{}
			}
			broken[i] = err
		}
		changes[i].Set = set
	}
	return c.explain("update", c.Collection.Update(ctx, changes...), broken)
}

// UpdateWhere gives fields of the values that f lets pass other values; see
// [vecwire.Collection.UpdateWhere] and, for what may be in set, Update. The error is a
// [*StructError] for a value that does not fit.
func (c *Collection[T]) UpdateWhere(ctx context.Context, f filter.Filter, set vecwire.Fields) (int, error) {
	set, broken := c.plan.values(set)
	n, err := c.Collection.UpdateWhere(ctx, f, set)
	switch {
	case err == nil:
		return n, nil
	case broken != nil:
		return n, wrap("update", c.Schema().Name, broken)
	}
	if named := c.plan.explain(err); named != err { //nolint:errorlint // the same value, and not one that it wraps
		return n, wrap("update", c.Schema().Name, named)
	}
	return n, err
}

// Change returns the change that gives the record of v's ID the values that v has in
// these fields, by the collection's names; "text" and "vector" are the text and the
// vector, and a named vector has its name. A field that v says nothing of, such as a nil pointer, loses its value. The
// error is a [*StructError] for a value that cannot be stored, and a
// [*vecwire.SchemaError] for a field that T does not have.
func (c *Collection[T]) Change(v T, fields ...string) (vecwire.Change, error) {
	r, err := c.Record(v)
	if err != nil {
		return vecwire.Change{}, err
	}
	out := vecwire.Change{ID: r.ID, Set: vecwire.Fields{}}
	for _, name := range fields {
		switch {
		case name == "vector" && c.plan.vector != nil:
			out.Vector, out.Vector64 = r.Vector, r.Vector64
		case name == "text" && c.plan.text != nil:
			if out.Text = r.Text; r.Text == "" {
				out.Unset = append(out.Unset, name)
			}
		case c.plan.isNamed(name):
			if out.Vectors == nil {
				out.Vectors = map[string][]float32{}
			}
			out.Vectors[name] = r.Vectors[name]
		case r.Fields[name] != nil:
			out.Set[name] = r.Fields[name]
		case name != "id" && (c.plan.named(name) != nil || c.plan.rest != nil):
			out.Unset = append(out.Unset, name)
		default:
			return vecwire.Change{}, &vecwire.SchemaError{Collection: c.Schema().Name, Field: name, Msg: "has no field in the struct"}
		}
	}
	return out, nil
}

// values returns values for fields as the collection takes them. One that cannot be
// stored is replaced by what no field takes, so that the collection refuses it with
// the others that it refuses.
func (p *plan) values(set vecwire.Fields) (vecwire.Fields, error) {
	var out vecwire.Fields
	var broken error
	for name, v := range set {
		f := p.named(name)
		if v == nil || f == nil || f.get == nil {
			continue
		}
		own := reflect.New(p.typ.FieldByIndex(f.index).Type).Elem()
		switch given := reflect.ValueOf(v); {
		case given.Type() == own.Type():
			own.Set(given)
		case own.Kind() == reflect.Pointer && given.Type() == own.Type().Elem():
			own.Set(reflect.New(given.Type()))
			own.Elem().Set(given)
		default:
			continue // what the collection itself takes, or refuses
		}
		x, err := f.get(own)
		if err != nil {
			broken, x = p.fail(f, err), unwritable{}
		}
		if out == nil {
			out = maps.Clone(set)
		}
		out[name] = x
	}
	if out == nil {
		out = set
	}
	return out, broken
}
