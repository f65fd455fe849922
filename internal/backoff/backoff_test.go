package backoff_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/backoff"
)

// busy is the error of a service that has too much to do.
type busy struct{ after time.Duration }

func (b busy) Error() string                    { return "busy" }
func (b busy) Retryable() (time.Duration, bool) { return b.after, true }

// never is an error that says that it stays.
type never struct{}

func (never) Error() string                    { return "never" }
func (never) Retryable() (time.Duration, bool) { return 0, false }

var defaults = backoff.Policy{Attempts: 5, FirstDelay: time.Second, MaxDelay: time.Minute}

func TestDo(t *testing.T) {
	for name, tt := range map[string]struct {
		errs  []error // of the attempts; further ones succeed
		p     backoff.Policy
		calls int
		least time.Duration // the whole time
		most  time.Duration
		fails bool
	}{
		"no error":              {nil, backoff.Policy{}, 1, 0, 0, false},
		"backs off":             {[]error{busy{}, busy{}, busy{}}, backoff.Policy{}, 4, 3500 * time.Millisecond, 7 * time.Second, false},
		"gives up":              {[]error{busy{}, busy{}, busy{}}, backoff.Policy{Attempts: 3}, 3, 1500 * time.Millisecond, 3 * time.Second, true},
		"longest delay":         {[]error{busy{}, busy{}, busy{}, busy{}}, backoff.Policy{MaxDelay: 2 * time.Second}, 5, 3500 * time.Millisecond, 7 * time.Second, false},
		"a first above longest": {[]error{busy{}}, backoff.Policy{FirstDelay: time.Hour, MaxDelay: 2 * time.Second}, 2, time.Second, 2 * time.Second, false},
		"waits as asked":        {[]error{busy{30 * time.Second}}, backoff.Policy{}, 2, 30 * time.Second, 30 * time.Second, false},
		"asked for too much":    {[]error{busy{time.Hour}}, backoff.Policy{}, 1, 0, 0, true},
		"wrapped":               {[]error{fmt.Errorf("call: %w", busy{})}, backoff.Policy{}, 2, 500 * time.Millisecond, time.Second, false},
		"not temporary":         {[]error{errors.New("no")}, backoff.Policy{}, 1, 0, 0, true},
		"not retryable":         {[]error{never{}}, backoff.Policy{}, 1, 0, 0, true},
		"then not retryable":    {[]error{busy{}, never{}}, backoff.Policy{}, 2, 500 * time.Millisecond, time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				begin := time.Now()
				got, err := backoff.Do(t.Context(), tt.p.Or(defaults), "failed", func() (string, error) {
					if calls++; calls <= len(tt.errs) {
						return "", tt.errs[calls-1]
					}
					return "answer", nil
				})
				if tt.fails {
					require.ErrorIs(t, err, tt.errs[tt.calls-1])
				} else {
					require.NoError(t, err)
					require.Equal(t, "answer", got)
				}
				require.Equal(t, tt.calls, calls)
				require.GreaterOrEqual(t, time.Since(begin), tt.least)
				require.LessOrEqual(t, time.Since(begin), tt.most)
			})
		})
	}
}

func TestDoEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		do := func(ctx context.Context) error {
			_, err := backoff.Do(ctx, defaults, "failed", func() (any, error) { calls++; return nil, busy{20 * time.Second} })
			return err
		}
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := do(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, busy{20 * time.Second})
		require.Zero(t, time.Since(begin), "the deadline is before the next attempt")

		ended, end := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Second, end)
		err = do(ended)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, busy{20 * time.Second})
		require.Equal(t, 5*time.Second, time.Since(begin))
		require.Equal(t, 2, calls)

		require.ErrorIs(t, do(ended), busy{20 * time.Second}, "an attempt is made, and none after it")
		require.Equal(t, 3, calls)
	})
}

func TestDelaysDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[time.Duration]bool{}
		for range 20 {
			begin, calls := time.Now(), 0
			_, err := backoff.Do(t.Context(), defaults, "failed", func() (any, error) {
				if calls++; calls == 1 {
					return nil, busy{}
				}
				return nil, nil
			})
			require.NoError(t, err)
			seen[time.Since(begin)] = true
		}
		require.Greater(t, len(seen), 10)
	})
}

func TestAttemptsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := backoff.Policy{Attempts: 3, Log: slog.New(slog.NewTextHandler(&out, nil))}.Or(defaults)
		_, err := backoff.Do(t.Context(), p, "it failed", func() (any, error) { return nil, busy{} }, "texts", 7)
		require.EqualError(t, err, "after 3 attempts: busy")
		require.Equal(t, 2, bytes.Count(out.Bytes(), []byte(`level=WARN msg="it failed"`)), "the last is the error")
		require.Contains(t, out.String(), "attempt=2")
		require.Contains(t, out.String(), "error=busy texts=7")
	})
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		require.NoError(t, backoff.Sleep(t.Context(), time.Hour))
		require.Equal(t, time.Hour, time.Since(begin))
		ctx, cancel := context.WithCancel(t.Context())
		require.NoError(t, backoff.Sleep(ctx, -1))
		cancel()
		require.ErrorIs(t, backoff.Sleep(ctx, 0), context.Canceled)
		require.ErrorIs(t, backoff.Sleep(ctx, time.Hour), context.Canceled)
		require.Equal(t, time.Hour, time.Since(begin))
	})
}
