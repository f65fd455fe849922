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

// busy is the error of a service that has too much to do.
type busy struct{ after time.Duration }

func (busy) Error() string                      { return "busy" }
func (b busy) Retryable() (time.Duration, bool) { return b.after, true }

// TestRetry tests what package backoff does not: the defaults, and what is logged.
func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		calls, failing, after := 0, rerank.DefaultAttempts-1, time.Duration(0)
		r := rerank.Retry(model(func(q string, texts []string) ([]float64, error) {
			if calls++; calls <= failing {
				return nil, busy{after}
			}
			return lengths(q, texts)
		}), rerank.RetryOptions{Log: slog.New(slog.NewTextHandler(&log, nil))})
		begin := time.Now()
		got, err := r.Rerank(t.Context(), "secret query", []string{"secret"})
		require.NoError(t, err)
		require.Equal(t, []float64{6}, got)
		require.GreaterOrEqual(t, time.Since(begin), 3*rerank.DefaultFirstDelay/2)
		require.LessOrEqual(t, time.Since(begin), 3*rerank.DefaultFirstDelay)
		require.Equal(t, failing, bytes.Count(log.Bytes(), []byte("reranking failed, trying again")))
		require.NotContains(t, log.String(), "secret")

		calls, failing = 0, 99
		_, err = r.Rerank(t.Context(), "q", []string{"a"})
		require.EqualError(t, err, "after 3 attempts: busy")
		after = rerank.DefaultMaxDelay + 1
		_, err = r.Rerank(t.Context(), "q", []string{"a"})
		require.EqualError(t, err, "busy")
	})
}
