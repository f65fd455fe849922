package vecwire_test

import (
	"context"
	"fmt"
	"log"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// A list field holds tags, and an index finds records by them.
func ExampleField_lists() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{
		{Name: "tags", Type: vecwire.Strings, Index: true},
		{Name: "years", Type: vecwire.Ints},
	}})
	if err != nil {
		log.Fatal(err)
	}
	err = docs.Upsert(ctx,
		vecwire.Record{ID: "1", Vector: []float32{1, 0}, Fields: vecwire.Fields{"tags": []string{"go", "slices"}, "years": []int{2023, 2026}}},
		vecwire.Record{ID: "2", Vector: []float32{0, 1}, Fields: vecwire.Fields{"tags": []string{"go", "maps"}}},
		vecwire.Record{ID: "3", Vector: []float32{1, 1}, Fields: vecwire.Fields{"tags": []string{}}},
	)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range []filter.Filter{
		filter.ContainsAny("tags", "slices", "maps"),
		filter.ContainsAll("tags", "go", "slices"),
		filter.Not(filter.ContainsAny("tags", "go")),
		filter.Eq("years", []int{2023, 2026}),
		filter.IsNull("years"),
	} {
		fmt.Print(f, ":")
		for r, err := range docs.All(ctx, vecwire.Scan{Filter: f}) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Print(" ", r.ID)
		}
		fmt.Println()
	}
	// Output:
	// containsAny(tags, "slices", "maps"): 1 2
	// containsAll(tags, "go", "slices"): 1
	// !(containsAny(tags, "go")): 3
	// years == list(2023, 2026): 1
	// isNull(years): 2 3
}

// A JSON field holds an object of any depth, and a filter's path reaches into it.
func ExampleField_json() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, Extra: "meta", Fields: []vecwire.Field{
		{Name: "meta", Type: vecwire.JSON, Paths: []string{"author.name"}},
	}})
	if err != nil {
		log.Fatal(err)
	}
	err = docs.Upsert(ctx,
		vecwire.Record{ID: "1", Vector: []float32{1, 0}, Fields: vecwire.Fields{
			"author": map[string]any{"name": "gopher", "born": 2009}, "tags": []string{"go", "slices"}, // gathered in "meta"
		}},
		vecwire.Record{ID: "2", Vector: []float32{0, 1}, Fields: vecwire.Fields{"author": map[string]any{"name": "ferris"}}},
	)
	if err != nil {
		log.Fatal(err)
	}
	f, err := filter.Parse(`meta.author.name == "gopher" && meta.author.born < 2010 && containsAny(meta.tags, "go")`)
	if err != nil {
		log.Fatal(err)
	}
	for r, err := range docs.All(ctx, vecwire.Scan{Filter: f}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.ID, r.Fields["meta"])
	}
	n, err := docs.Count(ctx, filter.Not(filter.Exists("meta.author.born")))
	fmt.Println(n, err)
	// Output:
	// 1 map[author:map[born:2009 name:gopher] tags:[go slices]]
	// 1 <nil>
}

// The text can be filtered by its parts, in any case, and by its words.
func ExampleCollection_Count_text() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, FullText: vecwire.English})
	if err != nil {
		log.Fatal(err)
	}
	err = docs.Upsert(ctx,
		vecwire.Record{ID: "1", Vector: []float32{1, 0}, Text: "Searching slices in Go"},
		vecwire.Record{ID: "2", Vector: []float32{0, 1}, Text: "Maps and slices"},
	)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range []filter.Filter{filter.Contains("text", "slices"), filter.Prefix("text", "Maps"), filter.Like("text", "%SEARCH%go"), filter.Words("text", "slice searched")} {
		n, err := docs.Count(ctx, f)
		fmt.Println(f, n, err)
	}
	// Output:
	// contains(text, "slices") 2 <nil>
	// prefix(text, "Maps") 1 <nil>
	// like(text, "%SEARCH%go") 1 <nil>
	// words(text, "slice searched") 1 <nil>
}
