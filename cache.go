package vecwire

import (
	"context"
	"slices"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/embed"
)

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
