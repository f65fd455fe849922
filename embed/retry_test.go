package embed_test

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

	"github.com/vecwire/vecwire/embed"
)

func TestRetry(t *testing.T) {
	for name, tt := range map[string]struct {
		errs  []error // of the attempts; then they succeed
		o     embed.RetryOptions
		calls int
		least time.Duration // the whole time
		most  time.Duration
		err   bool
	}{
		"no error":           {nil, embed.RetryOptions{}, 1, 0, 0, false},
		"backs off":          {[]error{busy{}, busy{}, busy{}}, embed.RetryOptions{FirstDelay: time.Second}, 4, 3500 * time.Millisecond, 7 * time.Second, false},
		"gives up":           {[]error{busy{}, busy{}, busy{}}, embed.RetryOptions{Attempts: 3, FirstDelay: time.Second}, 3, 1500 * time.Millisecond, 3 * time.Second, true},
		"longest delay":      {[]error{busy{}, busy{}, busy{}, busy{}}, embed.RetryOptions{FirstDelay: time.Second, MaxDelay: 2 * time.Second}, 5, 3500 * time.Millisecond, 7 * time.Second, false},
		"waits as asked":     {[]error{busy{30 * time.Second}}, embed.RetryOptions{}, 2, 30 * time.Second, 30 * time.Second, false},
		"asked for too much": {[]error{busy{time.Hour}}, embed.RetryOptions{}, 1, 0, 0, true},
		"wrapped":            {[]error{fmt.Errorf("call: %w", busy{})}, embed.RetryOptions{}, 2, 250 * time.Millisecond, 500 * time.Millisecond, false},
		"other errors":       {[]error{errors.New("no")}, embed.RetryOptions{}, 1, 0, 0, true},
		"a bad text":         {[]error{&embed.TextError{Err: &embed.CountError{}}}, embed.RetryOptions{}, 1, 0, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{dim: 4, fail: func(call int, _ []string) error {
					if call < len(tt.errs) {
						return tt.errs[call]
					}
					return nil
				}}
				begin := time.Now()
				got, err := embed.Retry(f, tt.o).Embed(t.Context(), numbered(2), embed.Query)
				if tt.err {
					require.ErrorIs(t, err, tt.errs[tt.calls-1])
				} else {
					require.NoError(t, err)
					require.Equal(t, f.want(numbered(2), embed.Query), got)
				}
				require.Len(t, f.calls, tt.calls)
				require.GreaterOrEqual(t, time.Since(begin), tt.least)
				require.LessOrEqual(t, time.Since(begin), tt.most)
			})
		})
	}
}

func TestRetryEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{dim: 4, fail: func(int, []string) error { return busy{20 * time.Second} }}
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := embed.Retry(f, embed.RetryOptions{}).Embed(ctx, numbered(1), embed.Document)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, busy{20 * time.Second})
		require.Zero(t, time.Since(begin), "the deadline is before the next attempt")

		ended, end := context.WithCancel(t.Context())
		go func() {
			time.Sleep(5 * time.Second)
			end()
		}()
		_, err = embed.Retry(f, embed.RetryOptions{}).Embed(ended, numbered(1), embed.Document)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 5*time.Second, time.Since(begin))
		require.Len(t, f.calls, 2)
	})
}

func TestRetryDelaysDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[time.Duration]bool{}
		for range 20 {
			f := &fake{dim: 4, fail: func(call int, _ []string) error {
				if call == 0 {
					return busy{}
				}
				return nil
			}}
			_, err := embed.Retry(f, embed.RetryOptions{}).Embed(t.Context(), numbered(1), embed.Document)
			require.NoError(t, err)
			seen[f.at[1].Sub(f.at[0])] = true
		}
		require.Greater(t, len(seen), 10)
	})
}

func TestRetryLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		f := &fake{dim: 4, fail: func(call int, _ []string) error {
			if call < 2 {
				return busy{}
			}
			return nil
		}}
		_, err := embed.Retry(f, embed.RetryOptions{Log: slog.New(slog.NewTextHandler(&out, nil))}).Embed(t.Context(), []string{"private"}, embed.Document)
		require.NoError(t, err)
		require.Equal(t, 2, bytes.Count(out.Bytes(), []byte("level=WARN")))
		require.NotContains(t, out.String(), "private")
	})
}

// TestRetriesAreLimited proves the order of the wrappers: every attempt takes its
// turn of the limit.
func TestRetriesAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{dim: 4, fail: func(call int, _ []string) error {
			if call%2 == 0 && call < 8 {
				return busy{}
			}
			return nil
		}}
		e := embed.Batch(embed.Retry(embed.Limit(f, embed.LimitOptions{Requests: 10}), embed.RetryOptions{}), embed.BatchOptions{Items: 1, Concurrency: 8})
		_, err := e.Embed(t.Context(), numbered(12), embed.Document)
		require.NoError(t, err)
		calls, _ := f.spent(func(string) int { return 0 })
		require.Equal(t, 10, calls)
		require.Greater(t, len(f.calls), 12)
	})
}
