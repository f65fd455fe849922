package rerank

import (
	"context"
	"slices"

	"github.com/vecwire/vecwire/internal/fault"
)

// Batch returns r with its texts divided into calls of at most n, one after
// another, for services that take no more. It is for models that score each text
// by itself, as cross-encoders do. An error names a text by its place among all
// texts. An n below 1 does not divide.
//
// Put Batch around [Retry], so that one call is repeated and not all:
//
//	r = rerank.Batch(rerank.Retry(r, rerank.RetryOptions{}), 32)
func Batch(r Reranker, n int) Reranker {
	if n < 1 {
		return r
	}
	return batcher{r, n}
}

type batcher struct {
	Reranker
	n int
}

func (b batcher) Rerank(ctx context.Context, query string, texts []string) ([]float64, error) {
	scores := make([]float64, 0, len(texts))
	for chunk := range slices.Chunk(texts, b.n) {
		got, err := b.Reranker.Rerank(ctx, query, chunk)
		if err == nil {
			err = Verify(got, len(chunk))
		}
		if err != nil {
			return nil, fault.Moved(err, func(i int) int { return len(scores) + i })
		}
		scores = append(scores, got...)
	}
	return scores, nil
}
