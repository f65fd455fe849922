package vecwire

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/internal/embedding"
)

// Embedder turns texts into vectors; see [embed.Embedder].
type Embedder = embed.Embedder

// WithEmbedder returns the same collection with an embedder, which gives a
// vector to records and queries that have only a text. It returns
// [ErrModelMismatch] if the embedder's model is not the schema's, and a
// [*DimensionError] if its vectors do not fit.
func (c *Collection) WithEmbedder(e Embedder) (*Collection, error) {
	const op = OpWithEmbedder
	c, err := c.latest(op)
	if err != nil {
		return nil, err
	}
	switch {
	case e == nil:
		return nil, c.wrap(op, &ValueError{Field: "embedder", Pos: -1, Want: "an embedder", Got: "nil"})
	case c.schema.Model == "":
		return nil, c.wrap(op, fmt.Errorf("%w: the embedder's model is %q, and the collection was made without one: set Schema.Model when you make it",
			ErrModelMismatch, e.Model()))
	case e.Model() != c.schema.Model:
		return nil, c.wrap(op, fmt.Errorf("%w: the embedder's model is %q, the collection's %q",
			ErrModelMismatch, e.Model(), c.schema.Model))
	}
	if e.Dim() != c.schema.Dim {
		return nil, c.wrap(op, &DimensionError{Want: c.schema.Dim, Got: e.Dim()})
	}
	with := *c
	with.embedder, with.fresh, with.closed = e, new(atomic.Pointer[Collection]), new(atomic.Bool)
	return &with, nil
}

// model is the collection's embedder, and where it may be called.
func (c *Collection) model() embedding.Model { return c.modelOf(c.embedder) }

func (c *Collection) modelOf(e Embedder) embedding.Model {
	return embedding.Model{Embedder: e, Memo: c.db.memoOf, Alone: c.db.alone}
}

// EmbeddingCache returns a store for [embed.Cache] that keeps its vectors in a
// collection, which outlives the process and can be shared. The collection is
// FLOAT, has the embedder's dimension and no fields; one of the metric [Dot]
// keeps zero vectors, too. Models do not mix: a record's ID has the model in it.
func EmbeddingCache(c *Collection) embed.CacheStore { return collectionCache{c} }

type collectionCache struct{ c *Collection }

func (s collectionCache) Get(ctx context.Context, keys []embed.CacheKey) ([][]float32, error) {
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.String()
	}
	records, err := s.c.Get(ctx, ids...)
	if err != nil {
		return nil, err
	}
	known := make(map[string][]float32, len(records))
	for _, r := range records {
		known[r.ID] = r.Vector
	}
	vectors := make([][]float32, len(keys))
	for i, id := range ids {
		vectors[i] = slices.Clone(known[id]) // a key may come twice
	}
	return vectors, nil
}

func (s collectionCache) Put(ctx context.Context, keys []embed.CacheKey, vectors [][]float32) error {
	records := make([]Record, 0, len(keys))
	for i, k := range keys {
		if s.c.schema.Metric == Cosine && codec.Check(vectors[i], len(vectors[i]), Cosine) != nil {
			continue // a zero vector, which the collection refuses
		}
		records = append(records, Record{ID: k.String(), Vector: vectors[i]})
	}
	return s.c.Upsert(ctx, records...)
}
