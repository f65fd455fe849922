package vecwire_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
)

// letters is a model that counts letters.
type letters string

func (l letters) Model() string { return "letters " + string(l) }
func (l letters) Dim() int      { return len(l) }

func (l letters) Embed(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		for _, letter := range l {
			out[i] = append(out[i], float32(1+strings.Count(text, string(letter))))
		}
	}
	return out, nil
}

func ExampleDB_Reembed() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, Model: "letters ae"})
	if err != nil {
		log.Fatal(err)
	}
	if docs, err = docs.WithEmbedder(letters("ae")); err != nil {
		log.Fatal(err)
	}
	if err := docs.Upsert(ctx, vecwire.Record{ID: "1", Text: "banana"}, vecwire.Record{ID: "2", Text: "olive"}); err != nil {
		log.Fatal(err)
	}

	docs, report, err := db.Reembed(ctx, "docs", letters("aeo"), vecwire.ReembedOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(docs.Schema().Model, docs.Schema().Dim, report.Embedded)
	hits, err := docs.Search(ctx, vecwire.Query{Text: "oil", K: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(hits[0].ID)
	// Output:
	// letters aeo 3 2
	// 2
}

func ExampleReembedOptions() {
	ctx := context.Background()
	db, _ := goods(ctx)
	defer db.Close()

	// Another model for the vectors of the names.
	c, report, err := db.Reembed(ctx, "goods", letters("aeou"), vecwire.ReembedOptions{In: "of_name"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Schema().Vectors[0].Model, report.Embedded)
	hits, err := c.Search(ctx, vecwire.Query{In: "of_name", Text: "a hat", K: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(hits[0].Fields["name"])
	// Output:
	// letters aeou 3
	// blue hat
}
