package vecwire_test

import (
	"context"
	"fmt"
	"log"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// goods returns a database and a collection of goods, with a vector of the text, one of
// the name and one of the picture.
func goods(ctx context.Context) (*vecwire.DB, *vecwire.Collection) {
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	c, err := db.CreateCollection(ctx, vecwire.Schema{
		Name: "goods", Dim: 2, Fields: []vecwire.Field{{Name: "name"}, {Name: "price", Type: vecwire.Int}},
		Vectors: []vecwire.VectorField{
			{Name: "of_name", Dim: 3, Model: "vowels", Source: "name"},
			{Name: "picture", Dim: 3, Metric: vecwire.L2},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	err = c.Upsert(ctx,
		vecwire.Record{ID: "1", Vector: []float32{1, 0}, Fields: vecwire.Fields{"name": "red shoe", "price": 90},
			Vectors: map[string][]float32{"picture": {1, 0, 0}}},
		vecwire.Record{ID: "2", Vector: []float32{0.9, 0.1}, Fields: vecwire.Fields{"name": "blue shoe", "price": 60},
			Vectors: map[string][]float32{"picture": {0, 0, 1}}},
		vecwire.Record{ID: "3", Vector: []float32{0, 1}, Fields: vecwire.Fields{"name": "blue hat", "price": 20}}, // without a picture
	)
	if err != nil {
		log.Fatal(err)
	}
	return db, c
}

func ExampleVectorField() {
	ctx := context.Background()
	db, c := goods(ctx)
	defer db.Close()

	hits, err := c.Search(ctx, vecwire.Query{In: "picture", Vector: []float32{0.1, 0, 0.9}, Filter: filter.Lt("price", 80)})
	if err != nil {
		log.Fatal(err)
	}
	for _, h := range hits {
		fmt.Printf("%s %s, %.2f away\n", h.ID, h.Fields["name"], h.Distance)
	}
	// Output:
	// 2 blue shoe, 0.14 away
}

func ExampleCollection_In() {
	ctx := context.Background()
	db, c := goods(ctx)
	defer db.Close()

	pictures, err := c.In("picture")
	if err != nil {
		log.Fatal(err)
	}
	if err := pictures.BuildIndex(ctx, vecwire.IndexOptions{}); err != nil {
		log.Fatal(err)
	}
	hits, err := pictures.Search(ctx, vecwire.Query{Vector: []float32{1, 0, 0}, K: 1, Vectors: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pictures.Schema().Dim, hits[0].ID, hits[0].Vector)
	// Output:
	// 3 1 [1 0 0]
}

func ExampleCollection_WithVectorEmbedder() {
	ctx := context.Background()
	db, c := goods(ctx)
	defer db.Close()

	c, err := c.WithVectorEmbedder("of_name", vowels{})
	if err != nil {
		log.Fatal(err)
	}
	// The names are embedded as they are written, and so is the question.
	err = c.Upsert(ctx,
		vecwire.Record{ID: "4", Vector: []float32{0, 1}, Fields: vecwire.Fields{"name": "green hat"}},
		vecwire.Record{ID: "5", Vector: []float32{0, 1}, Fields: vecwire.Fields{"name": "green coat"}},
	)
	if err != nil {
		log.Fatal(err)
	}
	hits, err := c.Search(ctx, vecwire.Query{In: "of_name", Text: "a coat", K: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(hits[0].ID, hits[0].Fields["name"])
	// Output:
	// 5 green coat
}
