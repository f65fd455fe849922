package embed

import (
	"context"
	"log/slog"
	"time"

	"github.com/vecwire/vecwire/internal/backoff"
)

// The defaults of RetryOptions.
const (
	DefaultAttempts   = 5                      // the default of RetryOptions.Attempts
	DefaultFirstDelay = 500 * time.Millisecond // the default of RetryOptions.FirstDelay
	DefaultMaxDelay   = time.Minute            // the default of RetryOptions.MaxDelay
)

// RetryOptions says how often and when [Retry] makes a call again. The zero value
// makes up to five attempts.
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
	// means none. Texts are not logged.
	Log *slog.Logger
}

// Retry returns e with calls made again whose error is a [Temporary] that says so:
// too many requests, a failure of the server, a lost connection. All other errors
// are returned at once. A wait that the service asks for is kept. The error of the
// last attempt is wrapped; if the context ends during a delay, or its deadline is
// before the end of the delay, the context's error is wrapped too.
func Retry(e Embedder, o RetryOptions) Embedder {
	defaults := backoff.Policy{Attempts: DefaultAttempts, FirstDelay: DefaultFirstDelay, MaxDelay: DefaultMaxDelay}
	return retrier{e, backoff.Policy(o).Or(defaults)}
}

type retrier struct {
	Embedder
	policy backoff.Policy
}

// Verified reports whether the embedder checks its own answers.
func (r retrier) Verified() bool { return verified(r.Embedder) }

func (r retrier) Embed(ctx context.Context, texts []string, use Use) ([][]float32, error) {
	return backoff.Do(ctx, r.policy, "embedding failed, trying again", func() ([][]float32, error) {
		return r.Embedder.Embed(ctx, texts, use)
	}, "model", r.Model(), "texts", len(texts))
}
