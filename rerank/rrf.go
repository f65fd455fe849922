package rerank

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// DefaultRRFK is the k of [RRF] in the paper.
const DefaultRRFK = 60

// A Leg is a ranked list of IDs, best first, such as the hits of a vector search or
// of a full-text search.
type Leg struct {
	IDs []string
	// Scores are those of the IDs, higher for better, for [Relative]; [RRF] needs none.
	Scores []float64
	// Weight is how much the leg counts: 0 or more. 0 means 1.
	Weight float64
}

// A Fused is an ID of at least one leg.
type Fused struct {
	ID string
	// Score is from 0 to 1, higher for better: 1 is what an ID has that is the first of
	// every leg.
	Score float64
	// Ranks has the ID's rank in each leg, from 1; 0 for a leg without the ID.
	Ranks []int
}

// RRF fuses legs into one list, best first, by reciprocal rank fusion (Cormack,
// Clarke and Büttcher, "Reciprocal Rank Fusion Outperforms Condorcet and Individual
// Rank Learning Methods", SIGIR 2009). It looks at ranks only, so the legs' scores
// need not be comparable. The answer has all IDs of all legs. A score is the sum over
// the legs that have the ID of weight / (k + rank), divided by the greatest that there
// can be: the sum over all legs of weight / (k + 1).
//
// A larger k takes weight off the first ranks; 0 means [DefaultRRFK]. If a leg has
// an ID twice, the better rank counts. IDs of equal score are in the order of their
// bytes. The order of the legs changes nothing but that of Ranks.
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
	return fuse(legs, func(_ int, rank int) float64 { return 1 / (k + float64(rank)) }, 1/(k+1))
}

// Relative fuses legs into one list, best first, by their scores: a score is the mean,
// by weight, over all legs of how far the ID's score lies between the leg's least, which
// is 0, and its greatest, which is 1. A leg without the ID counts as 0, and one whose
// scores are all the same as 1 for each of its IDs. The answer has all IDs of all legs.
//
// It heeds by how much one hit is better than the next, where [RRF] does not; and one
// outlier makes all others of its leg alike. If a leg has an ID twice, the better rank
// counts. IDs of equal score are in the order of their bytes.
//
// Relative returns a [*codec.ValueError] for a leg with fewer Scores than IDs, for a
// score that is not finite, and for a weight that is negative or not finite.
func Relative(legs ...Leg) ([]Fused, error) {
	least, most := make([]float64, len(legs)), make([]float64, len(legs))
	for l, leg := range legs {
		if len(leg.Scores) != len(leg.IDs) {
			return nil, refuse(fmt.Sprintf("scores of leg %d", l), fmt.Sprint(len(leg.IDs)), fmt.Sprint(len(leg.Scores)))
		}
		for i, score := range leg.Scores {
			if score-score != 0 {
				return nil, refuse(fmt.Sprintf("score %d of leg %d", i, l), "a finite number", fmt.Sprint(score))
			}
		}
		if len(leg.Scores) > 0 {
			least[l], most[l] = slices.Min(leg.Scores), slices.Max(leg.Scores)
		}
	}
	return fuse(legs, func(l int, rank int) float64 {
		if most[l] == least[l] {
			return 1
		}
		half := legs[l].Scores[rank-1]/2 - least[l]/2 // halves, because the whole may be too large a number
		return half / (most[l]/2 - least[l]/2)
	}, 1)
}

// fuse adds the shares that the legs have in the score of each ID; largest is the
// largest that there can be.
func fuse(legs []Leg, share func(leg, rank int) float64, largest float64) ([]Fused, error) {
	heaviest := 0.0
	for i, leg := range legs {
		if !(leg.Weight >= 0 && leg.Weight-leg.Weight == 0) {
			return nil, refuse(fmt.Sprintf("weight of leg %d", i), "a positive number, or 0 for the default", fmt.Sprint(leg.Weight))
		}
		heaviest = max(heaviest, cmp.Or(leg.Weight, 1))
	}
	most := 0
	// Weights count beside the heaviest, so that no sum of them is too large a number.
	weights, all := make([]float64, len(legs)), make([]float64, len(legs))
	for l, leg := range legs {
		most += len(leg.IDs)
		weights[l] = cmp.Or(leg.Weight, 1) / heaviest
		all[l] = weights[l] * largest
	}
	greatest := sum(all)
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
				shares = append(shares, weights[l]*share(l, rank))
			}
		}
		fused[i].Score = min(1, sum(shares)/greatest)
	}
	slices.SortFunc(fused, func(a, b Fused) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(a.ID, b.ID))
	})
	return fused, nil
}

// sum adds numbers, which it puts in order: a sum depends on that, and what is equal
// must be so exactly.
func sum(shares []float64) (sum float64) {
	slices.Sort(shares)
	for _, share := range shares {
		sum += share
	}
	return sum
}
