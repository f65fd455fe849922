package vecwire

import (
	"context"
	"fmt"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
)

// Embedder turns texts into vectors; see [embed.Embedder].
type Embedder = embed.Embedder

// WithEmbedder returns the same collection with an embedder, which gives a
// vector to records and queries that have only a text. It returns
// [ErrModelMismatch] if the embedder's model is not the schema's, and a
// [*DimensionError] if its vectors do not fit.
func (c *Collection) WithEmbedder(e Embedder) (*Collection, error) {
	const verb = "set embedder of"
	switch {
	case e == nil:
		return nil, c.wrap(verb, &ValueError{Field: "embedder", Pos: -1, Want: "an embedder", Got: "nil"})
	case c.schema.Model == "":
		return nil, c.wrap(verb, fmt.Errorf("%w: the embedder's model is %q, and the collection was made without one: set Schema.Model when you make it",
			ErrModelMismatch, e.Model()))
	case e.Model() != c.schema.Model:
		return nil, c.wrap(verb, fmt.Errorf("%w: the embedder's model is %q, the collection's %q",
			ErrModelMismatch, e.Model(), c.schema.Model))
	}
	if e.Dim() != c.schema.Dim {
		return nil, c.wrap(verb, &DimensionError{Want: c.schema.Dim, Got: e.Dim()})
	}
	with := *c
	with.embedder = e
	return &with, nil
}

// embedRecords returns records with a vector for each that has only a text.
func (c *Collection) embedRecords(ctx context.Context, records []Record) ([]Record, error) {
	return embedMissing(ctx, c.embedder, embed.Document, records, func(r *Record) (*[]float32, string) {
		if r.Vector != nil || r.Vector64 != nil {
			return nil, ""
		}
		return &r.Vector, r.Text
	})
}

// embedQueries returns queries with a vector for each that has only a text.
func (c *Collection) embedQueries(ctx context.Context, queries []Query) ([]Query, error) {
	for _, q := range queries {
		if q.Text == "" {
			continue
		}
		if q.Vector != nil || q.Vector64 != nil {
			if q.Reranker == nil && q.Fusion == nil {
				return nil, &ValueError{Field: "Text", Pos: -1, Want: "none beside a vector, but for a Reranker or Fusion", Got: filter.Describe(q.Text)}
			}
			continue
		}
		if c.embedder == nil && !q.textOnly() {
			return nil, &ValueError{Field: "Text", Pos: -1, Want: "none without an embedder: use the collection that WithEmbedder returns", Got: filter.Describe(q.Text)}
		}
	}
	return embedMissing(ctx, c.embedder, embed.Query, queries, func(q *Query) (*[]float32, string) {
		if q.Vector != nil || q.Vector64 != nil || q.textOnly() {
			return nil, ""
		}
		return &q.Vector, q.Text
	})
}

// embedMissing returns items with the vectors that they lack. The function
// lacking returns where an item's vector goes and the text it is made of; nil or
// "" for an item that needs none. The items that came in are not changed.
func embedMissing[T any](ctx context.Context, e Embedder, use embed.Use, items []T, lacking func(*T) (*[]float32, string)) ([]T, error) {
	if e == nil {
		return items, nil
	}
	var texts []string
	for i := range items {
		if vector, text := lacking(&items[i]); vector != nil && text != "" {
			texts = append(texts, text)
		}
	}
	if len(texts) == 0 {
		return items, nil
	}
	vectors, err := embedTexts(ctx, e, texts, use)
	if err != nil {
		return nil, err
	}
	items = append([]T(nil), items...)
	for i := range items {
		if vector, text := lacking(&items[i]); vector != nil && text != "" {
			*vector, vectors = vectors[0], vectors[1:]
		}
	}
	return items, nil
}

// embedTexts returns a vector for each text. They are not checked.
func embedTexts(ctx context.Context, e Embedder, texts []string, use embed.Use) ([][]float32, error) {
	vectors, err := e.Embed(ctx, texts, use)
	if err == nil && len(vectors) != len(texts) {
		err = fmt.Errorf("it returned %d vectors", len(vectors))
	}
	if err != nil {
		return nil, &EmbedError{Model: e.Model(), Texts: len(texts), Err: err}
	}
	return vectors, nil
}
