package embed

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

// The defaults of RetryOptions.
const (
	DefaultAttempts   = 5                      // the default of RetryOptions.Attempts
	DefaultFirstDelay = 500 * time.Millisecond // the default of RetryOptions.FirstDelay
	DefaultMaxDelay   = time.Minute            // the default of RetryOptions.MaxDelay
)

// RetryOptions says how often and when a call is made again. The zero value makes
// up to five attempts.
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
	// means none. Texts are not logged.
	Log *slog.Logger
}

// Retry returns e with calls made again that failed with an error that says so
// (see [Temporary]): too many requests, a server's failure, a lost connection. All
// other errors are returned at once. A wait that the service asks for is kept.
// The error of the last attempt is wrapped; if the context ends during a delay or
// would end before it is over, the context's error is too.
func Retry(e Embedder, o RetryOptions) Embedder {
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
	return retrier{e, o}
}

type retrier struct {
	Embedder
	o RetryOptions
}

func (r retrier) Embed(ctx context.Context, texts []string, use Use) ([][]float32, error) {
	backoff := r.o.FirstDelay
	for attempt := 1; ; attempt++ {
		vectors, err := r.Embedder.Embed(ctx, texts, use)
		if err == nil {
			return vectors, nil
		}
		asked, ok := Retryable(err)
		if !ok || attempt == r.o.Attempts || asked > r.o.MaxDelay || ctx.Err() != nil {
			return nil, attempts(attempt, err)
		}
		backoff = min(backoff, r.o.MaxDelay)
		delay := max(asked, backoff-rand.N(backoff/2+1))
		backoff *= 2
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < delay {
			return nil, attempts(attempt, fmt.Errorf("%w (%w before the next)", err, context.DeadlineExceeded))
		}
		r.o.Log.WarnContext(ctx, "embedding failed, trying again", "model", r.Model(), "texts", len(texts), "attempt", attempt, "delay", delay, "error", err)
		if ended := sleep(ctx, delay); ended != nil {
			return nil, attempts(attempt, fmt.Errorf("%w (%w before the next)", err, ended))
		}
	}
}

func attempts(n int, err error) error {
	if n == 1 {
		return err
	}
	return fmt.Errorf("after %d attempts: %w", n, err)
}
