package rerank

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

// The defaults of RetryOptions. Someone is waiting for a search, so that they are
// shorter than those of embedding.
const (
	DefaultAttempts   = 3                      // the default of RetryOptions.Attempts
	DefaultFirstDelay = 200 * time.Millisecond // the default of RetryOptions.FirstDelay
	DefaultMaxDelay   = 5 * time.Second        // the default of RetryOptions.MaxDelay
)

// RetryOptions says how often and when a call is made again. The zero value makes
// up to three attempts.
type RetryOptions struct {
	// Attempts is the most calls in all; 0 or less means DefaultAttempts.
	Attempts int

	// FirstDelay is the delay before the second attempt, which doubles before each
	// further one; 0 or less means DefaultFirstDelay. A delay is shortened by up to
	// half, at random, so that many callers do not come back together.
	FirstDelay time.Duration

	// MaxDelay is the longest delay; 0 or less means DefaultMaxDelay. A service that
	// asks to wait longer is not asked again.
	MaxDelay time.Duration

	// Log gets a warning for each attempt that failed and is followed by another; nil
	// means none. Queries and texts are not logged.
	Log *slog.Logger
}

// Retry returns r with calls made again that failed with an error that says so
// (see [Temporary]); all other errors are returned at once. A wait that the
// service asks for is kept. The error of the last attempt is wrapped; if the
// context ends during a delay, or would end before it is over, the context's error
// is too.
func Retry(r Reranker, o RetryOptions) Reranker {
	if o.Attempts <= 0 {
		o.Attempts = DefaultAttempts
	}
	if o.FirstDelay <= 0 {
		o.FirstDelay = DefaultFirstDelay
	}
	if o.MaxDelay <= 0 {
		o.MaxDelay = DefaultMaxDelay
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return retrier{r, o}
}

type retrier struct {
	Reranker
	o RetryOptions
}

func (r retrier) Rerank(ctx context.Context, query string, texts []string) ([]float64, error) {
	backoff := r.o.FirstDelay
	for attempt := 1; ; attempt++ {
		scores, err := r.Reranker.Rerank(ctx, query, texts)
		if err == nil {
			return scores, nil
		}
		failed := err
		if attempt > 1 {
			failed = fmt.Errorf("after %d attempts: %w", attempt, err)
		}
		temporary, ok := errors.AsType[Temporary](err)
		if !ok || attempt == r.o.Attempts || ctx.Err() != nil {
			return nil, failed
		}
		asked, ok := temporary.Retryable()
		if !ok || asked > r.o.MaxDelay {
			return nil, failed
		}
		backoff = min(backoff, r.o.MaxDelay)
		delay := max(asked, backoff-rand.N(backoff/2+1))
		backoff *= 2
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < delay {
			return nil, fmt.Errorf("%w (%w before the next)", failed, context.DeadlineExceeded)
		}
		r.o.Log.WarnContext(ctx, "reranking failed, trying again", "texts", len(texts), "attempt", attempt, "delay", delay, "error", err)
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w (%w before the next)", failed, ctx.Err())
		case <-time.After(delay):
		}
	}
}
