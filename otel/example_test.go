package otelvecwire_test

import (
	"context"
	"fmt"
	"log"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/vecwire/vecwire"
	otelvecwire "github.com/vecwire/vecwire/otel"
)

// A program that has set the global providers gives no options. Here, spans are
// kept in memory, and metrics go nowhere.
func ExampleNew() {
	ctx := context.Background()
	spans := tracetest.NewInMemoryExporter()
	db, err := vecwire.Config{Observer: otelvecwire.New(otelvecwire.Options{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)),
	})}.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2})
	if err != nil {
		log.Fatal(err)
	}
	if err := docs.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 0}}); err != nil {
		log.Fatal(err)
	}
	if _, err := docs.Search(ctx, vecwire.Query{Vector: []float32{1, 0, 0}}); err == nil {
		log.Fatal("three dimensions were taken for two")
	}
	for _, span := range spans.GetSpans() {
		fmt.Println(span.Name)
		for _, a := range span.Attributes {
			fmt.Printf("  %s=%s\n", a.Key, a.Value.String())
		}
	}
	// Output:
	// create_collection docs
	//   db.system.name=vecwire
	//   db.operation.name=create_collection
	//   db.collection.name=docs
	// upsert docs
	//   db.system.name=vecwire
	//   db.operation.name=upsert
	//   db.collection.name=docs
	//   vecwire.records=1
	// search docs
	//   db.system.name=vecwire
	//   db.operation.name=search
	//   db.collection.name=docs
	//   error.type=dimension
}
