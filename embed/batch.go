package embed

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/chunk"
)

// DefaultItems is the default of BatchOptions.Items: the most texts that Hugging
// Face's Text Embeddings Inference takes in a call as it is shipped. OpenAI takes
// 2048.
const DefaultItems = 32

// BatchOptions says how texts are divided into calls. The zero value makes calls
// of at most 32 texts, one at a time.
type BatchOptions struct {
	// Items is the most texts in a call; 0 or less means DefaultItems.
	Items int

	// Tokens is the most tokens in a call, by Count; 0 or less means no limit. A text
	// that alone has more is refused with a *TooLongError before anything is sent.
	Tokens int

	// Count counts the tokens of a text; nil means chunk.EstimateTokens.
	Count func(text string) int

	// Concurrency is the most calls at a time, of all callers of the embedder
	// together; 0 or less means 1.
	Concurrency int
}

// Batch returns e with the texts of a call divided into calls that neither have
// more items nor more tokens than o allows. The texts keep their order, and each
// call gets as many as fit. After the first error no further call begins, and the
// error's [*TextError], if it has one, names the place among all texts.
func Batch(e Embedder, o BatchOptions) Embedder {
	if o.Items <= 0 {
		o.Items = DefaultItems
	}
	if o.Count == nil {
		o.Count = chunk.EstimateTokens
	}
	return &batcher{Embedder: e, o: o, slots: make(chan struct{}, max(1, o.Concurrency))}
}

type batcher struct {
	Embedder
	o     BatchOptions
	slots chan struct{} // one for each call under way
}

func (b *batcher) Embed(ctx context.Context, texts []string, use Use) ([][]float32, error) {
	ends, err := b.divide(texts)
	if err != nil {
		return nil, err
	}
	vectors := make([][]float32, len(texts))
	group, calls := errgroup.WithContext(ctx)
	begin := 0
	for _, end := range ends {
		from := begin
		begin = end
		if !b.enter(calls) {
			break
		}
		group.Go(func() error {
			defer func() { <-b.slots }()
			got, err := b.Embedder.Embed(calls, texts[from:end:end], use)
			if err == nil {
				err = Verify(got, end-from, b.Dim())
			}
			if err != nil {
				return moved(err, func(i int) int { return from + i })
			}
			copy(vectors[from:], got)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil { // calls were left out
		return nil, err
	}
	return vectors, nil
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

// divide returns where each call's texts end.
func (b *batcher) divide(texts []string) ([]int, error) {
	var ends []int
	items, tokens := 0, 0
	for i, text := range texts {
		n := 0
		if b.o.Tokens > 0 {
			if n = b.o.Count(text); n > b.o.Tokens {
				return nil, &TextError{Index: i, Err: &TooLongError{Tokens: n, Most: b.o.Tokens}}
			}
		}
		if items == b.o.Items || items > 0 && b.o.Tokens > 0 && tokens+n > b.o.Tokens {
			ends = append(ends, i)
			items, tokens = 0, 0
		}
		items++
		tokens += n
	}
	if items > 0 {
		ends = append(ends, len(texts))
	}
	return ends, nil
}
