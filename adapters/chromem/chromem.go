// Package chromem is the way over from chromem-go. It reads what chromem-go wrote into
// a collection of vecwire, and has chromem-go's API over vecwire, so that a program
// moves by another import path. It does not need chromem-go.
//
// # Reading
//
// [OpenDir] reads the directory of a persistent database, [OpenFile] and [OpenReader]
// an export: gob, also compressed, also encrypted with a key. [Source.Records] are the
// documents of one of its collections, for [vecwire.Collection.Ingest]:
//
//	src, err := chromem.OpenDir("./chromem-go")
//	report, err := docs.Ingest(ctx, src.Records("knowledge", docs.Schema()), vecwire.IngestOptions{})
//
// # The same API
//
// [NewDB], [NewPersistentDB], [Collection.AddDocuments], [Collection.Query] and so on
// have chromem-go's signatures and its meaning, but for what follows. [New] is the same
// over any database of vecwire, such as PostgreSQL. Under it each collection is one of
// vecwire's, which [Collection.Vecwire] returns: for typed filters, full text, indexes
// and all else.
//
//   - A DB should be closed. A persistent one is the file vecwire.db in its directory;
//     chromem-go's files there are read once, when that file is made, and left as they are.
//   - To create a collection that exists is an error, where chromem-go hides its
//     documents; GetOrCreateCollection is not.
//   - A query for more results than there are documents returns those there are.
//   - Documents of one call are stored all together or not at all.
//   - Delete refuses IDs beside conditions, where chromem-go ignores the IDs.
//   - All embeddings of a collection have one dimension, and none is all zeros.
//
// # Scores
//
// [Result.Similarity] is the cosine, from -1 to 1, higher for nearer, as in chromem-go.
package chromem

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/embed/openai"
)

// EmbeddingFunc embeds a text. chromem-go's own are such functions, too.
type EmbeddingFunc = func(ctx context.Context, text string) ([]float32, error)

// Document is a single document.
type Document struct {
	ID        string
	Metadata  map[string]string
	Embedding []float32
	Content   string
}

// Result is a document that a query found.
type Result struct {
	ID        string
	Metadata  map[string]string
	Embedding []float32
	Content   string

	// Similarity is the cosine between the query and the document, in [-1, 1]; the
	// higher, the more similar.
	Similarity float32
}

// NewDocument returns a document, and embeds its content if it has no embedding.
func NewDocument(ctx context.Context, id string, metadata map[string]string, embedding []float32, content string, embeddingFunc EmbeddingFunc) (Document, error) {
	doc := Document{ID: id, Metadata: metadata, Embedding: embedding, Content: content}
	if err := doc.check(); err != nil {
		return Document{}, err
	}
	if len(doc.Embedding) > 0 {
		return doc, nil
	}
	if embeddingFunc == nil {
		embeddingFunc = NewEmbeddingFuncDefault()
	}
	var err error
	doc.Embedding, err = embeddingFunc(ctx, content)
	return doc, err
}

func (d *Document) check() error {
	switch {
	case d.ID == "":
		return errors.New("document ID is empty")
	case len(d.Embedding) == 0 && d.Content == "":
		return errors.New("either document embedding or content must be filled")
	}
	return nil
}

// NewEmbeddingFunc returns an Embedder of vecwire's as a function. chromem-go's
// interface does not tell questions from documents: both are embedded as documents.
func NewEmbeddingFunc(e vecwire.Embedder) EmbeddingFunc {
	return func(ctx context.Context, text string) ([]float32, error) {
		vectors, err := e.Embed(ctx, []string{text}, embed.Document)
		if err != nil {
			return nil, err
		}
		if len(vectors) != 1 {
			return nil, fmt.Errorf("vecwire: the embedder returned %d vectors for 1 text", len(vectors))
		}
		return vectors[0], nil
	}
}

// EmbeddingModelOpenAI is the name of a model of OpenAI's.
type EmbeddingModelOpenAI string

// OpenAI's models.
const (
	EmbeddingModelOpenAI2Ada   EmbeddingModelOpenAI = "text-embedding-ada-002"
	EmbeddingModelOpenAI3Small EmbeddingModelOpenAI = "text-embedding-3-small"
	EmbeddingModelOpenAI3Large EmbeddingModelOpenAI = "text-embedding-3-large"
)

// NewEmbeddingFuncDefault returns a function that embeds by OpenAI's model
// "text-embedding-3-small", with the key in the environment variable OPENAI_API_KEY.
func NewEmbeddingFuncDefault() EmbeddingFunc {
	return NewEmbeddingFuncOpenAI(os.Getenv("OPENAI_API_KEY"), EmbeddingModelOpenAI3Small)
}

// NewEmbeddingFuncOpenAI returns a function that embeds by a model of OpenAI's.
func NewEmbeddingFuncOpenAI(apiKey string, model EmbeddingModelOpenAI) EmbeddingFunc {
	dim := 1536
	if model == EmbeddingModelOpenAI3Large {
		dim = 3072
	}
	client, err := openai.New(openai.Options{APIKey: apiKey, Model: string(model), Dim: dim})
	if err != nil {
		return func(context.Context, string) ([]float32, error) { return nil, err }
	}
	return NewEmbeddingFunc(client)
}

// normalized returns a vector of length 1, as chromem-go keeps them: v itself if it
// has that length nearly, or if it has none.
func normalized(v []float32) []float32 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	length := math.Sqrt(sum)
	if math.Abs(length-1) < 1e-6 || length == 0 || length-length != 0 {
		return v
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(float64(x) / length)
	}
	return out
}

// texts returns metadata as chromem-go has it: what is no text, as another program
// may have stored it, becomes JSON.
func texts(metadata map[string]any) (map[string]string, error) {
	out := make(map[string]string, len(metadata))
	for key, value := range metadata {
		if s, ok := value.(string); ok {
			out[key] = s
			continue
		}
		b, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("metadata %q: %w", key, err)
		}
		out[key] = string(b)
	}
	return out, nil
}

// values returns metadata as values.
func values(metadata map[string]string) map[string]any {
	out := make(map[string]any, len(metadata))
	for key, value := range metadata {
		out[key] = value
	}
	return out
}
