package typed_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/typed"
)

// Article is a record as a Go struct.
type Article struct {
	ID     string
	Vector [3]float32
	Text   string
	Lang   string `vecwire:"lang,index"`
	Stars  *int   // nil if it has not been rated
}

// library opens a database in memory with three articles.
func library(ctx context.Context) (*vecwire.DB, *typed.Collection[Article]) {
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	articles, err := typed.Ensure[Article](ctx, db, "articles")
	if err != nil {
		log.Fatal(err)
	}
	err = articles.Upsert(ctx,
		Article{ID: "1", Vector: [3]float32{1, 0, 0}, Text: "channels", Lang: "go", Stars: new(5)},
		Article{ID: "2", Vector: [3]float32{0.6, 0.8, 0}, Text: "goroutines", Lang: "go"},
		Article{ID: "3", Vector: [3]float32{0, 0, 1}, Text: "lifetimes", Lang: "rust", Stars: new(4)},
	)
	if err != nil {
		log.Fatal(err)
	}
	return db, articles
}

func Example() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	articles, err := typed.Ensure[Article](ctx, db, "articles")
	if err != nil {
		log.Fatal(err)
	}
	err = articles.Upsert(ctx,
		Article{ID: "1", Vector: [3]float32{1, 0, 0}, Text: "channels", Lang: "go", Stars: new(5)},
		Article{ID: "2", Vector: [3]float32{0.6, 0.8, 0}, Text: "goroutines", Lang: "go"},
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
	n, err := articles.Count(ctx, filter.IsNull("stars"))
	fmt.Println(n, "without stars", err)
	// Output:
	// 1.00 channels, 5 stars
	// 0.60 goroutines
	// 1 without stars <nil>
}

func ExampleEnsure() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	type Page struct {
		URL  string `vecwire:"id"`
		Text string
	}
	model := alphabet{}
	pages, err := typed.Ensure[Page](ctx, db, "pages", func(s *vecwire.Schema) {
		s.Dim, s.Model = model.Dim(), model.Model() // the struct has no vector that would say it
		s.FullText = vecwire.Words
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pages.Schema().Name, pages.Schema().Dim, pages.Schema().Model)
	// Output: pages 26 alphabet
}

func ExampleOf() {
	ctx := context.Background()
	db, _ := library(ctx)
	defer db.Close()

	c, err := db.OpenCollection(ctx, "articles")
	if err != nil {
		log.Fatal(err)
	}
	type Summary struct { // a struct for reading may leave out the vector
		ID   string
		Text string
		Rest vecwire.Fields `vecwire:"*"`
	}
	summaries, err := typed.Of[Summary](c)
	if err != nil {
		log.Fatal(err)
	}
	found, err := summaries.Get(ctx, "3")
	fmt.Println(found, err)

	_, err = typed.Of[struct{ ID, Lang string }](c)
	fmt.Println(err)
	// Output:
	// [{3 lifetimes map[lang:rust stars:4]}] <nil>
	// vecwire: type articles: struct { ID string; Lang string }: schema of "articles": field "stars" has no field in the struct, and Upsert would erase it: add one, or one of type vecwire.Fields with the tag vecwire:"*"
}

func ExampleSchemaOf() {
	type Page struct {
		URL    string    `vecwire:"id"`
		Vector []float32 `vecwire:",dim=384"`
		SeenAt string
		Rank   float32 `vecwire:"page_rank,index"`
	}
	s, err := typed.SchemaOf[Page]("pages")
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
		ID    string
		Queue chan int
	}
	_, err := typed.SchemaOf[Page]("pages")
	var field *typed.StructError
	fmt.Println(errors.As(err, &field), field.Type, field.Field)
	// Output: true typed_test.Page Queue
}

func ExampleCollection_WithEmbedder() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	type Word struct{ ID, Text string }
	model := alphabet{}
	bare, err := typed.Ensure[Word](ctx, db, "words", func(s *vecwire.Schema) { s.Dim, s.Model = model.Dim(), model.Model() })
	if err != nil {
		log.Fatal(err)
	}
	words, err := bare.WithEmbedder(model)
	if err != nil {
		log.Fatal(err)
	}
	if err := words.Upsert(ctx, Word{"1", "banana"}, Word{"2", "voodoo"}); err != nil {
		log.Fatal(err)
	}
	hits, err := words.Search(ctx, vecwire.Query{Text: "cocoon", K: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(hits[0].Value.Text)
	// Output: voodoo
}

func ExampleCollection_Namespace() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	type Note struct {
		ID        string
		Vector    [2]float32
		Namespace string `vecwire:",index"`
	}
	notes, err := typed.Ensure[Note](ctx, db, "notes")
	if err != nil {
		log.Fatal(err)
	}
	for _, tenant := range []string{"acme", "umbrella"} {
		part, err := notes.Namespace(tenant)
		if err != nil {
			log.Fatal(err)
		}
		if err := part.Upsert(ctx, Note{ID: "1", Vector: [2]float32{1, 0}}); err != nil {
			log.Fatal(err)
		}
		own, err := part.Get(ctx, "1")
		fmt.Println(own[0].ID, own[0].Namespace, err)
	}
	n, err := notes.Count(ctx, filter.Filter{})
	fmt.Println(n, err)
	// Output:
	// 1 acme <nil>
	// 1 umbrella <nil>
	// 2 <nil>
}

func ExampleCollection_Record() {
	ctx := context.Background()
	db, articles := library(ctx)
	defer db.Close()

	r, err := articles.Record(Article{ID: "4", Vector: [3]float32{0, 1, 0}, Lang: "zig"})
	fmt.Println(r.ID, r.Vector, r.Fields, err)
	// Output: 4 [0 1 0] map[lang:zig] <nil>
}

func ExampleCollection_Value() {
	ctx := context.Background()
	db, articles := library(ctx)
	defer db.Close()

	a, err := articles.Value(vecwire.Record{ID: "4", Text: "comptime", Fields: vecwire.Fields{"lang": "zig"}})
	fmt.Println(a.ID, a.Text, a.Lang, a.Stars == nil, err)
	_, err = articles.Value(vecwire.Record{ID: "4", Fields: vecwire.Fields{"stars": "many"}})
	fmt.Println(err)
	// Output:
	// 4 comptime zig true <nil>
	// typed_test.Article.Stars: stars is String "many", want Int that int holds
}

func ExampleCollection_Upsert() {
	ctx := context.Background()
	db, articles := library(ctx)
	defer db.Close()

	err := articles.Upsert(ctx, Article{ID: "2", Vector: [3]float32{0.6, 0.8, 0}, Text: "goroutines", Lang: "go", Stars: new(5)})
	fmt.Println(err)
	err = articles.Upsert(ctx, Article{ID: "4", Vector: [3]float32{1, 0, 0}, Lang: "\xff"})
	fmt.Println(err)
	// Output:
	// <nil>
	// vecwire: upsert into articles: 1 of 1 records refused, none stored: record 0 (id "4"): typed_test.Article.Lang: lang is String "\xff", want String in valid UTF-8
}

func ExampleCollection_Insert() {
	ctx := context.Background()
	db, articles := library(ctx)
	defer db.Close()

	fmt.Println(articles.Insert(ctx, Article{ID: "4", Vector: [3]float32{0, 1, 0}, Text: "comptime", Lang: "zig"}))
	err := articles.Insert(ctx, Article{ID: "1", Vector: [3]float32{0, 1, 0}})
	fmt.Println(errors.Is(err, vecwire.ErrExists))
	// Output:
	// <nil>
	// true
}

func ExampleCollection_Ingest() {
	ctx := context.Background()
	db, articles := library(ctx)
	defer db.Close()

	var input iter.Seq2[Article, error] = func(yield func(Article, error) bool) { // lines of a file, rows of a query, …
		for i := range 1000 {
			if !yield(Article{ID: fmt.Sprint(i), Vector: [3]float32{1, float32(i), 0}, Text: fmt.Sprint("article ", i)}, nil) {
				return
			}
		}
	}
	report, err := articles.Ingest(ctx, input, vecwire.IngestOptions{})
	fmt.Println(report.Inserted, report.Updated, report.Failed, err)
	// Output: 997 3 0 <nil>
}

func ExampleCollection_ReplaceSource() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	type Chunk struct {
		ID     string
		Vector [2]float32
		Source string `vecwire:",index"`
	}
	chunks, err := typed.Ensure[Chunk](ctx, db, "chunks")
	if err != nil {
		log.Fatal(err)
	}
	for _, guide := range [][]Chunk{
		{{ID: "guide.md#0", Vector: [2]float32{1, 0}}, {ID: "guide.md#1", Vector: [2]float32{0, 1}}},
		{{ID: "guide.md#0", Vector: [2]float32{1, 0}}},
	} {
		report, err := chunks.ReplaceSource(ctx, "guide.md", guide...)
		fmt.Println(report.Inserted, report.Unchanged, report.Deleted, err)
	}
	// Output:
	// 2 0 0 <nil>
	// 0 1 1 <nil>
}

func ExampleCollection_Source() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	type Chunk struct {
		ID     string
		Vector [2]float32
		Text   string
		Source string `vecwire:",index"`
		Part   int    // ReplaceSource fills it
	}
	chunks, err := typed.Ensure[Chunk](ctx, db, "chunks")
	if err != nil {
		log.Fatal(err)
	}
	_, err = chunks.ReplaceSource(ctx, "guide.md",
		Chunk{ID: "intro", Vector: [2]float32{1, 0}, Text: "Gophers dig."}, Chunk{ID: "end", Vector: [2]float32{0, 1}, Text: "Crabs pinch."})
	if err != nil {
		log.Fatal(err)
	}
	guide, err := chunks.Source(ctx, "guide.md")
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range guide {
		fmt.Println(c.Part, c.Text)
	}
	// Output:
	// 0 Gophers dig.
	// 1 Crabs pinch.
}

func ExampleCollection_Get() {
	ctx := context.Background()
	db, articles := library(ctx)
	defer db.Close()

	found, err := articles.Get(ctx, "3", "none", "1")
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range found {
		fmt.Println(a.ID, a.Vector, a.Text, *a.Stars)
	}
	// Output:
	// 3 [0 0 1] lifetimes 4
	// 1 [1 0 0] channels 5
}

func ExampleCollection_All() {
	ctx := context.Background()
	db, articles := library(ctx)
	defer db.Close()

	for a, err := range articles.All(ctx, vecwire.Scan{Filter: filter.Eq("lang", "go")}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(a.ID, a.Text)
	}
	// Output:
	// 1 channels
	// 2 goroutines
}

func ExampleCollection_Search() {
	ctx := context.Background()
	db, articles := library(ctx)
	defer db.Close()

	hits, err := articles.Search(ctx, vecwire.Query{Vector: []float32{0.8, 0.6, 0}, K: 2})
	if err != nil {
		log.Fatal(err)
	}
	for _, h := range hits {
		fmt.Printf("%.2f %s\n", h.Score, h.Value.Text)
	}
	// Output:
	// 0.96 goroutines
	// 0.80 channels
}

func ExampleCollection_SearchMany() {
	ctx := context.Background()
	db, articles := library(ctx)
	defer db.Close()

	results, err := articles.SearchMany(ctx, []vecwire.Query{
		{Vector: []float32{1, 0, 0}, K: 1},
		{Vector: []float32{0, 0, 1}, K: 1},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range results {
		fmt.Println(r.Hits[0].Value.Text, r.Exact)
	}
	// Output:
	// channels true
	// lifetimes true
}

func ExampleCollection_SearchAll() {
	ctx := context.Background()
	db, articles := library(ctx)
	defer db.Close()

	for h, err := range articles.SearchAll(ctx, vecwire.Query{Vector: []float32{1, 0, 0}}) {
		if err != nil {
			log.Fatal(err)
		}
		if h.Value.Stars != nil && *h.Value.Stars == 4 { // what no filter says
			fmt.Println(h.Value.Text)
			break
		}
	}
	// Output: lifetimes
}

func ExampleCollection_Update() {
	ctx := context.Background()
	db, articles := library(ctx)
	defer db.Close()

	fmt.Println(articles.Update(ctx, vecwire.Change{ID: "2", Set: vecwire.Fields{"stars": 3}, If: filter.IsNull("stars")}))
	err := articles.Update(ctx, vecwire.Change{ID: "2", Set: vecwire.Fields{"stars": "many"}})
	fmt.Println(err)
	// Output:
	// <nil>
	// vecwire: update articles: 1 of 1 records refused, none stored: record 0 (id "2"): typed_test.Article.Stars: stars is String "many", want Int
}

func ExampleCollection_UpdateWhere() {
	ctx := context.Background()
	db, articles := library(ctx)
	defer db.Close()

	n, err := articles.UpdateWhere(ctx, filter.Eq("lang", "go"), vecwire.Fields{"lang": "golang", "stars": nil})
	fmt.Println(n, err)
	// Output: 2 <nil>
}

func ExampleCollection_Change() {
	ctx := context.Background()
	db, articles := library(ctx)
	defer db.Close()

	a := Article{ID: "1", Text: "channels and select", Lang: "not changed"}
	change, err := articles.Change(a, "text", "stars")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(articles.Update(ctx, change))
	found, err := articles.Get(ctx, "1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found[0].Text, found[0].Vector, found[0].Lang, found[0].Stars == nil)
	// Output:
	// <nil>
	// channels and select [1 0 0] go true
}
