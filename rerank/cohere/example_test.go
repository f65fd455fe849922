package cohere_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/vecwire/vecwire/rerank"
	"github.com/vecwire/vecwire/rerank/cohere"
)

// A local server stands for the real one here.
func ExampleClient_Rerank() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"results":[{"index":1,"relevance_score":0.98},{"index":0,"relevance_score":0.02}]}`)
	}))
	defer server.Close()

	client, err := cohere.New(cohere.Options{BaseURL: server.URL + "/v1", Model: "bge-reranker-base"})
	if err != nil {
		log.Fatal(err)
	}
	scores, err := client.Rerank(context.Background(), "what is the capital of France", []string{"Reranking is fun.", "Paris is its capital."})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(scores)
	// Output: [0.02 0.98]
}

// Cohere's own service takes many texts at once.
func ExampleNew() {
	client, err := cohere.New(cohere.Options{APIKey: os.Getenv("COHERE_API_KEY"), Model: "rerank-v3.5"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client)
	// Output: rerank-v3.5 at https://api.cohere.com/v2/rerank
}

// Text Embeddings Inference takes 32 texts at once, unless it is told otherwise, and
// refuses long ones, unless it may cut them.
func ExampleNew_tei() {
	client, err := cohere.New(cohere.Options{
		BaseURL: "http://localhost:8080",
		TEI:     true,
		Extra:   map[string]any{"truncate": true},
	})
	if err != nil {
		log.Fatal(err)
	}
	var model rerank.Reranker = client
	model = rerank.Retry(model, rerank.RetryOptions{})
	model = rerank.Batch(model, 32)
	_ = model
	fmt.Println(client)
	// Output: http://localhost:8080/rerank
}
