package enginetest

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"

	"github.com/vecwire/vecwire/embed"
)

// counting is an embedder whose vectors depend on its model, and that counts the
// texts it was given. Texts that begin with "!" it refuses for good.
type counting struct {
	model string
	dim   int

	mu    sync.Mutex
	texts map[string]int
	calls int
	call  func(n int) error // before the n-th call is answered, from 1
}

func newCounting(model string, dim int) *counting {
	return &counting{model: model, dim: dim, texts: map[string]int{}}
}

func (e *counting) Model() string { return e.model }
func (e *counting) Dim() int      { return e.dim }

func (e *counting) Embed(ctx context.Context, texts []string, _ embed.Use) ([][]float32, error) {
	e.mu.Lock()
	e.calls++
	n, call := e.calls, e.call
	for _, text := range texts {
		e.texts[text]++
	}
	e.mu.Unlock()
	if call != nil {
		if err := call(n); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := make([][]float32, len(texts))
	for i, text := range texts {
		if strings.HasPrefix(text, "!") {
			return nil, &embed.TextError{Index: i, Err: errEmbed}
		}
		out[i] = e.vector(text)
	}
	return out, nil
}

func (e *counting) vector(text string) []float32 {
	v := make([]float32, e.dim)
	for i := range v {
		h := fnv.New32a()
		fmt.Fprint(h, e.model, i, text)
		v[i] = float32(h.Sum32()%1000) + 1
	}
	return v
}

// total is how many texts were embedded, those twice counted twice.
func (e *counting) total() (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, times := range e.texts {
		n += times
	}
	return n
}
