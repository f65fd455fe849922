package otelvecwire_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
	otelvecwire "github.com/vecwire/vecwire/otel"
)

// backend is what the SDK received.
type backend struct {
	t      *testing.T
	spans  *tracetest.InMemoryExporter
	reader *sdkmetric.ManualReader
	tracer trace.Tracer
	vecwire.Observer
}

func newBackend(t *testing.T, o otelvecwire.Options) *backend {
	spans, reader := tracetest.NewInMemoryExporter(), sdkmetric.NewManualReader()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	o.TracerProvider, o.MeterProvider = tp, sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	return &backend{t, spans, reader, tp.Tracer("test"), otelvecwire.New(o)}
}

// span returns the last span of this name.
func (b *backend) span(name string) tracetest.SpanStub {
	b.t.Helper()
	spans := b.spans.GetSpans()
	for _, s := range slices.Backward(spans) {
		if s.Name == name {
			return s
		}
	}
	require.Fail(b.t, "no such span", "%q of %v", name, names(spans))
	return tracetest.SpanStub{}
}

func names(spans tracetest.SpanStubs) (out []string) {
	for _, s := range spans {
		out = append(out, s.Name)
	}
	return out
}

// metricOf returns the data of a metric.
func metricOf[T metricdata.Aggregation](b *backend, name string) (T, metricdata.Metrics) {
	b.t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(b.t, b.reader.Collect(context.Background(), &all))
	for _, scope := range all.ScopeMetrics {
		require.Equal(b.t, "github.com/vecwire/vecwire/otel", scope.Scope.Name)
		for _, m := range scope.Metrics {
			if m.Name == name {
				return m.Data.(T), m
			}
		}
	}
	require.Fail(b.t, "no such metric", name)
	panic("unreachable")
}

// durations returns how many calls were measured, by their attributes.
func (b *backend) durations() map[string]uint64 {
	b.t.Helper()
	out := map[string]uint64{}
	data, _ := metricOf[metricdata.Histogram[float64]](b, "db.client.operation.duration")
	for _, p := range data.DataPoints {
		out[p.Attributes.Encoded(attribute.DefaultEncoder())] = p.Count
	}
	return out
}

// records returns how many records were counted, by the operation.
func (b *backend) records() map[string]int64 {
	b.t.Helper()
	out := map[string]int64{}
	data, _ := metricOf[metricdata.Sum[int64]](b, "vecwire.records")
	for _, p := range data.DataPoints {
		operation, _ := p.Attributes.Value("db.operation.name")
		out[operation.AsString()] += p.Value
	}
	return out
}

// attributes returns a span's attributes as text.
func attributes(s tracetest.SpanStub) map[string]string {
	out := map[string]string{}
	for _, a := range s.Attributes {
		out[string(a.Key)] = a.Value.String()
	}
	return out
}

func open(t *testing.T, o vecwire.Observer) (*vecwire.DB, *vecwire.Collection) {
	t.Helper()
	db, err := vecwire.Config{Observer: o}.Open(t.Context(), "mem:")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	c, err := db.CreateCollection(t.Context(), vecwire.Schema{
		Name: "docs", Dim: 2, Metric: vecwire.Dot, Model: "lengths",
		Fields: []vecwire.Field{{Name: "source", Index: true}},
	})
	require.NoError(t, err)
	return db, c
}

var two = []vecwire.Record{{ID: "secret-1", Vector: []float32{1, 0}}, {ID: "secret-2", Vector: []float32{0, 1}}}

func TestSpans(t *testing.T) {
	b := newBackend(t, otelvecwire.Options{Attributes: []attribute.KeyValue{attribute.String("server.address", "here")}})
	db, c := open(t, b)
	ctx := t.Context()
	check := func(name string, want map[string]string) {
		t.Helper()
		s := b.span(name)
		want["server.address"], want["db.system.name"] = "here", "vecwire"
		require.Equal(t, want, attributes(s))
		require.Equal(t, trace.SpanKindInternal, s.SpanKind)
		require.Equal(t, sdktrace.Status{}, s.Status)
		require.Empty(t, s.Events)
		require.Equal(t, "github.com/vecwire/vecwire/otel", s.InstrumentationScope.Name)
		require.Contains(t, s.InstrumentationScope.SchemaURL, "https://opentelemetry.io/schemas/")
	}
	of := func(operation string, more ...string) map[string]string {
		want := map[string]string{"db.operation.name": operation, "db.collection.name": "docs"}
		for i := 0; i < len(more); i += 2 {
			want[more[i]] = more[i+1]
		}
		return want
	}
	check("create_collection docs", of("create_collection"))
	require.NoError(t, c.Upsert(ctx, two...))
	check("upsert docs", of("upsert", "vecwire.records", "2"))
	_, err := c.Get(ctx, "secret-1", "secret-3")
	require.NoError(t, err)
	check("get docs", of("get", "db.response.returned_rows", "1"))
	_, err = c.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	check("count docs", of("count", "vecwire.records", "2"))
	_, err = c.Search(ctx, vecwire.Query{Vector: []float32{1, 1}, K: 1, Exact: true})
	require.NoError(t, err)
	check("search docs", of("search", "db.response.returned_rows", "1",
		"vecwire.plan.path", "scan", "vecwire.plan.rows", "2", "vecwire.plan.why", attributes(b.span("search docs"))["vecwire.plan.why"]))
	require.NotEmpty(t, attributes(b.span("search docs"))["vecwire.plan.why"])
	_, err = c.ReplaceSource(ctx, "secret", vecwire.Record{ID: "secret-3", Vector: []float32{2, 2}})
	require.NoError(t, err)
	check("replace_source docs", of("replace_source", "vecwire.records", "1"))
	_, err = c.Cursor(ctx, "secret")
	require.NoError(t, err)
	check("cursor docs", of("cursor"))
	_, err = c.Delete(ctx, "secret-1")
	require.NoError(t, err)
	check("delete docs", of("delete", "vecwire.records", "1"))
	_, err = db.OpenCollection(ctx, "docs")
	require.NoError(t, err)
	check("open_collection docs", of("open_collection"))
	_, err = db.Collections(ctx)
	require.NoError(t, err)
	check("list_collections", map[string]string{"db.operation.name": "list_collections", "db.response.returned_rows": "1"})
	require.NoError(t, db.DropCollection(ctx, "docs"))
	check("drop_collection docs", of("drop_collection"))
}

// spanning is an embedder that makes a span of each call.
type spanning struct {
	tracer trace.Tracer
	fails  error
}

func (spanning) Model() string { return "lengths" }
func (spanning) Dim() int      { return 2 }

func (e spanning) Embed(ctx context.Context, texts []string, _ embed.Use) ([][]float32, error) {
	_, span := e.tracer.Start(ctx, "POST")
	defer span.End()
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = []float32{float32(len(text)), 0}
	}
	return out, e.fails
}

func TestSpansNest(t *testing.T) {
	b := newBackend(t, otelvecwire.Options{})
	_, bare := open(t, b)
	c, err := bare.WithEmbedder(spanning{tracer: b.tracer})
	require.NoError(t, err)
	ctx, request := b.tracer.Start(t.Context(), "GET /search")
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "1", Text: "secret"}))
	b.within("POST", "upsert docs")
	b.within("upsert docs", "GET /search", request)
	_, err = c.Search(ctx, vecwire.Query{Text: "secret"})
	require.NoError(t, err)
	b.within("POST", "search docs")
	b.within("search docs", "GET /search", request)
	_, err = c.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
		for i := range 300 { // several batches
			if !yield(vecwire.Record{ID: fmt.Sprint(i), Text: "secret"}, nil) {
				return
			}
		}
	}, vecwire.IngestOptions{})
	require.NoError(t, err)
	b.within("POST", "ingest docs")
	b.within("ingest docs", "GET /search", request)
	require.Equal(t, "300", attributes(b.span("ingest docs"))["vecwire.records"])
	require.EqualValues(t, 300, b.records()["ingest"])
}

// within sees that a span is a child of another, which may not have ended.
func (b *backend) within(child, parent string, open ...trace.Span) {
	b.t.Helper()
	c := b.span(child)
	var want trace.SpanContext
	if len(open) > 0 {
		want = open[0].SpanContext()
	} else {
		p := b.span(parent)
		want = p.SpanContext
		require.False(b.t, c.StartTime.Before(p.StartTime), "%s begins before %s", child, parent)
		require.False(b.t, c.EndTime.After(p.EndTime), "%s ends after %s", child, parent)
	}
	require.Equal(b.t, want.TraceID(), c.SpanContext.TraceID())
	require.Equal(b.t, want.SpanID(), c.Parent.SpanID(), "%s is no child of %s", child, parent)
}

func TestTransactions(t *testing.T) {
	b := newBackend(t, otelvecwire.Options{})
	db, c := open(t, b)
	ctx, request := b.tracer.Start(t.Context(), "request")
	require.NoError(t, db.Tx(ctx, func(ctx context.Context) error {
		return c.Upsert(ctx, two...)
	}))
	b.within("tx", "request", request)
	b.within("upsert docs", "tx")
	s := b.span("tx")
	require.Equal(t, map[string]string{"db.system.name": "vecwire", "db.operation.name": "tx"}, attributes(s))

	b.spans.Reset()
	abort := errors.New("secret")
	require.ErrorIs(t, db.Tx(ctx, func(context.Context) error { return abort }), abort)
	s = b.span("tx")
	require.Equal(t, codes.Error, s.Status.Code)
	require.Equal(t, "*errors.errorString", attributes(s)["error.type"])
	require.EqualValues(t, map[string]int64{"upsert": 2}, b.records())
}

func TestFailures(t *testing.T) {
	for _, messages := range []bool{false, true} {
		t.Run(fmt.Sprintf("messages=%t", messages), func(t *testing.T) {
			b := newBackend(t, otelvecwire.Options{ErrorMessages: messages})
			db, c := open(t, b)
			ctx := t.Context()
			failed := func(name, kind string, err error) {
				t.Helper()
				require.Error(t, err)
				s := b.span(name)
				require.Equal(t, codes.Error, s.Status.Code)
				require.Equal(t, kind, attributes(s)["error.type"])
				if messages {
					require.Equal(t, err.Error(), s.Status.Description)
				} else {
					require.Empty(t, s.Status.Description)
					require.NotContains(t, fmt.Sprint(s), "secret")
				}
				require.Empty(t, s.Events)
			}
			failed("upsert docs", "dimension", c.Upsert(ctx, vecwire.Record{ID: "secret", Vector: []float32{1}}))
			failed("upsert docs", "value", c.Upsert(ctx, vecwire.Record{ID: "secret", Vector: []float32{1, 1}, Fields: vecwire.Fields{"source": 7}}))
			_, err := c.Count(ctx, filter.Eq("secret", 1))
			failed("count docs", "filter", err)
			embedding, err := c.WithEmbedder(spanning{b.tracer, errors.New("secret key")})
			require.NoError(t, err)
			failed("upsert docs", "embed", embedding.Upsert(ctx, vecwire.Record{ID: "secret", Text: "secret"}))
			gone, cancel := context.WithCancel(ctx)
			cancel()
			_, err = c.Get(gone, "secret")
			failed("get docs", "canceled", err)
			_, err = db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2})
			failed("create_collection docs", "exists", err)
			_, err = db.OpenCollection(ctx, "missing")
			failed("open_collection missing", "not_found", err)
			_, err = db.CreateCollection(ctx, vecwire.Schema{Name: "secret name", Dim: 2})
			failed("create_collection", "schema", err)
			_, err = db.OpenCollection(ctx, "../secret")
			failed("open_collection", "not_found", err)

			const docs = "db.collection.name=docs,db.operation.name="
			require.Equal(t, map[string]uint64{
				docs + "create_collection,db.system.name=vecwire":                               1,
				docs + "upsert,db.system.name=vecwire,error.type=dimension":                     1,
				docs + "upsert,db.system.name=vecwire,error.type=value":                         1,
				docs + "upsert,db.system.name=vecwire,error.type=embed":                         1,
				docs + "count,db.system.name=vecwire,error.type=filter":                         1,
				docs + "get,db.system.name=vecwire,error.type=canceled":                         1,
				docs + "create_collection,db.system.name=vecwire,error.type=exists":             1,
				"db.operation.name=open_collection,db.system.name=vecwire,error.type=not_found": 2,
				"db.operation.name=create_collection,db.system.name=vecwire,error.type=schema":  1,
			}, b.durations())
		})
	}
}

func state(code string) error { return &pgconn.PgError{Code: code, Message: "secret"} }

func TestErrorTypes(t *testing.T) {
	for want, err := range map[string]error{
		"canceled":       &vecwire.EmbedError{Err: context.Canceled},
		"connect":        &vecwire.ConnectError{Err: context.DeadlineExceeded},
		"embed":          &vecwire.BatchError{Failed: []vecwire.RecordError{{Err: &vecwire.EmbedError{Err: context.DeadlineExceeded}}}},
		"timeout":        fmt.Errorf("%w: %w", context.DeadlineExceeded, state("57014")),
		"not_found":      fmt.Errorf("%w: %w", vecwire.ErrNotFound, state("42P01")),
		"exists":         &vecwire.BatchError{Failed: []vecwire.RecordError{{Err: vecwire.ErrExists}}},
		"closed":         vecwire.ErrClosed,
		"unsupported":    vecwire.ErrUnsupported,
		"model_mismatch": vecwire.ErrModelMismatch,
		"dimension":      &vecwire.BatchError{Failed: []vecwire.RecordError{{Err: &vecwire.DimensionError{}}}},
		"element":        &vecwire.ElementError{},
		"value":          &vecwire.ValueError{},
		"filter":         &vecwire.FilterError{},
		"schema":         &vecwire.SchemaError{},
		"record":         &vecwire.RecordError{Err: errors.New("secret")},
		"53100":          state("53100"),
		"named":          named{},
	} {
		b := newBackend(t, otelvecwire.Options{})
		_, end := b.Begin(t.Context(), vecwire.Call{Op: vecwire.OpSearch, Engine: "postgres", Collection: "docs"})
		end(vecwire.Outcome{Err: fmt.Errorf("vecwire: search docs: %w", err)})
		got := attributes(b.span("search docs"))
		require.Equal(t, want, got["error.type"])
		if server, ok := errors.AsType[*pgconn.PgError](err); ok {
			require.Equal(t, server.Code, got["db.response.status_code"])
		} else {
			require.NotContains(t, got, "db.response.status_code")
		}
	}
}

// named is an error that names its type itself, as OpenTelemetry asks it to.
type named struct{}

func (named) Error() string     { return "secret" }
func (named) ErrorType() string { return "named" }

func TestEngines(t *testing.T) {
	b := newBackend(t, otelvecwire.Options{})
	for engine, want := range map[string]struct {
		system string
		kind   trace.SpanKind
	}{
		"embedded": {"vecwire", trace.SpanKindInternal},
		"postgres": {"postgresql", trace.SpanKindClient},
		"iris":     {"intersystems.iris", trace.SpanKindClient},
		"another":  {"another", trace.SpanKindClient},
	} {
		_, end := b.Begin(t.Context(), vecwire.Call{Op: vecwire.OpSearch, Engine: engine, Collection: "docs"})
		end(vecwire.Outcome{Plan: &vecwire.Plan{Path: "graph", Index: "hnsw", Effort: 64, Records: -1, Why: "it is faster"}})
		s := b.span("search docs")
		require.Equal(t, want.kind, s.SpanKind)
		require.Equal(t, map[string]string{
			"db.system.name": want.system, "db.operation.name": "search", "db.collection.name": "docs", "db.response.returned_rows": "0",
			"vecwire.plan.path": "graph", "vecwire.plan.index": "hnsw", "vecwire.plan.effort": "64", "vecwire.plan.why": "it is faster",
		}, attributes(s))
	}
}

func TestMetrics(t *testing.T) {
	b := newBackend(t, otelvecwire.Options{Attributes: []attribute.KeyValue{attribute.String("db.namespace", "n")}})
	ctx, end := b.Begin(t.Context(), vecwire.Call{Op: vecwire.OpSearch, Engine: "postgres", Collection: "docs"})
	require.True(t, trace.SpanContextFromContext(ctx).IsValid())
	end(vecwire.Outcome{Records: 3, Took: 70 * time.Millisecond, Plan: &vecwire.Plan{Path: "scan", Why: "many words"}})
	data, m := metricOf[metricdata.Histogram[float64]](b, "db.client.operation.duration")
	require.Equal(t, "s", m.Unit)
	require.Len(t, data.DataPoints, 1)
	p := data.DataPoints[0]
	require.Equal(t, []float64{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10}, p.Bounds)
	require.InDelta(t, 0.07, p.Sum, 1e-12)
	require.Equal(t, map[string]uint64{
		"db.collection.name=docs,db.namespace=n,db.operation.name=search,db.system.name=postgresql,vecwire.plan.path=scan": 1,
	}, b.durations())
	s := b.span("search docs")
	require.Equal(t, 70*time.Millisecond, s.EndTime.Sub(s.StartTime), "the same in both")
	require.Len(t, p.Exemplars, 1)
	id := s.SpanContext.SpanID()
	require.Equal(t, id[:], p.Exemplars[0].SpanID)

	counted, m := metricOf[metricdata.Sum[int64]](b, "vecwire.records")
	require.Equal(t, "{record}", m.Unit)
	require.True(t, counted.IsMonotonic)
	require.EqualValues(t, 3, counted.DataPoints[0].Value)
	require.Equal(t, "db.collection.name=docs,db.namespace=n,db.operation.name=search,db.system.name=postgresql",
		counted.DataPoints[0].Attributes.Encoded(attribute.DefaultEncoder()))
}

func TestConcurrentCalls(t *testing.T) {
	const workers, rounds = 8, 20
	common := make([]attribute.KeyValue, 0, 64) // room that calls could write over each other
	b := newBackend(t, otelvecwire.Options{Attributes: append(common, attribute.String("db.namespace", "n"))})
	_, c := open(t, b)
	require.NoError(t, c.Upsert(t.Context(), two...))
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				ctx, span := b.tracer.Start(t.Context(), fmt.Sprintf("%d/%d", w, i))
				if _, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 0}}); err != nil {
					t.Error(err)
				}
				if err := c.Upsert(ctx, vecwire.Record{ID: "x", Vector: []float32{1}}); err == nil {
					t.Error("a short vector was stored")
				}
				span.End()
			}
		})
	}
	wg.Wait()
	children := map[trace.SpanID][]string{}
	for _, s := range b.spans.GetSpans() {
		if s.Parent.IsValid() {
			children[s.Parent.SpanID()] = append(children[s.Parent.SpanID()], s.Name)
		}
	}
	require.Len(t, children, workers*rounds)
	for _, of := range children {
		require.ElementsMatch(t, []string{"search docs", "upsert docs"}, of)
	}
	require.EqualValues(t, workers*rounds*2, b.records()["search"])
	got := b.durations()
	const docs = "db.collection.name=docs,db.namespace=n,db.operation.name="
	require.EqualValues(t, workers*rounds, got[docs+"search,db.system.name=vecwire,vecwire.plan.path=scan"])
	require.EqualValues(t, workers*rounds, got[docs+"upsert,db.system.name=vecwire,error.type=dimension"])
}

// Calls whose spans a sampler drops are measured all the same.
func TestUnsampled(t *testing.T) {
	b := &backend{t: t, spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	_, c := open(t, otelvecwire.New(otelvecwire.Options{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(b.spans), sdktrace.WithSampler(sdktrace.NeverSample())),
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(b.reader)),
	}))
	require.NoError(t, c.Upsert(t.Context(), two...))
	require.Empty(t, b.spans.GetSpans())
	require.EqualValues(t, 2, b.records()["upsert"])
	require.Len(t, b.durations(), 2)
}

// global sets the global providers, to which what was made before changes over
// once in a process.
var global = sync.OnceValue(func() *backend {
	b := &backend{spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(b.spans)))
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(b.reader)))
	return b
})

func TestGlobalProviders(t *testing.T) {
	_, c := open(t, otelvecwire.New(otelvecwire.Options{}))
	require.NoError(t, c.Upsert(t.Context(), two...), "without any provider")
	b := *global()
	b.t = t
	b.spans.Reset()
	require.NoError(t, c.Upsert(t.Context(), two...), "and with some that were set later")
	require.Equal(t, "2", attributes(b.span("upsert docs"))["vecwire.records"])
	require.Positive(t, b.records()["upsert"])
}
