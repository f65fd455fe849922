package embed

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
)

// CacheKey is what a cached vector is found by. It has the text's hash, so that a
// cache holds no texts.
type CacheKey struct {
	Model string
	Use   Use
	Hash  [sha256.Size]byte // SHA-256 of the text
}

// KeyOf returns the key of a text's vector.
func KeyOf(model string, use Use, text string) CacheKey {
	return CacheKey{Model: model, Use: use, Hash: sha256.Sum256([]byte(text))}
}

// String returns the key in a form that names a row or a file's line: the hash in
// hexadecimal, the use and the model, with slashes between.
func (k CacheKey) String() string { return fmt.Sprintf("%x/%s/%s", k.Hash, k.Use, k.Model) }

// A CacheStore keeps vectors. It must be safe for concurrent use.
type CacheStore interface {
	// Get returns a vector for each key, in order, nil for one that it does not
	// have. The caller may change the vectors.
	Get(ctx context.Context, keys []CacheKey) ([][]float32, error)

	// Put keeps a vector for each key, or forgets it if it likes. It must not keep
	// the slices themselves.
	Put(ctx context.Context, keys []CacheKey, vectors [][]float32) error
}

// Cache returns e with its vectors kept in a store. Texts that the store has a
// vector for are not embedded, nor is a text twice in a call. A vector of the
// store that cannot be e's, by its size or because it is not finite, is embedded
// again. Nothing is kept of an answer that [Verify] refuses.
//
// An error of the store is returned, because a broken cache costs money in
// silence; a store whose errors do not matter keeps them to itself.
func Cache(e Embedder, store CacheStore) Embedder { return cacher{e, store} }

type cacher struct {
	Embedder
	store CacheStore
}

func (c cacher) Embed(ctx context.Context, texts []string, use Use) ([][]float32, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	keys := make([]CacheKey, len(texts))
	for i, text := range texts {
		keys[i] = KeyOf(c.Model(), use, text)
	}
	vectors, err := c.store.Get(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read the embedding cache: %w", err)
	}
	if len(vectors) != len(keys) {
		return nil, fmt.Errorf("read the embedding cache: %w", &CountError{Texts: len(keys), Vectors: len(vectors)})
	}

	var places []int // of the texts to embed, each text once
	first := map[CacheKey]int{}
	for i, v := range vectors {
		if Verify([][]float32{v}, 1, c.Dim()) == nil {
			continue
		}
		vectors[i] = nil
		if _, seen := first[keys[i]]; !seen {
			first[keys[i]] = len(places)
			places = append(places, i)
		}
	}
	if len(places) == 0 {
		return vectors, nil
	}
	missing, missingKeys := make([]string, len(places)), make([]CacheKey, len(places))
	for i, at := range places {
		missing[i], missingKeys[i] = texts[at], keys[at]
	}
	fresh, err := c.Embedder.Embed(ctx, missing, use)
	if err == nil {
		err = Verify(fresh, len(missing), c.Dim())
	}
	if err != nil {
		return nil, moved(err, func(i int) int {
			if i < 0 || i >= len(places) { // an embedder that names a text it was not given
				return i
			}
			return places[i]
		})
	}
	if err := c.store.Put(ctx, missingKeys, fresh); err != nil {
		return nil, fmt.Errorf("write the embedding cache: %w", err)
	}
	for i, v := range vectors {
		if v != nil {
			continue
		}
		n := first[keys[i]]
		vectors[i] = fresh[n]
		if places[n] != i {
			vectors[i] = slices.Clone(fresh[n]) // the caller may change one of them
		}
	}
	return vectors, nil
}
