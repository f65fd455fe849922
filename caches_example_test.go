package vecwire_test

import (
	"context"
	"fmt"
	"log"

	"github.com/vecwire/vecwire"
)

// A cache of three records: what was not used for the longest time makes room.
func ExampleSchema_maxRecords() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	cache, err := db.CreateCollection(ctx, vecwire.Schema{Name: "answers", Dim: 2, MaxRecords: 3})
	if err != nil {
		log.Fatal(err)
	}
	for _, id := range []string{"first", "second", "third"} {
		if err := cache.Upsert(ctx, vecwire.Record{ID: id, Vector: []float32{1, 1}}); err != nil {
			log.Fatal(err)
		}
	}
	if _, err := cache.Get(ctx, "first"); err != nil { // which uses it
		log.Fatal(err)
	}
	if err := cache.Upsert(ctx, vecwire.Record{ID: "fourth", Vector: []float32{1, 1}}); err != nil {
		log.Fatal(err)
	}
	for r, err := range cache.All(ctx, vecwire.Scan{}) {
		fmt.Println(r.ID, err)
	}
	// Output:
	// first <nil>
	// fourth <nil>
	// third <nil>
}
