package embed_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/embed"
)

func TestBatchNeverExceedsItsLimits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	runes := func(s string) int { return len(s) }
	for range 300 {
		texts := make([]string, r.IntN(50))
		for i := range texts {
			texts[i] = strings.Repeat("x", r.IntN(20)) + string(rune('a'+i%26))
		}
		f := &fake{dim: 8}
		o := embed.BatchOptions{Items: 1 + r.IntN(9), Tokens: 20 + r.IntN(60), Count: runes}
		got, err := embed.Batch(f, o).Embed(t.Context(), texts, embed.Document)
		require.NoError(t, err)
		require.Len(t, got, len(texts))
		var sent []string
		for i, call := range f.calls {
			sent = append(sent, call...)
			size := len(strings.Join(call, ""))
			require.NotEmpty(t, call)
			require.LessOrEqual(t, len(call), o.Items)
			require.LessOrEqual(t, size, o.Tokens)
			if i+1 < len(f.calls) && len(call) < o.Items {
				require.Greater(t, size+len(f.calls[i+1][0]), o.Tokens, "the next text would have fitted")
			}
		}
		require.Equal(t, len(texts), len(sent))
		for i := range texts {
			require.Equal(t, texts[i], sent[i])
			require.Equal(t, f.vectorOf(texts[i], embed.Document), got[i])
		}
	}
}

func TestBatchRefusesTextsThatAreTooLong(t *testing.T) {
	f := &fake{dim: 4}
	_, err := embed.Batch(f, embed.BatchOptions{Tokens: 3}).Embed(t.Context(), []string{"one two", "one two three four"}, embed.Document)
	require.Equal(t, &embed.TextError{Index: 1, Err: &embed.TooLongError{Tokens: 4, Most: 3}}, err)
	require.Empty(t, f.calls)
}

// TestBatchExtremes has options of the largest numbers.
func TestBatchExtremes(t *testing.T) {
	for _, o := range []embed.BatchOptions{
		{Items: math.MaxInt, Concurrency: math.MaxInt},
		{Items: math.MaxInt, Tokens: math.MaxInt, Count: func(string) int { return math.MaxInt }},
		{Items: math.MaxInt, Tokens: math.MaxInt - 1, Count: func(string) int { return math.MaxInt/2 + 1 }},
		{Items: -1, Tokens: -1, Concurrency: -1},
	} {
		f := &fake{dim: 4}
		got, err := embed.Batch(f, o).Embed(t.Context(), numbered(3), embed.Document)
		require.NoError(t, err)
		require.Equal(t, f.want(numbered(3), embed.Document), got)
		if o.Count != nil {
			require.Len(t, f.calls, 3, "two texts are too many tokens")
		}
	}
}

func TestBatchConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{dim: 4, takes: time.Second}
		e := embed.Batch(f, embed.BatchOptions{Items: 2, Concurrency: 4})
		begin := time.Now()
		done := make(chan error)
		for range 2 { // the limit is of all callers together
			go func() {
				got, err := e.Embed(t.Context(), numbered(16), embed.Document)
				if err == nil && len(got) != 16 {
					err = errors.New("vectors are missing")
				}
				done <- err
			}()
		}
		require.NoError(t, <-done)
		require.NoError(t, <-done)
		require.Equal(t, 4, f.most)
		require.Len(t, f.calls, 16)
		require.Equal(t, 4*time.Second, time.Since(begin)) // 16 calls, 4 at a time: the ideal
	})
}

func TestBatchKeepsOrderWhateverFinishesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{dim: 4}
		f.fail = func(call int, _ []string) error { // the first calls last longest
			time.Sleep(time.Duration(10-call) * time.Second)
			return nil
		}
		got, err := embed.Batch(f, embed.BatchOptions{Items: 1, Concurrency: 10}).Embed(t.Context(), numbered(10), embed.Query)
		require.NoError(t, err)
		require.Equal(t, f.want(numbered(10), embed.Query), got)
	})
}

func TestBatchStopsAtTheFirstError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		f := &fake{dim: 4, takes: time.Second, fail: func(call int, _ []string) error {
			if call == 1 {
				return &embed.TextError{Index: 1, Err: broken}
			}
			return nil
		}}
		_, err := embed.Batch(f, embed.BatchOptions{Items: 2}).Embed(t.Context(), numbered(20), embed.Document)
		require.Equal(t, &embed.TextError{Index: 3, Err: broken}, err)
		require.Less(t, len(f.calls), 4)
	})
}

func TestBatchEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		f := &fake{dim: 4, takes: time.Second}
		begin := time.Now()
		_, err := embed.Batch(f, embed.BatchOptions{Items: 1, Concurrency: 2}).Embed(ctx, numbered(20), embed.Document)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 1500*time.Millisecond, time.Since(begin))
		require.Len(t, f.calls, 4)

		cancel()
		_, err = embed.Batch(f, embed.BatchOptions{}).Embed(ctx, numbered(1), embed.Document)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, f.calls, 4)
	})
}
