package wire

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vecwire/vecwire/internal/engine"
)

// A failed operation is run again for so long, which a server needs to restart,
// with pauses that grow from the first to the last of these. What failed because
// another did the same at the same time waits shortly: the other has ended.
const (
	retryFor      = 30 * time.Second
	firstPause    = 10 * time.Millisecond
	LastPause     = time.Second
	firstConflict = time.Millisecond
	lastConflict  = 50 * time.Millisecond
)

// Again says whether an operation that failed left no trace, so that it may be
// run once more.
type Again uint8

// The answers of [Dialect.Again].
const (
	Never    Again = iota // or not known to be safe
	Later                 // when the server is back, or has room
	Conflict              // soon: others did the same at the same time
)

// LostError is the error of an operation whose connection broke under it.
type LostError struct{ Err error }

func (e LostError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e LostError) Unwrap() error { return e.Err }

// Retry runs op until it succeeds, fails for good, has failed for too long, or so
// many times by conflicts, where most is not 0. Each retry and how they ended is
// in the log. The error it returns is explained.
func (s *Server) Retry(ctx context.Context, most int, op func() error) error {
	begin, pause, conflict, conflicts := time.Now(), firstPause, firstConflict, 0
	for attempt := 1; ; attempt++ {
		err := op()
		again := s.again(err)
		wait := &pause
		if again == Conflict {
			wait = &conflict
			conflicts++
		}
		if err == nil || ctx.Err() != nil || again == Never || time.Since(begin)+*wait > retryFor || conflicts == most && most > 0 {
			s.ended(ctx, attempt, begin, err)
			return s.Failure(endedBy(ctx, err))
		}
		rest := *wait/2 + rand.N(*wait)
		s.Log.WarnContext(ctx, "running an operation again", "server", s.Target, "attempt", attempt, "reason", err, "wait", rest)
		timer := time.NewTimer(rest)
		select {
		case <-ctx.Done():
			timer.Stop()
			s.ended(ctx, attempt, begin, err)
			return s.Failure(err)
		case <-timer.C:
		}
		pause = min(2*pause, LastPause)
		if again == Conflict {
			conflict = min(2*conflict, lastConflict)
		}
	}
}

// endedBy returns err with ctx's error if ctx has ended and the connection is lost: pgx
// closes it then, and what was being read may report no more than that.
func endedBy(ctx context.Context, err error) error {
	if lost, ok := errors.AsType[LostError](err); ok && ctx.Err() != nil && !errors.Is(lost, ctx.Err()) {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

// ended logs how an operation ended that was run more than once.
func (s *Server) ended(ctx context.Context, attempts int, begin time.Time, err error) {
	if attempts == 1 {
		return
	}
	took := time.Since(begin).Round(time.Millisecond)
	if err != nil {
		s.Log.WarnContext(ctx, "an operation failed and is given up", "server", s.Target, "attempts", attempts, "took", took, "err", err)
		return
	}
	s.Log.InfoContext(ctx, "an operation succeeded after it was run again", "server", s.Target, "attempts", attempts, "took", took)
}

// again reports whether an operation that failed with err is worth another try.
func (s *Server) again(err error) Again {
	if err == nil {
		return Never
	}
	if again := s.Again(err); again != Never {
		return again
	}
	if _, answered := errors.AsType[*pgconn.PgError](err); answered {
		return Never
	}
	if lost, ok := errors.AsType[LostError](err); ok {
		if errors.Is(lost, context.DeadlineExceeded) { // of a statement: its server may be working on it still
			return Never
		}
		return Later
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok && !permanent(err) {
		return Later
	}
	return Never
}

// Failure returns err as users know it.
func (s *Server) Failure(err error) error {
	if err == nil {
		return nil
	}
	if _, done := errors.AsType[*engine.ConnectError](err); done {
		return s.Explain(err)
	}
	if remedy := s.Remedy(err); remedy != "" {
		return &engine.ConnectError{Target: s.Target, Err: err, Remedy: remedy}
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return &engine.ConnectError{Target: s.Target, Err: err, Remedy: connectRemedy(err)}
	}
	_, lost := errors.AsType[LostError](err)
	_, answered := errors.AsType[*pgconn.PgError](err)
	if lost && !answered && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		return &engine.ConnectError{Target: s.Target, Err: err, Remedy: "the connection was lost: check the network and the server's log"}
	}
	return s.Explain(err)
}
