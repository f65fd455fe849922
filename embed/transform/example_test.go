package transform_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/vecwire/vecwire/chunk"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/embed/transform"
	"github.com/vecwire/vecwire/rerank"
)

// A model with random weights stands for a real one here; a copy of
// sentence-transformers/all-MiniLM-L6-v2 would have 384 elements and see 256 tokens.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "model-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := transform.WriteTinyModel(dir); err != nil {
		log.Fatal(err)
	}

	model, err := transform.Open(dir, transform.Options{})
	if err != nil {
		log.Fatal(err)
	}
	vectors, err := model.Embed(context.Background(), []string{"Read a file line by line!", "Über"}, embed.Document)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(vectors), "vectors of", model.Dim(), "elements")
	// Output: 2 vectors of 8 elements
}

// The model's own tokenizer divides a long text into chunks that it sees whole.
func ExampleEmbedder_CountTokens() {
	dir, err := os.MkdirTemp("", "model-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := transform.WriteTinyModel(dir); err != nil {
		log.Fatal(err)
	}

	model, err := transform.Open(dir, transform.Options{MaxTokens: 8})
	if err != nil {
		log.Fatal(err)
	}
	chunks, err := chunk.Split("Read a file by line! Read a line by file! Read by line!", chunk.Options{Size: model.MaxTokens(), Count: model.CountTokens})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range chunks {
		fmt.Printf("%d tokens: %s\n", model.CountTokens(c.Text), c.Text)
	}
	// Output:
	// 8 tokens: Read a file by line!
	// 8 tokens: Read a line by file!
	// 6 tokens: Read by line!
}

// A cross-encoder reads the question with each text. It goes into Query.Reranker.
func ExampleOpenReranker() {
	dir, err := os.MkdirTemp("", "model-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := transform.WriteTinyCrossEncoder(dir); err != nil { // or cross-encoder/ms-marco-MiniLM-L6-v2
		log.Fatal(err)
	}

	model, err := transform.OpenReranker(dir, transform.Options{Int8: true})
	if err != nil {
		log.Fatal(err)
	}
	ranked, err := rerank.Texts(context.Background(), model, "read a file", []string{"line by line", "a file!"}, 2)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(ranked), "texts, the better one first:", ranked[0].Score >= ranked[1].Score)
	// Output: 2 texts, the better one first: true
}
