package vecwire

import (
	"fmt"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/simd"
)

// awayWeight is how far a query goes away from its negative examples. Rocchio's
// own experiments had the same form; 0.5 is our choice: a negative example
// outweighs nothing but what lies halfway to it.
const awayWeight = 0.5

// goAway moves a query away from negative examples, after Rocchio ("Relevance
// Feedback in Information Retrieval", in Salton (ed.), The SMART Retrieval System,
// 1971):
//
//	q - w * mean(away)            under Cosine and Dot, under Cosine of unit vectors
//	q + w * (q - mean(away))      under L2
func (c *Collection) goAway(v engine.Vector, away [][]float32) (engine.Vector, error) {
	if len(away) == 0 {
		return v, nil
	}
	q := v.F64
	for _, x := range v.F32 {
		q = append(q, float64(x))
	}
	q = unit(c.schema.Metric, q)
	out := make([]float64, len(q))
	copy(out, q)
	for i, a := range away {
		checked, err := c.vector(a, nil)
		if err != nil {
			return v, fmt.Errorf("Away[%d]: %w", i, err)
		}
		x := checked.F64
		for _, f := range checked.F32 {
			x = append(x, float64(f))
		}
		x = unit(c.schema.Metric, x)
		for j := range out {
			out[j] -= awayWeight / float64(len(away)) * x[j]
			if c.schema.Metric == L2 {
				out[j] += awayWeight / float64(len(away)) * q[j]
			}
		}
	}
	if c.schema.Element == DOUBLE {
		return c.vector(nil, out)
	}
	narrow := make([]float32, len(out))
	for i, x := range out {
		narrow[i] = float32(x)
	}
	return c.vector(narrow, nil)
}

// unit returns x, under Cosine divided by its length.
func unit(m Metric, x []float64) []float64 {
	if m != Cosine {
		return x
	}
	y := make([]float64, len(x))
	simd.Normalize(y, x)
	return y
}
