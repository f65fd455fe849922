package vecwire_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/vecwire/vecwire"
)

// notes returns a database and a collection of texts.
func notes(ctx context.Context) (*vecwire.DB, *vecwire.Collection) {
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "notes", Dim: 2, FullText: vecwire.English})
	if err != nil {
		log.Fatal(err)
	}
	err = c.Upsert(ctx,
		vecwire.Record{ID: "1", Vector: []float32{1, 0}, Text: "Open a file in Go and read it."},
		vecwire.Record{ID: "2", Vector: []float32{0.9, 0.1}, Text: "Open a file in Java."},
		vecwire.Record{ID: "3", Vector: []float32{0, 1}, Text: "A socket is a file that is opened by the network."},
	)
	if err != nil {
		log.Fatal(err)
	}
	return db, c
}

func ExampleFusion() {
	ctx := context.Background()
	db, c := notes(ctx)
	defer db.Close()

	hits, err := c.Search(ctx, vecwire.Query{
		Vector: []float32{1, 0}, Text: `"open a file" -java`,
		Fusion: &vecwire.Fusion{Syntax: vecwire.Web},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, h := range hits {
		fmt.Printf("%s %.2f by vectors: %d, by words: %d\n", h.ID, h.Score, h.Explanation.Vector.Rank, h.Explanation.Text.Rank)
	}
	// Output:
	// 1 1.00 by vectors: 1, by words: 1
	// 3 0.49 by vectors: 2, by words: 0
}

func ExampleSnippet() {
	ctx := context.Background()
	db, c := notes(ctx)
	defer db.Close()

	hits, err := c.Search(ctx, vecwire.Query{Text: "opening sockets", K: 1, Snippets: 40, Fusion: &vecwire.Fusion{TextOnly: true}})
	if err != nil {
		log.Fatal(err)
	}
	s := hits[0].Snippet
	fmt.Printf("%q\n", s.Text)
	for _, w := range s.Words {
		fmt.Println(hits[0].Text[w.Start:w.End])
	}
	// Output:
	// "A socket is a file that is opened by the"
	// socket
	// opened
}

func ExampleRecency() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "news", Dim: 2, Fields: []vecwire.Field{{Name: "at", Type: vecwire.Time}}})
	if err != nil {
		log.Fatal(err)
	}
	now := time.Now()
	err = c.Upsert(ctx,
		vecwire.Record{ID: "old", Vector: []float32{1, 0}, Fields: vecwire.Fields{"at": now.AddDate(-1, 0, 0)}},
		vecwire.Record{ID: "new", Vector: []float32{0.9, 0.4}, Fields: vecwire.Fields{"at": now}},
	)
	if err != nil {
		log.Fatal(err)
	}
	hits, err := c.Search(ctx, vecwire.Query{
		Vector: []float32{1, 0},
		Boosts: []vecwire.Boost{vecwire.Recency("at", 30*24*time.Hour, 0.3).At(now)},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, h := range hits {
		fmt.Printf("%s %.2f = %.2f + %.2f\n", h.ID, h.Score, h.Explanation.Base, h.Explanation.Boosts[0])
	}
	// Output:
	// new 1.21 = 0.91 + 0.30
	// old 1.00 = 1.00 + 0.00
}
