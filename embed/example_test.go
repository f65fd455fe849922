package embed_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"strings"
	"time"

	"github.com/vecwire/vecwire/embed"
)

// letters embeds a text by its numbers of a's, b's and c's. It stands for a model.
type letters struct {
	say func(texts []string) error // called for each call
}

func (letters) Model() string { return "letters" }
func (letters) Dim() int      { return 3 }

func (l letters) Embed(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
	if l.say != nil {
		if err := l.say(texts); err != nil {
			return nil, err
		}
	}
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		for _, letter := range []string{"a", "b", "c"} {
			vectors[i] = append(vectors[i], float32(strings.Count(text, letter)))
		}
	}
	return vectors, nil
}

// show prints each call.
func show(texts []string) error {
	fmt.Println("call:", texts)
	return nil
}

// The wrappers in the order that makes sense for a service that costs money.
func Example() {
	var model embed.Embedder = letters{say: show} // an openai.Client, say
	model = embed.Limit(model, embed.LimitOptions{Requests: 3000, Tokens: 1_000_000})
	model = embed.Retry(model, embed.RetryOptions{})
	model = embed.Batch(model, embed.BatchOptions{Items: 2, Tokens: 8000, Concurrency: 1})
	model = embed.Cache(model, embed.NewLRU(10_000))

	vectors, err := model.Embed(context.Background(), []string{"abba", "cab", "abba", "baa"}, embed.Document)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(vectors)
	// Output:
	// call: [abba cab]
	// call: [baa]
	// [[2 2 0] [1 1 1] [2 2 0] [2 1 0]]
}

func ExampleBatch() {
	model := embed.Batch(letters{say: show}, embed.BatchOptions{Items: 3, Tokens: 4})
	texts := []string{"a", "b", "c", "a b c", "c b", "a"}
	if _, err := model.Embed(context.Background(), texts, embed.Document); err != nil {
		log.Fatal(err)
	}
	// Output:
	// call: [a b c]
	// call: [a b c]
	// call: [c b a]
}

func ExampleCache() {
	model := embed.Cache(letters{say: show}, embed.NewLRU(1000))
	ctx := context.Background()
	for _, texts := range [][]string{{"a", "b"}, {"b", "c"}} {
		if _, err := model.Embed(ctx, texts, embed.Document); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// call: [a b]
	// call: [c]
}

func ExampleNewLRU() {
	store := embed.NewLRU(1) // vectors
	model := embed.Cache(letters{}, store)
	if _, err := model.Embed(context.Background(), []string{"a", "b"}, embed.Query); err != nil {
		log.Fatal(err)
	}
	fmt.Println(store.Len())
	// Output: 1
}

func ExampleKeyOf() {
	fmt.Println(embed.KeyOf("letters", embed.Document, "abba"))
	// Output: e22115b5d76640e2389bcac25c46a2df03b2df657c5b3ff32cbaed141f8e8ef0/document/letters
}

func ExampleLimit() {
	model := embed.Limit(letters{}, embed.LimitOptions{Requests: 6000}) // one each 10 ms
	begin := time.Now()
	for range 4 {
		if _, err := model.Embed(context.Background(), []string{"a"}, embed.Document); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(time.Since(begin) >= 30*time.Millisecond)
	// Output: true
}

// overloaded is how an embedder says that a call may be made again.
type overloaded struct{}

func (overloaded) Error() string                    { return "overloaded" }
func (overloaded) Retryable() (time.Duration, bool) { return 10 * time.Millisecond, true }

func ExampleRetry() {
	attempts := 0
	model := embed.Retry(letters{say: func([]string) error {
		if attempts++; attempts < 3 {
			return overloaded{}
		}
		return nil
	}}, embed.RetryOptions{FirstDelay: time.Millisecond})
	vectors, err := model.Embed(context.Background(), []string{"cab"}, embed.Document)
	fmt.Println(vectors, err, attempts)
	// Output: [[1 1 1]] <nil> 3
}

func ExampleRetryable() {
	after, ok := embed.Retryable(fmt.Errorf("embed: %w", overloaded{}))
	fmt.Println(after, ok)
	_, ok = embed.Retryable(errors.New("no such model"))
	fmt.Println(ok)
	// Output:
	// 10ms true
	// false
}

// forgetful leaves out the last vector.
type forgetful struct{ letters }

func (f forgetful) Embed(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
	vectors, err := f.letters.Embed(ctx, texts, use)
	return vectors[:len(vectors)-1], err
}

func ExampleCheck() {
	_, err := embed.Check(forgetful{}).Embed(context.Background(), []string{"a", "b"}, embed.Document)
	fmt.Println(err)
	var text *embed.TextError
	if errors.As(err, &text) {
		fmt.Println("fix", text.Index)
	}
	// Output:
	// text 1: 1 vectors for 2 texts
	// fix 1
}

// A function that asks a model for vectors becomes an embedder.
func ExampleFunc() {
	model := embed.Func("word-lengths", 1, func(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
		vectors := make([][]float32, len(texts))
		for i, text := range texts {
			vectors[i] = []float32{float32(len(text))}
		}
		return vectors, nil
	})
	vectors, err := model.Embed(context.Background(), []string{"a", "word"}, embed.Document)
	fmt.Println(model.Model(), vectors, err)
	// Output: word-lengths [[1] [4]] <nil>
}

// refuseDigits is a model that refuses calls that have a text with a digit.
func refuseDigits(texts []string) error {
	for _, text := range texts {
		if strings.ContainsAny(text, "0123456789") {
			return errors.New("400 Bad Request: digits are not supported")
		}
	}
	return nil
}

// A text that the model refuses costs only itself.
func ExampleIsolate() {
	model := embed.Batch(letters{say: refuseDigits}, embed.BatchOptions{Items: 64})
	job := embed.Isolate(model) // one for all texts
	vectors, failed, err := job.Each(context.Background(), []string{"a", "b", "c4", "cab"}, embed.Document)
	if err != nil {
		log.Fatal(err) // not about a text
	}
	for _, text := range failed {
		fmt.Println(text.Index, text.Err)
	}
	fmt.Println(vectors)
	// Output:
	// 2 400 Bad Request: digits are not supported
	// [[1 0 0] [0 1 0] [] [1 1 1]]
}

func ExampleIsolator_Each() {
	attempts := 0
	job := embed.Isolate(letters{say: func(texts []string) error {
		attempts++
		return overloaded{} // for now: no text is to blame
	}})
	_, failed, err := job.Each(context.Background(), []string{"a", "b"}, embed.Document)
	fmt.Println(failed, err, attempts)
	// Output: [] overloaded 1
}

func ExampleVerify() {
	nan := float32(math.NaN())
	fmt.Println(embed.Verify([][]float32{{1, 2}, {3, nan}}, 2, 2))
	fmt.Println(embed.Verify([][]float32{{1, 2}, {3}}, 2, 2))
	// Output:
	// text 1: vector[1] is NaN, want a finite number
	// text 1: vector has 1 dimensions, want 2
}
