package embed

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/vecwire/vecwire/chunk"
	"github.com/vecwire/vecwire/internal/backoff"
)

// LimitOptions says how much a service may be asked. The zero value limits nothing,
// but pauses when the service asks for a pause.
type LimitOptions struct {
	// Requests is the most calls in a minute; 0 or less means no limit.
	Requests int

	// Tokens is the most tokens in a minute, by Count; 0 or less means no limit.
	Tokens int

	// Count counts the tokens of a text; nil means chunk.EstimateTokens.
	Count func(text string) int
}

// Limit returns e with its calls spread evenly, because services enforce a limit
// per minute over much shorter times: after a call that takes a part of the limit,
// the next one waits for that part of a minute. So no minute has more requests than
// allowed, nor more tokens than allowed plus those of one call. Give all users of an
// account the same limited embedder.
//
// If a call fails with an error that asks the caller to wait (see [Temporary]), all
// calls that have not begun wait. Limit does not retry: put [Retry] around it, so
// that each attempt counts.
//
// A call whose turn would come after the deadline of its context fails as soon as
// that is known, with [context.DeadlineExceeded], and takes nothing of the limit.
func Limit(e Embedder, o LimitOptions) Embedder {
	if o.Count == nil {
		o.Count = chunk.EstimateTokens
	}
	return &limiter{Embedder: e, o: o, first: make(chan struct{}, 1)}
}

// longest is the longest wait that the sums of times can hold.
const longest = 100 * 365 * 24 * time.Hour

// A limiter is the generic cell rate algorithm without a burst (ITU-T I.371): its
// whole state is the time at which the next call may begin. golang.org/x/time/rate
// would need a burst as large as the largest call.
type limiter struct {
	Embedder
	o LimitOptions

	first chan struct{} // held by the call whose turn is next; the others wait for it in order
	next  time.Time     // when the limit lets the next call begin; only the holder of first uses it

	mu     sync.Mutex
	paused time.Time // the end of the pause that the service asked for
}

// Verified reports whether the embedder checks its own answers.
func (l *limiter) Verified() bool { return verified(l.Embedder) }

func (l *limiter) Embed(ctx context.Context, texts []string, use Use) ([][]float32, error) {
	if err := l.wait(ctx, l.cost(texts)); err != nil {
		return nil, err
	}
	vectors, err := l.Embedder.Embed(ctx, texts, use)
	if after, ok := Retryable(err); ok && after > 0 {
		l.pause(after)
	}
	return vectors, err
}

// cost returns how long the next call waits after a call of these texts.
func (l *limiter) cost(texts []string) time.Duration {
	var cost time.Duration
	if l.o.Requests > 0 {
		cost = (time.Minute-1)/time.Duration(l.o.Requests) + 1
	}
	if l.o.Tokens > 0 {
		tokens := 0.0
		for _, text := range texts {
			tokens += float64(l.o.Count(text))
		}
		part := math.Ceil(tokens / float64(l.o.Tokens) * float64(time.Minute))
		cost = max(cost, time.Duration(min(part, float64(longest))))
	}
	return cost
}

func (l *limiter) pause(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := time.Now().Add(d); until.After(l.paused) {
		l.paused = until
	}
}

// wait waits for the call's turn, and sets the time of the next one.
func (l *limiter) wait(ctx context.Context, cost time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case l.first <- struct{}{}:
		defer func() { <-l.first }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for { // a pause may begin or become longer during the wait
		now, turn := time.Now(), l.turn()
		if !turn.After(now) {
			l.next = now.Add(cost)
			return nil
		}
		if deadline, ok := ctx.Deadline(); ok && deadline.Before(turn) {
			return fmt.Errorf("the rate limit asks to wait %v: %w", turn.Sub(now).Round(time.Millisecond), context.DeadlineExceeded)
		}
		if err := backoff.Sleep(ctx, turn.Sub(now)); err != nil {
			return err
		}
	}
}

// turn returns when the next call may begin.
func (l *limiter) turn() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.paused.After(l.next) {
		return l.paused
	}
	return l.next
}
