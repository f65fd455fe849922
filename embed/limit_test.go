package embed_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/embed"
)

// spent returns the most calls and tokens that began in any minute.
func (f *fake) spent(count func(string) int) (calls, tokens int) {
	for i, from := range f.at {
		n, sum := 0, 0
		for j := i; j < len(f.at) && f.at[j].Sub(from) < time.Minute; j++ {
			n++
			for _, text := range f.calls[j] {
				sum += count(text)
			}
		}
		calls, tokens = max(calls, n), max(tokens, sum)
	}
	return calls, tokens
}

func TestLimitRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{dim: 4, takes: 10 * time.Second}
		e := embed.Limit(f, embed.LimitOptions{Requests: 7})
		begin := time.Now()
		var all sync.WaitGroup
		for range 22 {
			all.Go(func() {
				_, err := e.Embed(t.Context(), numbered(3), embed.Document)
				require.NoError(t, err)
			})
		}
		all.Wait()
		calls, _ := f.spent(func(string) int { return 0 })
		require.Equal(t, 7, calls)
		require.InDelta(t, (3*time.Minute + 10*time.Second).Seconds(), time.Since(begin).Seconds(), 0.001) // no slower than it has to be
	})
}

func TestLimitTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		count := func(s string) int { return len(s) }
		f := &fake{dim: 4}
		e := embed.Limit(f, embed.LimitOptions{Tokens: 1000, Count: count})
		begin := time.Now()
		total := 0
		for i := range 40 {
			n := 1 + i*37%300
			total += n
			_, err := e.Embed(t.Context(), []string{strings.Repeat("x", n)}, embed.Document)
			require.NoError(t, err)
		}
		_, tokens := f.spent(count)
		require.LessOrEqual(t, tokens, 1000+300)
		require.LessOrEqual(t, time.Since(begin), time.Duration(total)*time.Minute/1000+time.Microsecond)
	})
}

func TestLimitPausesAllCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{dim: 4, takes: time.Second, fail: func(call int, _ []string) error {
			if call == 0 {
				return busy{20 * time.Second}
			}
			return nil
		}}
		e := embed.Limit(f, embed.LimitOptions{Requests: 20}) // three seconds apart
		begin := time.Now()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { _, _ = e.Embed(t.Context(), numbered(1), embed.Document) })
		}
		all.Wait()
		var at []time.Duration
		for _, time := range f.at {
			at = append(at, time.Sub(begin))
		}
		// The first fails after a second; the others wait, and are still spread.
		require.Equal(t, []time.Duration{0, 21 * time.Second, 24 * time.Second, 27 * time.Second}, at)
	})
}

func TestLimitHonoursDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{dim: 4}
		e := embed.Limit(f, embed.LimitOptions{Requests: 1})
		_, err := e.Embed(t.Context(), numbered(1), embed.Document)
		require.NoError(t, err)

		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		_, err = e.Embed(ctx, numbered(1), embed.Document)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "rate limit")
		require.Zero(t, time.Since(begin), "it is known at once")

		ended, end := context.WithCancel(t.Context())
		go func() {
			time.Sleep(10 * time.Second)
			end()
		}()
		_, err = e.Embed(ended, numbered(1), embed.Document)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 10*time.Second, time.Since(begin))

		_, err = e.Embed(t.Context(), numbered(1), embed.Document)
		require.NoError(t, err)
		require.Equal(t, time.Minute, time.Since(begin), "calls that gave up took nothing")
		require.Len(t, f.calls, 2)
	})
}

func TestLimitPassesErrorsOn(t *testing.T) {
	broken := errors.New("broken")
	f := &fake{dim: 4, fail: func(int, []string) error { return broken }}
	_, err := embed.Limit(f, embed.LimitOptions{}).Embed(t.Context(), numbered(1), embed.Document)
	require.Equal(t, broken, err)
}

// TestLimitExtremes has limits and texts of the largest numbers: a limit that cannot
// be reached does not delay, and a call that takes all of a limit still does.
func TestLimitExtremes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, o := range []embed.LimitOptions{
			{Requests: math.MaxInt}, {Requests: math.MaxInt / 2}, {Tokens: math.MaxInt},
			{Tokens: math.MaxInt, Count: func(string) int { return 1 }},
		} {
			begin := time.Now()
			e := embed.Limit(&fake{dim: 4}, o)
			for range 3 {
				_, err := e.Embed(t.Context(), numbered(2), embed.Document)
				require.NoError(t, err)
			}
			require.Less(t, time.Since(begin), time.Millisecond)
		}
		for _, count := range []int{math.MaxInt, math.MaxInt / 2} {
			e := embed.Limit(&fake{dim: 4}, embed.LimitOptions{Tokens: 1, Count: func(string) int { return count }})
			_, err := e.Embed(t.Context(), numbered(2), embed.Document)
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 1000*time.Hour)
			defer cancel()
			_, err = e.Embed(ctx, numbered(2), embed.Document)
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
	})
}
