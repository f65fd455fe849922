package vecwire

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Errors about what a database holds.
var (
	// ErrNotFound says that there is no collection, or no index, of that name.
	ErrNotFound = engine.ErrNotFound
	// ErrExists says that there is a collection of that name, or a record of
	// that ID, already.
	ErrExists = engine.ErrExists
)

// Errors about how a database is used.
var (
	// ErrClosed says that the database was closed before the call.
	ErrClosed = errors.New("database is closed")
	// ErrUnsupported says that the engine lacks a capability. The error's text
	// names both; see [DB.Capabilities].
	ErrUnsupported = engine.ErrUnsupported
	// ErrModelMismatch says that an embedder's model is not the one that filled
	// the collection. Vectors of two models cannot be compared.
	ErrModelMismatch = errors.New("embedding model mismatch")
)

// The errors that name a vector, a value or a filter that does not fit.
type (
	// DimensionError reports a vector of the wrong length.
	DimensionError = codec.DimensionError
	// ElementError reports a FLOAT vector where DOUBLE is needed, or the reverse.
	ElementError = codec.ElementError
	// ValueError reports a value that its field cannot hold, such as NaN in a
	// vector or a String for an Int.
	ValueError = codec.ValueError
	// FilterError reports a filter over an unknown field, an operation that the
	// field's type does not have, or filter text that cannot be read.
	FilterError = filter.Error
)

// SchemaError reports a schema that cannot be made, or a field that a schema
// does not have.
type SchemaError struct {
	Collection string // the collection's name
	Field      string // the field in question, "" if it is the schema itself
	Msg        string // what is wrong, and what was wanted
}

func (e *SchemaError) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("schema of %q: %s", e.Collection, e.Msg)
	}
	return fmt.Sprintf("schema of %q: field %q %s", e.Collection, e.Field, e.Msg)
}

// RecordError reports one record that was refused.
type RecordError struct {
	ID    string // the record's ID
	Index int    // its place among the records of the call, from 0
	Err   error  // why
}

func (e *RecordError) Error() string {
	return fmt.Sprintf("record %d (id %q): %v", e.Index, shorten(e.ID), e.Err)
}

// Unwrap returns Err.
func (e *RecordError) Unwrap() error { return e.Err }

// BatchError reports every record of a call that was refused. None of the
// call's records was stored or, where the engine has no AtomicBatches (see
// [Capabilities]) and refused them itself, all the others were.
type BatchError struct {
	Total  int           // how many records the call had
	Failed []RecordError // in the order of the call
	Stored int           // how many of the others were stored
}

func (e *BatchError) Error() string {
	const most = 3
	var b strings.Builder
	stored := "none"
	if e.Stored > 0 {
		stored = fmt.Sprint(e.Stored)
	}
	fmt.Fprintf(&b, "%d of %d records refused, %s stored: ", len(e.Failed), e.Total, stored)
	for i := range e.Failed[:min(most, len(e.Failed))] {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(e.Failed[i].Error())
	}
	if more := len(e.Failed) - most; more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return b.String()
}

// Unwrap returns the record errors, so that errors.As finds the first of a type.
func (e *BatchError) Unwrap() []error {
	errs := make([]error, len(e.Failed))
	for i := range e.Failed {
		errs[i] = &e.Failed[i]
	}
	return errs
}

// EmbedError reports an embedder that failed, or returned too few vectors or too
// many.
type EmbedError struct {
	Model string // the embedder's model
	Texts int    // how many texts it was given
	Err   error  // what went wrong
}

func (e *EmbedError) Error() string {
	return fmt.Sprintf("embed %d texts with %s: %v", e.Texts, e.Model, e.Err)
}

// Unwrap returns Err.
func (e *EmbedError) Unwrap() error { return e.Err }

// ConnectError says why a database cannot be opened or reached, and what can be
// done about it.
type ConnectError struct {
	Target string // the file or server, without any password
	Remedy string // what the user can do
	Err    error  // what went wrong
}

func (e *ConnectError) Error() string { return (*engine.ConnectError)(e).Error() }

// Unwrap returns Err.
func (e *ConnectError) Unwrap() error { return e.Err }

// wrap gives an engine's error the verb and the name it belongs to, and the type
// that users know.
func wrap(verb, name string, err error) error {
	if err == nil {
		return nil
	}
	if connect, ok := errors.AsType[*engine.ConnectError](err); ok {
		err = (*ConnectError)(connect)
	}
	if name == "" {
		return fmt.Errorf("vecwire: %s: %w", verb, err)
	}
	return fmt.Errorf("vecwire: %s %s: %w", verb, name, err)
}

func unsupported(capability, engine string) error {
	return fmt.Errorf("%w: %s by the %s engine", ErrUnsupported, capability, engine)
}

// shorten cuts an ID that is too long to be read in an error.
func shorten(id string) string {
	const most = 64
	if len(id) <= most {
		return id
	}
	return strings.ToValidUTF8(id[:most], "") + "…"
}
