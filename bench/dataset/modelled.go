package dataset

import (
	"math"
	"math/rand/v2"
)

// What Modelled takes over from the 60,000 embeddings of MiniLM, as numpy measured it.

// meanNorm is the norm of the mean of all vectors, which have the norm 1.
const meanNorm = 0.306

// spectrum is 384 times the share of the variance along some of the axes, from the one with
// the most on: of axis at of 384.
var spectrum = []struct{ at, share float64 }{
	{0, 15.522}, {1, 11.427}, {2, 9.518}, {4, 7.861}, {8, 6.261}, {16, 4.038}, {32, 2.552}, {64, 1.581},
	{96, 1.143}, {128, 0.882}, {192, 0.528}, {256, 0.253}, {320, 0.071}, {384, 0.01},
}

// levels are groups of vectors, each within one of the level before: how many vectors one
// has, and which part of the variance its vectors have in common. With them the nearest, the
// tenth and the hundredth of a query have the cosines that MiniLM's have, about 0.64, 0.51 and
// 0.40.
var levels = []struct{ size, share float64 }{{200, 0.33}, {15, 0.14}, {2, 0.15}}

// Modelled returns made-up embeddings of any dimension that are modelled on those of
// MiniLM: their mean, how their variance decays over the axes, stretched over dim of these,
// and groups within groups of vectors that are alike. Queries are further members of
// the same groups.
func Modelled(dim, rows, queries int) (base, asked [][]float32) {
	rng := rand.New(rand.NewPCG(15, uint64(dim)))
	deviation := make([]float64, dim)
	for i := range deviation {
		deviation[i] = math.Sqrt((1 - meanNorm*meanNorm) / float64(dim) * shareAt(float64(i)*384/float64(dim)))
	}
	draw := func() []float64 {
		v := make([]float64, dim)
		for i := range v {
			v[i] = rng.NormFloat64() * deviation[i]
		}
		return v
	}
	mean := make([]float64, dim)
	for i := range mean { // along all axes alike
		mean[i] = meanNorm * math.Copysign(1/math.Sqrt(float64(dim)), rng.NormFloat64())
	}
	parents, rest := [][]float64{mean}, 1.0
	for _, level := range levels {
		groups := make([][]float64, max(1, int(float64(rows)/level.size)))
		for i := range groups {
			groups[i] = member(parents[rng.IntN(len(parents))], draw(), level.share)
		}
		parents, rest = groups, rest-level.share
	}
	vectors := make([][]float32, rows+queries)
	for i := range vectors {
		v := member(parents[rng.IntN(len(parents))], draw(), rest)
		square := 0.0
		for _, x := range v {
			square += x * x
		}
		vectors[i] = make([]float32, dim)
		for j, x := range v {
			vectors[i][j] = float32(x / math.Sqrt(square))
		}
	}
	return vectors[:rows], vectors[rows:]
}

// member returns a member of a group that differs by share of the variance.
func member(group, drawn []float64, share float64) []float64 {
	for i := range drawn {
		drawn[i] = group[i] + math.Sqrt(share)*drawn[i]
	}
	return drawn
}

// shareAt returns the spectrum between the axes that it names, along straight lines.
func shareAt(at float64) float64 {
	for i := 1; i < len(spectrum); i++ {
		from, to := spectrum[i-1], spectrum[i]
		if at <= to.at {
			return from.share + (to.share-from.share)*(at-from.at)/(to.at-from.at)
		}
	}
	return spectrum[len(spectrum)-1].share
}
