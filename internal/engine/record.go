package engine

import (
	"slices"

	"github.com/vecwire/vecwire/codec"
)

// Vector returns a vector that was given in either of two forms, at most one of
// them not nil, as the collection's element type has it. A DOUBLE collection also
// takes FLOAT elements, exactly. Errors are those of [codec.Check], a
// *codec.ElementError for DOUBLE elements in a FLOAT collection, and a
// *codec.ValueError for both forms at once.
func (s Schema) Vector(v32 []float32, v64 []float64) (Vector, error) {
	switch {
	case v32 != nil && v64 != nil:
		return Vector{}, &codec.ValueError{Field: "vector", Pos: -1, Want: "Vector or Vector64", Got: "both"}
	case s.Element == codec.FLOAT && v64 != nil:
		return Vector{}, &codec.ElementError{Want: codec.FLOAT, Got: codec.DOUBLE}
	case s.Element == codec.FLOAT:
		return Vector{F32: v32}, codec.Check(v32, s.Dim, s.Metric)
	case v32 != nil:
		v64 = make([]float64, len(v32))
		for i, x := range v32 {
			v64[i] = float64(x)
		}
	}
	return Vector{F64: v64}, codec.Check(v64, s.Dim, s.Metric)
}

// Equal reports whether two vectors have the same elements, of the same type. It
// is false where one has NaN.
func (v Vector) Equal(w Vector) bool {
	return slices.Equal(v.F32, w.F32) && slices.Equal(v.F64, w.F64)
}

// SameFields reports whether two records' fields have the same values: times
// that are the same instant are the same, and bytes and lists that are equal.
func SameFields(a, b []any) bool { return slices.EqualFunc(a, b, SameValue) }
