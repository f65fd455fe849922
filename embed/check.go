package embed

import "context"

// Check returns e with every answer checked as [Verify] does. [Batch], [Cache] and
// the embedders of this project check what they return; Check is for others.
func Check(e Embedder) Embedder { return checker{e} }

type checker struct{ Embedder }

func (c checker) Embed(ctx context.Context, texts []string, use Use) ([][]float32, error) {
	vectors, err := c.Embedder.Embed(ctx, texts, use)
	if err != nil {
		return nil, err
	}
	if err := Verify(vectors, len(texts), c.Dim()); err != nil {
		return nil, err
	}
	return vectors, nil
}
