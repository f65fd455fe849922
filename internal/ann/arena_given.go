package ann

import (
	"slices"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// KeepGiven has the arena hold vectors so that [Arena.Given] returns them: its owner has no
// other copy. The arena is empty, and is written to no snapshot. Under Cosine it holds
// vectors as they were given from then on, and not normalised ones, as with an [Outside].
func (a *Arena[T]) KeepGiven() { a.given = true }

// Given appends the vector that a row was set to to dst, of an arena that was told
// [Arena.KeepGiven]. It reports false if the row holds none.
func (a *Arena[T]) Given(dst []T, row int32) ([]T, bool) {
	if !a.live.Has(row) {
		return dst, false
	}
	if v, ok := a.odd[row]; ok {
		return append(dst, v...), true
	}
	return append(dst, a.raw(row)...), true
}

// Rest gives back what the arena makes of its vectors by itself, and makes again when it is
// maintained. It is a change like [Arena.Set].
func (a *Arena[T]) Rest() { a.dropCodes() }

// putGiven stores v in a row as it is, if kernels can compare that. Else searches compare it
// normalised, which is as far from it as rounding is: for few rows it costs less to keep
// both than it would cost to compare all rows without kernels.
func (a *Arena[T]) putGiven(row int32, v []T) {
	if norm := simd.Norm(v); isCommon[T](norm) {
		delete(a.odd, row)
		copy(a.raw(row), v)
		a.inverse.all[row] = T(1 / norm)
		return
	}
	if a.odd == nil {
		a.odd = map[int32][]T{}
	}
	a.odd[row] = slices.Clone(v)
	simd.Normalize(a.raw(row), v)
	a.measure(row)
}

// isCommon reports whether kernels can compare vectors of a norm: else products may overflow,
// or lose what counts.
func isCommon[T codec.Float](norm float64) bool {
	most := 0x1p30
	if sizeOf[T]() == 8 {
		most = 0x1p400
	}
	return norm < most && norm > 1/most
}

// asGiven reports whether the arena holds vectors that it must normalise to compare them.
func (a *Arena[T]) asGiven() bool {
	return (a.away.from != nil || a.given) && a.metric == codec.Cosine
}
