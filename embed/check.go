package embed

import "context"

// Check returns e with every answer checked as [Verify] does. It is for embedders
// that do not check their own; [Batch], [Cache], [Isolate] and [Func] include it.
func Check(e Embedder) Embedder {
	if verified(e) {
		return e
	}
	return checker{e}
}

type checker struct{ Embedder }

// Verified returns true.
func (checker) Verified() bool { return true }

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
