package typed_test

import (
	"context"
	"fmt"
	"log"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/typed"
)

func ExampleCollection_WithVectorEmbedder() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	type Book struct {
		ID     string
		Vector [2]float32 // of the text
		Title  string
		Head   []float32 `vecwire:"head,named"` // of the title
	}
	model := alphabet{}
	books, err := typed.Ensure[Book](ctx, db, "books", func(s *vecwire.Schema) {
		s.Vectors[0].Dim, s.Vectors[0].Model, s.Vectors[0].Source = model.Dim(), model.Model(), "title"
	})
	if err != nil {
		log.Fatal(err)
	}
	if books, err = books.WithVectorEmbedder("head", model); err != nil {
		log.Fatal(err)
	}
	err = books.Upsert(ctx, Book{ID: "1", Vector: [2]float32{1, 0}, Title: "banana"}, Book{ID: "2", Vector: [2]float32{0, 1}, Title: "voodoo"})
	if err != nil {
		log.Fatal(err)
	}
	hits, err := books.Search(ctx, vecwire.Query{In: "head", Text: "cocoon", K: 1, Vectors: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(hits[0].Value.Title, hits[0].Value.Vector, len(hits[0].Value.Head) == model.Dim())
	// Output: voodoo [0 1] true
}
