package ann

import (
	"math"

	"github.com/vecwire/vecwire/codec"
)

// nearSigma is by how many standard deviations of what codes are off a row must be
// further than the k-th not to be compared with it.
const nearSigma = 4

// near returns how many of the first n rows of s.found may be among the k best: their codes
// are no further from the query than that of the k-th by what codes are off. Under Dot all
// may be, and where walks compare vectors.
//
// Rounding moves each element of a code by a number between -1/2 and 1/2, in a direction that
// has nothing to do with that of the query: the squared distances of two rows, which are about d^2, are
// off by 2*d*sqrt(2/12), with what the query's code is off besides, and by the
// squares of all that, which differ by sqrt(dim)/5. All that is in units of the rows' codes.
func (g *Graph[T]) near(s *finder[T], k, n int) int {
	if g.arena.metric == codec.Dot || s.exact != nil || n <= k {
		return n
	}
	square, dim, unit := float64(s.found[k-1].key()), float64(g.arena.dim), g.arena.codes.unit()
	off := 2*math.Sqrt(square*(s.query.err*s.query.err/dim+unit*unit*2/12)) + unit*unit*math.Sqrt(dim)/5
	for limit := square + nearSigma*off; n > k && float64(s.found[n-1].key()) > limit; {
		n--
	}
	return n
}
