package vecwire

import (
	"context"
	"fmt"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Query asks for the records whose vectors are the nearest to one.
type Query struct {
	// Vector is compared with the records' vectors. It has as many elements as
	// the schema says.
	Vector []float32
	// Vector64 is the vector for a DOUBLE collection, which also takes Vector.
	Vector64 []float64
	// Text is embedded by the collection's embedder where no vector is given;
	// see [Collection.WithEmbedder].
	Text string
	// K is how many hits are wanted. Defaults to 10. If fewer records pass the
	// filter, all of them are found.
	K int
	// Filter says which records may be found. The zero filter lets all pass.
	Filter filter.Filter
	// Exact asks for the exact answer where an approximate index might give
	// another.
	Exact bool
	// IDsOnly leaves Text and Fields out of the hits, which is faster.
	IDsOnly bool
	// Vectors puts the records' vectors into the hits.
	Vectors bool
}

// DefaultK is how many hits a [Query] asks for that does not say.
const DefaultK = 10

// Hit is a record that a query found.
type Hit struct {
	Record
	// Score says how near the record is, higher for nearer: the cosine in
	// [-1, 1], the dot product, or the negated Euclidean distance.
	Score float64
	// Distance is the same as a distance, lower for nearer: 1 - cosine, the
	// negated dot product, or the Euclidean distance.
	Distance float64
}

// Result is the answer to one query.
type Result struct {
	// Hits are the records found, the best first; those of equal score by ID.
	Hits []Hit
	// Exact says that no approximate index took part: there is no better hit.
	Exact bool
}

// Search returns the K nearest records that pass the filter, the best first;
// records of equal score are in the order of their IDs.
func (c *Collection) Search(ctx context.Context, q Query) ([]Hit, error) {
	results, err := c.SearchMany(ctx, []Query{q})
	if err != nil {
		return nil, err
	}
	return results[0].Hits, nil
}

// SearchMany answers several queries, in their order, faster than one at a
// time. If one of them is refused, none is answered.
func (c *Collection) SearchMany(ctx context.Context, queries []Query) ([]Result, error) {
	const verb = "search"
	if err := c.db.enter(); err != nil {
		return nil, c.wrap(verb, err)
	}
	defer c.db.leave()
	queries, err := c.embedQueries(ctx, queries)
	if err != nil {
		return nil, c.wrap(verb, err)
	}
	searches := make([]engine.Search, len(queries))
	for i, q := range queries {
		if searches[i], err = c.planQuery(q); err != nil {
			if len(queries) > 1 {
				err = fmt.Errorf("query %d: %w", i, err)
			}
			return nil, c.wrap(verb, err)
		}
	}
	if len(searches) == 0 {
		return nil, ctx.Err()
	}
	found, err := c.engine.Search(ctx, searches)
	if err != nil {
		return nil, c.wrap(verb, err)
	}
	results := make([]Result, len(found))
	for i, f := range found {
		results[i] = Result{Hits: c.hits(f.Hits), Exact: f.Exact}
	}
	return results, nil
}

func (c *Collection) planQuery(q Query) (engine.Search, error) {
	k := q.K
	if k == 0 {
		k = DefaultK
	}
	if k < 0 {
		return engine.Search{}, &ValueError{Field: "K", Pos: -1, Want: "a positive number, or 0 for the default", Got: fmt.Sprint(q.K)}
	}
	vector, err := c.vector(q.Vector, q.Vector64)
	if err != nil {
		return engine.Search{}, err
	}
	f, err := q.Filter.Check(c.typeOf)
	if err != nil {
		return engine.Search{}, err
	}
	return engine.Search{Vector: vector, K: k, Filter: f, Exact: q.Exact, Payload: !q.IDsOnly, Vectors: q.Vectors}, nil
}

func (c *Collection) hits(found []engine.Hit) []Hit {
	hits := make([]Hit, len(found))
	for i, h := range found {
		hits[i] = Hit{Record: c.record(h.Record), Score: h.Score, Distance: -h.Score + 0}
		if c.schema.Metric == Cosine {
			hits[i].Distance = 1 - h.Score
		}
	}
	return hits
}
