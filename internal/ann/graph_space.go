package ann

import (
	"math"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// space is how far rows are from each other while a graph is built: the squared
// distance of their codes. It is made anew whenever the owner's lock is taken,
// since codes may be replaced in between.
//
// Under Dot a row is not its own nearest neighbour, and long rows are everyone's:
// no graph holds together. So a row x gets one more element, sqrt(r^2-|x|^2) for
// the largest norm r, and a query 0 in its place: then |q-x|^2 = |q|^2 + r^2 -
// 2*dot(q,x), and the rows that are nearest are those with the largest dot product
// (Bachrach et al., Speeding up the Xbox recommender system using a Euclidean
// transformation for inner-product spaces, RecSys 2014).
type space struct {
	codes *codes
	code  []uint8                 // of a row, if codes are short
	last  func(row int32) float64 // the element more, in units of the codes; nil but for Dot
}

// between sets dst[i] to the distance of row and row at[i] as a key.
func (s *space) between(dst []int32, row int32, at []int32) {
	if c := s.codes; c.short {
		code := sized(&s.code, c.whole)
		simd.WholeCode(code, c.row(row))
		simd.HalfL2At(dst, code, c.rows.all, at)
	} else {
		simd.CodeL2At(dst, c.row(row), c.rows.all, at)
	}
	if s.last == nil {
		return
	}
	x := s.last(row)
	for i, r := range at {
		d := x - s.last(r)
		dst[i] = int32(min(float64(dst[i])+d*d, math.MaxInt32))
	}
}

// newSpace returns the distances of the arena's rows.
func newSpace[T codec.Float](a *Arena[T]) space {
	return space{codes: a.codes, last: a.lastElement(a.codes.step)}
}

// longest returns half of the largest squared norm.
func (a *Arena[T]) longest() (half float64) {
	for _, h := range a.maxHalf {
		half = max(half, float64(h))
	}
	return half
}

// lastElement returns, for Dot, what the space's additional element of a row is in
// units of step.
func (a *Arena[T]) lastElement(step float64) func(row int32) float64 {
	if a.metric != codec.Dot {
		return nil
	}
	longest := a.longest() // half the square of r
	return func(row int32) float64 {
		return math.Sqrt(max(0, 2*(longest-float64(a.half.all[row])))) / step
	}
}
