package rerank_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"strings"
	"time"

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
	// b 0.9839 [2 2]
	// a 0.6667 [1 0]
	// c 0.6455 [3 0]
	// d 0.3333 [0 1]
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

// sized prints the number of texts of each call.
type sized struct{ words }

func (s sized) Rerank(ctx context.Context, query string, texts []string) ([]float64, error) {
	fmt.Println("call of", len(texts))
	return s.words.Rerank(ctx, query, texts)
}

func ExampleBatch() {
	model := rerank.Batch(sized{}, 2)
	scores, err := model.Rerank(context.Background(), "red", []string{"red", "green", "red red"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(scores)
	// Output:
	// call of 2
	// call of 1
	// [1 0 2]
}

// overloaded is an error by which a model says that the call may be made again.
type overloaded struct{}

func (overloaded) Error() string                    { return "overloaded" }
func (overloaded) Retryable() (time.Duration, bool) { return time.Millisecond, true }

// flaky fails at its first call.
type flaky struct {
	words
	calls int
}

func (f *flaky) Rerank(ctx context.Context, query string, texts []string) ([]float64, error) {
	if f.calls++; f.calls == 1 {
		return nil, overloaded{}
	}
	return f.words.Rerank(ctx, query, texts)
}

func ExampleRetry() {
	model := &flaky{}
	retrying := rerank.Retry(model, rerank.RetryOptions{FirstDelay: time.Millisecond})
	scores, err := retrying.Rerank(context.Background(), "red", []string{"red", "green"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(scores, "after", model.calls, "calls")
	// Output: [1 0] after 2 calls
}

func ExampleVerify() {
	fmt.Println(rerank.Verify([]float64{0.5, math.NaN()}, 2))
	fmt.Println(rerank.Verify([]float64{0.5}, 2))
	// Output:
	// text 1: score is NaN, want a finite number
	// text 1: 1 scores for 2 texts
}

func ExampleRelative() {
	fused, err := rerank.Relative(
		rerank.Leg{IDs: []string{"a", "b", "c"}, Scores: []float64{0.9, 0.8, 0.1}},
		rerank.Leg{IDs: []string{"b", "d"}, Scores: []float64{12, 4}},
	)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range fused {
		fmt.Printf("%s %.2f %v\n", f.ID, f.Score, f.Ranks)
	}
	// Output:
	// b 0.94 [2 1]
	// a 0.50 [1 0]
	// c 0.00 [3 0]
	// d 0.00 [0 2]
}
