package rerank_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/rerank"
)

// model is a reranker for tests.
type model func(query string, texts []string) ([]float64, error)

func (m model) Rerank(_ context.Context, query string, texts []string) ([]float64, error) {
	return m(query, texts)
}

// lengths scores a text by its length.
var lengths = model(func(_ string, texts []string) ([]float64, error) {
	scores := make([]float64, len(texts))
	for i, text := range texts {
		scores[i] = float64(len(text))
	}
	return scores, nil
})

func TestTexts(t *testing.T) {
	texts := []string{"bb", "a", "ccc", "dd"}
	got, err := rerank.Texts(t.Context(), lengths, "q", texts, 3)
	require.NoError(t, err)
	require.Equal(t, []rerank.Ranked{{Index: 2, Score: 3}, {Index: 0, Score: 2}, {Index: 3, Score: 2}}, got)
	got, err = rerank.Texts(t.Context(), lengths, "q", texts, 10)
	require.NoError(t, err)
	require.Equal(t, []int{2, 0, 3, 1}, places(got))
	got, err = rerank.Texts(t.Context(), nil, "q", nil, 3)
	require.NoError(t, err)
	require.Empty(t, got)
	_, err = rerank.Texts(t.Context(), lengths, "q", texts, 0)
	require.EqualError(t, err, "k is 0, want 1 or more")
}

func TestTextsChecksScores(t *testing.T) {
	var count *rerank.CountError
	var value *codec.ValueError
	for _, tt := range []struct {
		scores []float64
		is     any
		want   string
	}{
		{[]float64{1}, &count, "text 1: 1 scores for 2 texts"},
		{nil, &count, "text 0: 0 scores for 2 texts"},
		{[]float64{1, 2, 3}, &count, "3 scores for 2 texts"},
		{[]float64{1, math.NaN()}, &value, "text 1: score is NaN, want a finite number"},
		{[]float64{math.Inf(-1), 1}, &value, "text 0: score is -Inf, want a finite number"},
		{[]float64{math.Inf(1)}, &value, "text 0: score is +Inf, want a finite number"},
		{[]float64{math.NaN(), 1, 2}, &value, "text 0: score is NaN, want a finite number"},
	} {
		bad := model(func(string, []string) ([]float64, error) { return tt.scores, nil })
		_, err := rerank.Texts(t.Context(), bad, "q", []string{"a", "b"}, 1)
		require.ErrorAs(t, err, tt.is)
		require.EqualError(t, err, tt.want)
		_, err = rerank.Batch(bad, 5).Rerank(t.Context(), "q", []string{"a", "b"})
		require.EqualError(t, err, tt.want)
	}
	broken := errors.New("broken")
	_, err := rerank.Texts(t.Context(), model(func(string, []string) ([]float64, error) { return nil, broken }), "q", []string{"a"}, 1)
	require.ErrorIs(t, err, broken)
}

func TestBatch(t *testing.T) {
	var texts []string
	for i := range 10 {
		texts = append(texts, fmt.Sprintf("%0*d", 1+i*7%10, 0))
	}
	want, err := lengths(``, texts)
	require.NoError(t, err)
	for n, sizes := range map[int][]int{-1: {10}, 0: {10}, 1: {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 3: {3, 3, 3, 1}, 10: {10}, 99: {10}} {
		var calls []int
		got, err := rerank.Batch(model(func(q string, texts []string) ([]float64, error) {
			calls = append(calls, len(texts))
			return lengths(q, texts)
		}), n).Rerank(t.Context(), "q", texts)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, sizes, calls)
	}
	_, err = rerank.Batch(model(func(_ string, chunk []string) ([]float64, error) {
		if i := slices.Index(chunk, texts[7]); i >= 0 {
			return nil, fmt.Errorf("call: %w", &rerank.TextError{Index: i, Err: errors.New("too long")})
		}
		return lengths("", chunk)
	}), 3).Rerank(t.Context(), "q", texts)
	require.EqualError(t, err, "text 7: too long")
}

// busy is an error that may be retried after a while.
type busy struct{ after time.Duration }

func (busy) Error() string                      { return "busy" }
func (b busy) Retryable() (time.Duration, bool) { return b.after, true }

// never is an error that says that it may not be retried.
type never struct{}

func (never) Error() string                    { return "never" }
func (never) Retryable() (time.Duration, bool) { return 0, false }

func TestRetry(t *testing.T) {
	other := errors.New("other")
	for name, tt := range map[string]struct {
		errs  []error // of the attempts; then they succeed
		o     rerank.RetryOptions
		calls int
		least time.Duration // the whole time
		most  time.Duration
		err   bool
	}{
		"no error":           {nil, rerank.RetryOptions{}, 1, 0, 0, false},
		"backs off":          {[]error{busy{}, busy{}, busy{}}, rerank.RetryOptions{Attempts: 4, FirstDelay: time.Second}, 4, 3500 * time.Millisecond, 7 * time.Second, false},
		"gives up":           {[]error{busy{}, busy{}, busy{}}, rerank.RetryOptions{FirstDelay: time.Second}, 3, 1500 * time.Millisecond, 3 * time.Second, true},
		"longest delay":      {[]error{busy{}, busy{}, busy{}, busy{}}, rerank.RetryOptions{Attempts: 5, FirstDelay: time.Second, MaxDelay: 2 * time.Second}, 5, 3500 * time.Millisecond, 7 * time.Second, false},
		"waits as asked":     {[]error{busy{4 * time.Second}}, rerank.RetryOptions{}, 2, 4 * time.Second, 4 * time.Second, false},
		"asked for too much": {[]error{busy{time.Hour}}, rerank.RetryOptions{}, 1, 0, 0, true},
		"wrapped":            {[]error{fmt.Errorf("call: %w", busy{})}, rerank.RetryOptions{}, 2, 100 * time.Millisecond, 200 * time.Millisecond, false},
		"not temporary":      {[]error{other}, rerank.RetryOptions{}, 1, 0, 0, true},
		"not retryable":      {[]error{never{}}, rerank.RetryOptions{}, 1, 0, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				var log bytes.Buffer
				tt.o.Log = slog.New(slog.NewTextHandler(&log, nil))
				begin := time.Now()
				got, err := rerank.Retry(model(func(q string, texts []string) ([]float64, error) {
					if calls++; calls <= len(tt.errs) {
						return nil, tt.errs[calls-1]
					}
					return lengths(q, texts)
				}), tt.o).Rerank(t.Context(), "secret query", []string{"secret"})
				if tt.err {
					require.ErrorIs(t, err, tt.errs[tt.calls-1])
				} else {
					require.NoError(t, err)
					require.Equal(t, []float64{6}, got)
				}
				require.Equal(t, tt.calls, calls)
				require.GreaterOrEqual(t, time.Since(begin), tt.least)
				require.LessOrEqual(t, time.Since(begin), tt.most)
				require.Equal(t, tt.calls-1, bytes.Count(log.Bytes(), []byte("trying again")))
				require.NotContains(t, log.String(), "secret")
			})
		})
	}
}

func TestRetryEndsWithTheContext(t *testing.T) {
	always := model(func(string, []string) ([]float64, error) { return nil, busy{} })
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		_, err := rerank.Retry(always, rerank.RetryOptions{FirstDelay: 4 * time.Second}).Rerank(ctx, "q", []string{"a"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, busy{})
		require.Zero(t, time.Since(begin), "the delay would outlive the context")

		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = rerank.Retry(always, rerank.RetryOptions{FirstDelay: 4 * time.Second}).Rerank(ctx, "q", []string{"a"})
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, busy{})
		require.Equal(t, time.Second, time.Since(begin))
	})
}
