package transform

import (
	"context"
	"slices"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/internal/simd"
)

// Tokens returns the vectors of the tokens of each text, in their order, the special
// ones at both ends among them: what [Embedder.Embed] makes one vector of. They have
// length 1 if the model's files ask for that of its vectors. Package rerank compares
// texts by them, as late interaction does; a model that was trained for one vector a text
// was not trained for that.
//
// What it refuses, and when it ends, is as with Embed.
func (e *Embedder) Tokens(ctx context.Context, texts []string, use embed.Use) ([][][]float32, error) {
	encoded, err := e.encode(ctx, texts, use)
	if err != nil {
		return nil, err
	}
	out := make([][][]float32, len(texts))
	dim := e.Dim()
	err = e.compute(ctx, encoded, func(i int, rows []float32) {
		own := slices.Clone(rows)
		for len(own) > 0 {
			row := own[:dim:dim]
			if e.s.normalize {
				simd.Normalize(row, row)
			}
			out[i], own = append(out[i], row), own[dim:]
		}
	})
	if err != nil {
		return nil, err
	}
	for _, vectors := range out {
		if err := embed.Verify(vectors, len(vectors), dim); err != nil { // weights that are not finite
			return nil, err
		}
	}
	return out, nil
}
