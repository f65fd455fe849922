package vecwire_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// boosted searches the fruit with a boost and prints what it added to each hit.
func boosted(b vecwire.Boost) {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()
	hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 1, 1}, Boosts: []vecwire.Boost{b}})
	if err != nil {
		log.Fatal(err)
	}
	for _, h := range hits {
		fmt.Printf("%s %.2f = %.2f + %.2f\n", h.ID, h.Score, h.Explanation.Base, h.Explanation.Boosts[0])
	}
}

func ExampleSaturation() {
	boosted(vecwire.Saturation("grams", 1000, 0.3)) // half of 0.3 at 1,000 grams
	// Output:
	// melon 1.13 = 0.93 + 0.20
	// lemon 0.87 = 0.87 + 0.00
	// cherry 0.86 = 0.86 + 0.00
}

func ExampleBonus() {
	boosted(vecwire.Bonus(filter.Eq("tree", true), 0.1))
	// Output:
	// lemon 0.97 = 0.87 + 0.10
	// cherry 0.96 = 0.86 + 0.10
	// melon 0.93 = 0.93 + 0.00
}

func ExampleBoost_At() {
	// Every page of an answer sees ages from the same time.
	asked := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	recent := []vecwire.Boost{vecwire.Recency("at", 7*24*time.Hour, 0.2).At(asked)}
	first := vecwire.Query{Text: "news", K: 10, Candidates: 100, Boosts: recent}
	second := first
	second.Offset = 10
	fmt.Println(first.Offset, second.Offset)
	// Output: 0 10
}

func ExampleStem() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "texte", Dim: 1, FullText: vecwire.Stem("de")})
	if err != nil {
		log.Fatal(err)
	}
	err = c.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1}, Text: "Die alten Häuser"})
	if err != nil {
		log.Fatal(err)
	}
	hits, err := c.Search(ctx, vecwire.Query{Text: "Haus", Fusion: &vecwire.Fusion{TextOnly: true}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(hits[0].Text)
	// Output: Die alten Häuser
}

func ExampleParseFullText() {
	f, known := vecwire.ParseFullText("stem-de")
	fmt.Println(f == vecwire.Stem("de"), known)
	// Output: true true
}
