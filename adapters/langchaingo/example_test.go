package langchaingo_test

import (
	"context"
	"fmt"
	"log"

	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/langchaingo"
	"github.com/vecwire/vecwire/embed/lexical"
)

// A store in memory, with no server, no key and no download. A file or PostgreSQL
// differs only in the address that Open is given.
func Example() {
	ctx := context.Background()
	documents := []schema.Document{
		{PageContent: "slices.Sort sorts the elements of a slice", Metadata: map[string]any{"package": "slices", "since": "1.21"}},
		{PageContent: "sort.Ints sorts a slice of integers", Metadata: map[string]any{"package": "sort", "since": "1.0"}},
		{PageContent: "os.Remove removes a file or an empty folder", Metadata: map[string]any{"package": "os", "since": "1.0"}},
	}
	var fitter lexical.Fitter
	for _, doc := range documents {
		fitter.Add(doc.PageContent)
	}
	e, err := fitter.Fit(lexical.Options{})
	if err != nil {
		log.Fatal(err)
	}
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	docs, err := db.EnsureCollection(ctx, vecwire.Schema{
		Name: "docs", Dim: e.Dim(), Model: e.Model(),
		Fields: []vecwire.Field{{Name: "package", Index: true}, {Name: "meta", Type: vecwire.JSON}},
	})
	if err == nil {
		docs, err = docs.WithEmbedder(e)
	}
	if err != nil {
		log.Fatal(err)
	}
	store, err := langchaingo.New(docs)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := store.AddDocuments(ctx, documents); err != nil {
		log.Fatal(err)
	}
	found, err := store.SimilaritySearch(ctx, "sorting integers", 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found[0].PageContent, found[0].Metadata["since"])
	found, err = store.SimilaritySearch(ctx, "sorting integers", 1, vectorstores.WithFilters(map[string]any{"package": "slices"}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found[0].PageContent, found[0].Metadata["since"])
	// Output:
	// sort.Ints sorts a slice of integers 1.0
	// slices.Sort sorts the elements of a slice 1.21
}
