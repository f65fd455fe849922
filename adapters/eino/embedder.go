package eino

import (
	"context"
	"errors"

	"github.com/cloudwego/eino/callbacks"
	"github.com/cloudwego/eino/components"
	"github.com/cloudwego/eino/components/embedding"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
)

// EmbedderConfig says what an [Embedder] embeds with.
type EmbedderConfig struct {
	// Embedder makes the vectors. Required.
	Embedder vecwire.Embedder
	// Use says what texts are embedded for, which eino's interface does not:
	// [embed.Document], the default, or [embed.Query]. [WithUse] says so for a call.
	Use embed.Use
}

// Embedder is an Embedder of vecwire's as one of eino's.
type Embedder struct{ cfg EmbedderConfig }

var _ embedding.Embedder = (*Embedder)(nil)

// NewEmbedder returns an Embedder of eino's.
func NewEmbedder(_ context.Context, cfg *EmbedderConfig) (*Embedder, error) {
	if cfg == nil || cfg.Embedder == nil {
		return nil, errors.New("vecwire: no Embedder in the configuration")
	}
	return &Embedder{*cfg}, nil
}

// WithUse says what the texts of one call are embedded for.
func WithUse(use embed.Use) embedding.Option {
	return embedding.WrapImplSpecificOptFn(func(u *embed.Use) { *u = use })
}

// GetType returns "Vecwire".
func (*Embedder) GetType() string { return typ }

// IsCallbacksEnabled returns true: EmbedStrings calls the handlers itself.
func (*Embedder) IsCallbacksEnabled() bool { return true }

// EmbedStrings returns a vector for each text. A model that is asked for must be the
// embedder's.
func (e *Embedder) EmbedStrings(ctx context.Context, texts []string, opts ...embedding.Option) (out [][]float64, err error) {
	model := e.cfg.Embedder.Model()
	o := embedding.GetCommonOptions(&embedding.Options{Model: &model}, opts...)
	use := e.cfg.Use
	embedding.GetImplSpecificOptions(&use, opts...)
	cfg := &embedding.Config{Model: model}
	ctx = callbacks.EnsureRunInfo(ctx, e.GetType(), components.ComponentOfEmbedding)
	ctx = callbacks.OnStart(ctx, &embedding.CallbackInput{Texts: texts, Config: cfg})
	defer func() {
		if err != nil {
			callbacks.OnError(ctx, err)
			return
		}
		callbacks.OnEnd(ctx, &embedding.CallbackOutput{Embeddings: out, Config: cfg})
	}()
	if *o.Model != model {
		return nil, &vecwire.ValueError{Field: "Model", Pos: -1, Want: model, Got: *o.Model}
	}
	vectors, err := e.cfg.Embedder.Embed(ctx, texts, use)
	if err != nil {
		return nil, err
	}
	out = make([][]float64, len(vectors))
	for i, v := range vectors {
		out[i] = widen(v)
	}
	return out, nil
}

// FromEmbedder returns an Embedder of eino's as one of vecwire's, for
// [vecwire.Collection.WithEmbedder]. The model's name and its dimension are what
// eino's interface does not tell; the vectors are checked against the dimension.
func FromEmbedder(e embedding.Embedder, model string, dim int) vecwire.Embedder {
	return embed.Func(model, dim, func(ctx context.Context, texts []string, _ embed.Use) ([][]float32, error) {
		vectors, err := e.EmbedStrings(ctx, texts)
		if err != nil {
			return nil, err
		}
		out := make([][]float32, len(vectors))
		for i, v := range vectors {
			out[i] = narrow(v)
		}
		return out, nil
	})
}
