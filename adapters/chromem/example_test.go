package chromem_test

import (
	"context"
	"fmt"
	"log"
	"os"

	original "github.com/philippgille/chromem-go"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/chromem"
	"github.com/vecwire/vecwire/filter"
)

// letters is a toy that needs no model.
func letters(_ context.Context, text string) ([]float32, error) {
	v := make([]float32, 26)
	for _, r := range text {
		if r >= 'a' && r <= 'z' {
			v[r-'a']++
		}
	}
	return v, nil
}

// The program is chromem-go's own example, with another import path.
func Example() {
	ctx := context.Background()
	db := chromem.NewDB()
	defer db.Close()

	c, err := db.CreateCollection("knowledge-base", nil, letters)
	if err != nil {
		log.Fatal(err)
	}
	err = c.AddDocuments(ctx, []chromem.Document{
		{ID: "1", Content: "the sky is blue because of rayleigh scattering", Metadata: map[string]string{"about": "sky"}},
		{ID: "2", Content: "leaves are green because chlorophyll absorbs red and blue light"},
	}, 2)
	if err != nil {
		log.Fatal(err)
	}
	results, err := c.Query(ctx, "why is the sky blue?", 1, nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %.2f %s\n", results[0].ID, results[0].Similarity, results[0].Metadata["about"])
	// Output: 1 0.80 sky
}

// A directory of chromem-go's becomes a collection with typed fields.
func ExampleOpenDir() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "chromem")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	old, err := original.NewPersistentDB(dir, false)
	if err != nil {
		log.Fatal(err)
	}
	c, err := old.CreateCollection("papers", nil, letters)
	if err != nil {
		log.Fatal(err)
	}
	if err := c.AddDocument(ctx, original.Document{ID: "1", Content: "attention", Metadata: map[string]string{"year": "2017"}}); err != nil {
		log.Fatal(err)
	}

	src, err := chromem.OpenDir(dir)
	if err != nil {
		log.Fatal(err)
	}
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	for _, info := range src.Collections() {
		docs, err := db.EnsureCollection(ctx, vecwire.Schema{
			Name: info.Name, Dim: info.Dim,
			Fields: []vecwire.Field{{Name: "year", Type: vecwire.Int, Index: true}, {Name: "meta", Type: vecwire.JSON}},
		})
		if err != nil {
			log.Fatal(err)
		}
		report, err := docs.Ingest(ctx, src.Records(info.Name, docs.Schema()), vecwire.IngestOptions{})
		if err != nil {
			log.Fatal(err)
		}
		n, err := docs.Count(ctx, filter.Lt("year", 2020))
		fmt.Println(info.Name, report.Inserted, n, err)
	}
	// Output: papers 1 1 <nil>
}
