package lexical_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/embed/lexical"
)

var docs = []string{
	"Scanner reads a file line by line.",
	"Unmarshal parses JSON into a struct.",
	"WalkDir walks the tree of files below a folder.",
	"Sleep pauses the goroutine.",
}

func Example() {
	var fitter lexical.Fitter
	for _, doc := range docs {
		fitter.Add(doc)
	}
	embedder, err := fitter.Fit(lexical.Options{})
	if err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	vectors, err := embedder.Embed(ctx, docs, embed.Document)
	if err != nil {
		log.Fatal(err)
	}
	queries, err := embedder.Embed(ctx, []string{"reading the lines of a file"}, embed.Query)
	if err != nil {
		log.Fatal(err)
	}
	for i, vector := range vectors { // a collection with the Dot metric does this
		score := float32(0)
		for j, x := range vector {
			score += x * queries[0][j]
		}
		fmt.Printf("%5.2f  %s\n", score, docs[i])
	}
	// Output:
	//  3.55  Scanner reads a file line by line.
	//  0.00  Unmarshal parses JSON into a struct.
	//  0.56  WalkDir walks the tree of files below a folder.
	//  0.00  Sleep pauses the goroutine.
}

// A fitted model is kept with the vectors that it made, because another fit
// gives others.
func ExampleLoad() {
	dir, err := os.MkdirTemp("", "lexical")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	var fitter lexical.Fitter
	for _, doc := range docs {
		fitter.Add(doc)
	}
	embedder, err := fitter.Fit(lexical.Options{Dim: 256})
	if err != nil {
		log.Fatal(err)
	}
	path := filepath.Join(dir, "docs.model")
	if err := embedder.Save(path); err != nil {
		log.Fatal(err)
	}

	loaded, err := lexical.Load(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(loaded.Dim(), loaded.Model() == embedder.Model())
	// Output: 256 true
}
