// Command hello is the smallest program that stores and finds something. Its size is
// tested with the tag vecwire_noservers.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/vecwire/vecwire"
)

func main() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	docs, err := db.EnsureCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, FullText: vecwire.Words})
	if err != nil {
		log.Fatal(err)
	}
	if err := docs.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 0}, Text: "hello"}, vecwire.Record{ID: "2", Vector: []float32{0, 1}}); err != nil {
		log.Fatal(err)
	}
	hits, err := docs.Search(ctx, vecwire.Query{Vector: []float32{1, 0}, K: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(hits[0].Text)
}
