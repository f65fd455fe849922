package eino_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/cloudwego/eino/components/retriever"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/eino"
	"github.com/vecwire/vecwire/embed/lexical"
)

// A graph that answers from a store in memory, with no server, no key and no
// download. A file or PostgreSQL differs only in the address that Open is given.
func Example() {
	ctx := context.Background()
	texts := []string{
		"slices.Compact removes duplicates that stand next to each other",
		"slices.Sort sorts the elements of a slice",
		"os.Remove removes a file or an empty folder",
	}
	var fitter lexical.Fitter
	for _, text := range texts {
		fitter.Add(text)
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

	indexer, err := eino.NewIndexer(ctx, &eino.IndexerConfig{Collection: docs})
	if err != nil {
		log.Fatal(err)
	}
	in := make([]*schema.Document, len(texts))
	for i, text := range texts {
		name, _, _ := strings.Cut(text, ".")
		in[i] = &schema.Document{ID: fmt.Sprint(i), Content: text, MetaData: map[string]any{"package": name, "line": i}}
	}
	if _, err := indexer.Store(ctx, in); err != nil {
		log.Fatal(err)
	}

	find, err := eino.NewRetriever(ctx, &eino.RetrieverConfig{Collection: docs, TopK: 1})
	if err != nil {
		log.Fatal(err)
	}
	chain := compose.NewChain[string, string]()
	chain.AppendRetriever(find)
	chain.AppendLambda(compose.InvokableLambda(func(_ context.Context, docs []*schema.Document) (string, error) {
		return fmt.Sprintf("line %v: %s", docs[0].MetaData["line"], docs[0].Content), nil
	}))
	run, err := chain.Compile(ctx)
	if err != nil {
		log.Fatal(err)
	}
	answer, err := run.Invoke(ctx, "how do I remove something?")
	fmt.Println(answer, err)
	answer, err = run.Invoke(ctx, "how do I remove something?", compose.WithRetrieverOption(
		retriever.WithDSLInfo(map[string]any{"package": "slices"})))
	fmt.Println(answer, err)
	// Output:
	// line 2: os.Remove removes a file or an empty folder <nil>
	// line 0: slices.Compact removes duplicates that stand next to each other <nil>
}
