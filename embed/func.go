package embed

import "context"

// Func returns an embedder that calls f. The name of the model and the number of
// elements are what Model and Dim return; see [Embedder] for what the name has to
// tell apart. f gets all texts of a call at once and must be safe for concurrent use.
// What it returns is checked as [Verify] does.
//
//	e := embed.Func("my-model", 384, func(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
//		return client.Vectors(ctx, texts)
//	})
func Func(model string, dim int, f func(ctx context.Context, texts []string, use Use) ([][]float32, error)) Embedder {
	return Check(function{model, dim, f})
}

type function struct {
	model string
	dim   int
	embed func(ctx context.Context, texts []string, use Use) ([][]float32, error)
}

func (f function) Model() string { return f.model }
func (f function) Dim() int      { return f.dim }

func (f function) Embed(ctx context.Context, texts []string, use Use) ([][]float32, error) {
	if len(texts) == 0 {
		return nil, ctx.Err()
	}
	return f.embed(ctx, texts, use)
}
