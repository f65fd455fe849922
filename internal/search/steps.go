package search

import (
	"context"
	"fmt"
	"slices"
	"sort"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/simd"
	"github.com/vecwire/vecwire/rerank"
)

// awayWeight is how far a query moves away from its negative examples. Rocchio's
// own experiments had the same form; 0.5 is our choice: the query stays nearer to
// itself than to the mirror image of the examples.
const awayWeight = 0.5

// moveAway moves a query away from negative examples, after Rocchio ("Relevance
// Feedback in Information Retrieval", in Salton (ed.), The SMART Retrieval System,
// 1971):
//
//	q - w * mean(away)            under Cosine and Dot, under Cosine of unit vectors
//	q + w * (q - mean(away))      under L2
func moveAway(s *engine.Schema, v engine.Vector, away [][]float32) (engine.Vector, error) {
	if len(away) == 0 {
		return v, nil
	}
	q := unit(s.Metric, widened(v))
	out := slices.Clone(q)
	for i, a := range away {
		checked, err := s.Vector(a, nil)
		if err != nil {
			return v, fmt.Errorf("Away[%d]: %w", i, err) //nolint:staticcheck // the name of a field
		}
		x := unit(s.Metric, widened(checked))
		for j := range out {
			out[j] -= awayWeight / float64(len(away)) * x[j]
			if s.Metric == codec.L2 {
				out[j] += awayWeight / float64(len(away)) * q[j]
			}
		}
	}
	if s.Element == codec.DOUBLE {
		return s.Vector(nil, out)
	}
	narrow := make([]float32, len(out))
	for i, x := range out {
		narrow[i] = float32(x)
	}
	return s.Vector(narrow, nil)
}

// widened returns a vector's elements in 64 bits.
func widened(v engine.Vector) []float64 {
	if v.F64 != nil {
		return v.F64
	}
	out := make([]float64, len(v.F32))
	for i, x := range v.F32 {
		out[i] = float64(x)
	}
	return out
}

// unit returns x, under Cosine divided by its length.
func unit(m codec.Metric, x []float64) []float64 {
	if m != codec.Cosine {
		return x
	}
	y := make([]float64, len(x))
	simd.Normalize(y, x)
	return y
}

// rescore scores candidates again from their vectors.
func (p *plan) rescore(hits []Hit) ([]Hit, error) {
	if !p.q.Rescore || len(hits) == 0 {
		return hits, nil
	}
	ranked, err := byVectors(p.search.Vector, hits, func(query []float32, c []rerank.Candidate[float32]) ([]rerank.Ranked, error) {
		return rerank.Exact(p.schema.Metric, query, c, len(hits))
	}, func(query []float64, c []rerank.Candidate[float64]) ([]rerank.Ranked, error) {
		return rerank.Exact(p.schema.Metric, query, c, len(hits))
	})
	if err != nil {
		return nil, err
	}
	hits = reordered(hits, ranked)
	for i := range hits {
		hits[i].Score, hits[i].Distance = ranked[i].Score, p.distance(ranked[i].Score)
	}
	return hits[:min(p.search.K, len(hits))], nil
}

// rerank scores candidates by their texts. Each goes to the model once, however
// often the search looks further. All of the first candidates do; later only
// those that may still join a group: the others could not be in the answer.
func (p *plan) rerank(ctx context.Context, hits []Hit) ([]Hit, error) {
	if p.q.Reranker == nil {
		return hits, nil
	}
	first := p.scores == nil
	if first {
		p.scores = make(map[string]float64, len(hits))
	}
	members := map[any]int{}
	for i := range hits {
		if score, ok := p.scores[hits[i].ID]; ok && p.passes(score) {
			join(members, p.groupsOf(&hits[i]))
		}
	}
	var texts []string
	var ids []string
	for i := range hits {
		if _, known := p.scores[hits[i].ID]; !known && (first || p.haveRoom(members, p.groupsOf(&hits[i]))) {
			ids, texts = append(ids, hits[i].ID), append(texts, hits[i].Text)
		}
	}
	if len(texts) > 0 {
		ranked, err := rerank.Texts(ctx, p.q.Reranker, p.q.asked(), texts, len(texts))
		if err != nil {
			return nil, fmt.Errorf("rerank %d texts: %w", len(texts), err)
		}
		for _, r := range ranked {
			p.scores[ids[r.Index]] = r.Score
		}
	}
	out := make([]Hit, 0, len(hits))
	for _, h := range hits {
		if score, ok := p.scores[h.ID]; ok {
			h.Score = score
			out = append(out, h)
		}
	}
	bestFirst(out)
	return out, nil
}

// bestFirst sorts hits by their scores, and keeps the order of those that are equal. Package
// slices would take 10 KB of code more for what is as large as a Hit.
func bestFirst(hits []Hit) {
	sort.SliceStable(hits, func(i, j int) bool { return hits[i].Score > hits[j].Score })
}

// passes reports whether MinScore lets a score pass.
func (p *plan) passes(score float64) bool { return p.q.MinScore == 0 || score >= p.q.MinScore }

// cutScores leaves out hits that score too little.
func (p *plan) cutScores(hits []Hit) []Hit {
	return slices.DeleteFunc(hits, func(h Hit) bool { return !p.passes(h.Score) })
}

// diversify chooses K hits by maximal marginal relevance.
func (p *plan) diversify(hits []Hit) ([]Hit, error) {
	if p.q.Diversity == 0 || len(hits) == 0 {
		return hits, nil
	}
	lambda := 1 - p.q.Diversity
	ranked, err := byVectors(p.search.Vector, hits, func(query []float32, c []rerank.Candidate[float32]) ([]rerank.Ranked, error) {
		return rerank.MMR(p.schema.Metric, query, c, p.q.last(), lambda)
	}, func(query []float64, c []rerank.Candidate[float64]) ([]rerank.Ranked, error) {
		return rerank.MMR(p.schema.Metric, query, c, p.q.last(), lambda)
	})
	if err != nil {
		return nil, err
	}
	return reordered(hits, ranked), nil
}

// cut leaves K hits after Offset, with what was asked for, their snippets and passages.
func (p *plan) cut(ctx context.Context, hits []Hit) ([]Hit, error) {
	hits = hits[:min(p.q.last(), len(hits))]
	hits = hits[min(p.q.Offset, len(hits)):]
	p.snip(hits)
	if err := p.around(ctx, hits); err != nil {
		return nil, err
	}
	for i := range hits {
		if !p.q.Vectors {
			hits[i].Vector = engine.Vector{}
		}
		if p.q.IDsOnly {
			hits[i].Text, hits[i].Fields = "", nil
		}
	}
	return hits, nil
}

// byVectors ranks hits by their vectors, in the collection's element type.
func byVectors(query engine.Vector, hits []Hit,
	in32 func([]float32, []rerank.Candidate[float32]) ([]rerank.Ranked, error),
	in64 func([]float64, []rerank.Candidate[float64]) ([]rerank.Ranked, error),
) ([]rerank.Ranked, error) {
	if query.F64 != nil {
		return in64(query.F64, candidates(hits, func(h *Hit) []float64 { return h.Vector.F64 }))
	}
	return in32(query.F32, candidates(hits, func(h *Hit) []float32 { return h.Vector.F32 }))
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
