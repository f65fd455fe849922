package builtin_test

import (
	"context"
	"fmt"
	"log"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed/builtin"
)

// Texts go in, and come out by what they mean.
func Example() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:") // or a file: "notes.db"
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	model := builtin.New()
	notes, err := db.CreateCollection(ctx, vecwire.Schema{Name: "notes", Dim: model.Dim(), Model: model.Model(), FullText: vecwire.English})
	if err != nil {
		log.Fatal(err)
	}
	if notes, err = notes.WithEmbedder(model); err != nil {
		log.Fatal(err)
	}
	err = notes.Upsert(ctx,
		vecwire.Record{ID: "1", Text: "The cat sleeps on the warm windowsill."},
		vecwire.Record{ID: "2", Text: "Quarterly revenue grew by twelve percent."},
		vecwire.Record{ID: "3", Text: "Water the tomatoes every evening in July."},
	)
	if err != nil {
		log.Fatal(err)
	}
	for _, question := range []string{"pets", "how is business going?", "gardening in summer"} {
		hits, err := notes.Search(ctx, vecwire.Query{Text: question, K: 1, Fusion: &vecwire.Fusion{}})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %s\n", question, hits[0].Text)
	}
	// Output:
	// pets: The cat sleeps on the warm windowsill.
	// how is business going?: Quarterly revenue grew by twelve percent.
	// gardening in summer: Water the tomatoes every evening in July.
}
