// Package backoff repeats calls to models that failed for a while: it knows which
// errors may be retried, how long to wait, and when to give up. The Retry wrappers
// of packages embed and rerank are made of it.
//
// It must not know what is called: it knows no vectors and no HTTP. It is not for
// databases, whose statements may have taken effect when they fail.
package backoff

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/vecwire/vecwire/internal/fault"
)

// Temporary is an error that may be gone when the same call is made again.
type Temporary interface {
	error
	// Retryable reports whether the same call may succeed later, and how long the
	// service asks the caller to wait first: 0 if it does not say.
	Retryable() (after time.Duration, ok bool)
}

// Retryable reports whether err is or wraps a [Temporary] that may be retried, and
// how long the service asks the caller to wait first.
func Retryable(err error) (after time.Duration, ok bool) {
	if t, is := errors.AsType[Temporary](err); is {
		return t.Retryable()
	}
	return 0, false
}

// Sleep waits for d. If ctx ends first, it returns ctx's error.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type fewer struct{}

// Fewer returns a context in which [Do] makes at most so many attempts if an error
// says that the texts of the call may be at fault (see [fault.Judge]). It is for a
// caller that knows that these texts have failed before.
func Fewer(ctx context.Context, attempts int) context.Context {
	return context.WithValue(ctx, fewer{}, attempts)
}

// most returns how many attempts there are for an error.
func (p Policy) most(ctx context.Context, err error) int {
	if attempts, ok := ctx.Value(fewer{}).(int); ok {
		if judge, is := errors.AsType[fault.Judge](err); is && judge.TextsAtFault() {
			return min(attempts, p.Attempts)
		}
	}
	return p.Attempts
}

// A Policy says how often and when a call is made again.
type Policy struct {
	Attempts   int           // the most calls in all
	FirstDelay time.Duration // before the second attempt; it doubles before each further one
	MaxDelay   time.Duration // the longest delay; a service that asks for more is not asked again
	Log        *slog.Logger  // gets a warning for each attempt that is followed by another; nil for none
}

// Or returns p with the fields of defaults where p has none.
func (p Policy) Or(defaults Policy) Policy {
	if p.Attempts <= 0 {
		p.Attempts = defaults.Attempts
	}
	if p.FirstDelay <= 0 {
		p.FirstDelay = defaults.FirstDelay
	}
	if p.MaxDelay <= 0 {
		p.MaxDelay = defaults.MaxDelay
	}
	return p
}

// Do makes a call until it succeeds, fails with an error that is not [Temporary],
// or has been made p.Attempts times. Delays are shortened at random by up to half,
// so that callers that failed together do not come back together.
//
// The error of the last attempt is wrapped. If ctx ends during a delay, or its
// deadline is before the end of the delay, ctx's error is wrapped too. Warnings
// are logged as message, with the attributes given.
func Do[T any](ctx context.Context, p Policy, message string, call func() (T, error), attributes ...any) (T, error) {
	var none T
	backoff := min(p.FirstDelay, p.MaxDelay)
	for attempt := 1; ; attempt++ {
		got, err := call()
		if err == nil {
			return got, nil
		}
		asked, ok := Retryable(err)
		if !ok || attempt >= p.most(ctx, err) || asked > p.MaxDelay || ctx.Err() != nil {
			return none, after(attempt, err)
		}
		delay := max(asked, backoff-rand.N(backoff/2+1))
		backoff = grow(backoff, p.MaxDelay)
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < delay {
			return none, after(attempt, fmt.Errorf("%w (%w before the next attempt)", err, context.DeadlineExceeded))
		}
		if p.Log != nil {
			p.Log.WarnContext(ctx, message, append([]any{"attempt", attempt, "delay", delay, "error", err}, attributes...)...)
		}
		if ended := Sleep(ctx, delay); ended != nil {
			return none, after(attempt, fmt.Errorf("%w (%w before the next attempt)", err, ended))
		}
	}
}

// grow doubles a delay, up to the longest.
func grow(d, longest time.Duration) time.Duration {
	if d > longest/2 {
		return longest
	}
	return 2 * d
}

// after says how many attempts an error ended, if there was more than one.
func after(attempts int, err error) error {
	if attempts == 1 {
		return err
	}
	return fmt.Errorf("after %d attempts: %w", attempts, err)
}
