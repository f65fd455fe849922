package dataset

import (
	"bufio"
	"math"
	"math/rand/v2"

	"github.com/viterin/vek/vek32"
)

// clusters writes made-up vectors. Sets of different seeds have the same centres.
func clusters(w *bufio.Writer, rows int, seed uint64) error {
	const centres, directions, used = 200, 96, 16
	shape := rand.New(rand.NewPCG(7, 7))
	normal := func(r *rand.Rand, scale float64) []float32 {
		v := make([]float32, Dim)
		for i := range v {
			v[i] = float32(r.NormFloat64() * scale)
		}
		return v
	}
	var centre, direction [][]float32
	for range centres {
		centre = append(centre, vek32.AddNumber(normal(shape, 12), 80))
	}
	for range directions {
		direction = append(direction, normal(shape, 1))
	}
	var uses [centres][used]int
	for c := range uses {
		for i := range uses[c] {
			uses[c][i] = shape.IntN(directions)
		}
	}
	r := rand.New(rand.NewPCG(seed, 1))
	for range rows {
		c := r.IntN(centres)
		v := normal(r, 3)
		vek32.Add_Inplace(v, centre[c])
		for _, d := range uses[c] {
			vek32.Add_Inplace(v, vek32.MulNumber(direction[d], float32(r.NormFloat64()*5)))
		}
		if err := writeRow(w, v); err != nil {
			return err
		}
	}
	return nil
}

// resample writes the rows of m and then others made from them, until there are
// enough: a random place on the line from a row to a near one, the way of SMOTE
// (Chawla et al., 2002), with noise, so that no two are alike. The near one is
// the nearest of some from the same part of the space.
func resample(w *bufio.Writer, m Matrix, rows int) error {
	const parts, tries, noise = 256, 64, 4.0
	r := rand.New(rand.NewPCG(11, 11))
	pivots := make([]int, parts)
	for i := range pivots {
		pivots[i] = r.IntN(m.Rows())
	}
	squared := norms(m)
	distance := func(a, b int) float32 { // between rows, squared
		return float32(squared[a]+squared[b]) - 2*vek32.Dot(m.Row(a), m.Row(b))
	}
	// nearest returns the row of candidates that is the nearest to row and not itself.
	nearest := func(row int, candidates []int) int {
		near, best := row, float32(math.Inf(1))
		for _, other := range candidates {
			if d := distance(row, other); d < best && other != row {
				near, best = other, d
			}
		}
		return near
	}
	members := map[int][]int{} // of the part of each pivot
	pivot := make([]int, m.Rows())
	for row := range m.Rows() {
		pivot[row] = nearest(row, pivots)
		members[pivot[row]] = append(members[pivot[row]], row)
		if err := writeRow(w, m.Row(row)); err != nil {
			return err
		}
	}
	v := make([]float32, Dim)
	picked := make([]int, tries)
	for n := m.Rows(); n < rows; n++ {
		row := n % m.Rows()
		part := members[pivot[row]]
		for i := range picked {
			picked[i] = part[r.IntN(len(part))]
		}
		other := nearest(row, picked)
		share := r.Float32()
		for i, x := range m.Row(row) {
			v[i] = x + share*(m.Row(other)[i]-x) + float32(r.NormFloat64()*noise)
		}
		if err := writeRow(w, v); err != nil {
			return err
		}
	}
	return nil
}
