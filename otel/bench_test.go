package otelvecwire_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/pair"
	otelvecwire "github.com/vecwire/vecwire/otel"
)

// BenchmarkSearch compares searches of 1,000 records of 128 dimensions that are
// observed ("ours"), every span recorded and dropped, with ones that are not.
func BenchmarkSearch(b *testing.B) {
	observed := search(b, otelvecwire.New(otelvecwire.Options{
		TracerProvider: sdktrace.NewTracerProvider(),
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())),
	}))
	pair.Run(b, observed, search(b, nil))
}

func search(b *testing.B, o vecwire.Observer) func() {
	b.Helper()
	const dim = 128
	db, err := vecwire.Config{Observer: o}.Open(b.Context(), "mem:")
	require.NoError(b, err)
	b.Cleanup(func() { _ = db.Close() })
	c, err := db.CreateCollection(b.Context(), vecwire.Schema{Name: "docs", Dim: dim, Metric: vecwire.Dot})
	require.NoError(b, err)
	records := make([]vecwire.Record, 1000)
	for i := range records {
		v := make([]float32, dim)
		v[i%dim] = float32(i)
		records[i] = vecwire.Record{ID: fmt.Sprint(i), Vector: v}
	}
	require.NoError(b, c.Upsert(b.Context(), records...))
	q := vecwire.Query{Vector: records[1].Vector, K: 10}
	return func() {
		if _, err := c.Search(b.Context(), q); err != nil {
			b.Fatal(err)
		}
	}
}
