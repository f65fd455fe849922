package vecwire_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

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

// mirrorFruit makes a mirror of three records.
func mirrorFruit(ctx context.Context) (*vecwire.DB, *vecwire.Collection, *vecwire.Mirror) {
	db, c := fruit(ctx)
	mirror, err := c.Mirror(ctx, vecwire.MirrorOptions{})
	if err != nil {
		log.Fatal(err)
	}
	return db, c, mirror
}

func ExampleMirror_Refresh() {
	ctx := context.Background()
	db, c, mirror := mirrorFruit(ctx)
	defer db.Close()
	defer mirror.Close()

	query := vecwire.Query{Vector: []float32{0, 0, 1}, K: 1, IDsOnly: true}
	if err := c.Upsert(ctx, vecwire.Record{ID: "grain", Vector: []float32{0, 0, 1}}); err != nil { // past the mirror
		log.Fatal(err)
	}
	hits, err := mirror.Search(ctx, query)
	fmt.Println(hits[0].ID, err)
	if err := mirror.Refresh(ctx); err != nil {
		log.Fatal(err)
	}
	hits, err = mirror.Search(ctx, query)
	fmt.Println(hits[0].ID, err)
	// Output:
	// lemon <nil>
	// grain <nil>
}

func ExampleMirror_Staleness() {
	ctx := context.Background()
	db, _, mirror := mirrorFruit(ctx)
	defer db.Close()
	defer mirror.Close()

	if mirror.Staleness() > time.Hour {
		fmt.Println("refresh it")
	} else {
		fmt.Println("fresh enough")
	}
	// Output: fresh enough
}

func ExampleMirror_Stats() {
	ctx := context.Background()
	db, _, mirror := mirrorFruit(ctx)
	defer db.Close()
	defer mirror.Close()

	stats := mirror.Stats()
	fmt.Println(stats.Records, stats.Unsure, stats.Err)
	// Output: 3 0 <nil>
}

// Close gives the mirror's memory back. The collection goes on.
func ExampleMirror_Close() {
	ctx := context.Background()
	db, c, mirror := mirrorFruit(ctx)
	defer db.Close()

	fmt.Println(mirror.Close())
	_, err := mirror.Search(ctx, vecwire.Query{Vector: []float32{1, 1, 0}})
	fmt.Println(errors.Is(err, vecwire.ErrClosed))
	hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 1, 0}, K: 1})
	fmt.Println(hits[0].ID, err)
	// Output:
	// <nil>
	// true
	// cherry <nil>
}
