package rerank

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/vecwire/vecwire/internal/backoff"
	"github.com/vecwire/vecwire/internal/fault"
)

// A Reranker judges how well each of several texts answers a query. Most are
// cross-encoders, which read the query and a text together: slower than comparing
// vectors, and better. It must be safe for concurrent use.
type Reranker interface {
	// Rerank returns one finite score for each text, in order; higher is better. It
	// returns an error rather than fewer scores. Scores of two models, or of one
	// model for two queries, cannot be compared.
	Rerank(ctx context.Context, query string, texts []string) ([]float64, error)
}

// Texts asks r for the scores of texts, checks them as [Verify] does, and returns
// the k best, best first, or all if there are fewer. Texts of equal score keep the
// order that was given. r is not asked about no texts.
//
// Texts returns r's error, a [*TextError] or [*CountError] for scores that do not
// fit, and a [*codec.ValueError] for a k below 1.
func Texts(ctx context.Context, r Reranker, query string, texts []string, k int) ([]Ranked, error) {
	if k < 1 {
		return nil, refuse("k", "1 or more", fmt.Sprint(k))
	}
	if len(texts) == 0 {
		return []Ranked{}, ctx.Err()
	}
	scores, err := r.Rerank(ctx, query, texts)
	if err == nil {
		err = Verify(scores, len(texts))
	}
	if err != nil {
		return nil, err
	}
	ranked := make([]Ranked, len(scores))
	for i, s := range scores {
		ranked[i] = Ranked{i, s}
	}
	slices.SortStableFunc(ranked, func(a, b Ranked) int { return cmp.Compare(b.Score, a.Score) })
	return ranked[:min(k, len(ranked))], nil
}

// Verify checks the answer of a [Reranker]: as many scores as texts, all finite. The
// error is a [*TextError] that names the first text with no score or a bad one, or
// a [*CountError] if there are more scores than texts.
func Verify(scores []float64, texts int) error {
	for i, s := range scores[:min(texts, len(scores))] {
		if math.IsNaN(s) || math.IsInf(s, 0) {
			return &TextError{Index: i, Err: refuse("score", "a finite number", fmt.Sprint(s))}
		}
	}
	switch count := (&CountError{Texts: texts, Scores: len(scores)}); {
	case len(scores) < texts:
		return &TextError{Index: len(scores), Err: count}
	case len(scores) > texts:
		return count
	}
	return nil
}

// TextError reports a text that was not scored, or not as it should be. It has the
// fields
//
//	Index int   // the text's place among the texts of the call, from 0
//	Err   error // why: a *CountError, *codec.ValueError or another
type TextError = fault.TextError

// CountError reports an answer with fewer or more scores than texts. If there are
// fewer, a [*TextError] wraps it and names the first text without one.
type CountError struct {
	Texts, Scores int // the numbers of them
}

func (e *CountError) Error() string {
	return fmt.Sprintf("%d scores for %d texts", e.Scores, e.Texts)
}

// Temporary is an error of a [Reranker] that may be gone when the same call is made
// again, as [Retry] does. It has the method
//
//	// Retryable reports whether the same call may succeed later, and how long the
//	// service asks the caller to wait first: 0 if it does not say.
//	Retryable() (after time.Duration, ok bool)
type Temporary = backoff.Temporary
