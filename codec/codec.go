// Package codec holds vectors as values and as bytes: which vectors are valid,
// and how one is written as text, in pgvector's binary form, as a
// little-endian blob, or in a file of the field's usual formats.
//
// It checks before anything is sent, because servers cannot be trusted to: one
// pads a short vector with zeros in silence, another answers a query for a zero
// vector with NaN. It knows no database and no collection.
package codec

import (
	"math"
	"slices"
)

// Float is the set of Go types that a vector's elements may have.
type Float interface{ float32 | float64 }

// Element is the type of a vector's elements, named as SQL names it.
type Element uint8

const (
	// FLOAT is float32, four bytes an element. It is the default.
	FLOAT Element = iota
	// DOUBLE is float64, eight bytes an element.
	DOUBLE
)

// String returns "FLOAT" or "DOUBLE".
func (e Element) String() string {
	if e == DOUBLE {
		return "DOUBLE"
	}
	return "FLOAT"
}

// Size returns the bytes that one element takes: 4 or 8.
func (e Element) Size() int {
	if e == DOUBLE {
		return 8
	}
	return 4
}

// ElementOf returns the Element whose Go type is T.
func ElementOf[T Float]() Element {
	var zero T
	if _, ok := any(zero).(float64); ok {
		return DOUBLE
	}
	return FLOAT
}

// Metric says how two vectors are compared. It stands here because it decides
// which vectors are valid.
type Metric uint8

const (
	// Cosine is the cosine of the angle between two vectors, in [-1, 1]. It is
	// the default. A zero vector has no direction, so Cosine refuses it.
	Cosine Metric = iota
	// Dot is the dot product.
	Dot
	// L2 is the Euclidean distance. As a score it is negated, so that higher is
	// better.
	L2
)

// String returns "cosine", "dot" or "l2".
func (m Metric) String() string {
	switch m {
	case Dot:
		return "dot"
	case L2:
		return "l2"
	default:
		return "cosine"
	}
}

// Check reports whether v may be stored or searched for in a collection of dim
// elements under metric: a *DimensionError if its length is not dim, a
// *ValueError if an element is NaN or infinite, or if all are zero and the
// metric is Cosine.
func Check[T Float](v []T, dim int, metric Metric) error {
	if len(v) != dim {
		return &DimensionError{Want: dim, Got: len(v)}
	}
	finite, zero := survey(v)
	if !finite {
		i := slices.IndexFunc(v, func(x T) bool { return x-x != 0 }) // NaN and both infinities, nothing else
		return &ValueError{Field: "vector", Pos: i, Want: "a finite number", Got: nonFinite(float64(v[i]))}
	}
	if zero && metric == Cosine {
		return &ValueError{Field: "vector", Pos: -1, Want: "a vector with a direction", Got: "all zeros"}
	}
	return nil
}

// survey reports whether all elements of v are finite, and whether all are zero
// (of either sign). It looks at the bits, because Check runs on every vector
// and a chain of float additions or comparisons is several times slower.
func survey[T Float](v []T) (finite, zero bool) {
	switch v := any(v).(type) {
	case []float32:
		// An exponent of all ones, plus one, carries into the sign's place.
		const exponent, one = 0xff << 23, 1 << 23
		var carry, all uint32
		for _, x := range v {
			b := math.Float32bits(x)
			carry |= b&exponent + one
			all |= b
		}
		return carry>>31 == 0, all<<1 == 0
	case []float64:
		const exponent, one = 0x7ff << 52, 1 << 52
		var carry, all uint64
		for _, x := range v {
			b := math.Float64bits(x)
			carry |= b&exponent + one
			all |= b
		}
		return carry>>63 == 0, all<<1 == 0
	}
	panic("unreachable: Float has two types")
}

// nonFinite names a NaN or an infinity as PostgreSQL writes it.
func nonFinite(x float64) string {
	switch {
	case math.IsNaN(x):
		return "NaN"
	case x > 0:
		return "Infinity"
	default:
		return "-Infinity"
	}
}
