package rerank_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/rerank"
)

var fruit = []rerank.Candidate[float32]{
	{ID: "apple", Vector: []float32{0.9, 0.4, 0.1}},
	{ID: "another apple", Vector: []float32{0.9, 0.41, 0.1}},
	{ID: "cherry", Vector: []float32{0.9, 0.1, 0.4}},
	{ID: "melon", Vector: []float32{0.1, 0.3, 0.9}},
}

func ExampleExact() {
	best, err := rerank.Exact(codec.Cosine, []float32{1, 0.4, 0.1}, fruit, 2)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range best {
		fmt.Printf("%s %.4f\n", fruit[r.Index].ID, r.Score)
	}
	// Output:
	// apple 0.9993
	// another apple 0.9989
}

func ExampleMMR() {
	best, err := rerank.MMR(codec.Cosine, []float32{1, 0.4, 0.1}, fruit, 2, 0.5)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range best {
		fmt.Println(fruit[r.Index].ID)
	}
	// Output:
	// apple
	// cherry
}

func ExampleRRF() {
	byVector := rerank.Leg{IDs: []string{"a", "b", "c"}}
	byWords := rerank.Leg{IDs: []string{"d", "b"}, Weight: 0.5}
	fused, err := rerank.RRF(0, byVector, byWords)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range fused {
		fmt.Printf("%s %.4f %v\n", f.ID, f.Score, f.Ranks)
	}
	// Output:
	// b 0.0242 [2 2]
	// a 0.0164 [1 0]
	// c 0.0159 [3 0]
	// d 0.0082 [0 1]
}

func ExampleGroup() {
	chunks := []string{"intro.md#3", "intro.md#1", "intro.md#7", "api.md#2"}
	page := func(chunk string) string { name, _, _ := strings.Cut(chunk, "#"); return name }
	fmt.Println(rerank.Group(chunks, 2, page))
	// Output: [intro.md#3 intro.md#1 api.md#2]
}

// words is a reranker for the example: it counts the query's words in a text.
type words struct{}

func (words) Rerank(_ context.Context, query string, texts []string) ([]float64, error) {
	scores := make([]float64, len(texts))
	for i, text := range texts {
		for word := range strings.FieldsSeq(query) {
			scores[i] += float64(strings.Count(text, word))
		}
	}
	return scores, nil
}

func ExampleTexts() {
	texts := []string{"a red stone", "a red apple in red light", "a green pear"}
	best, err := rerank.Texts(context.Background(), words{}, "red apple", texts, 2)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range best {
		fmt.Println(r.Score, texts[r.Index])
	}
	// Output:
	// 3 a red apple in red light
	// 1 a red stone
}
