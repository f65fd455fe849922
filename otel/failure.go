package otelvecwire

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/vecwire/vecwire"
)

const (
	kindNotFound = "not_found"
	kindSchema   = "schema"
)

// kinds are the words for errors, in the order in which they are tried: what the
// caller did, where the trouble was, what it was.
var kinds = []struct {
	name string
	is   func(error) bool
}{
	{"canceled", is(context.Canceled)},
	{"connect", as[*vecwire.ConnectError]},
	{"embed", as[*vecwire.EmbedError]},
	{"timeout", is(context.DeadlineExceeded)},
	{kindNotFound, is(vecwire.ErrNotFound)},
	{"exists", is(vecwire.ErrExists)},
	{"closed", is(vecwire.ErrClosed)},
	{"unsupported", is(vecwire.ErrUnsupported)},
	{"model_mismatch", is(vecwire.ErrModelMismatch)},
	{"dimension", as[*vecwire.DimensionError]},
	{"element", as[*vecwire.ElementError]},
	{"value", as[*vecwire.ValueError]},
	{"filter", as[*vecwire.FilterError]},
	{kindSchema, as[*vecwire.SchemaError]},
	{"record", as[*vecwire.BatchError]},
	{"record", as[*vecwire.RecordError]},
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func as[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

// failureOf returns the attributes of an error, none for nil, and its error.type.
func failureOf(err error) ([]attribute.KeyValue, string) {
	if err == nil {
		return nil, ""
	}
	var attrs []attribute.KeyValue
	state := sqlState(err)
	if state != "" {
		attrs = append(attrs, semconv.DBResponseStatusCode(state))
	}
	kind := kindOf(err, state)
	return append(attrs, semconv.ErrorTypeKey.String(kind)), kind
}

func kindOf(err error, state string) string {
	for _, k := range kinds {
		if k.is(err) {
			return k.name
		}
	}
	if state != "" {
		return state
	}
	return semconv.ErrorType(err).Value.AsString()
}

// sqlState returns the code that a server gave an error, as pgconn.PgError has it.
func sqlState(err error) string {
	var server interface{ SQLState() string }
	if errors.As(err, &server) {
		return server.SQLState()
	}
	return ""
}
