package embed_test

import (
	"bytes"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/embed"
)

// TestRetry tests what package backoff does not: the defaults, and what is logged.
func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing := embed.DefaultAttempts - 1
		var out bytes.Buffer
		f := &fake{dim: 4, fail: func(call int, _ []string) error {
			if call < failing {
				return busy{}
			}
			return nil
		}}
		e := embed.Retry(f, embed.RetryOptions{Log: slog.New(slog.NewTextHandler(&out, nil))})
		begin := time.Now()
		got, err := e.Embed(t.Context(), []string{"private"}, embed.Query)
		require.NoError(t, err)
		require.Equal(t, f.want([]string{"private"}, embed.Query), got)
		require.GreaterOrEqual(t, time.Since(begin), 15*embed.DefaultFirstDelay/2)
		require.LessOrEqual(t, time.Since(begin), 15*embed.DefaultFirstDelay)
		require.Equal(t, failing, bytes.Count(out.Bytes(), []byte("embedding failed, trying again")))
		require.Contains(t, out.String(), "model=fake texts=1")
		require.NotContains(t, out.String(), "private")

		f.fail = func(int, []string) error { return busy{} }
		_, err = e.Embed(t.Context(), []string{"private"}, embed.Query)
		require.EqualError(t, err, "after 5 attempts: busy")
		f.fail = func(int, []string) error { return busy{embed.DefaultMaxDelay + 1} }
		_, err = e.Embed(t.Context(), []string{"private"}, embed.Query)
		require.EqualError(t, err, "busy")
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
