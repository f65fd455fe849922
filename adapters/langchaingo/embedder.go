package langchaingo

import (
	"context"
	"fmt"

	"github.com/tmc/langchaingo/embeddings"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
)

// Embedder is an Embedder of vecwire's as one of langchaingo's.
type Embedder struct{ e vecwire.Embedder }

var _ embeddings.Embedder = Embedder{}

// ToEmbedder returns an Embedder of vecwire's as one of langchaingo's.
func ToEmbedder(e vecwire.Embedder) Embedder { return Embedder{e} }

// EmbedDocuments returns a vector for each text.
func (e Embedder) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	return e.e.Embed(ctx, texts, embed.Document)
}

// EmbedQuery returns the vector of a text that is searched for.
func (e Embedder) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	vectors, err := e.e.Embed(ctx, []string{text}, embed.Query)
	if err != nil {
		return nil, err
	}
	if len(vectors) != 1 {
		return nil, fmt.Errorf("vecwire: the embedder returned %d vectors for 1 text", len(vectors))
	}
	return vectors[0], nil
}

// FromEmbedder returns an Embedder of langchaingo's as one of vecwire's, for
// [vecwire.Collection.WithEmbedder]. The model's name and its dimension are what
// langchaingo's interface does not tell; the vectors are checked against the dimension.
func FromEmbedder(e embeddings.Embedder, model string, dim int) vecwire.Embedder {
	return embed.Func(model, dim, func(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
		if use == embed.Document {
			return e.EmbedDocuments(ctx, texts)
		}
		vectors := make([][]float32, len(texts))
		for i, text := range texts { // queries come one by one
			var err error
			if vectors[i], err = e.EmbedQuery(ctx, text); err != nil {
				return nil, err
			}
		}
		return vectors, nil
	})
}
