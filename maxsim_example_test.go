package vecwire_test

import (
	"context"
	"fmt"
	"log"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/rerank"
)

func ExampleMaxSim() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{{Name: "tokens", Type: vecwire.Bytes}}})
	if err != nil {
		log.Fatal(err)
	}
	// A model gives a vector for the whole text, and one for each of its tokens.
	for id, tokens := range map[string][][]float32{"1": {{0.6, 0.8}, {0.8, 0.6}}, "2": {{1, 0}, {0, 1}}} {
		packed, err := rerank.PackTokens(tokens)
		if err != nil {
			log.Fatal(err)
		}
		if err := c.Upsert(ctx, vecwire.Record{ID: id, Vector: []float32{0.7, 0.7}, Fields: vecwire.Fields{"tokens": packed}}); err != nil {
			log.Fatal(err)
		}
	}
	hits, err := c.Search(ctx, vecwire.Query{
		Vector: []float32{0.7, 0.7}, IDsOnly: true,
		MaxSim: &vecwire.MaxSim{Field: "tokens", Tokens: [][]float32{{1, 0}, {0, 1}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, h := range hits {
		fmt.Printf("%s %.1f\n", h.ID, h.Score)
	}
	// Output:
	// 2 2.0
	// 1 1.6
}
