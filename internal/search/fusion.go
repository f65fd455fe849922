package search

import (
	"math"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/rerank"
)

// Fusion asks for a search by words beside that by vectors.
type Fusion struct {
	Method       Method
	Syntax       Syntax
	K            float64
	VectorWeight float64
	TextWeight   float64
	TextOnly     bool
	Vectors      []VectorLeg
	NoText       bool
}

// Method says how a Fusion makes one list of two. The values are the root's.
type Method uint8

// The methods.
const (
	RRF Method = iota
	Relative
)

// fuse makes one list of the hits by vectors, those by words and those by named vectors.
func (p *plan) fuse(hits []Hit, words []engine.Hit, named [][]engine.Hit) ([]Hit, error) {
	f := p.q.Fusion
	if f == nil {
		return hits, nil
	}
	known := make(map[string]Hit, len(hits)+len(words))
	explain := func() *Explanation {
		if named == nil {
			return &Explanation{}
		}
		return &Explanation{Vectors: make([]Leg, len(named))}
	}
	byVector := rerank.Leg{Weight: f.VectorWeight}
	for i, h := range hits {
		byVector.IDs, byVector.Scores = append(byVector.IDs, h.ID), append(byVector.Scores, h.Score)
		h.Explanation = explain()
		h.Explanation.Vector = Leg{i + 1, h.Score}
		known[h.ID] = h
	}
	leg := func(weight float64, found []engine.Hit, place func(*Explanation) *Leg) rerank.Leg {
		by := rerank.Leg{Weight: weight}
		for i, h := range found {
			by.IDs, by.Scores = append(by.IDs, h.ID), append(by.Scores, h.Score)
			hit, ok := known[h.ID]
			if !ok {
				hit = Hit{Hit: h, Distance: math.NaN(), Explanation: explain()}
				known[h.ID] = hit
			}
			*place(hit.Explanation) = Leg{i + 1, h.Score}
		}
		return by
	}
	var legs []rerank.Leg
	if !f.TextOnly {
		legs = append(legs, byVector)
	}
	if !f.NoText {
		legs = append(legs, leg(f.TextWeight, words, func(e *Explanation) *Leg { return &e.Text }))
	}
	for n, found := range named {
		legs = append(legs, leg(f.Vectors[n].Weight, found, func(e *Explanation) *Leg { return &e.Vectors[n] }))
	}
	var fused []rerank.Fused
	var err error
	if f.Method == Relative {
		fused, err = rerank.Relative(legs...)
	} else {
		fused, err = rerank.RRF(f.K, legs...)
	}
	if err != nil {
		return nil, err
	}
	out := make([]Hit, len(fused))
	for i, r := range fused {
		out[i] = known[r.ID]
		out[i].Score = r.Score
	}
	return out, nil
}
