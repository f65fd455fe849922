package vecwire

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/embedding"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/gate"
	"github.com/vecwire/vecwire/internal/mirror"
	"github.com/vecwire/vecwire/internal/schema"
)

// Errors about what a database holds.
var (
	// ErrNotFound says that there is no collection, or no index, of that name, or
	// no record of that ID to change.
	ErrNotFound = engine.ErrNotFound
	// ErrExists says that there is a collection of that name, or a record of
	// that ID, already.
	ErrExists = engine.ErrExists
	// ErrConflict says that a record does not pass the condition of its [Change].
	ErrConflict = engine.ErrConflict
	// ErrAltered says that a collection was altered while a call was under way that
	// cannot go on, or since a [Mirror] of it was made.
	ErrAltered = engine.ErrAltered
)

// Errors about how a database is used.
var (
	// ErrClosed says that the database was closed before the call.
	ErrClosed = gate.ErrClosed
	// ErrReadOnly says that a call would have written to a database that was opened with
	// [Config].ReadOnly.
	ErrReadOnly = engine.ErrReadOnly
	// ErrUnsupported says that the engine lacks a capability. The error's text
	// names both; see [DB.Capabilities].
	ErrUnsupported = engine.ErrUnsupported
	// ErrOutcomeUnknown says that the connection was lost, or the context ended, while
	// a call was being committed, and that the server could not be asked afterwards
	// whether it was. All of the call was done, or nothing: read to find out which.
	// While the server can be asked it is, and a call that was not done is run again.
	ErrOutcomeUnknown = engine.ErrOutcomeUnknown
	// ErrModelMismatch says that an embedder's model is not the one that filled
	// the collection. Vectors of two models cannot be compared.
	ErrModelMismatch = schema.ErrModelMismatch
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

func (e *SchemaError) Error() string { return (*schema.Error)(e).Error() }

// RecordError reports one record that was refused.
type RecordError struct {
	ID    string // the record's ID
	Index int    // its place among the records of the call, from 0
	Err   error  // why
}

func (e *RecordError) Error() string {
	return fmt.Sprintf("record %d (id %q): %v", e.Index, schema.Shorten(e.ID), e.Err)
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

func (e *EmbedError) Error() string { return (*embedding.Error)(e).Error() }

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

// LockedError says that another process was writing to the file of the embedded engine
// for as long as a call that writes waited, see [Config].LockTimeout. Nothing was
// changed.
type LockedError struct {
	Path    string        // the file
	PID     int           // the process that writes, 0 if it did not say so
	Program string        // the name of its program
	Host    string        // the name of its host
	Since   time.Time     // when it began its transaction
	Waited  time.Duration // how long the call waited
}

func (e *LockedError) Error() string { return (*engine.LockedError)(e).Error() }

// MirrorSizeError says that a collection has more records than a mirror may have.
type MirrorSizeError struct {
	Records int // how many there are, or would be
	Max     int // MirrorOptions.MaxRecords
}

func (e *MirrorSizeError) Error() string { return (*mirror.SizeError)(e).Error() }

// wrap gives an error of a room below the operation and the name it belongs to, and
// the type that users know.
func wrap(op Op, name string, err error) error {
	if err == nil {
		return nil
	}
	err = public(err)
	if name == "" {
		return fmt.Errorf("vecwire: %s: %w", op.phrase(), err)
	}
	return fmt.Errorf("vecwire: %s %s: %w", op.phrase(), name, err)
}

// public gives an error of a room below the type that users know.
func public(err error) error {
	if connect, ok := errors.AsType[*engine.ConnectError](err); ok {
		if locked, ok := errors.AsType[*engine.LockedError](connect.Err); ok {
			return &ConnectError{Target: connect.Target, Remedy: connect.Remedy, Err: (*LockedError)(locked)}
		}
		return (*ConnectError)(connect)
	}
	if locked, ok := errors.AsType[*engine.LockedError](err); ok {
		return (*LockedError)(locked)
	}
	if size, ok := errors.AsType[*mirror.SizeError](err); ok {
		return (*MirrorSizeError)(size)
	}
	if misfit, ok := errors.AsType[*schema.Error](err); ok {
		err = knownAs(err, misfit, (*SchemaError)(misfit))
	}
	if failed, ok := errors.AsType[*embedding.Error](err); ok {
		err = knownAs(err, failed, (*EmbedError)(failed))
	}
	return err
}

// knownAs returns err, in which an error of a room below is, with the type that users
// know.
func knownAs(err, below, known error) error {
	if err == below { //nolint:errorlint // whether there is anything around it
		return known
	}
	return &knownError{err, known}
}

// knownError is an error of a room below that has in it one of a type that users know.
type knownError struct{ below, known error }

func (e *knownError) Error() string { return e.below.Error() }

// Unwrap returns both.
func (e *knownError) Unwrap() []error { return []error{e.known, e.below} }

// badValue says that an option has a value that it cannot have.
func badValue(field, want string, got any) error { return schema.BadValue(field, want, got) }
