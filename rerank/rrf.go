package rerank

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// DefaultRRFK is the k of [RRF] in the paper.
const DefaultRRFK = 60

// A Leg is one ranked list of IDs, the best first, such as the hits of a vector
// search or of a full-text search.
type Leg struct {
	IDs []string
	// Weight is how much the leg counts. Defaults to 1.
	Weight float64
}

// A Fused is an ID that at least one leg has.
type Fused struct {
	ID string
	// Score is the sum over the legs that have the ID of weight / (k + rank).
	Score float64
	// Ranks are the ID's ranks in the legs, from 1; 0 in a leg that does not have it.
	Ranks []int
}

// RRF fuses legs into one list, the best first, by reciprocal rank fusion
// (Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion Outperforms Condorcet and
// Individual Rank Learning Methods", SIGIR 2009). It looks at ranks only, so that
// the legs' scores need not be comparable. All IDs of all legs are in the answer.
//
// A larger k takes weight off the first ranks; 0 means [DefaultRRFK]. If a leg has
// an ID twice, the better rank counts. IDs of equal score are in order. The order
// of the legs changes nothing but that of Ranks.
//
// RRF returns a [*codec.ValueError] for a k or a weight that is negative or not
// finite.
func RRF(k float64, legs ...Leg) ([]Fused, error) {
	if !(k >= 0 && k-k == 0) {
		return nil, refuse("k", "a positive number, or 0 for the default", fmt.Sprint(k))
	}
	if k == 0 {
		k = DefaultRRFK
	}
	most := 0
	for i, leg := range legs {
		if !(leg.Weight >= 0 && leg.Weight-leg.Weight == 0) {
			return nil, refuse(fmt.Sprintf("weight of leg %d", i), "a positive number, or 0 for the default", fmt.Sprint(leg.Weight))
		}
		most += len(leg.IDs)
	}
	place := make(map[string]int, most)
	fused := make([]Fused, 0, most)
	for l, leg := range legs {
		for r, id := range leg.IDs {
			i, known := place[id]
			if !known {
				i = len(fused)
				place[id] = i
				fused = append(fused, Fused{ID: id, Ranks: make([]int, len(legs))})
			}
			if fused[i].Ranks[l] == 0 {
				fused[i].Ranks[l] = r + 1
			}
		}
	}
	shares := make([]float64, 0, len(legs))
	for i := range fused {
		shares = shares[:0]
		for l, rank := range fused[i].Ranks {
			if rank > 0 {
				shares = append(shares, cmp.Or(legs[l].Weight, 1)/(k+float64(rank)))
			}
		}
		slices.Sort(shares) // a sum depends on the order, and equal scores must be equal
		for _, share := range shares {
			fused[i].Score += share
		}
	}
	slices.SortFunc(fused, func(a, b Fused) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(a.ID, b.ID))
	})
	return fused, nil
}
