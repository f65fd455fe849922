package embed

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/vecwire/vecwire/chunk"
)

// LimitOptions says how much may be asked of a service. The zero value limits
// nothing, but pauses when the service asks for it.
type LimitOptions struct {
	// Requests is the most calls in a minute; 0 or less means no limit.
	Requests int

	// Tokens is the most tokens in a minute, by Count; 0 or less means no limit.
	Tokens int

	// Count counts the tokens of a text; nil means chunk.EstimateTokens.
	Count func(text string) int
}

// Limit returns e with its calls spread evenly, because services enforce a
// minute's limit over much shorter times: a call that takes a part of the limit
// keeps the next one waiting for that part of a minute. So no minute has more
// requests than allowed, nor more tokens than allowed and one call's on top. Give
// all users of a service's account the same limited embedder.
//
// A call that fails with an error that asks to wait (see [Temporary]) makes all
// calls wait that have not begun. Limit does not retry: [Retry] is put around it,
// so that each attempt counts.
//
// A call whose turn comes after the deadline of its context fails when that is
// known, with [context.DeadlineExceeded], and takes nothing of the limit.
func Limit(e Embedder, o LimitOptions) Embedder {
	if o.Count == nil {
		o.Count = chunk.EstimateTokens
	}
	return &limiter{Embedder: e, o: o, first: make(chan struct{}, 1)}
}

// A limiter is the generic cell rate algorithm with no burst (ITU-T I.371): it
// remembers only when the next call may begin. golang.org/x/time/rate would need
// a burst as large as the largest call.
type limiter struct {
	Embedder
	o LimitOptions

	first chan struct{} // held by the call whose turn is next; the others wait for it in order
	next  time.Time     // when the limit lets the next call begin; of the holder of first

	mu     sync.Mutex
	paused time.Time // until when the service asked to wait
}

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

// cost returns for how long a call keeps the next one waiting.
func (l *limiter) cost(texts []string) time.Duration {
	var cost time.Duration
	if l.o.Requests > 0 {
		cost = (time.Minute + time.Duration(l.o.Requests) - 1) / time.Duration(l.o.Requests)
	}
	if l.o.Tokens > 0 {
		tokens := 0
		for _, text := range texts {
			tokens += l.o.Count(text)
		}
		part := math.Ceil(float64(tokens) / float64(l.o.Tokens) * float64(time.Minute))
		cost = max(cost, time.Duration(part))
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

// wait waits for the call's turn, and says when the next one may come.
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
	for { // a pause may begin or grow while this waits
		now, turn := time.Now(), l.turn()
		if !turn.After(now) {
			l.next = now.Add(cost)
			return nil
		}
		if deadline, ok := ctx.Deadline(); ok && deadline.Before(turn) {
			return fmt.Errorf("the rate limit asks to wait %v: %w", turn.Sub(now).Round(time.Millisecond), context.DeadlineExceeded)
		}
		if err := sleep(ctx, turn.Sub(now)); err != nil {
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

// sleep waits for d, or until ctx ends and returns why.
func sleep(ctx context.Context, d time.Duration) error {
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
