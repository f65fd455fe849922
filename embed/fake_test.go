package embed_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/vecwire/vecwire/embed"
)

// fake is an embedder that notes its calls and fails as it is told.
type fake struct {
	dim   int
	takes time.Duration                                         // how long a call lasts
	fail  func(call int, texts []string) error                  // call counts from 0
	spoil func(texts []string, vectors [][]float32) [][]float32 // changes an answer

	mu        sync.Mutex
	calls     [][]string
	at        []time.Time
	now, most int // calls under way, and the most there were
}

func (f *fake) Model() string { return "fake" }
func (f *fake) Dim() int      { return f.dim }

// vectorOf gives every text another vector.
func (f *fake) vectorOf(text string, use embed.Use) []float32 {
	v := make([]float32, f.dim)
	v[0] = float32(use)
	for i, b := range []byte(text) {
		v[1+i%(f.dim-1)] += float32(b) * float32(i+1)
	}
	return v
}

func (f *fake) Embed(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
	f.mu.Lock()
	call := len(f.calls)
	f.calls, f.at = append(f.calls, slices.Clone(texts)), append(f.at, time.Now())
	f.now++
	f.most = max(f.most, f.now)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.now--
	}()
	if f.takes > 0 {
		select {
		case <-time.After(f.takes):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if f.fail != nil {
		if err := f.fail(call, texts); err != nil {
			return nil, err
		}
	}
	var vectors [][]float32
	for _, text := range texts {
		vectors = append(vectors, f.vectorOf(text, use))
	}
	if f.spoil != nil {
		vectors = f.spoil(texts, vectors)
	}
	return vectors, nil
}

func (f *fake) want(texts []string, use embed.Use) [][]float32 {
	var vectors [][]float32
	for _, text := range texts {
		vectors = append(vectors, f.vectorOf(text, use))
	}
	return vectors
}

// busy is an error like a service's that has too much to do.
type busy struct{ after time.Duration }

func (b busy) Error() string                    { return "busy" }
func (b busy) Retryable() (time.Duration, bool) { return b.after, true }

// numbered returns n texts that differ.
func numbered(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("text number %d", i)
	}
	return texts
}
