package genkitvecwire

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/core"
	"github.com/firebase/genkit/go/core/api"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/rerank"
)

// EmbedderOptions are the options of one request to an embedder that [NewEmbedder]
// made: this struct, a pointer to it, or the same as JSON.
type EmbedderOptions struct {
	// Query says that the texts are searched for. By default they are documents.
	Query bool `json:"query,omitempty"`
}

// NewEmbedder returns an Embedder of vecwire's as one of Genkit's, by the name
// "vecwire/" and the model's. It is not registered; the plugin does that, or
// genkit.RegisterAction.
func NewEmbedder(e vecwire.Embedder) ai.Embedder {
	o := &ai.EmbedderOptions{
		Label: e.Model(), Dimensions: e.Dim(), Supports: &ai.EmbedderSupports{Input: []string{"text"}},
		ConfigSchema: core.InferSchemaMap(EmbedderOptions{}),
	}
	return ai.NewEmbedder(api.NewName(provider, e.Model()), o, func(ctx context.Context, req *ai.EmbedRequest) (*ai.EmbedResponse, error) {
		options, err := optionsOf[EmbedderOptions](req.Options)
		if err != nil {
			return nil, err
		}
		texts := make([]string, len(req.Input))
		for i, doc := range req.Input {
			if texts[i], err = textOf(doc); err != nil {
				return nil, fmt.Errorf("vecwire: document %d: %w", i, err)
			}
		}
		use := embed.Document
		if options.Query {
			use = embed.Query
		}
		vectors, err := e.Embed(ctx, texts, use)
		if err != nil {
			return nil, err
		}
		out := &ai.EmbedResponse{Embeddings: make([]*ai.Embedding, len(vectors))}
		for i, v := range vectors {
			out.Embeddings[i] = &ai.Embedding{Embedding: v}
		}
		return out, nil
	})
}

// FromEmbedder returns an Embedder of Genkit's as one of vecwire's, for
// [vecwire.Collection.WithEmbedder]. The model's name is the embedder's. Its dimension
// is what Genkit's interface does not tell; the vectors are checked against it. If
// options is not nil it returns the options of a request, which for many models differ
// between documents and queries.
func FromEmbedder(e ai.Embedder, dim int, options func(embed.Use) any) vecwire.Embedder {
	return embed.Func(e.Name(), dim, func(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
		var o any
		if options != nil {
			o = options(use)
		}
		return embedBy(ctx, e, o, texts)
	})
}

// embedBy embeds texts by an embedder of Genkit's, in one request.
func embedBy(ctx context.Context, e ai.Embedder, options any, texts []string) ([][]float32, error) {
	req := &ai.EmbedRequest{Input: make([]*ai.Document, len(texts)), Options: options}
	for i, text := range texts {
		req.Input[i] = ai.DocumentFromText(text, nil)
	}
	answer, err := e.Embed(ctx, req)
	if err != nil {
		return nil, err
	}
	if len(answer.Embeddings) != len(texts) {
		return nil, fmt.Errorf("vecwire: the embedder %s returned %d embeddings for %d documents", e.Name(), len(answer.Embeddings), len(texts))
	}
	vectors := make([][]float32, len(texts))
	for i, embedding := range answer.Embeddings {
		if embedding == nil {
			return nil, fmt.Errorf("vecwire: the embedder %s returned no embedding for document %d", e.Name(), i)
		}
		vectors[i] = embedding.Embedding
	}
	return vectors, nil
}

// actionTypeReranker is what Genkit calls rerankers where it has them; Genkit for Go
// has their requests and answers, and no interface.
const actionTypeReranker api.ActionType = "reranker"

// Reranker is an action that orders documents by how well they answer a query.
type Reranker struct {
	*core.ActionDef[*ai.RerankerRequest, *ai.RerankerResponse, struct{}]
}

// RerankerOptions are the options of one request: this struct, a pointer to it, or the
// same as JSON.
type RerankerOptions struct {
	// K is how many documents are wanted. Defaults to all.
	K int `json:"k,omitempty"`
}

// NewReranker returns a Reranker of vecwire's as an action, by the name "vecwire/" and
// name. It is not registered; the plugin does that, or genkit.RegisterAction. To rerank
// what a retriever finds, give Config.Query one that sets the query's Reranker.
func NewReranker(name string, r vecwire.Reranker) Reranker {
	metadata := map[string]any{"type": actionTypeReranker, "info": map[string]any{"label": name, "supports": map[string]any{"media": false}}}
	schema := core.InferSchemaMap(ai.RerankerRequest{})
	return Reranker{core.NewAction(api.NewName(provider, name), actionTypeReranker, metadata, schema,
		func(ctx context.Context, req *ai.RerankerRequest) (*ai.RerankerResponse, error) {
			return rerankBy(ctx, r, req)
		})}
}

// Rerank returns the documents of the request, the best first, with their scores:
// higher is better. Scores of two queries cannot be compared.
func (r Reranker) Rerank(ctx context.Context, req *ai.RerankerRequest) (*ai.RerankerResponse, error) {
	return r.Run(ctx, req, nil)
}

func rerankBy(ctx context.Context, r vecwire.Reranker, req *ai.RerankerRequest) (*ai.RerankerResponse, error) {
	o, err := optionsOf[RerankerOptions](req.Options)
	if err != nil {
		return nil, err
	}
	if o.K == 0 {
		o.K = math.MaxInt
	}
	if req.Query == nil {
		return nil, errors.New("vecwire: the request has no query")
	}
	query, err := textOf(req.Query)
	if err != nil {
		return nil, fmt.Errorf("vecwire: the query: %w", err)
	}
	texts := make([]string, len(req.Documents))
	for i, doc := range req.Documents {
		if doc == nil {
			return nil, fmt.Errorf("vecwire: document %d is nil", i)
		}
		if texts[i], err = textOf(doc); err != nil {
			return nil, fmt.Errorf("vecwire: document %d: %w", i, err)
		}
	}
	ranked, err := rerank.Texts(ctx, r, query, texts, o.K)
	if err != nil {
		return nil, err
	}
	out := &ai.RerankerResponse{Documents: make([]*ai.RankedDocumentData, len(ranked))}
	for i, best := range ranked {
		out.Documents[i] = &ai.RankedDocumentData{
			Content: req.Documents[best.Index].Content, Metadata: &ai.RankedDocumentMetadata{Score: best.Score},
		}
	}
	return out, nil
}
