package search

import (
	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/words"
)

// Hit is a record that a query found.
type Hit struct {
	engine.Hit
	Distance    float64
	Explanation *Explanation // with a Fusion or boosts
	Snippet     *Snippet     // with Query.Snippets, of a record that has a text
	Passage     *Passage     // with Query.Around, of a part of a document; hits may share one
}

// Explanation says what the score of a hit is made of.
type Explanation struct {
	Vector  Leg   // its place in the search by vectors
	Text    Leg   // its place in the search by words
	Vectors []Leg // its places in the searches of Fusion.Vectors
	Base    float64
	Boosts  []float64
}

// Leg is the place of a hit in one of the searches that a Fusion makes one of.
type Leg struct {
	Rank  int // from 1; 0 for a hit that is not among the search's candidates
	Score float64
}

// Snippet is the passage of a hit's text that has the most of the question's words.
type Snippet struct {
	Text string
	words.Passage
}

// Result is the answer to one query.
type Result struct {
	// Nearest is the answer where nothing is chosen among what the engine has found, and
	// Hits is nil then: most searches need no more of a hit than that.
	Nearest []engine.Hit
	Hits    []Hit
	Exact   bool
	Plan    engine.Plan

	distances codec.Metric // of Nearest
}

// Len returns how many hits there are.
func (r *Result) Len() int { return max(len(r.Nearest), len(r.Hits)) }

// Distance returns that of one of Nearest.
func (r *Result) Distance(i int) float64 { return distance(r.distances, r.Nearest[i].Score) }

// All returns the hits, from wherever they are.
func (r *Result) All() []Hit {
	if r.Nearest == nil {
		return r.Hits
	}
	hits := make([]Hit, len(r.Nearest))
	for i := range hits {
		hits[i].Hit, hits[i].Distance = r.Nearest[i], r.Distance(i)
	}
	return hits
}
