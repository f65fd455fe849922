package typed

import (
	"errors"
	"fmt"

	"github.com/vecwire/vecwire"
)

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

// fail is an error about a field, or about the struct if f is nil.
func (p *plan) fail(f *field, err error) error {
	e := &StructError{Type: p.typ.String(), Err: err}
	if f != nil {
		e.Field = f.goName
	}
	return e
}

// explain names the struct's field in an error about a record's.
func (p *plan) explain(err error) error {
	if _, done := errors.AsType[*StructError](err); done {
		return err
	}
	var f *field
	if value, ok := errors.AsType[*vecwire.ValueError](err); ok {
		if f = p.named(value.Field); f == nil {
			f = p.rest
		}
	} else if _, ok := errors.AsType[*vecwire.DimensionError](err); ok {
		f = p.vector
	} else if schema, ok := errors.AsType[*vecwire.SchemaError](err); ok && schema.Field != "" {
		if f = p.named(schema.Field); f == nil {
			f = p.rest
		}
	}
	if f == nil {
		return err
	}
	return p.fail(f, err)
}

// wrap gives an error the verb and the collection that it belongs to, as the
// collection's own errors have them.
func wrap(verb, collection string, err error) error {
	return fmt.Errorf("vecwire: %s %s: %w", verb, collection, err)
}
