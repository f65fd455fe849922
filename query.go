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
	// see [Collection.WithEmbedder]. A Reranker and Fusion read it in any case.
	Text string
	// Away are vectors of what is not wanted: negative examples, of the schema's
	// dimension. The query is moved away from their mean by half of it.
	Away [][]float32
	// K is how many hits are wanted. Defaults to 10. If fewer records pass the
	// filter, all of them are found.
	K int
	// Filter says which records may be found. The zero filter lets all pass.
	Filter filter.Filter
	// Exact asks for the exact answer where an approximate index might give
	// another.
	Exact bool
	// Effort is how many candidates a search of a graph index looks at (ef_search):
	// more find more of the nearest, and take longer. Defaults to what
	// [Collection.Tune] has found, or else to the engine's choice, which grows with K.
	Effort int
	// IDsOnly leaves Text and Fields out of the hits, which is faster.
	IDsOnly bool
	// Vectors puts the records' vectors into the hits.
	Vectors bool

	// Fusion searches by the words of Text, too, and fuses the two answers.
	// Hit.Score is then the fused score, and Hit.Distance that of the vectors, NaN
	// for a hit that was found by its words only. nil searches by vectors alone.
	Fusion *Fusion
	// Candidates is how many of the nearest are taken for Fusion, Rerank, Reranker,
	// GroupBy and Diversity to choose K from. Defaults to 4 times K, at least
	// [DefaultCandidates]; for Rerank more, where an index over [Bits] needs them.
	Candidates int
	// Rerank scores the candidates again from their vectors, in full precision, in
	// this process. It mends what an index over shortened vectors gets wrong, before
	// any Fusion.
	Rerank bool
	// Reranker scores the candidates again by their texts and Text. Hit.Score is
	// then its score, and Hit.Distance stays that of the vectors.
	Reranker Reranker
	// MinScore leaves out hits that score less. 0 leaves out none; for the
	// positive ones give math.SmallestNonzeroFloat64.
	MinScore float64
	// GroupBy names a field: of the hits with the same value only GroupSize are
	// kept, the best. Those without a value are a group, too. If groups leave
	// fewer than K, more candidates are looked at, until there are no more.
	GroupBy string
	// GroupSize is how many hits a group may have. Defaults to 1.
	GroupSize int
	// Diversity, from 0 to 1, prefers hits that are unlike those before them: it
	// is 1 - lambda of maximal marginal relevance, see [rerank.MMR]. Hits are then
	// in its order, and not in that of their scores. It goes by vectors alone.
	Diversity float64
}

// DefaultK is how many hits a [Query] asks for that does not say.
const DefaultK = 10

// Hit is a record that a query found.
type Hit struct {
	Record
	// Score says how near the record is, higher for nearer: the cosine in
	// [-1, 1], the dot product, or the negated Euclidean distance. Fusion and a
	// Reranker give another.
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
	// Plan says what was done to find them.
	Plan Plan
}

// Plan says what a search did.
type Plan struct {
	Path   string // what was looked at: "scan", "filtered scan" or "graph", or another of the engine's words
	Index  string // the index that took part, "" for none
	Effort int    // as it was used, 0 without a graph
	Rows   int    // how many records were compared, -1 if that is not known
	Why    string // why this path and no other
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
	ctx, call, err := c.begin(ctx, "search")
	if err != nil {
		return nil, err
	}
	defer call.leave()
	results, err := c.searchMany(ctx, queries)
	rows, plan := 0, (*Plan)(nil)
	for i := range results {
		rows += len(results[i].Hits)
		plan = &results[0].Plan
	}
	return results, call.endSearch(rows, plan, err)
}

func (c *Collection) searchMany(ctx context.Context, queries []Query) ([]Result, error) {
	queries, err := c.embedQueries(ctx, queries)
	if err != nil {
		return nil, err
	}
	effort, err := c.tunedEffort(ctx)
	if err != nil {
		return nil, err
	}
	searches := make([]engine.Search, len(queries))
	for i, q := range queries {
		if q.Effort == 0 {
			q.Effort = effort
		}
		if searches[i], err = c.planQuery(q); err != nil {
			if len(queries) > 1 {
				err = fmt.Errorf("query %d: %w", i, err)
			}
			return nil, err
		}
	}
	if len(searches) == 0 {
		return nil, ctx.Err()
	}
	found, err := c.find(ctx, queries, searches)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(found))
	for i, f := range found {
		if results[i], err = c.choose(ctx, &queries[i], searches[i], f); err != nil {
			return nil, err
		}
	}
	return results, nil
}

func (c *Collection) planQuery(q Query) (engine.Search, error) {
	if q.K < 0 {
		return engine.Search{}, &ValueError{Field: "K", Pos: -1, Want: "a positive number, or 0 for the default", Got: fmt.Sprint(q.K)}
	}
	if err := c.checkFusion(&q); err != nil {
		return engine.Search{}, err
	}
	var vector engine.Vector
	var err error
	if !q.textOnly() {
		if vector, err = c.vector(q.Vector, q.Vector64); err != nil {
			return engine.Search{}, err
		}
		if vector, err = c.goAway(vector, q.Away); err != nil {
			return engine.Search{}, err
		}
	}
	f, err := q.Filter.Check(c.typeOf)
	if err != nil {
		return engine.Search{}, err
	}
	switch {
	case q.Effort < 0:
		return engine.Search{}, &ValueError{Field: "Effort", Pos: -1, Want: "a positive number, or 0 for the default", Got: fmt.Sprint(q.Effort)}
	case q.Effort > 0 && !c.db.engine.Capabilities().Effort:
		return engine.Search{}, unsupported("setting the effort of a search", c.db.engine.Capabilities().Engine)
	}
	if err := c.checkChoice(&q); err != nil {
		return engine.Search{}, err
	}
	return q.widen(engine.Search{Vector: vector, K: q.k(), Filter: f, Exact: q.Exact, Effort: q.Effort, Payload: !q.IDsOnly, Vectors: q.Vectors}), nil
}

func (c *Collection) hits(found []engine.Hit) []Hit {
	hits := make([]Hit, len(found))
	for i, h := range found {
		hits[i] = Hit{Record: c.record(h.Record), Score: h.Score, Distance: c.distance(h.Score)}
	}
	return hits
}

func (c *Collection) distance(score float64) float64 {
	if c.schema.Metric == Cosine {
		return 1 - score
	}
	return -score + 0 // + 0: no negative zero
}
