package openai_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/embed/openai"
)

// A local server stands for the real one here; Ollama's address would be
// http://localhost:11434/v1.
func ExampleClient_Embed() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"data":[{"index":0,"embedding":[0.6,0.8]}]}`)
	}))
	defer server.Close()

	client, err := openai.New(openai.Options{BaseURL: server.URL + "/v1", Model: "all-minilm", Dim: 2})
	if err != nil {
		log.Fatal(err)
	}
	vectors, err := client.Embed(context.Background(), []string{"a text"}, embed.Document)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(vectors)
	// Output: [[0.6 0.8]]
}

// OpenAI's own service, with vectors shortened to 512 elements.
func ExampleNew() {
	client, err := openai.New(openai.Options{
		APIKey:  os.Getenv("OPENAI_API_KEY"),
		Model:   "text-embedding-3-small",
		Dim:     512,
		SendDim: true,
		Base64:  true,
	})
	if err != nil {
		log.Fatal(err)
	}
	var model embed.Embedder = client
	model = embed.Limit(model, embed.LimitOptions{Requests: 3000, Tokens: 1_000_000})
	model = embed.Retry(model, embed.RetryOptions{})
	model = embed.Batch(model, embed.BatchOptions{Items: 512, Tokens: 100_000, Concurrency: 4})
	model = embed.Cache(model, embed.NewLRU(0))
	fmt.Println(model.Model(), model.Dim())
	// Output: text-embedding-3-small/512 512
}

// E5 models want to be told what a text is for.
func ExampleNew_prefixes() {
	client, err := openai.New(openai.Options{
		BaseURL:        "http://localhost:8080/v1",
		Model:          "intfloat/e5-small-v2",
		Dim:            384,
		DocumentPrefix: "passage: ",
		QueryPrefix:    "query: ",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client)
	// Output: intfloat/e5-small-v2/prefix-1337c9e0 at http://localhost:8080/v1/embeddings
}
