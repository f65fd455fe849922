package rerank

import (
	"context"
	"log/slog"
	"time"

	"github.com/vecwire/vecwire/internal/backoff"
)

// The defaults of RetryOptions. They are shorter than those of embedding, because a
// user waits for a search.
const (
	DefaultAttempts   = 3                      // the default of RetryOptions.Attempts
	DefaultFirstDelay = 200 * time.Millisecond // the default of RetryOptions.FirstDelay
	DefaultMaxDelay   = 5 * time.Second        // the default of RetryOptions.MaxDelay
)

// RetryOptions says how often and when [Retry] makes a call again. The zero value
// makes up to three attempts.
type RetryOptions struct {
	// Attempts is the most calls in all; 0 or less means DefaultAttempts.
	Attempts int

	// FirstDelay is the delay before the second attempt, which doubles before each
	// further one; 0 or less means DefaultFirstDelay. A delay is shortened by up to
	// half, at random, so that callers that failed together do not come back together.
	FirstDelay time.Duration

	// MaxDelay is the longest delay; 0 or less means DefaultMaxDelay. A service that
	// asks to wait longer is not asked again.
	MaxDelay time.Duration

	// Log gets a warning for each failed attempt that is followed by another; nil
	// means none. Queries and texts are not logged.
	Log *slog.Logger
}

// Retry returns r with calls made again whose error is a [Temporary] that says so.
// All other errors are returned at once. A wait that the service asks for is kept.
// The error of the last attempt is wrapped; if the context ends during a delay, or
// its deadline is before the end of the delay, the context's error is wrapped too.
func Retry(r Reranker, o RetryOptions) Reranker {
	defaults := backoff.Policy{Attempts: DefaultAttempts, FirstDelay: DefaultFirstDelay, MaxDelay: DefaultMaxDelay}
	return retrier{r, backoff.Policy(o).Or(defaults)}
}

type retrier struct {
	Reranker
	policy backoff.Policy
}

func (r retrier) Rerank(ctx context.Context, query string, texts []string) ([]float64, error) {
	return backoff.Do(ctx, r.policy, "reranking failed, trying again", func() ([]float64, error) {
		return r.Reranker.Rerank(ctx, query, texts)
	}, "texts", len(texts))
}
