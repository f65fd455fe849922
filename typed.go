package vecwire

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"unsafe"

	"github.com/vecwire/vecwire/filter"
)

// Typed is a [Collection] whose records are values of T, a struct. It is safe for
// concurrent use.
//
// The struct's exported fields are the record's. A field has the name of its tag,
// or else its own in lower case with underscores: CreatedAt is created_at.
//
//	type Article struct {
//		ID      string
//		Vector  []float32 `vecwire:",dim=384"`
//		Text    string
//		Lang    string     `vecwire:"lang,index"`
//		Stars   *int       // nil for no value
//		SeenAt  time.Time  `vecwire:",omitzero"`
//		Private chan int   `vecwire:"-"`
//	}
//
// The names "id", "vector" and "text" stand for the parts of a [Record]:
//
//   - id is a string, an integer, or a type that reads and writes itself as text,
//     such as a UUID. It is required.
//   - vector is a slice or an array of float32 (FLOAT) or float64 (DOUBLE). A
//     struct without one is for collections with an embedder, and for reading.
//   - text is a string.
//
// The other fields are string, bool, integers, floats, time.Time, []byte, types
// made of these such as `type Lang string`, types that read and write themselves
// as text ([encoding.TextMarshaler], [encoding.TextUnmarshaler]), which are
// Strings, and for values that may be missing a pointer to any of these or
// [database/sql.Null]. A value that is missing is read as nil, or as the zero value
// where there is no nil. The fields of an embedded struct count as the struct's
// own. After the name in the tag there may be:
//
//   - index: an index for filters; see [Field].
//   - omitzero: the zero value is written as no value.
//   - dim=384: the number of elements of a vector that is a slice.
//
// A field of type [Fields] with the name "*" holds the record's values that the
// struct has no field for.
type Typed[T any] struct {
	c    *Collection
	plan *structPlan
}

// StructError reports a struct, or one of its fields, that does not fit its
// collection, or a value that does not fit the field.
type StructError struct {
	Type  string // the struct's type, such as "main.Article"
	Field string // the struct's field, "" for the struct as a whole
	Err   error  // what is wrong: a *ValueError, *SchemaError, *DimensionError, *ElementError or another
}

func (e *StructError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("%s: %v", e.Type, e.Err)
	}
	return fmt.Sprintf("%s.%s: %v", e.Type, e.Field, e.Err)
}

// Unwrap returns Err.
func (e *StructError) Unwrap() error { return e.Err }

// SchemaOf returns the schema of a collection for values of T; see [Typed]. Its Dim
// is 0 if the struct does not say it: set it, and Metric and Model if need be,
// before the collection is made. It returns a [*StructError] if T is no struct for
// records.
func SchemaOf[T any](name string) (Schema, error) {
	plan, err := planStruct(reflect.TypeFor[T]())
	if err != nil {
		return Schema{}, wrap("make schema", shorten(name), err)
	}
	s := Schema{Name: name, Dim: plan.dim, Element: plan.element}
	for _, f := range plan.fields {
		s.Fields = append(s.Fields, Field{Name: f.name, Type: f.typ, Index: f.indexed})
	}
	return s, nil
}

// NewTyped returns c as a collection of values of T. It returns a [*StructError] if
// T is no struct for records, or if it and the collection have not the same
// fields of the same types: a field that only the collection has would be erased by
// an Upsert, unless the struct has a field "*" for it.
func NewTyped[T any](c *Collection) (*Typed[T], error) {
	plan, err := planStruct(reflect.TypeFor[T]())
	if err == nil {
		err = plan.fits(c)
	}
	if err != nil {
		return nil, wrap("type", c.schema.Name, err)
	}
	return &Typed[T]{c, plan}, nil
}

// Collection returns the collection beneath, for what does not depend on T: Delete,
// DeleteWhere, Count and the rest.
func (t *Typed[T]) Collection() *Collection { return t.c }

// Record returns v as a record. It shares v's vector and values. The error is a
// [*StructError].
func (t *Typed[T]) Record(v T) (Record, error) { return t.plan.record(unsafe.Pointer(&v)) }

// Value returns a record as a T. It shares the record's vector and values. The
// error is a [*StructError] for a value that the struct's field cannot hold.
func (t *Typed[T]) Value(r Record) (T, error) {
	var v T
	if err := t.plan.fill(unsafe.Pointer(&v), &r); err != nil {
		var zero T
		return zero, err
	}
	return v, nil
}

// Upsert stores values; see [Collection.Upsert]. The errors of those that are
// refused wrap a [*StructError] that names the struct's field. A value that cannot
// be made a record at all is refused before the others are looked at.
func (t *Typed[T]) Upsert(ctx context.Context, values ...T) error {
	return t.store(ctx, "upsert into", values, t.c.Upsert)
}

// Insert stores values whose IDs are not in the collection yet; see
// [Collection.Insert]. Its errors are those of Upsert.
func (t *Typed[T]) Insert(ctx context.Context, values ...T) error {
	return t.store(ctx, "insert into", values, t.c.Insert)
}

func (t *Typed[T]) store(ctx context.Context, verb string, values []T, to func(context.Context, ...Record) error) error {
	records := make([]Record, len(values))
	var failed []RecordError
	for i := range values {
		var err error
		if records[i], err = t.plan.record(unsafe.Pointer(&values[i])); err != nil {
			failed = append(failed, RecordError{ID: records[i].ID, Index: i, Err: err})
		}
	}
	if failed != nil {
		return t.c.wrap(verb, &BatchError{Total: len(values), Failed: failed})
	}
	err := to(ctx, records...)
	if batch, ok := errors.AsType[*BatchError](err); ok {
		t.explainAll(batch.Failed)
		return wrap(verb, t.c.schema.Name, batch) // the text of err is what it was before
	}
	return err
}

// Ingest stores the values of an input that may be longer than the memory; see
// [Collection.Ingest]. A value that cannot be made a record counts as one that
// failed. Failures wrap a [*StructError], as those of Upsert do.
func (t *Typed[T]) Ingest(ctx context.Context, values iter.Seq2[T, error], o IngestOptions) (IngestReport, error) {
	report, err := t.c.Ingest(ctx, func(yield func(Record, error) bool) {
		for v, err := range values {
			var r Record
			if err == nil {
				if r, err = t.Record(v); err != nil {
					err = &RecordError{ID: r.ID, Err: err}
				}
			}
			if !yield(r, err) {
				return
			}
		}
	}, o)
	t.explainAll(report.Failures)
	if batch, ok := errors.AsType[*BatchError](err); ok {
		t.explainAll(batch.Failed)
		err = wrap("ingest into", t.c.schema.Name, batch)
	}
	return report, err
}

// explainAll names the struct's fields in failures.
func (t *Typed[T]) explainAll(failed []RecordError) {
	for i := range failed {
		failed[i].Err = t.plan.explain(failed[i].Err)
	}
}

// Get returns the values with these IDs that exist, in the order of ids; see
// [Collection.Get].
func (t *Typed[T]) Get(ctx context.Context, ids ...string) ([]T, error) {
	records, err := t.c.Get(ctx, ids...)
	if err != nil {
		return nil, err
	}
	values := make([]T, len(records))
	for i, r := range records {
		if err := t.read(&values[i], &records[i]); err != nil {
			return nil, t.c.wrap("get from", &RecordError{ID: r.ID, Index: i, Err: err})
		}
	}
	return values, nil
}

func (t *Typed[T]) read(v *T, r *Record) error { return t.plan.fill(unsafe.Pointer(v), r) }

// All streams values in the order of their IDs; see [Collection.All].
func (t *Typed[T]) All(ctx context.Context, s Scan) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		n := 0
		for r, err := range t.c.All(ctx, s) {
			var v T
			if err == nil {
				if err = t.read(&v, &r); err != nil {
					err = t.c.wrap("scan", &RecordError{ID: r.ID, Index: n, Err: err})
				}
			}
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			if !yield(v, nil) {
				return
			}
			n++
		}
	}
}

// TypedHit is a value that a query found.
type TypedHit[T any] struct {
	Value    T
	Score    float64 // as in Hit
	Distance float64 // as in Hit
}

// Search returns the K nearest values that pass the filter, the best first; see
// [Collection.Search]. Their vectors are there if the query asks for them. With
// IDsOnly the values have their IDs only.
func (t *Typed[T]) Search(ctx context.Context, q Query) ([]TypedHit[T], error) {
	found, err := t.c.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	hits := make([]TypedHit[T], len(found))
	for i, h := range found {
		hits[i].Score, hits[i].Distance = h.Score, h.Distance
		if err := t.read(&hits[i].Value, &found[i].Record); err != nil {
			return nil, t.c.wrap("search", &RecordError{ID: h.ID, Index: i, Err: err})
		}
	}
	return hits, nil
}

// explain names the struct's field in an error about a record's.
func (p *structPlan) explain(err error) error {
	if _, done := errors.AsType[*StructError](err); done {
		return err
	}
	var f *structField
	if value, ok := errors.AsType[*ValueError](err); ok {
		if f = p.named(value.Field); f == nil {
			f = p.rest
		}
	} else if _, ok := errors.AsType[*DimensionError](err); ok {
		f = p.vector
	} else if schema, ok := errors.AsType[*SchemaError](err); ok && schema.Field != "" {
		f = p.rest
	}
	if f == nil {
		return err
	}
	return p.fail(f, err)
}

// at returns the address of f in the struct at v.
func (f *structField) at(v unsafe.Pointer) unsafe.Pointer { return unsafe.Add(v, f.offset) }

// record returns the struct at v as a record. With an error, the record has its ID
// if that could be told.
func (p *structPlan) record(v unsafe.Pointer) (Record, error) {
	var r Record
	if p.idText {
		r.ID = *(*string)(p.id.at(v))
	} else {
		id, err := p.id.get(p.id.at(v))
		if err != nil {
			return r, p.fail(p.id, err)
		}
		r.ID, _ = id.(string)
	}
	switch {
	case p.vector == nil:
	case p.element == FLOAT:
		r.Vector = getVector[float32](p.vector.at(v), p.array)
	default:
		r.Vector64 = getVector[float64](p.vector.at(v), p.array)
	}
	if p.text != nil {
		r.Text = *(*string)(p.text.at(v))
	}
	var rest Fields
	if p.rest != nil {
		rest = *(*Fields)(p.rest.at(v))
	}
	if len(p.fields)+len(rest) > 0 {
		r.Fields = make(Fields, len(p.fields)+len(rest))
	}
	for _, f := range p.fields {
		if f.omitZero != nil && f.omitZero(f.at(v)) {
			continue
		}
		x, err := f.get(f.at(v))
		if err != nil {
			return r, p.fail(f, err)
		}
		if x != nil {
			r.Fields[f.name] = x
		}
	}
	for name, x := range rest {
		if f := p.named(name); f != nil {
			return r, p.fail(p.rest, fmt.Errorf("holds %q, which is in %s", name, f.goName))
		}
		r.Fields[name] = x
	}
	return r, nil
}

// fill sets the struct at v, which is zero, to a record.
func (p *structPlan) fill(v unsafe.Pointer, r *Record) error {
	if p.idText {
		*(*string)(p.id.at(v)) = r.ID
	} else if want := p.id.set(p.id.at(v), r.ID); want != "" {
		return p.fail(p.id, &ValueError{Field: "id", Pos: -1, Want: want, Got: filter.Describe(r.ID)})
	}
	if err := p.fillVector(v, r); err != nil {
		return p.fail(p.vector, err)
	}
	if p.text != nil {
		*(*string)(p.text.at(v)) = r.Text
	}
	filled := 0
	for _, f := range p.fields {
		x, ok := r.Fields[f.name]
		if ok {
			filled++
		}
		if x == nil {
			continue
		}
		want := f.set(f.at(v), x)
		if want != "" { // it may be of another Go type, as users may put it into Fields
			if y, err := f.typ.Convert(f.name, x); err == nil {
				want = f.set(f.at(v), y)
			}
		}
		if want != "" {
			return p.fail(f, &ValueError{Field: f.name, Pos: -1, Want: want, Got: filter.Describe(x)})
		}
	}
	if p.rest == nil || filled == len(r.Fields) {
		return nil
	}
	rest := make(Fields, len(r.Fields)-filled)
	for name, x := range r.Fields {
		if p.named(name) == nil {
			rest[name] = x
		}
	}
	*(*Fields)(p.rest.at(v)) = rest
	return nil
}

func (p *structPlan) fillVector(v unsafe.Pointer, r *Record) error {
	if p.vector == nil {
		return nil
	}
	at := p.vector.at(v)
	switch {
	case r.Vector64 != nil && p.element == FLOAT:
		return &ElementError{Want: FLOAT, Got: DOUBLE}
	case r.Vector != nil && p.element == DOUBLE:
		return &ElementError{Want: DOUBLE, Got: FLOAT}
	case r.Vector != nil && !setVector(at, p.array, r.Vector):
		return &DimensionError{Want: p.array, Got: len(r.Vector)}
	case r.Vector64 != nil && !setVector(at, p.array, r.Vector64):
		return &DimensionError{Want: p.array, Got: len(r.Vector64)}
	}
	return nil
}
