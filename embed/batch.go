package embed

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/chunk"
	"github.com/vecwire/vecwire/internal/fault"
)

// DefaultItems is the default of BatchOptions.Items: the most texts in a call that
// Hugging Face's Text Embeddings Inference takes by default. OpenAI takes 2048.
const DefaultItems = 32

// BatchOptions says how texts are divided into calls. The zero value makes calls
// of at most 32 texts, one at a time.
type BatchOptions struct {
	// Items is the most texts in a call; 0 or less means DefaultItems.
	Items int

	// Tokens is the most tokens in a call, by Count; 0 or less means no limit. A text
	// that alone has more is refused with a *TooLongError, and is not sent.
	Tokens int

	// Count counts the tokens of a text; nil means chunk.EstimateTokens.
	Count func(text string) int

	// Concurrency is the most calls at a time, of all callers of this embedder
	// together; 0 or less means 1.
	Concurrency int
}

// Batch returns e with the texts of a call divided into calls that have no more
// items and tokens than o allows. The texts keep their order, and each call gets as
// many as fit. After the first error no further call begins; if the error has a
// [*TextError], that names the place among all texts. A panic in e is a
// [*PanicError].
//
// Within [Isolate], a text that is refused ends no other call.
func Batch(e Embedder, o BatchOptions) Embedder {
	if o.Items <= 0 {
		o.Items = DefaultItems
	}
	if o.Count == nil {
		o.Count = chunk.EstimateTokens
	}
	return &batcher{Embedder: Check(e), alone: Isolate(e), o: o, slots: make(chan struct{}, max(1, o.Concurrency))}
}

type batcher struct {
	Embedder
	alone *Isolator
	o     BatchOptions
	slots chan struct{} // one for each call under way
}

// A span is the texts of one call: from begin up to end.
type span struct{ begin, end int }

// Verified returns true.
func (b *batcher) Verified() bool { return true }

func (b *batcher) Embed(ctx context.Context, texts []string, use Use) ([][]float32, error) {
	spans, tooLong := b.divide(texts)
	if len(tooLong) > 0 {
		return nil, tooLong[0]
	}
	vectors := make([][]float32, len(texts))
	err := b.run(ctx, spans, func(ctx context.Context, s span) error {
		got, err := b.Embedder.Embed(ctx, texts[s.begin:s.end:s.end], use)
		if err != nil {
			return fault.Moved(err, func(i int) int { return s.begin + i })
		}
		copy(vectors[s.begin:], got)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return vectors, nil
}

// each is [Isolator.Each] for calls of their own.
func (b *batcher) each(ctx context.Context, texts []string, use Use) ([][]float32, []*TextError, error) {
	spans, failed := b.divide(texts)
	vectors := make([][]float32, len(texts))
	var mu sync.Mutex
	err := b.run(ctx, spans, func(ctx context.Context, s span) error {
		got, refused, err := b.alone.Each(ctx, texts[s.begin:s.end:s.end], use)
		copy(vectors[s.begin:], got)
		mu.Lock()
		defer mu.Unlock()
		for _, text := range refused {
			failed = append(failed, &TextError{Index: s.begin + text.Index, Err: text.Err})
		}
		return err
	})
	slices.SortFunc(failed, func(a, b *TextError) int { return cmp.Compare(a.Index, b.Index) })
	return vectors, failed, err
}

// errGoexit is the error of an embedder that did not return, nor panic.
var errGoexit = errors.New("the Embedder ended its goroutine by runtime.Goexit, as a failing test does")

// run makes calls, as many at a time as there are slots. It returns their first
// error, after which no further call begins, or that of ctx.
func (b *batcher) run(ctx context.Context, spans []span, call func(context.Context, span) error) error {
	group, calls := errgroup.WithContext(ctx)
	begun, ended := int64(0), atomic.Int64{}
	for _, s := range spans {
		if !b.enter(calls) {
			break
		}
		begun++
		group.Go(func() error {
			defer func() { <-b.slots }()
			err := fault.Guard("the Embedder", func() error { return call(calls, s) })
			ended.Add(1)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if ended.Load() < begun {
		return errGoexit
	}
	return ctx.Err() // calls may have been left out
}

// enter waits for a slot. It returns false if ctx ends first.
func (b *batcher) enter(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case b.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// divide returns the spans of the calls, and the texts that are too long for one.
func (b *batcher) divide(texts []string) (spans []span, tooLong []*TextError) {
	var s span
	tokens := 0
	next := func(begin int) {
		if s.begin < s.end {
			spans = append(spans, s)
		}
		s, tokens = span{begin, begin}, 0
	}
	for i, text := range texts {
		n := 0
		if b.o.Tokens > 0 {
			if n = b.o.Count(text); n > b.o.Tokens {
				tooLong = append(tooLong, &TextError{Index: i, Err: &TooLongError{Tokens: n, Most: b.o.Tokens}})
				next(i + 1)
				continue
			}
		}
		if s.end-s.begin == b.o.Items || b.o.Tokens > 0 && n > b.o.Tokens-tokens {
			next(i)
		}
		s.end = i + 1
		tokens += n
	}
	next(len(texts))
	return spans, tooLong
}
