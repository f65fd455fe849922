package embed

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/fault"
)

// CacheKey is the key of a cached vector. It has the text's hash, so a cache holds no
// texts.
type CacheKey struct {
	Model string
	Use   Use
	Hash  [sha256.Size]byte // SHA-256 of the text
}

// KeyOf returns the key of a text's vector.
func KeyOf(model string, use Use, text string) CacheKey {
	return CacheKey{Model: model, Use: use, Hash: sha256.Sum256([]byte(text))}
}

// String returns the key in a form that can be an ID or a line of a file: the hash in
// hexadecimal, the use and the model, with slashes between.
func (k CacheKey) String() string { return fmt.Sprintf("%x/%s/%s", k.Hash, k.Use, k.Model) }

// A CacheStore keeps vectors. It must be safe for concurrent use.
type CacheStore interface {
	// Get returns a vector for each key, in order, and nil where it has none. The
	// caller may change the vectors.
	Get(ctx context.Context, keys []CacheKey) ([][]float32, error)

	// Put keeps a vector for each key, or drops it. It must not keep the slices
	// themselves.
	Put(ctx context.Context, keys []CacheKey, vectors [][]float32) error
}

// Cache returns e with its vectors kept in a store. A text is not embedded if the
// store has its vector, and no text is embedded twice in one call. A vector of the
// store that cannot be e's, by its size or because it is not finite, is made again.
// A vector that [Verify] refuses is not kept.
//
// An error of the store is returned, because a broken cache costs money in silence.
// A store whose errors do not matter returns none.
//
// Within [Isolate], the vectors of all other texts are kept if some are refused, and
// those that were made before an error ended the work.
func Cache(e Embedder, store CacheStore) Embedder {
	return cacher{Check(e), Isolate(e), store}
}

type cacher struct {
	Embedder
	alone *Isolator
	store CacheStore
}

// Verified returns true.
func (cacher) Verified() bool { return true }

func (c cacher) Embed(ctx context.Context, texts []string, use Use) ([][]float32, error) {
	l, err := c.lookUp(ctx, texts, use)
	if err != nil {
		return nil, err
	}
	if len(l.missing) == 0 {
		return l.vectors, nil
	}
	fresh, err := c.Embedder.Embed(ctx, l.missing, use)
	if err != nil {
		return nil, fault.Moved(err, l.place)
	}
	if err := l.keep(ctx, c.store, fresh); err != nil {
		return nil, err
	}
	return l.vectors, nil
}

// each is [Isolator.Each] for the texts that the store does not have.
func (c cacher) each(ctx context.Context, texts []string, use Use) ([][]float32, []*TextError, error) {
	l, err := c.lookUp(ctx, texts, use)
	if err != nil {
		return nil, nil, err
	}
	if len(l.missing) == 0 {
		return l.vectors, nil, nil
	}
	fresh, refused, err := c.alone.Each(ctx, l.missing, use)
	// What was made is kept even if ctx has ended: it was paid for.
	if kept := l.keep(context.WithoutCancel(ctx), c.store, fresh); err == nil {
		err = kept
	}
	why := map[int]error{}
	for _, text := range refused {
		why[text.Index] = text.Err
	}
	var failed []*TextError
	for i := range texts {
		if n, ok := l.of[i]; ok && why[n] != nil {
			failed = append(failed, &TextError{Index: i, Err: why[n]})
		}
	}
	return l.vectors, failed, err
}

// A lookup is what a store has for the texts of a call.
type lookup struct {
	vectors [][]float32 // nil for a text that the store does not have
	missing []string    // the texts that it does not have, each once
	keys    []CacheKey  // of missing
	first   []int       // the first place of each of missing
	of      map[int]int // for each place without a vector, which of missing is there
}

func (c cacher) lookUp(ctx context.Context, texts []string, use Use) (*lookup, error) {
	l := &lookup{of: map[int]int{}}
	if len(texts) == 0 {
		return l, nil
	}
	keys := make([]CacheKey, len(texts))
	for i, text := range texts {
		keys[i] = KeyOf(c.Model(), use, text)
	}
	var err error
	l.vectors, err = c.store.Get(ctx, keys)
	if err == nil && len(l.vectors) != len(keys) {
		err = &CountError{Texts: len(keys), Vectors: len(l.vectors)}
	}
	if err != nil {
		return nil, fmt.Errorf("read the embedding cache: %w", err)
	}
	seen := map[CacheKey]int{}
	for i, v := range l.vectors {
		if codec.Check(v, c.Dim(), codec.Dot) == nil {
			continue
		}
		l.vectors[i] = nil
		n, ok := seen[keys[i]]
		if !ok {
			n = len(l.missing)
			seen[keys[i]] = n
			l.missing, l.keys, l.first = append(l.missing, texts[i]), append(l.keys, keys[i]), append(l.first, i)
		}
		l.of[i] = n
	}
	return l, nil
}

// place returns where a missing text is first among the texts of the call.
func (l *lookup) place(i int) int {
	if i < 0 || i >= len(l.first) { // an embedder that names a text it was not given
		return i
	}
	return l.first[i]
}

// keep puts vectors of the missing texts, nil for one that was refused, into the
// store and to their places.
func (l *lookup) keep(ctx context.Context, store CacheStore, fresh [][]float32) error {
	for i, n := range l.of {
		if n >= len(fresh) || fresh[n] == nil {
			continue
		}
		l.vectors[i] = fresh[n]
		if l.first[n] != i {
			l.vectors[i] = slices.Clone(fresh[n]) // the caller may change one of them
		}
	}
	keys, vectors := l.keys, fresh
	if slices.ContainsFunc(fresh, func(v []float32) bool { return v == nil }) {
		keys, vectors = nil, nil
		for i, v := range fresh {
			if v != nil {
				keys, vectors = append(keys, l.keys[i]), append(vectors, v)
			}
		}
	}
	if len(vectors) == 0 {
		return nil
	}
	if err := store.Put(ctx, keys, vectors); err != nil {
		return fmt.Errorf("write the embedding cache: %w", err)
	}
	return nil
}
