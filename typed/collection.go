package typed

import (
	"context"
	"errors"
	"reflect"

	"github.com/vecwire/vecwire"
)

// Collection is a [vecwire.Collection] whose records are values of T, a struct. It
// is safe for concurrent use.
//
// The verbs that take or return records do so as values of T. All others are those
// of the collection beneath: Delete, DeleteWhere, Count, BuildIndex, Recall and the
// rest. A [vecwire.Mirror], and what [vecwire.DB.Reembed] returns,
// are given to [Of] again. In a transaction it is used with the transaction's context.
type Collection[T any] struct {
	// Collection is the collection beneath, as any other handle to it.
	*vecwire.Collection
	plan *plan
}

// Ensure opens the collection of this name for values of T, or makes it if there is
// none. Its schema is that of [SchemaOf], changed by the functions, which set what a
// struct does not say: the metric, full text, the model and dimension of an embedder.
//
// It returns a [*StructError] if T is no struct for records, or if it does not fit
// the collection; else the errors are those of [vecwire.DB.EnsureCollection].
func Ensure[T any](ctx context.Context, db *vecwire.DB, name string, change ...func(*vecwire.Schema)) (*Collection[T], error) {
	const verb = "ensure collection"
	s, err := SchemaOf[T](name)
	if err != nil {
		return nil, err
	}
	p, err := planOf(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	for _, f := range change {
		f(&s)
	}
	if s.Dim == 0 {
		return nil, wrap(verb, name, p.fail(p.vector, errors.New(
			`the vectors' dimension is missing: give the vector a tag such as vecwire:",dim=384", or set Schema.Dim in a function given to Ensure`)))
	}
	c, err := db.EnsureCollection(ctx, s)
	if schema, ok := errors.AsType[*vecwire.SchemaError](err); ok {
		return nil, wrap(verb, name, p.explain(schema))
	}
	if err != nil {
		return nil, err
	}
	return of[T](c, p)
}

// Of returns c as a collection of values of T. It returns a [*StructError] if T is
// no struct for records, or if T and the collection do not have the same fields of
// the same types: an Upsert would erase a field that only the collection has, unless
// the struct has a field "*" for it.
func Of[T any](c *vecwire.Collection) (*Collection[T], error) {
	p, err := planOf(reflect.TypeFor[T]())
	if err != nil {
		return nil, wrap("type", c.Schema().Name, err)
	}
	return of[T](c, p)
}

func of[T any](c *vecwire.Collection, p *plan) (*Collection[T], error) {
	if err := p.fits(c.Schema()); err != nil {
		return nil, wrap("type", c.Schema().Name, err)
	}
	return &Collection[T]{c, p}, nil
}

// SchemaOf returns the schema of a collection for values of T. Its Dim is 0 if the
// struct does not say it. The error is a [*StructError] if T is no struct for records.
func SchemaOf[T any](name string) (vecwire.Schema, error) {
	p, err := planOf(reflect.TypeFor[T]())
	if err != nil {
		return vecwire.Schema{}, wrap("make schema", name, err)
	}
	s := vecwire.Schema{Name: name, Dim: p.dim, Element: p.element}
	for _, f := range p.fields {
		s.Fields = append(s.Fields, vecwire.Field{Name: f.name, Type: f.typ, Index: f.indexed, Expires: f.expires})
	}
	s.Vectors = p.vectorFields()
	return s, nil
}

// WithVectorEmbedder returns the same collection with an embedder for one of its named
// vectors; see [vecwire.Collection.WithVectorEmbedder].
func (c *Collection[T]) WithVectorEmbedder(name string, e vecwire.Embedder) (*Collection[T], error) {
	with, err := c.Collection.WithVectorEmbedder(name, e)
	if err != nil {
		return nil, err
	}
	return &Collection[T]{with, c.plan}, nil
}

// WithEmbedder returns the same collection with an embedder; see
// [vecwire.Collection.WithEmbedder].
func (c *Collection[T]) WithEmbedder(e vecwire.Embedder) (*Collection[T], error) {
	with, err := c.Collection.WithEmbedder(e)
	if err != nil {
		return nil, err
	}
	return &Collection[T]{with, c.plan}, nil
}

// Namespace returns the part of the collection that belongs to one tenant; see
// [vecwire.Collection.Namespace]. The field of T that is named
// [vecwire.NamespaceField] need not be set there: it is read as the name, and a
// value that has another is refused.
//
// A struct without that field is given to [Of] together with a namespace of the
// collection beneath.
func (c *Collection[T]) Namespace(name string) (*Collection[T], error) {
	part, err := c.Collection.Namespace(name)
	if err != nil {
		return nil, err
	}
	return of[T](part, c.plan.within(name))
}

// Record returns v as a record. It shares v's vector and values. The error is a
// [*StructError].
func (c *Collection[T]) Record(v T) (vecwire.Record, error) {
	r, err := c.plan.record(reflect.ValueOf(&v).Elem())
	if err != nil {
		return vecwire.Record{}, err
	}
	return r, nil
}

// Value returns a record as a T. It shares the record's vector and values. The
// error is a [*StructError] for a value that the struct's field cannot hold.
func (c *Collection[T]) Value(r vecwire.Record) (T, error) {
	var v T
	if err := c.read(&v, &r); err != nil {
		var zero T
		return zero, err
	}
	return v, nil
}

// read sets v, which is zero, to a record.
func (c *Collection[T]) read(v *T, r *vecwire.Record) error {
	return c.plan.fill(reflect.ValueOf(v).Elem(), r)
}
