package vecwire_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// Article is a record as a Go struct.
type Article struct {
	ID     string
	Vector [3]float32
	Text   string
	Lang   string `vecwire:"lang,index"`
	Stars  *int   // nil if nobody has rated it
}

func ExampleTyped() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	schema, err := vecwire.SchemaOf[Article]("articles")
	if err != nil {
		log.Fatal(err)
	}
	c, err := db.EnsureCollection(ctx, schema)
	if err != nil {
		log.Fatal(err)
	}
	articles, err := vecwire.NewTyped[Article](c)
	if err != nil {
		log.Fatal(err)
	}

	five := 5
	err = articles.Upsert(ctx,
		Article{ID: "1", Vector: [3]float32{1, 0, 0}, Text: "channels", Lang: "go", Stars: &five},
		Article{ID: "2", Vector: [3]float32{0.6, 0.8, 0}, Text: "goroutines", Lang: "go"},
		Article{ID: "3", Vector: [3]float32{1, 0, 0}, Text: "lifetimes", Lang: "rust"},
	)
	if err != nil {
		log.Fatal(err)
	}
	hits, err := articles.Search(ctx, vecwire.Query{Vector: []float32{1, 0, 0}, Filter: filter.Eq("lang", "go")})
	if err != nil {
		log.Fatal(err)
	}
	for _, h := range hits {
		fmt.Printf("%.2f %s", h.Score, h.Value.Text)
		if h.Value.Stars != nil {
			fmt.Printf(", %d stars", *h.Value.Stars)
		}
		fmt.Println()
	}
	n, err := articles.Collection().Count(ctx, filter.IsNull("stars"))
	fmt.Println(n, "without stars", err)
	// Output:
	// 1.00 channels, 5 stars
	// 0.60 goroutines
	// 2 without stars <nil>
}

func ExampleSchemaOf() {
	type Page struct {
		URL    string    `vecwire:"id"`
		Vector []float32 `vecwire:",dim=384"`
		SeenAt string
		Rank   float32 `vecwire:"page_rank,index"`
	}
	s, err := vecwire.SchemaOf[Page]("pages")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Name, s.Dim, s.Element)
	for _, f := range s.Fields {
		fmt.Println(f.Name, f.Type, f.Index)
	}
	// Output:
	// pages 384 FLOAT
	// seen_at String false
	// page_rank Float true
}

// Errors name the struct's field.
func ExampleStructError() {
	type Page struct {
		ID   string
		Tags []string
	}
	_, err := vecwire.SchemaOf[Page]("pages")
	var field *vecwire.StructError
	fmt.Println(errors.As(err, &field), field.Type, field.Field)
	// Output: true vecwire_test.Page Tags
}
