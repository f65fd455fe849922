package iris

import (
	"fmt"
	"math"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
)

// The server squares the elements of what it compares. Where the largest one is
// beyond these limits, float64 does not hold the squares, and the cosine is not a
// number, or wrong. Such a record is refused. A query is scaled instead, which changes
// no cosine, and a dot product by a factor that is known.
const (
	leastElement = 1e-150
	mostElement  = 1e150
)

// checkLength refuses a vector of a record that the server cannot compare.
func (t *table) checkLength(v engine.Vector) error {
	if v.F64 == nil || t.schema.Metric != codec.Cosine {
		return nil
	}
	at, most := largest(v.F64)
	const remedy = "because the server compares no other DOUBLE vectors: scale the vector, which changes no cosine"
	switch {
	case most > mostElement:
		return &codec.ValueError{Field: "vector", Pos: at, Want: fmt.Sprintf("%g at most, %s", mostElement, remedy), Got: fmt.Sprint(v.F64[at])}
	case most < leastElement:
		return &codec.ValueError{Field: "vector", Pos: at, Want: fmt.Sprintf("%g at least in one element, %s", leastElement, remedy), Got: fmt.Sprint(v.F64[at])}
	}
	return nil
}

// largest returns which element is the largest, of either sign, and how large it is.
func largest(v []float64) (at int, most float64) {
	for i, x := range v {
		if x = math.Abs(x); x > most {
			at, most = i, x
		}
	}
	return at, most
}

// scaled returns a query that the server can compare, and the power of 2 that its
// scores by Dot are to be multiplied by.
func scaled(v engine.Vector) (engine.Vector, int) {
	_, most := largest(v.F64)
	if most == 0 || most >= 0x1p-64 && most <= 0x1p64 {
		return v, 0
	}
	_, e := math.Frexp(most)
	out := make([]float64, len(v.F64))
	for i, x := range v.F64 {
		out[i] = math.Ldexp(x, -e)
	}
	return engine.Vector{F64: out}, e
}
