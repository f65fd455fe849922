package vecwire_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

func ExampleCollection_Schema() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	s := c.Schema()
	fmt.Println(s.Name, s.Dim, s.Element, s.Metric)
	for _, f := range s.Fields {
		fmt.Println(f.Name, f.Type, f.Index)
	}
	// Output:
	// fruit 3 FLOAT cosine
	// tree Bool false
	// grams Int true
}

func ExampleCollection_Insert() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	fmt.Println(c.Insert(ctx, vecwire.Record{ID: "plum", Vector: []float32{0.4, 0.7, 0.2}}))
	err := c.Insert(ctx,
		vecwire.Record{ID: "fig", Vector: []float32{0.3, 0.9, 0.2}},
		vecwire.Record{ID: "lemon", Vector: []float32{0.1, 0.1, 0.4}},
	)
	n, _ := c.Count(ctx, filter.Filter{})
	fmt.Println(errors.Is(err, vecwire.ErrExists), n) // all or none
	// Output:
	// <nil>
	// true 4
}

func ExampleCollection_SearchAll() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	// The nearest come first, for as long as the loop goes on.
	total := int64(0)
	for h, err := range c.SearchAll(ctx, vecwire.Query{Vector: []float32{1, 1, 0}}) {
		if err != nil {
			log.Fatal(err)
		}
		grams, _ := h.Fields["grams"].(int64)
		if total += grams; total > 1000 {
			fmt.Println("enough with the", h.ID)
			break
		}
	}
	// Output: enough with the melon
}

func ExampleCollection_Namespace() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{{Name: vecwire.NamespaceField, Index: true}}})
	if err != nil {
		log.Fatal(err)
	}
	acme, err := docs.Namespace("acme")
	if err != nil {
		log.Fatal(err)
	}
	umbrella, err := docs.Namespace("umbrella")
	if err != nil {
		log.Fatal(err)
	}
	if err := acme.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 0}, Text: "anvils"}); err != nil {
		log.Fatal(err)
	}
	if err := umbrella.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 0}, Text: "raincoats"}); err != nil {
		log.Fatal(err)
	}
	hits, err := acme.Search(ctx, vecwire.Query{Vector: []float32{1, 0}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(hits), hits[0].Text)
	_, err = acme.DeleteWhere(ctx, filter.Filter{}) // removes the tenant
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(docs.Count(ctx, filter.Filter{}))
	// Output:
	// 1 anvils
	// 1 <nil>
}

// A job that was interrupted goes on where it stopped.
func ExampleCollection_Cursor() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	cut := errors.New("the connection was cut")
	read := func(from int64, fail bool) func(func(vecwire.Record, error) bool) {
		return func(yield func(vecwire.Record, error) bool) {
			for i := from; i < 100; i++ {
				if fail && i == 64 {
					yield(vecwire.Record{}, cut)
					return
				}
				if !yield(vecwire.Record{ID: fmt.Sprint(i), Vector: []float32{1, float32(i), 0}}, nil) {
					return
				}
			}
		}
	}
	_, err := c.Ingest(ctx, read(0, true), vecwire.IngestOptions{Job: "import", BatchRecords: 32})
	fmt.Println(errors.Is(err, cut))

	done, err := c.Cursor(ctx, "import")
	if err != nil {
		log.Fatal(err)
	}
	report, err := c.Ingest(ctx, read(done, false), vecwire.IngestOptions{Job: "import", Skipped: done})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Failed)
	fmt.Println(c.Count(ctx, filter.Filter{})) // and the three of the fruit
	// Output:
	// true
	// 0
	// 103 <nil>
}

// brokenPear is a report about three records, of which one was refused.
func brokenPear(ctx context.Context, c *vecwire.Collection) vecwire.IngestReport {
	report, err := c.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
		_ = yield(vecwire.Record{ID: "plum", Vector: []float32{0.5, 0.7, 0.2}}, nil) &&
			yield(vecwire.Record{ID: "pear", Vector: []float32{0.2, 0.8}}, nil) &&
			yield(vecwire.Record{ID: "fig", Vector: []float32{0.3, 0.9, 0.2}}, nil)
	}, vecwire.IngestOptions{})
	if err != nil {
		log.Fatal(err)
	}
	return report
}

func ExampleIngestReport_Done() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	report := brokenPear(ctx, c)
	fmt.Println(report.Done(), report.Inserted, report.Failed)
	// Output: 3 2 1
}

// Ingest stores what it can. Err is for callers that want all or an error.
func ExampleIngestReport_Err() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	var batch *vecwire.BatchError
	if errors.As(brokenPear(ctx, c).Err(), &batch) {
		fmt.Println(batch.Failed[0].ID, batch.Failed[0].Err)
	}
	// Output: pear vector has 2 dimensions, want 3
}
