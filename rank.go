package vecwire

import (
	"context"
	"fmt"
	"slices"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/rerank"
)

// Reranker scores texts against a query, as cross-encoders do; see
// [rerank.Reranker].
type Reranker = rerank.Reranker

// DefaultCandidates is how many candidates a [Query] takes, at least, that
// chooses among them.
const DefaultCandidates = 50

// chooses reports whether the query's answer is not simply the K nearest.
func (q *Query) chooses() bool {
	return q.Fusion != nil || q.Rerank || q.Reranker != nil || q.Diversity != 0 || q.GroupBy != "" || q.MinScore != 0
}

// checkChoice refuses settings that make no sense.
func (c *Collection) checkChoice(q *Query) error {
	refuse := func(field, want string, got any) error {
		return &ValueError{Field: field, Pos: -1, Want: want, Got: fmt.Sprint(got)}
	}
	switch {
	case q.Candidates < 0:
		return refuse("Candidates", "a positive number, or 0 for the default", q.Candidates)
	case q.Candidates > 0 && q.Candidates < q.k():
		return refuse("Candidates", fmt.Sprintf("at least K, which is %d", q.k()), q.Candidates)
	case !(q.Diversity >= 0 && q.Diversity <= 1):
		return refuse("Diversity", "0 to 1", q.Diversity)
	case q.MinScore-q.MinScore != 0:
		return refuse("MinScore", "a finite number", q.MinScore)
	case q.GroupSize < 0:
		return refuse("GroupSize", "a positive number, or 0 for 1", q.GroupSize)
	case q.Reranker != nil && q.Text == "":
		return refuse("Text", "a text for the Reranker", "none")
	}
	if _, ok := c.fields[q.GroupBy]; q.GroupBy != "" && !ok {
		return &SchemaError{Collection: c.schema.Name, Field: shorten(q.GroupBy), Msg: "does not exist, to group by"}
	}
	return nil
}

func (q *Query) k() int {
	if q.K == 0 {
		return DefaultK
	}
	return q.K
}

// widen makes of a search for the K nearest one for the candidates of q.
func (q *Query) widen(s engine.Search) engine.Search {
	if q.Fusion != nil || q.Rerank || q.Reranker != nil || q.Diversity != 0 || q.GroupBy != "" {
		s.K = max(q.Candidates, q.k())
		if q.Candidates == 0 {
			s.K = max(4*q.k(), DefaultCandidates)
		}
	}
	s.Vectors = s.Vectors || q.Rerank || q.Diversity != 0
	if q.Rerank {
		s.Rescore, s.Candidates = true, q.Candidates
	}
	s.Payload = s.Payload || q.Reranker != nil || q.GroupBy != ""
	return s
}

// choose makes the answer to q of what its legs found. Where groups leave it
// short it looks further, until there are no more candidates.
func (c *Collection) choose(ctx context.Context, q *Query, s engine.Search, found legs) (Result, error) {
	for {
		r := Result{Hits: c.hits(found.Hits), Exact: found.Exact, Plan: Plan(found.Plan)}
		if !q.chooses() {
			return r, nil
		}
		var err error
		if q.Rerank {
			if r.Hits, err = c.rescored(s.Vector, r.Hits); err != nil {
				return Result{}, err
			}
			r.Hits = r.Hits[:min(s.K, len(r.Hits))]
		}
		more := found.full(s.K)
		if q.Fusion != nil {
			if r.Hits, err = c.fused(q.Fusion, r.Hits, found.words); err != nil {
				return Result{}, err
			}
			more = more || len(r.Hits) > s.K
			r.Hits = r.Hits[:min(s.K, len(r.Hits))]
		}
		if r.Hits, err = c.chosen(ctx, q, s.Vector, r.Hits); err != nil {
			return Result{}, err
		}
		if q.GroupBy == "" || len(r.Hits) >= q.k() || !more {
			return r, nil
		}
		s.K *= 4
		next, err := c.find(ctx, []Query{*q}, []engine.Search{s})
		if err != nil {
			return Result{}, err
		}
		found = next[0]
	}
}

// chosen chooses among candidates.
func (c *Collection) chosen(ctx context.Context, q *Query, vector engine.Vector, hits []Hit) ([]Hit, error) {
	if q.Reranker != nil {
		texts := make([]string, len(hits))
		for i, h := range hits {
			texts[i] = h.Text
		}
		ranked, err := rerank.Texts(ctx, q.Reranker, q.Text, texts, max(1, len(texts)))
		if err != nil {
			return nil, fmt.Errorf("rerank %d texts: %w", len(texts), err)
		}
		hits = reordered(hits, ranked)
		for i := range hits {
			hits[i].Score = ranked[i].Score
		}
	}
	if q.MinScore != 0 {
		hits = slices.DeleteFunc(hits, func(h Hit) bool { return h.Score < q.MinScore })
	}
	if q.GroupBy != "" {
		hits = rerank.Group(hits, max(1, q.GroupSize), func(h Hit) string { return filter.Describe(h.Fields[q.GroupBy]) })
	}
	if q.Diversity != 0 {
		var err error
		if hits, err = c.diverse(vector, hits, q.k(), 1-q.Diversity); err != nil {
			return nil, err
		}
	}
	hits = hits[:min(q.k(), len(hits))]
	for i := range hits {
		if !q.Vectors {
			hits[i].Vector, hits[i].Vector64 = nil, nil
		}
		if q.IDsOnly {
			hits[i].Text, hits[i].Fields = "", nil
		}
	}
	return hits, nil
}

// rescored scores hits again from their vectors.
func (c *Collection) rescored(vector engine.Vector, hits []Hit) ([]Hit, error) {
	if len(hits) == 0 {
		return hits, nil
	}
	var ranked []rerank.Ranked
	var err error
	if vector.F64 != nil {
		ranked, err = rerank.Exact(c.schema.Metric, vector.F64, candidates(hits, func(h *Hit) []float64 { return h.Vector64 }), len(hits))
	} else {
		ranked, err = rerank.Exact(c.schema.Metric, vector.F32, candidates(hits, func(h *Hit) []float32 { return h.Vector }), len(hits))
	}
	if err != nil {
		return nil, err
	}
	hits = reordered(hits, ranked)
	for i := range hits {
		hits[i].Score, hits[i].Distance = ranked[i].Score, c.distance(ranked[i].Score)
	}
	return hits, nil
}

// diverse returns k hits by maximal marginal relevance.
func (c *Collection) diverse(vector engine.Vector, hits []Hit, k int, lambda float64) ([]Hit, error) {
	if len(hits) == 0 {
		return hits, nil
	}
	var ranked []rerank.Ranked
	var err error
	if vector.F64 != nil {
		ranked, err = rerank.MMR(c.schema.Metric, vector.F64, candidates(hits, func(h *Hit) []float64 { return h.Vector64 }), k, lambda)
	} else {
		ranked, err = rerank.MMR(c.schema.Metric, vector.F32, candidates(hits, func(h *Hit) []float32 { return h.Vector }), k, lambda)
	}
	return reordered(hits, ranked), err
}

func candidates[T float32 | float64](hits []Hit, vector func(*Hit) []T) []rerank.Candidate[T] {
	out := make([]rerank.Candidate[T], len(hits))
	for i := range hits {
		out[i] = rerank.Candidate[T]{ID: hits[i].ID, Vector: vector(&hits[i])}
	}
	return out
}

func reordered(hits []Hit, ranked []rerank.Ranked) []Hit {
	out := make([]Hit, len(ranked))
	for i, r := range ranked {
		out[i] = hits[r.Index]
	}
	return out
}
