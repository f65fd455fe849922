package recall

import (
	"math"
	"math/rand/v2"
	"slices"
)

const (
	// maxPool is how many vectors are enough to find the groups: one in a hundred
	// records then has ten of them.
	maxPool = 1000
	// maxGroups is how many groups there are at most.
	maxGroups = 8
	// minGroup is how many vectors a group has at least. Fewer say nothing about a
	// part of the space.
	minGroup = 5
	// maxGroupQueries is how many queries a group is measured with at least, if it has
	// as many vectors and the sample is not smaller than ten times that.
	maxGroupQueries = 10
)

// Pool returns how many vectors to draw where n are the sample.
func Pool(n int) int {
	if n >= maxPool {
		return n
	}
	return min(10*n, maxPool)
}

// members is a part of the space.
type members struct {
	size   int // how many of the vectors lie in it
	middle int // the place of the one next to its centre
}

// groupsOf tells vectors apart: it returns the group of each. Only directions tell groups
// apart if so it is said. The vectors are changed.
func groupsOf(vectors [][]float64, directions bool, seed uint64) (group []int, groups []members) {
	scale(vectors, directions)
	return partition(vectors, rand.New(rand.NewPCG(seed, 1)))
}

// more returns the places of vectors beyond the first drawn that are asked for, too, so
// that no group has few.
func more(group []int, groups, drawn int) (places []int) {
	enough := min(maxGroupQueries, (drawn+9)/10)
	have := make([]int, groups)
	for at, g := range group {
		if at >= drawn && have[g] >= enough {
			continue
		}
		have[g]++
		if at >= drawn {
			places = append(places, at)
		}
	}
	return places
}

// partition tells vectors apart by where they lie: it returns the group of each. Vectors
// are compared by their Euclidean distance.
func partition(vectors [][]float64, rng *rand.Rand) (group []int, groups []members) {
	group = make([]int, len(vectors))
	if len(vectors) == 0 {
		return group, nil
	}
	centres := seeds(vectors, max(1, min(maxGroups, len(vectors)/minGroup)), rng)
	for range 8 { // Lloyd's steps; the groups need not be the best, only apart
		if !assign(vectors, centres, group) {
			break
		}
		centres = means(vectors, group, len(centres))
	}
	for assign(vectors, centres, group); len(centres) > 1; assign(vectors, centres, group) {
		sizes := sizesOf(group, len(centres))
		least := slices.Index(sizes, slices.Min(sizes))
		if sizes[least] >= minGroup {
			break
		}
		centres = slices.Delete(centres, least, least+1)
	}
	groups = make([]members, len(centres))
	nearest := make([]float64, len(centres))
	for i, v := range vectors {
		g := group[i]
		if d := distance(v, centres[g]); groups[g].size == 0 || d < nearest[g] {
			nearest[g], groups[g].middle = d, i
		}
		groups[g].size++
	}
	return group, groups
}

// Vector returns a vector, which is given in one of two forms, as one of float64.
func Vector(f32 []float32, f64 []float64) []float64 {
	out := slices.Clone(f64)
	for _, x := range f32 {
		out = append(out, float64(x))
	}
	return out
}

// scale makes the elements of vectors at most 1, so that no distance overflows, or with
// directions the vectors' lengths 1.
func scale(vectors [][]float64, directions bool) {
	most := 0.0
	for _, v := range vectors {
		most = max(most, largest(v))
	}
	for _, v := range vectors {
		if !directions {
			divide(v, most)
			continue
		}
		divide(v, largest(v)) // so that the sum of squares does not overflow either
		sum := 0.0
		for _, x := range v {
			sum += x * x
		}
		divide(v, math.Sqrt(sum))
	}
}

// largest returns the largest absolute value of a vector's elements.
func largest(v []float64) (most float64) {
	for _, x := range v {
		most = max(most, math.Abs(x))
	}
	return most
}

// divide divides a vector, unless it is all zeros.
func divide(v []float64, by float64) {
	for i := range v {
		if by > 0 {
			v[i] /= by
		}
	}
}

// seeds chooses k vectors to begin with, or fewer if no more differ: each of some that
// were drawn by their squared distance from those before, the one that leaves the least
// distance (greedy k-means++, Arthur and Vassilvitskii 2007).
func seeds(vectors [][]float64, k int, rng *rand.Rand) [][]float64 {
	const tries = 4
	first := vectors[rng.IntN(len(vectors))]
	centres := [][]float64{slices.Clone(first)}
	far := make([]float64, len(vectors))
	total := 0.0
	for i, v := range vectors {
		far[i] = distance(v, first)
		total += far[i]
	}
	for len(centres) < k && total > 0 {
		var best []float64
		bestAt, bestTotal := -1, 0.0
		for range tries {
			at, x := 0, rng.Float64()*total
			for at < len(far)-1 && x >= far[at] {
				x -= far[at]
				at++
			}
			left, sum := make([]float64, len(far)), 0.0
			for i, v := range vectors {
				left[i] = min(far[i], distance(v, vectors[at]))
				sum += left[i]
			}
			if bestAt < 0 || sum < bestTotal {
				best, bestAt, bestTotal = left, at, sum
			}
		}
		if bestTotal >= total { // rounding: nothing is left to tell apart
			break
		}
		centres = append(centres, slices.Clone(vectors[bestAt]))
		far, total = best, bestTotal
	}
	return centres
}

// assign sets the group of each vector to that of the nearest centre, and reports
// whether any has changed.
func assign(vectors, centres [][]float64, group []int) (changed bool) {
	for i, v := range vectors {
		best, least := 0, distance(v, centres[0])
		for g := 1; g < len(centres); g++ {
			if d := distance(v, centres[g]); d < least {
				best, least = g, d
			}
		}
		changed = changed || group[i] != best
		group[i] = best
	}
	return changed
}

// means returns the centre of each group. A group without vectors has none.
func means(vectors [][]float64, group []int, groups int) [][]float64 {
	sizes := sizesOf(group, groups)
	centres := make([][]float64, groups)
	for i, v := range vectors {
		g := group[i]
		if centres[g] == nil {
			centres[g] = make([]float64, len(v))
		}
		for j, x := range v {
			centres[g][j] += x / float64(sizes[g])
		}
	}
	return slices.DeleteFunc(centres, func(c []float64) bool { return c == nil })
}

func sizesOf(group []int, groups int) []int {
	sizes := make([]int, groups)
	for _, g := range group {
		sizes[g]++
	}
	return sizes
}

// distance returns the squared Euclidean distance.
func distance(a, b []float64) (sum float64) {
	for i, x := range a {
		d := x - b[i]
		sum += d * d
	}
	return sum
}
