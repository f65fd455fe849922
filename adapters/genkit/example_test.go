package genkitvecwire_test

import (
	"context"
	"fmt"
	"log"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/genkit"

	"github.com/vecwire/vecwire"
	genkitvecwire "github.com/vecwire/vecwire/adapters/genkit"
	"github.com/vecwire/vecwire/embed/lexical"
)

// A flow that retrieves from a store in memory, with no server, no key and no
// download. A file or PostgreSQL differs only in the address that Open is given.
func Example() {
	ctx := context.Background()
	documents := []*ai.Document{
		ai.DocumentFromText("slices.Sort sorts the elements of a slice", map[string]any{"package": "slices", "since": "1.21"}),
		ai.DocumentFromText("sort.Ints sorts a slice of integers", map[string]any{"package": "sort", "since": "1.0"}),
		ai.DocumentFromText("os.Remove removes a file or an empty folder", map[string]any{"package": "os", "since": "1.0"}),
	}
	var fitter lexical.Fitter
	for _, doc := range documents {
		fitter.Add(doc.Content[0].Text)
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

	p := &genkitvecwire.Vecwire{}
	g := genkit.Init(ctx, genkit.WithPlugins(p))
	store, retriever, err := genkitvecwire.DefineRetriever(ctx, g, p, &genkitvecwire.Config{Collection: docs})
	if err != nil {
		log.Fatal(err)
	}
	if err := genkitvecwire.Index(ctx, documents, store); err != nil {
		log.Fatal(err)
	}
	find := genkit.DefineFlow(g, "find", func(ctx context.Context, question string) (string, error) {
		found, err := genkit.Retrieve(ctx, g, ai.WithRetriever(retriever), ai.WithTextDocs(question), ai.WithConfig(
			&genkitvecwire.RetrieverOptions{K: 1, Filter: map[string]any{"package": map[string]any{"$ne": "slices"}}}))
		if err != nil {
			return "", err
		}
		best := found.Documents[0]
		return fmt.Sprint(best.Content[0].Text, " since ", best.Metadata["since"]), nil
	})
	fmt.Println(find.Run(ctx, "sorting integers"))
	// Output: sort.Ints sorts a slice of integers since 1.0 <nil>
}
