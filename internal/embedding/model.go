package embedding

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/ingest"
)

// Error reports an embedder that failed, or returned too few vectors or too many.
type Error struct {
	Model string // the embedder's model
	Texts int    // how many texts it was given
	Err   error
}

func (e *Error) Error() string {
	return fmt.Sprintf("embed %d texts with %s: %v", e.Texts, e.Model, e.Err)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Model is an embedder, and where it may be called.
type Model struct {
	Embedder embed.Embedder // nil for none
	// Memo returns that of the transaction which a context carries, nil outside any.
	Memo func(context.Context) *Memo
	// Alone returns a context without the transactions that one carries.
	Alone func(context.Context) context.Context
}

// Texts returns a vector for each text, outside any transaction. They are not checked.
func (m Model) Texts(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
	if memo := m.Memo(ctx); memo != nil {
		return memo.texts(m.Embedder, texts, use)
	}
	return embedTexts(m.Alone(ctx), m.Embedder, texts, use)
}

func embedTexts(ctx context.Context, e embed.Embedder, texts []string, use embed.Use) ([][]float32, error) {
	vectors, err := e.Embed(ctx, texts, use)
	if err == nil && len(vectors) != len(texts) {
		err = fmt.Errorf("it returned %d vectors", len(vectors))
	}
	if err != nil {
		return nil, &Error{Model: e.Model(), Texts: len(texts), Err: err}
	}
	return vectors, nil
}

// Job returns how a job of a collection with this schema embeds texts, nil without an
// embedder.
func (m Model) Job(s engine.Schema) ingest.Embed {
	if m.Embedder == nil {
		return nil
	}
	isolator := embed.Isolate(m.Embedder)
	return func(ctx context.Context, texts []string) (vectors []engine.Vector, failed []ingest.TextFailure, err error) {
		fail := func(i int, err error) {
			failed = append(failed, ingest.TextFailure{Index: i, Err: err})
		}
		var made [][]float32
		if memo := m.Memo(ctx); memo != nil {
			made, err = memo.texts(m.Embedder, texts, embed.Document)
		} else {
			var refused []*embed.TextError
			made, refused, err = isolator.Each(m.Alone(ctx), texts, embed.Document)
			for _, r := range refused {
				fail(r.Index, &Error{Model: m.Embedder.Model(), Texts: 1, Err: r.Err})
			}
			if err != nil {
				err = &Error{Model: m.Embedder.Model(), Texts: len(texts), Err: err}
			}
		}
		if err != nil {
			return nil, nil, err
		}
		vectors = make([]engine.Vector, len(texts))
		for i, v := range made {
			if v == nil {
				continue // it is among the refused
			}
			if vectors[i], err = s.Vector(v, nil); err != nil {
				fail(i, err)
			}
		}
		return vectors, failed, nil
	}
}

// Memo has the vectors of texts that were embedded for a transaction before it runs, and
// notes what is missing. The zero Memo is empty.
type Memo struct {
	mu     sync.Mutex
	known  map[memoKey][]float32
	wanted *wanted // texts that are to be embedded before the transaction runs again
}

// memoKey names a vector by what it is made of.
type memoKey struct {
	model, text string
	use         embed.Use
}

// wanted is what a verb in a transaction has to embed.
type wanted struct {
	by    embed.Embedder
	use   embed.Use
	texts []string
}

// Wants reports whether texts are missing.
func (m *Memo) Wants() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.wanted != nil
}

// Begin begins another run of the transaction, which wants nothing yet.
func (m *Memo) Begin() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wanted = nil
}

// Embed embeds what is missing.
func (m *Memo) Embed(ctx context.Context) error {
	m.mu.Lock()
	w := m.wanted
	m.mu.Unlock()
	vectors, err := embedTexts(ctx, w.by, w.texts, w.use)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known = map[memoKey][]float32{}
	}
	for i, text := range w.texts {
		m.known[memoKey{w.by.Model(), text, w.use}] = vectors[i]
	}
	return nil
}

var errEmbedFirst = errors.New("the transaction is run again when its texts have been embedded")

// texts returns the vectors of texts that were embedded before this run of the
// transaction. If some are missing it notes the texts, and returns an error that
// ends this run.
func (m *Memo) texts(e embed.Embedder, texts []string, use embed.Use) ([][]float32, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	vectors := make([][]float32, len(texts))
	var missing []string
	for i, text := range texts {
		v, ok := m.known[memoKey{e.Model(), text, use}]
		if !ok {
			missing = append(missing, text)
		}
		vectors[i] = append([]float32(nil), v...)
	}
	if missing == nil {
		return vectors, nil
	}
	if m.wanted == nil {
		m.wanted = &wanted{by: e, use: use, texts: missing}
	}
	return nil, errEmbedFirst
}
