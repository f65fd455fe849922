package vecwire_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
)

// fruit opens a database in memory with three records. The vectors are made by
// hand: how red, how sweet, how large.
func fruit(ctx context.Context) (*vecwire.DB, *vecwire.Collection) {
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	c, err := db.CreateCollection(ctx, vecwire.Schema{
		Name:   "fruit",
		Dim:    3,
		Fields: []vecwire.Field{{Name: "tree", Type: vecwire.Bool}, {Name: "grams", Type: vecwire.Int, Index: true}},
	})
	if err != nil {
		log.Fatal(err)
	}
	err = c.Upsert(ctx,
		vecwire.Record{ID: "cherry", Vector: []float32{0.9, 0.8, 0.1}, Text: "small and red", Fields: vecwire.Fields{"tree": true, "grams": 8}},
		vecwire.Record{ID: "melon", Vector: []float32{0.3, 0.7, 0.9}, Text: "large and sweet", Fields: vecwire.Fields{"tree": false, "grams": 2000}},
		vecwire.Record{ID: "lemon", Vector: []float32{0.1, 0.1, 0.3}, Text: "sour", Fields: vecwire.Fields{"tree": true}},
	)
	if err != nil {
		log.Fatal(err)
	}
	return db, c
}

func Example() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:") // or "vectors.db", which keeps what is stored
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 3, Fields: []vecwire.Field{{Name: "lang"}}})
	if err != nil {
		log.Fatal(err)
	}
	err = docs.Upsert(ctx,
		vecwire.Record{ID: "1", Vector: []float32{1, 0, 0}, Text: "channels", Fields: vecwire.Fields{"lang": "go"}},
		vecwire.Record{ID: "2", Vector: []float32{0.6, 0.8, 0}, Text: "goroutines", Fields: vecwire.Fields{"lang": "go"}},
		vecwire.Record{ID: "3", Vector: []float32{1, 0, 0}, Text: "lifetimes", Fields: vecwire.Fields{"lang": "rust"}},
	)
	if err != nil {
		log.Fatal(err)
	}
	hits, err := docs.Search(ctx, vecwire.Query{Vector: []float32{1, 0, 0}, K: 2, Filter: filter.Eq("lang", "go")})
	if err != nil {
		log.Fatal(err)
	}
	for _, h := range hits {
		fmt.Printf("%s %.2f %s\n", h.ID, h.Score, h.Text)
	}
	// Output:
	// 1 1.00 channels
	// 2 0.60 goroutines
}

func ExampleOpen() {
	ctx := context.Background()
	_, err := vecwire.Open(ctx, "mysql://example.com")
	var connect *vecwire.ConnectError
	if errors.As(err, &connect) {
		fmt.Println(connect.Err)
	}
	// Output: unknown scheme "mysql"
}

func ExampleDB_CreateCollection() {
	ctx := context.Background()
	db, _ := fruit(ctx)
	defer db.Close()

	_, err := db.CreateCollection(ctx, vecwire.Schema{Name: "fruit", Dim: 8})
	fmt.Println(errors.Is(err, vecwire.ErrExists))
	_, err = db.CreateCollection(ctx, vecwire.Schema{Name: "books", Dim: 8, Fields: []vecwire.Field{{Name: "page count"}}})
	fmt.Println(err)
	// Output:
	// true
	// vecwire: create collection books: schema of "books": field "page count" must be 1 to 48 letters, digits and underscores, beginning with a letter
}

func ExampleDB_OpenCollection() {
	ctx := context.Background()
	db, _ := fruit(ctx)
	defer db.Close()

	c, err := db.OpenCollection(ctx, "fruit")
	fmt.Println(c.Schema().Dim, err)
	_, err = db.OpenCollection(ctx, "vegetables")
	fmt.Println(err)
	// Output:
	// 3 <nil>
	// vecwire: open collection vegetables: not found
}

func ExampleDB_Collections() {
	ctx := context.Background()
	db, _ := fruit(ctx)
	defer db.Close()

	schemas, err := db.Collections(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range schemas {
		fmt.Println(s.Name, s.Dim, s.Element, s.Metric)
	}
	// Output: fruit 3 FLOAT cosine
}

func ExampleDB_DropCollection() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	fmt.Println(db.DropCollection(ctx, "fruit"))
	_, err := c.Get(ctx, "lemon")
	fmt.Println(errors.Is(err, vecwire.ErrNotFound))
	// Output:
	// <nil>
	// true
}

func ExampleDB_Capabilities() {
	db, _ := fruit(context.Background())
	defer db.Close()

	caps := db.Capabilities()
	fmt.Println(caps.Engine, caps.L2, caps.Doubles)
	// Output: embedded true true
}

func ExampleCollection_Upsert() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	// The record of an ID is replaced as a whole: here the field tree goes.
	err := c.Upsert(ctx, vecwire.Record{ID: "cherry", Vector: []float32{0.9, 0.9, 0.1}, Fields: vecwire.Fields{"grams": 9}})
	fmt.Println(err)

	// Of records that are refused each is named, and none of the call is stored.
	err = c.Upsert(ctx,
		vecwire.Record{ID: "plum", Vector: []float32{0.4, 0.7, 0.2}},
		vecwire.Record{ID: "pear", Vector: []float32{0.2, 0.6}},
		vecwire.Record{ID: "fig", Vector: []float32{0.3, 0.9, 0.2}, Fields: vecwire.Fields{"grams": "50"}},
	)
	var batch *vecwire.BatchError
	if errors.As(err, &batch) {
		for _, failed := range batch.Failed {
			fmt.Println(&failed)
		}
	}
	// Output:
	// <nil>
	// record 1 (id "pear"): vector has 2 dimensions, want 3
	// record 2 (id "fig"): grams is String "50", want Int
}

func ExampleCollection_Get() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	records, err := c.Get(ctx, "melon", "durian", "cherry")
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range records {
		fmt.Println(r.ID, r.Vector, r.Text, r.Fields["grams"])
	}
	// Output:
	// melon [0.3 0.7 0.9] large and sweet 2000
	// cherry [0.9 0.8 0.1] small and red 8
}

func ExampleCollection_Delete() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	fmt.Println(c.Delete(ctx, "melon", "durian"))
	// Output: 1 <nil>
}

func ExampleCollection_DeleteWhere() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	fmt.Println(c.DeleteWhere(ctx, filter.Lt("grams", 1000))) // the lemon's is not known
	// Output: 1 <nil>
}

func ExampleCollection_Count() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	fmt.Println(c.Count(ctx, filter.Filter{}))
	fmt.Println(c.Count(ctx, filter.IsNull("grams")))
	// Output:
	// 3 <nil>
	// 1 <nil>
}

func ExampleCollection_All() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	for r, err := range c.All(ctx, vecwire.Scan{Filter: filter.Eq("tree", true)}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.ID)
	}
	// Output:
	// cherry
	// lemon
}

func ExampleCollection_Search() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 1, 0}, K: 2})
	if err != nil {
		log.Fatal(err)
	}
	for _, h := range hits {
		fmt.Printf("%s %.3f\n", h.ID, h.Score)
	}
	// Output:
	// cherry 0.995
	// melon 0.600
}

func ExampleCollection_Search_filter() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	f, err := filter.Parse(`tree && !(grams < 100)`)
	if err != nil {
		log.Fatal(err)
	}
	hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 1, 0}, Filter: f})
	fmt.Println(len(hits), err) // the lemon's weight is not known: it neither is below 100 nor is it not

	hits, err = c.Search(ctx, vecwire.Query{Vector: []float32{1, 1, 0}, Filter: filter.Or(f, filter.IsNull("grams"))})
	fmt.Println(hits[0].ID, err)
	// Output:
	// 0 <nil>
	// lemon <nil>
}

func ExampleCollection_SearchMany() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()

	results, err := c.SearchMany(ctx, []vecwire.Query{
		{Vector: []float32{1, 1, 0}, K: 1},
		{Vector: []float32{0, 0, 1}, K: 1},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range results {
		fmt.Printf("%s %v\n", r.Hits[0].ID, r.Exact)
	}
	// Output:
	// cherry true
	// lemon true
}

// vowels is an embedder for the example: a text's vector counts its a, e and o.
type vowels struct{}

func (vowels) Model() string { return "vowels" }
func (vowels) Dim() int      { return 3 }

func (vowels) Embed(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		v := make([]float32, 3)
		for _, r := range text {
			switch r {
			case 'a':
				v[0]++
			case 'e':
				v[1]++
			case 'o':
				v[2]++
			}
		}
		vectors[i] = v
	}
	return vectors, nil
}

func ExampleCollection_WithEmbedder() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	bare, err := db.CreateCollection(ctx, vecwire.Schema{Name: "words", Dim: 3, Model: "vowels"})
	if err != nil {
		log.Fatal(err)
	}
	words, err := bare.WithEmbedder(vowels{})
	if err != nil {
		log.Fatal(err)
	}
	if err := words.Upsert(ctx, vecwire.Record{ID: "1", Text: "banana"}, vecwire.Record{ID: "2", Text: "voodoo"}, vecwire.Record{ID: "3", Text: "settee"}); err != nil {
		log.Fatal(err)
	}
	hits, err := words.Search(ctx, vecwire.Query{Text: "cocoon", K: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(hits[0].Text)
	// Output: voodoo
}

func ExampleCollection_Ingest() {
	ctx := context.Background()
	db, c := fruit(ctx)
	defer db.Close()
	input := func(yield func(vecwire.Record, error) bool) { // lines of a file, rows of a query, …
		for _, r := range []vecwire.Record{
			{ID: "cherry", Vector: []float32{0.9, 0.8, 0.1}, Text: "small and red", Fields: vecwire.Fields{"tree": true, "grams": 8}},
			{ID: "plum", Vector: []float32{0.5, 0.7, 0.2}, Text: "blue"},
			{ID: "pear", Vector: []float32{0.2, 0.8}},
			{ID: "lemon", Vector: []float32{0.1, 0.1, 0.3}, Text: "sour and yellow"},
		} {
			if !yield(r, nil) {
				return
			}
		}
	}
	report, err := c.Ingest(ctx, input, vecwire.IngestOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Inserted, report.Updated, report.Unchanged)
	for _, f := range report.Failures {
		fmt.Println(f.Index, f.ID, f.Err)
	}
	// Output:
	// 1 1 1
	// 2 pear vector has 2 dimensions, want 3
}

func ExampleCollection_ReplaceSource() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "chunks", Dim: 2, Fields: []vecwire.Field{{Name: vecwire.SourceField, Index: true}}})
	if err != nil {
		log.Fatal(err)
	}
	for _, chunks := range [][]vecwire.Record{
		{{ID: "guide.md#0", Vector: []float32{1, 0}}, {ID: "guide.md#1", Vector: []float32{0, 1}}},
		{{ID: "guide.md#0", Vector: []float32{1, 0}}},
	} {
		report, err := c.ReplaceSource(ctx, "guide.md", chunks...)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(report.Inserted, report.Unchanged, report.Deleted)
	}
	// Output:
	// 2 0 0
	// 0 1 1
}
