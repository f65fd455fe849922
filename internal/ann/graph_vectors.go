package ann

import (
	"math"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// measurer compares rows by their vectors. A walker that has one does not look at
// codes.
type measurer interface {
	// toQuery sets dst[i] to the distance of row at[i] from the query, as a key.
	toQuery(dst []int32, at []int32)
	// between sets dst[i] to the distance of row at[i] from row, as a key.
	between(dst []int32, row int32, at []int32)
}

// vectors is the measurer of one walker: it compares as [space] and codes do, to the
// last bit that the kernels give, in several times the time. It is for data that one
// scale of codes cannot tell apart: clusters whose own size is nothing beside their
// distance.
type vectors[T codec.Float] struct {
	arena *Arena[T]
	q     []T // the query, normalised under Cosine
	sums  []T
	rows  flatRows[T]
	row   []T
	last  func(row int32) float64 // see space; nil but for Dot
}

func (v *vectors[T]) toQuery(dst []int32, at []int32) {
	sums := sized(&v.sums, max(len(at), cap(v.sums)))[:len(at)]
	all, rows := v.arena.flat(&v.rows, at)
	if v.arena.metric == codec.Dot {
		simd.DotAt(sums, v.q, all, rows)
		for i, s := range sums {
			dst[i] = orderOf(-float32(s))
		}
		return
	}
	simd.SquaredL2At(sums, v.q, all, rows)
	for i, s := range sums {
		dst[i] = orderOf(float32(s))
	}
}

func (v *vectors[T]) between(dst []int32, row int32, at []int32) {
	sums := sized(&v.sums, max(len(at), cap(v.sums)))[:len(at)]
	all, rows := v.arena.flat(&v.rows, at)
	simd.SquaredL2At(sums, v.arena.read(sized(&v.row, v.arena.dim), row), all, rows)
	x := 0.0
	if v.last != nil {
		x = v.last(row)
	}
	for i, s := range sums {
		if v.last != nil {
			d := x - v.last(at[i])
			s += T(d * d)
		}
		dst[i] = orderOf(float32(s))
	}
}

// orderOf returns an integer that compares as f does among others; NaN, which is
// where a kernel overflowed, is beyond all.
func orderOf(f float32) int32 {
	if f != f {
		return math.MaxInt32
	}
	b := int32(math.Float32bits(f))
	if b < 0 { // the larger the bits, the smaller the number
		b = math.MinInt32 - b
	}
	return b
}
