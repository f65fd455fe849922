package embed_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/embed"
)

// errBad is how a fake refuses a call that has a bad text in it.
var errBad = errors.New("bad input")

const bad = "bad"

// refusing is a fake that refuses calls with a text that begins with "bad".
func refusing() *fake {
	return &fake{dim: 4, fail: func(_ int, texts []string) error {
		if slices.ContainsFunc(texts, func(s string) bool { return strings.HasPrefix(s, bad) }) {
			return errBad
		}
		return nil
	}}
}

// sent returns how many texts went to the fake, and how many of them were not given.
func (f *fake) sent(given []string) (sent, foreign int) {
	own := map[string]bool{}
	for _, text := range given {
		own[text] = true
	}
	for _, call := range f.calls {
		for _, text := range call {
			if own[text] {
				sent++
			} else {
				foreign++
			}
		}
	}
	return sent, foreign
}

// mixed returns n texts of which about a part is bad, and the places of these.
func mixed(r *rand.Rand, n int, part float64) (texts []string, places []int) {
	texts = numbered(n)
	for i := range texts {
		if r.Float64() < part {
			texts[i] = bad + texts[i]
			places = append(places, i)
		}
	}
	return texts, places
}

// requireSettled requires that all texts have their vectors but those at the places.
func requireSettled(t *testing.T, f *fake, texts []string, places []int, vectors [][]float32, failed []*embed.TextError) {
	t.Helper()
	require.Len(t, vectors, len(texts))
	require.Len(t, failed, len(places))
	for i, at := range places {
		require.Equal(t, at, failed[i].Index)
		require.ErrorIs(t, failed[i], errBad)
		require.Nil(t, vectors[at])
	}
	for i, v := range vectors {
		if !slices.Contains(places, i) {
			require.Equal(t, f.vectorOf(texts[i], embed.Document), v)
		}
	}
}

var parts = []float64{0, 0.001, 0.01, 0.03, 0.1, 0.2, 0.25, 0.3, 0.5, 0.75, 0.99, 1}

// TestIsolateBound gives jobs of calls of one size texts of which a part is bad: each
// text is settled as it should be, and at most twice as many are sent as were given.
func TestIsolateBound(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	step := 1
	if testing.Short() {
		step = 15 // 1, 16, 31, … 256
	}
	for _, part := range parts {
		for size := 1; size <= 256; size += step {
			f := refusing()
			e := embed.Isolate(f)
			var given []string
			calls := 1 + r.IntN(4)
			for range calls {
				texts, places := mixed(r, size, part)
				given = append(given, texts...)
				vectors, failed, err := e.Each(t.Context(), texts, embed.Document)
				require.NoError(t, err)
				requireSettled(t, f, texts, places, vectors, failed)
			}
			sent, canaries := f.sent(given)
			require.LessOrEqual(t, sent, 2*len(given), "%v of %d", part, size)
			require.LessOrEqual(t, canaries, calls)
			if part == 0 {
				require.Len(t, f.calls, calls, "a call without a bad text is made once")
			}
		}
	}
}

// TestIsolateEveryPlace puts one or two bad texts at every place of a first call and
// of a later one.
func TestIsolateEveryPlace(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 7, 16} {
		for first := range n {
			for second := first; second < n; second++ {
				texts := numbered(n)
				places := slices.Compact([]int{first, second})
				for _, at := range places {
					texts[at] = bad
				}
				f := refusing()
				e := embed.Isolate(f)
				for range 2 {
					vectors, failed, err := e.Each(t.Context(), texts, embed.Document)
					require.NoError(t, err)
					requireSettled(t, f, texts, places, vectors, failed)
					_, _, err = e.Each(t.Context(), numbered(100), embed.Document)
					require.NoError(t, err)
				}
				sent, _ := f.sent(slices.Concat(texts, numbered(100)))
				require.LessOrEqual(t, sent, 2*(2*n+200))
			}
		}
	}
}

// TestIsolateJob shows what a job costs in all, by part of bad texts: 1,000 texts in
// calls of 128, and 10,000.
func TestIsolateJob(t *testing.T) {
	for _, tt := range []struct {
		texts int
		part  float64
		sent  float64 // at most, per text
		calls float64 // at most, per text
	}{
		{1000, 0, 1, 0.008},
		{1000, 0.001, 1.9, 0.2},
		{1000, 0.25, 1.6, 1.1},
		{1000, 1, 1.2, 1.1},
		{10000, 0.001, 1.4, 0.08},
		{10000, 0.01, 1.6, 0.3},
		{10000, 0.25, 1.4, 1.1},
		{10000, 1, 1.1, 1.1},
	} {
		r := rand.New(rand.NewPCG(3, 4))
		f := refusing()
		e := embed.Isolate(f)
		texts, _ := mixed(r, tt.texts, tt.part)
		for group := range slices.Chunk(texts, 128) {
			_, _, err := e.Each(t.Context(), group, embed.Document)
			require.NoError(t, err)
		}
		sent, foreign := f.sent(texts)
		t.Logf("%d texts, %v bad: %d sent in %d calls", tt.texts, tt.part, sent+foreign, len(f.calls))
		require.LessOrEqual(t, float64(sent+foreign), tt.sent*float64(tt.texts), "%+v", tt)
		require.LessOrEqual(t, float64(len(f.calls)), tt.calls*float64(tt.texts), "%+v", tt)
	}
}

// refusal is an error that knows whether texts are at fault, and may be retried.
type refusal struct{ texts, again bool }

func (refusal) Error() string                      { return "refused" }
func (r refusal) TextsAtFault() bool               { return r.texts }
func (r refusal) Retryable() (time.Duration, bool) { return 0, r.again }

// timeout is the error of a connection.
type timeout struct{}

func (timeout) Error() string   { return "i/o timeout" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

// TestIsolateEndsWithOutages gives errors that are not about texts: they end the work
// at once, with what was embedded before.
func TestIsolateEndsWithOutages(t *testing.T) {
	for name, err := range map[string]error{
		"a rate limit":        busy{},
		"named, but for now":  &embed.TextError{Index: 1, Err: busy{}},
		"no key":              refusal{texts: false},
		"wrapped":             fmt.Errorf("call: %w", refusal{texts: false}),
		"a connection":        fmt.Errorf("call: %w", timeout{}),
		"a timeout":           fmt.Errorf("call: %w", context.DeadlineExceeded),
		"canceled by another": context.Canceled,
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{dim: 4, fail: func(call int, _ []string) error {
				if call > 0 {
					return err
				}
				return errBad
			}}
			e := embed.Isolate(f)
			_, failed, got := e.Each(t.Context(), numbered(20), embed.Document)
			require.ErrorIs(t, got, err)
			require.Empty(t, failed)
			require.Len(t, f.calls, 2)
		})
	}
	t.Run("the context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := &fake{dim: 4, fail: func(call int, texts []string) error {
			if call == 0 {
				return errBad
			}
			if texts[0] == "text number 3" {
				cancel()
				return ctx.Err()
			}
			return nil
		}}
		vectors, failed, err := embed.Isolate(f).Each(ctx, numbered(20), embed.Document)
		require.ErrorIs(t, err, context.Canceled)
		require.Empty(t, failed)
		require.Equal(t, f.want(numbered(3), embed.Document), vectors[:3], "what was embedded is kept")
		require.Equal(t, make([][]float32, 17), vectors[3:])
		_, _, err = embed.Isolate(f).Each(ctx, nil, embed.Document)
		require.ErrorIs(t, err, context.Canceled)
	})
}

// TestIsolateDoubts has an embedder that refuses everything, so that no text is to
// blame.
func TestIsolateDoubts(t *testing.T) {
	for name, spoil := range map[string]func(f *fake){
		"an error":        func(f *fake) { f.fail = func(int, []string) error { return errBad } },
		"a wrong size":    func(f *fake) { f.spoil = func(_ []string, v [][]float32) [][]float32 { return shorten(v) } },
		"too few vectors": func(f *fake) { f.spoil = func(_ []string, v [][]float32) [][]float32 { return v[1:] } },
		"a panic":         func(f *fake) { f.fail = func(int, []string) error { panic(errBad) } },
	} {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{1, 2, 5, 100} {
				f := &fake{dim: 4}
				spoil(f)
				_, failed, err := embed.Isolate(f).Each(t.Context(), numbered(n), embed.Document)
				require.ErrorContains(t, err, `it refuses every text, also "text": `)
				require.Empty(t, failed)
				require.LessOrEqual(t, len(f.calls), 1+8+1)
				_, foreign := f.sent(numbered(n))
				require.Equal(t, 1, foreign)
			}
		})
	}
	f := &fake{dim: 4, fail: func(_ int, texts []string) error {
		if texts[0] == "text" {
			return busy{}
		}
		return errBad
	}}
	_, _, err := embed.Isolate(f).Each(t.Context(), numbered(3), embed.Document)
	require.ErrorIs(t, err, busy{}, "the outage is the reason")
}

func shorten(vectors [][]float32) [][]float32 {
	for i := range vectors {
		vectors[i] = vectors[i][1:]
	}
	return vectors
}

// TestIsolateLearnsTheSizeOfCalls has a server that takes no more than some texts a
// call: none is refused, and later calls are no larger.
func TestIsolateLearnsTheSizeOfCalls(t *testing.T) {
	for _, most := range []int{1, 5, 32, 100} {
		f := &fake{dim: 4, fail: func(_ int, texts []string) error {
			if len(texts) > most {
				return refusal{texts: true}
			}
			return nil
		}}
		e := embed.Isolate(f)
		begun := 0
		for i := range 20 {
			vectors, failed, err := e.Each(t.Context(), numbered(128), embed.Document)
			require.NoError(t, err)
			require.Empty(t, failed)
			require.Equal(t, f.want(numbered(128), embed.Document), vectors)
			if i == 9 {
				begun = len(f.calls)
			}
		}
		tooLarge := slices.DeleteFunc(slices.Clone(f.calls[begun:]), func(texts []string) bool { return len(texts) <= most })
		require.LessOrEqual(t, len(tooLarge), 20, "a larger call is tried from time to time")
		sent, _ := f.sent(numbered(128))
		require.LessOrEqual(t, sent, 2*20*128)
	}
}

// TestIsolateKeepsWhatWasAnswered has answers of which some vectors are bad, and
// errors that name their text: nothing else is sent again without need.
func TestIsolateKeepsWhatWasAnswered(t *testing.T) {
	texts := numbered(10)
	texts[3], texts[7] = bad, bad
	f := &fake{dim: 4, spoil: func(texts []string, v [][]float32) [][]float32 {
		for i, text := range texts {
			if text == bad {
				v[i][0] = float32(math.NaN())
			}
		}
		return v
	}}
	vectors, failed, err := embed.Isolate(f).Each(t.Context(), texts, embed.Document)
	require.NoError(t, err)
	require.Len(t, f.calls, 1)
	require.Len(t, failed, 2)
	require.Equal(t, []int{3, 7}, []int{failed[0].Index, failed[1].Index})
	var value *codec.ValueError
	require.ErrorAs(t, failed[0], &value)
	require.Nil(t, vectors[3])
	require.Equal(t, f.vectorOf(texts[4], embed.Document), vectors[4])

	f = refusing()
	refuse := f.fail
	f.fail = func(call int, texts []string) error {
		if err := refuse(call, texts); err != nil {
			return fmt.Errorf("call: %w", &embed.TextError{Index: slices.Index(texts, bad), Err: err})
		}
		return nil
	}
	vectors, failed, err = embed.Isolate(f).Each(t.Context(), append(texts, numbered(2)...), embed.Document)
	require.NoError(t, err)
	requireSettled(t, f, append(texts, numbered(2)...), []int{3, 7}, vectors, failed)

	// A server that leaves a text out is not believed about which one it was.
	f = &fake{dim: 4, spoil: func(texts []string, v [][]float32) [][]float32 {
		if i := slices.Index(texts, bad); i >= 0 {
			return slices.Delete(v, i, i+1)
		}
		return v
	}}
	for _, e := range []embed.Embedder{f, embed.Check(f), embed.Batch(f, embed.BatchOptions{Items: 4}), embed.Cache(f, embed.NewLRU(0))} {
		vectors, failed, err = embed.Isolate(e).Each(t.Context(), texts, embed.Document)
		require.NoError(t, err)
		require.Len(t, failed, 2)
		require.Equal(t, []int{3, 7}, []int{failed[0].Index, failed[1].Index})
		require.Equal(t, f.vectorOf(texts[4], embed.Document), vectors[4])
	}
}

func TestIsolateThroughWrappers(t *testing.T) {
	store := embed.NewLRU(0)
	for name, wrap := range map[string]func(embed.Embedder) embed.Embedder{
		"none": func(e embed.Embedder) embed.Embedder { return e },
		"batch": func(e embed.Embedder) embed.Embedder {
			return embed.Batch(e, embed.BatchOptions{Items: 3, Concurrency: 2})
		},
		"cache": func(e embed.Embedder) embed.Embedder { return embed.Cache(e, embed.NewLRU(0)) },
		"cache, batch": func(e embed.Embedder) embed.Embedder {
			return embed.Cache(embed.Batch(e, embed.BatchOptions{Items: 3, Concurrency: 2}), store)
		},
		"retry, batch": func(e embed.Embedder) embed.Embedder {
			return embed.Retry(embed.Batch(e, embed.BatchOptions{Items: 3}), embed.RetryOptions{})
		},
		"limit": func(e embed.Embedder) embed.Embedder { return embed.Limit(e, embed.LimitOptions{}) },
		"one of users'": func(e embed.Embedder) embed.Embedder {
			return struct{ embed.Embedder }{embed.Batch(e, embed.BatchOptions{Items: 3})}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := refusing()
			texts := append(numbered(10), numbered(5)...) // some twice
			texts[4], texts[9], texts[12] = bad+"1", bad+"2", bad+"1"
			vectors, failed, err := embed.Isolate(wrap(f)).Each(t.Context(), texts, embed.Document)
			require.NoError(t, err)
			requireSettled(t, f, texts, []int{4, 9, 12}, vectors, failed)
		})
	}
	require.Equal(t, 9, store.Len(), "what was embedded is kept, and nothing else")
}

// TestIsolateWithinBatch shows that calls without a bad text are made once, and that
// texts that are too long are not sent at all.
func TestIsolateWithinBatch(t *testing.T) {
	f := refusing()
	texts := numbered(40)
	texts[13] = bad
	texts[20] = strings.Repeat("long ", 100)
	e := embed.Batch(f, embed.BatchOptions{Items: 10, Tokens: 80})
	vectors, failed, err := embed.Isolate(e).Each(t.Context(), texts, embed.Document)
	require.NoError(t, err)
	require.Len(t, failed, 2)
	require.Equal(t, 13, failed[0].Index)
	require.Equal(t, 20, failed[1].Index)
	var long *embed.TooLongError
	require.ErrorAs(t, failed[1], &long)
	require.Equal(t, f.vectorOf(texts[39], embed.Document), vectors[39])
	times := map[string]int{}
	for _, call := range f.calls {
		for _, text := range call {
			times[text]++
		}
	}
	require.Zero(t, times[texts[20]])
	for i, text := range texts {
		if i < 10 || i > 20 {
			require.Equal(t, 1, times[text], text)
		}
	}
}

// TestIsolateWithinCacheKeepsWhatWasPaidFor ends the work by an outage.
func TestIsolateWithinCacheKeepsWhatWasPaidFor(t *testing.T) {
	store := embed.NewLRU(0)
	f := &fake{dim: 4, fail: func(call int, _ []string) error {
		if call == 2 {
			return busy{}
		}
		return nil
	}}
	e := embed.Isolate(embed.Cache(embed.Batch(f, embed.BatchOptions{Items: 2}), store))
	_, _, err := e.Each(t.Context(), numbered(10), embed.Document)
	require.ErrorIs(t, err, busy{})
	require.GreaterOrEqual(t, store.Len(), 4)
	vectors, failed, err := e.Each(t.Context(), numbered(10), embed.Document)
	require.NoError(t, err)
	require.Empty(t, failed)
	require.Equal(t, f.want(numbered(10), embed.Document), vectors)
	sent, _ := f.sent(numbered(10))
	require.Equal(t, 12, sent, "only the call that failed is made again")

	broken := errors.New("broken")
	_, _, err = embed.Isolate(embed.Cache(f, brokenStore{LRU: store, get: broken})).Each(t.Context(), numbered(10), embed.Document)
	require.ErrorIs(t, err, broken)
	_, _, err = embed.Isolate(embed.Cache(f, brokenStore{LRU: embed.NewLRU(0), put: broken})).Each(t.Context(), numbered(10), embed.Document)
	require.ErrorIs(t, err, broken)
}

// TestIsolateSparesRetries has a text at which the server always fails with an error
// that may be retried, as with 500: other texts are not tried more often for it.
func TestIsolateSparesRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := refusing()
		refuse := f.fail
		f.fail = func(call int, texts []string) error {
			if refuse(call, texts) != nil {
				return refusal{texts: true, again: true}
			}
			return nil
		}
		texts := numbered(64)
		texts[40] = bad
		e := embed.Isolate(embed.Retry(f, embed.RetryOptions{Attempts: 5}))
		_, failed, err := e.Each(t.Context(), texts, embed.Document)
		require.NoError(t, err)
		require.Len(t, failed, 1)
		require.Equal(t, 40, failed[0].Index)
		times := map[string]int{}
		for _, call := range f.calls {
			for _, text := range call {
				times[text]++
			}
		}
		require.Equal(t, 5+1, times[texts[0]])
		require.Equal(t, 5+2, times[bad])

		// One that fails only once when it is alone is not refused.
		alone := 0
		f.fail = func(_ int, texts []string) error {
			if len(texts) == 1 && texts[0] == bad {
				alone++
			}
			if slices.Contains(texts, bad) && alone < 2 {
				return refusal{texts: true, again: true}
			}
			return nil
		}
		_, failed, err = e.Each(t.Context(), texts, embed.Document)
		require.NoError(t, err)
		require.Empty(t, failed)
	})
}

// TestPanicsOfEmbedders shows that a panic in a goroutine of ours is an error.
func TestPanicsOfEmbedders(t *testing.T) {
	var none []int
	f := &fake{dim: 4, fail: func(_ int, texts []string) error {
		if slices.Contains(texts, bad) {
			none[0]++
		}
		return nil
	}}
	texts := append(numbered(5), bad, "after")
	var panicked *embed.PanicError
	_, err := embed.Batch(f, embed.BatchOptions{Items: 2}).Embed(t.Context(), texts, embed.Document)
	require.ErrorAs(t, err, &panicked)
	require.ErrorContains(t, err, "the Embedder panicked in")
	require.ErrorContains(t, err, "index out of range")
	require.Contains(t, string(panicked.Stack), "TestPanicsOfEmbedders")
	var cause runtime.Error
	require.ErrorAs(t, err, &cause)

	for _, e := range []embed.Embedder{f, embed.Batch(f, embed.BatchOptions{Items: 2})} {
		vectors, failed, err := embed.Isolate(e).Each(t.Context(), texts, embed.Document)
		require.NoError(t, err)
		require.Len(t, failed, 1)
		require.Equal(t, 5, failed[0].Index)
		require.ErrorAs(t, failed[0], &panicked)
		require.NotNil(t, vectors[6])
	}
}

func TestBatchNoticesGoexit(t *testing.T) {
	f := &fake{dim: 4, fail: func(call int, _ []string) error {
		if call == 1 {
			runtime.Goexit()
		}
		return nil
	}}
	_, err := embed.Batch(f, embed.BatchOptions{Items: 2}).Embed(t.Context(), numbered(8), embed.Document)
	require.ErrorContains(t, err, "ended its goroutine")
}

// TestIsolateConcurrently has many goroutines use one Isolator, with the bound of all.
func TestIsolateConcurrently(t *testing.T) {
	for _, part := range []float64{0.01, 0.25} {
		f := refusing()
		e := embed.Isolate(f)
		given := make(chan []string, 400)
		done := make(chan error, 8)
		for worker := range 8 {
			go func() {
				r := rand.New(rand.NewPCG(5, uint64(worker)))
				for range 20 {
					texts, places := mixed(r, 1+r.IntN(64), part)
					given <- texts
					_, failed, err := e.Each(t.Context(), texts, embed.Document)
					if err == nil && len(failed) != len(places) {
						err = fmt.Errorf("%d failed of %d", len(failed), len(places))
					}
					if err != nil {
						done <- err
						return
					}
				}
				done <- nil
			}()
		}
		for range 8 {
			require.NoError(t, <-done)
		}
		close(given)
		var all []string
		for texts := range given {
			all = append(all, texts...)
		}
		sent, _ := f.sent(all)
		require.LessOrEqual(t, sent, 2*len(all))
	}
}
