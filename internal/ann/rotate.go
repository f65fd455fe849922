package ann

import (
	"math"
	"math/bits"
	"math/rand/v2"

	"github.com/vecwire/vecwire/internal/simd"
)

// A rotation is an orthogonal map of dim dimensions that spreads what any one of
// them holds over many: random signs, then a Walsh-Hadamard transform. If dim is
// no power of two, two transforms of the largest one below it are done, one over
// the first dimensions and one over the last, each after signs of its own. The
// signs depend on dim alone.
//
// Source: Ailon and Chazelle, The fast Johnson-Lindenstrauss transform, SIAM
// Journal on Computing 39, 2009.
type rotation struct {
	signs [2][]float32 // ±1/sqrt(len), which makes the transform orthogonal; the second may be empty
	dim   int
	loss  float64 // see below
}

func newRotation(dim int) rotation {
	r := rotation{dim: dim}
	log := bits.Len(uint(dim)) - 1
	n := 1 << log
	blocks := 1
	if n < dim {
		blocks = 2
	}
	rng := rand.New(rand.NewPCG(uint64(dim), 0x7665637769726521))
	scale := float32(1 / math.Sqrt(float64(n)))
	for b := range blocks {
		r.signs[b] = make([]float32, n)
		for i := range r.signs[b] {
			r.signs[b][i] = scale
			if rng.Uint64()&1 != 0 {
				r.signs[b][i] = -scale
			}
		}
	}
	// Each step of a transform is an orthogonal map times sqrt(2) whose elements are
	// rounded once, so that it adds at most 2^-24 of the norm; scaling adds two
	// more, and the element's conversion to float32 and the subtraction before it
	// two.
	r.loss = 1.01 * float64(blocks*(log+2)+2) * 0x1p-24
	return r
}

// apply rotates y in place. The norm of what rounding adds is at most
// loss * |y| + 2^-100, for the y before as for the one after; where an element
// overflows, some of the result is NaN or infinite.
func (r *rotation) apply(y []float32) {
	for b, signs := range r.signs {
		if len(signs) == 0 {
			break
		}
		z := y[:len(signs)]
		if b == 1 {
			z = y[r.dim-len(signs) : r.dim]
		}
		for i, s := range signs {
			z[i] *= s
		}
		simd.WalshHadamard(z)
	}
}
