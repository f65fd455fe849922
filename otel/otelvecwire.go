// Package otelvecwire shows vecwire's calls to OpenTelemetry: a
// [vecwire.Observer] that makes a span of each call and measures how long it took.
//
//	db, err := vecwire.Config{Observer: otelvecwire.New(otelvecwire.Options{})}.Open(ctx, "vectors.db")
//
// # Spans
//
// A span has the call's operation and collection for a name, such as "search
// docs", and follows the conventions for database clients
// (https://opentelemetry.io/docs/specs/semconv/db/database-spans/):
//
//   - db.system.name is postgresql, intersystems.iris, or vecwire for the embedded
//     engine, whose spans are of the kind internal and not client;
//   - db.operation.name is the [vecwire.Op], such as search, upsert, build_index or
//     tx;
//   - db.collection.name is left out for calls about none;
//   - db.response.returned_rows is how many records or collections a call
//     returned, and vecwire.records how many another call stored, deleted or
//     counted;
//   - error.type is a word for the error, see below, and
//     db.response.status_code the server's SQLSTATE if it sent one;
//   - vecwire.plan.path, index, effort, rows and why say how a search was
//     answered, see [vecwire.Plan]. Of several searches in a call it is the first.
//
// What a call does with the context that it was given has the call's span as its
// parent, such as an embedder's requests. The verbs of a transaction are called
// with its context, so that their spans are children of the transaction's.
//
// # Metrics
//
//   - db.client.operation.duration is a histogram of seconds, by system,
//     operation, collection, error and, for searches, vecwire.plan.path.
//   - vecwire.records counts the records, or collections, that calls returned,
//     stored, deleted or counted, by system, operation and collection.
//
// A collection that was not found, or whose schema was refused, is not named in
// metrics: such names may come from anywhere.
//
// # Errors
//
// error.type is the first of these that the error is:
//
//	canceled        the context was cancelled
//	connect         *vecwire.ConnectError
//	embed           *vecwire.EmbedError
//	timeout         the context's deadline, or the server's
//	not_found       vecwire.ErrNotFound
//	exists          vecwire.ErrExists
//	closed          vecwire.ErrClosed
//	unsupported     vecwire.ErrUnsupported
//	model_mismatch  vecwire.ErrModelMismatch
//	dimension, element, value, filter, schema
//	                *vecwire.DimensionError and so on
//	record          *vecwire.BatchError or *vecwire.RecordError for another reason
//
// or else its SQLSTATE, or else the name of its type.
//
// # Privacy
//
// No text, ID, vector, filter, URL or field of a record is shown. Messages of
// errors may quote IDs and field values, so that they are left out unless
// Options.ErrorMessages asks for them.
package otelvecwire

import (
	"context"
	"regexp"
	"slices"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/dbconv"
	"go.opentelemetry.io/otel/trace"

	"github.com/vecwire/vecwire"
)

// scope names this package in what it reports.
const scope = "github.com/vecwire/vecwire/otel"

// Own attributes, beside those of the conventions.
const (
	keyRecords = attribute.Key("vecwire.records")
	keyPath    = attribute.Key("vecwire.plan.path")
	keyIndex   = attribute.Key("vecwire.plan.index")
	keyEffort  = attribute.Key("vecwire.plan.effort")
	keyRows    = attribute.Key("vecwire.plan.rows")
	keyWhy     = attribute.Key("vecwire.plan.why")
)

// durationBounds are those that the conventions ask for
// (https://opentelemetry.io/docs/specs/semconv/db/database-metrics/), in seconds.
var durationBounds = []float64{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10}

// Options says where an observer reports to. The zero value is the global
// providers, also those that are set later.
type Options struct {
	// TracerProvider makes the spans. Defaults to the global one.
	TracerProvider trace.TracerProvider
	// MeterProvider makes the metrics. Defaults to the global one.
	MeterProvider metric.MeterProvider
	// Attributes are added to every span and measurement, to tell databases apart
	// or to say what the observer cannot know, such as server.address and
	// db.namespace. Defaults to none.
	Attributes []attribute.KeyValue
	// ErrorMessages describes the status of failed spans with the error's message.
	// It may quote IDs and field values. Defaults to no description.
	ErrorMessages bool
}

// New returns an observer for [vecwire.Config]. It is safe for concurrent use, and
// for several databases. What the meter provider has against its instruments goes
// to OpenTelemetry's error handler.
func New(o Options) vecwire.Observer {
	if o.TracerProvider == nil {
		o.TracerProvider = otel.GetTracerProvider()
	}
	if o.MeterProvider == nil {
		o.MeterProvider = otel.GetMeterProvider()
	}
	meter := o.MeterProvider.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))
	duration, err := dbconv.NewClientOperationDuration(meter, metric.WithExplicitBucketBoundaries(durationBounds...))
	if err != nil {
		otel.Handle(err)
	}
	records, err := meter.Int64Counter(string(keyRecords), metric.WithUnit("{record}"),
		metric.WithDescription("Records that calls returned, stored, deleted or counted."))
	if err != nil {
		otel.Handle(err)
	}
	return &observer{
		tracer:   o.TracerProvider.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL)),
		duration: duration,
		records:  records,
		common:   slices.Clone(o.Attributes),
		messages: o.ErrorMessages,
	}
}

type observer struct {
	tracer   trace.Tracer
	duration dbconv.ClientOperationDuration
	records  metric.Int64Counter
	common   []attribute.KeyValue
	messages bool
}

// Begin implements vecwire.Observer.
func (o *observer) Begin(ctx context.Context, call vecwire.Call) (context.Context, func(vecwire.Outcome)) {
	system, kind := systemOf(call.Engine)
	name := string(call.Op)
	attrs := slices.Concat(o.common, []attribute.KeyValue{system, semconv.DBOperationName(string(call.Op))})
	unnamed := len(attrs)
	if nameRE.MatchString(call.Collection) {
		name += " " + call.Collection
		attrs = append(attrs, semconv.DBCollectionName(call.Collection))
	}
	begun := time.Now()
	ctx, span := o.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attrs...), trace.WithTimestamp(begun))
	return ctx, func(out vecwire.Outcome) {
		failure, kind := failureOf(out.Err)
		if span.IsRecording() {
			span.SetAttributes(failure...)
			span.SetAttributes(found(call.Op, out)...)
			if out.Err != nil {
				span.SetStatus(codes.Error, o.message(out.Err))
			}
		}
		// The conventions want the duration to be the same in both.
		span.End(trace.WithTimestamp(begun.Add(out.Took)))

		if kind == kindNotFound || kind == kindSchema {
			attrs = attrs[:unnamed]
		}
		if out.Records > 0 {
			o.records.Add(ctx, int64(out.Records), metric.WithAttributes(attrs...))
		}
		attrs = append(attrs, failure...)
		if out.Plan != nil {
			attrs = append(attrs, keyPath.String(out.Plan.Path))
		}
		o.duration.RecordSet(ctx, out.Took.Seconds(), attribute.NewSet(attrs...))
	}
}

func (o *observer) message(err error) string {
	if !o.messages {
		return ""
	}
	return err.Error()
}

// systemOf returns what the conventions call an engine. They know of InterSystems'
// older product only. The embedded engine is a part of the process.
func systemOf(engine string) (attribute.KeyValue, trace.SpanKind) {
	switch engine {
	case "embedded":
		return semconv.DBSystemNameKey.String("vecwire"), trace.SpanKindInternal
	case "postgres":
		return semconv.DBSystemNamePostgreSQL, trace.SpanKindClient
	case "iris":
		return semconv.DBSystemNameKey.String("intersystems.iris"), trace.SpanKindClient
	}
	return semconv.DBSystemNameKey.String(engine), trace.SpanKindClient
}

// nameRE is the names that a collection can have. Calls that are given another
// tell the observer all the same, and it may be anything.
var nameRE = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,47}$`)

// found says what an operation found or did.
func found(op vecwire.Op, out vecwire.Outcome) []attribute.KeyValue {
	var attrs []attribute.KeyValue
	switch op {
	case vecwire.OpSearch, vecwire.OpSearchAll, vecwire.OpGet, vecwire.OpScan, vecwire.OpFacet, vecwire.OpListCollections:
		if out.Err == nil {
			attrs = append(attrs, semconv.DBResponseReturnedRows(out.Records))
		}
	default:
		if out.Records > 0 {
			attrs = append(attrs, keyRecords.Int(out.Records))
		}
	}
	p := out.Plan
	if p == nil {
		return attrs
	}
	attrs = append(attrs, keyPath.String(p.Path))
	if p.Index != "" {
		attrs = append(attrs, keyIndex.String(p.Index))
	}
	if p.Effort > 0 {
		attrs = append(attrs, keyEffort.Int(p.Effort))
	}
	if p.Records >= 0 {
		attrs = append(attrs, keyRows.Int(p.Records))
	}
	if p.Why != "" {
		attrs = append(attrs, keyWhy.String(p.Why))
	}
	return attrs
}
