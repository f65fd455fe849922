package vecwire_test

import (
	"context"
	"fmt"
	"log"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/chunk"
)

// manual is a collection of the chunks of one document.
func manual(ctx context.Context) (*vecwire.DB, *vecwire.Collection) {
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, Fields: vecwire.SourceFields()})
	if err != nil {
		log.Fatal(err)
	}
	text := "The pump was serviced in May.\n\nIts seal was worn.\n\nA new one was fitted.\n\nSince then it runs dry."
	chunks, err := chunk.Split(text, chunk.Options{Size: 8})
	if err != nil {
		log.Fatal(err)
	}
	parts := vecwire.Chunks("pump.txt", chunks)
	for i := range parts {
		parts[i].Vector = []float32{1, float32(i)} // or an embedder makes them
	}
	if _, err = docs.ReplaceSource(ctx, "pump.txt", parts...); err != nil {
		log.Fatal(err)
	}
	return db, docs
}

// A hit comes with the chunks before and behind it.
func ExampleQuery_around() {
	ctx := context.Background()
	db, docs := manual(ctx)
	defer db.Close()

	hits, err := docs.Search(ctx, vecwire.Query{Vector: []float32{1, 1}, K: 1, Around: 1, AroundTokens: 500})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("found:  %q\naround: %q\n", hits[0].Text, hits[0].Passage.Text)
	// Output:
	// found:  "Its seal was worn."
	// around: "The pump was serviced in May.\n\nIts seal was worn.\n\nA new one was fitted."
}

func ExampleCollection_Source() {
	ctx := context.Background()
	db, docs := manual(ctx)
	defer db.Close()

	p, err := docs.Source(ctx, "pump.txt")
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range p.Records {
		fmt.Println(r.Fields[vecwire.PartField], r.Fields[vecwire.StartField], r.Text)
	}
	// Output:
	// 0 0 The pump was serviced in May.
	// 1 31 Its seal was worn.
	// 2 51 A new one was fitted.
	// 3 74 Since then it runs dry.
}

func ExampleChunks() {
	chunks, err := chunk.Split("One sentence. And another one.", chunk.Options{Size: 6})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range vecwire.Chunks("a.txt", chunks) {
		fmt.Println(r.ID, r.Fields[vecwire.PartField], r.Text)
	}
	// Output:
	// a.txt#c580b4194ddc 0 One sentence.
	// a.txt#ae7f35d2664f 1 And another one.
}

func ExampleSourceFields() {
	for _, f := range vecwire.SourceFields() {
		fmt.Println(f.Name, f.Type, f.Index)
	}
	// Output:
	// source String true
	// part Int false
	// start Int false
}
