package vecwire_test

import (
	"context"
	"fmt"
	"log"

	"github.com/vecwire/vecwire"
)

func ExampleCollection_Mirror() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:") // in earnest a server
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2})
	if err != nil {
		log.Fatal(err)
	}
	if err := docs.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 0}, Text: "east"}); err != nil {
		log.Fatal(err)
	}

	mirror, err := docs.Mirror(ctx, vecwire.MirrorOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer mirror.Close()
	if err := mirror.Upsert(ctx, vecwire.Record{ID: "2", Vector: []float32{0, 1}, Text: "north"}); err != nil {
		log.Fatal(err)
	}
	results, err := mirror.SearchMany(ctx, []vecwire.Query{{Vector: []float32{0.1, 0.9}, K: 1}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(results[0].Hits[0].ID, results[0].Hits[0].Text, results[0].Plan.Path)

	// What others store is found after a refresh.
	if err := docs.Upsert(ctx, vecwire.Record{ID: "3", Vector: []float32{-1, 0}, Text: "west"}); err != nil {
		log.Fatal(err)
	}
	if err := mirror.Refresh(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(mirror.Stats().Records, mirror.Stats().Changed)
	// Output:
	// 2 north mirror scan
	// 3 1
}
