package ann

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

const (
	// checkSample is how many rows the parts of a check are made of.
	checkSample = 2048
	// doorParts is how many rows that are far from each other become doors.
	doorParts = 32
)

// parts takes the space apart around rows that are far from each other. The first
// part is the rows linked last, the second the suspects. Rows of all places become
// doors.
//
// Under Dot the direction of a query alone decides what it finds. So the parts are
// directions, and what is best for each becomes a door, too.
func (g *Graph[T]) parts() []part {
	parts := []part{{rows: g.distinct(g.exam.newest)}, {rows: g.distinct(g.exam.suspects)}}
	rows := g.distinct(g.arena.spread(checkSample))
	if len(rows) == 0 {
		return parts
	}
	var doors []int32
	open := func(row int32) {
		if g.fresh.has(row) && !slices.Contains(doors, row) {
			doors = append(doors, row)
		}
	}
	centers, owner := centersOf(len(rows), doorParts, checkParts, g.distances(rows))
	for _, c := range centers {
		open(rows[c])
	}
	if g.arena.metric == codec.Dot {
		products := g.products(rows)
		centers, owner = centersOf(len(rows), checkParts, checkParts, g.angles(rows, products))
		for _, c := range centers {
			sums, best := products(c), 0
			for i, s := range sums {
				if s > sums[best] {
					best = i
				}
			}
			open(rows[best])
		}
	}
	g.doors.renew(doors)
	for range min(checkParts, len(centers)) {
		parts = append(parts, part{})
	}
	for i, row := range rows {
		p := &parts[2+owner[i]]
		p.rows = append(p.rows, row)
	}
	return parts
}

// distinct returns those of rows that hold a vector, without those that are equal to
// another one: a check would ask for the same again, or for any of many.
func (g *Graph[T]) distinct(rows []int32) []int32 {
	a := g.arena
	rows = slices.DeleteFunc(slices.Clone(rows), func(row int32) bool { return !a.live.Has(row) })
	var flat flatRows[T]
	all, at := a.flat(&flat, rows)
	vector := func(i int32) []T { return all[int(at[i])*a.dim : int(at[i]+1)*a.dim] }
	order := make([]int32, len(rows))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(x, y int32) int { return slices.Compare(vector(x), vector(y)) })
	order = slices.CompactFunc(order, func(x, y int32) bool { return slices.Equal(vector(x), vector(y)) })
	for i, place := range order {
		order[i] = rows[place]
	}
	return order
}

// centersOf draws most centres of n points, as k-means++ does (Arthur and
// Vassilvitskii, SODA 2007), by square distances from each, and tells which of the
// first few each point is nearest to.
func centersOf(n, most, few int, distances func(point int, dst []float64)) (centers, owner []int) {
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	nearest, owner, dst := make([]float64, n), make([]int, n), make([]float64, n)
	for len(centers) < min(most, n) {
		at, c := 0, len(centers)
		if c > 0 {
			total := 0.0
			for _, d := range nearest {
				total += d
			}
			if total == 0 {
				break // all that is left is equal to a centre
			}
			for pick := rng.Float64() * total; at < n-1 && pick >= nearest[at]; at++ {
				pick -= nearest[at]
			}
		}
		distances(at, dst)
		for i, d := range dst {
			if c == 0 || d < nearest[i] {
				nearest[i] = d
				if c < few {
					owner[i] = c
				}
			}
		}
		centers = append(centers, at)
	}
	return centers, owner
}

// distances returns a function for the square distances of one of the rows from all.
func (g *Graph[T]) distances(rows []int32) func(c int, dst []float64) {
	sums := make([]T, len(rows))
	var flat flatRows[T]
	return func(c int, dst []float64) {
		all, at := g.arena.flatOnce(&flat, rows)
		simd.SquaredL2At(sums, g.arena.row(rows[c]), all, at)
		for i, d := range sums {
			dst[i] = min(float64(d), 1e300) // what overflows is as far as can be
		}
	}
}

// products returns a function for the products of one of the rows with all, which are
// valid until it is called again.
func (g *Graph[T]) products(rows []int32) func(c int) []T {
	sums := make([]T, len(rows))
	var flat flatRows[T]
	return func(c int) []T {
		all, at := g.arena.flatOnce(&flat, rows)
		simd.DotAt(sums, g.arena.row(rows[c]), all, at)
		return sums
	}
}

// angles returns a function for the square distances of the direction of one of the
// rows from those of all.
func (g *Graph[T]) angles(rows []int32, products func(c int) []T) func(c int, dst []float64) {
	norm := func(i int) float64 { return math.Sqrt(2 * float64(g.arena.half.all[rows[i]])) }
	return func(c int, dst []float64) {
		for i, p := range products(c) {
			d := 2 - 2*float64(p)/(norm(c)*norm(i))
			if !(d >= 0) { // rounding, or no direction
				d = 0
			}
			dst[i] = d
		}
	}
}
