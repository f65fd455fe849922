package ann

import (
	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// loadSingle is load for walks that compare codes by distance, of float32: to the bit
// the same, in one pass. It reports whether it was that.
func (g *Graph[T]) loadSingle(s *finder[T], q []T) bool {
	a := g.arena
	given, single := any(q).([]float32)
	if !single || a.metric == codec.Dot || g.byVectors.Load() {
		return false
	}
	norm := 1.0
	if a.metric == codec.Cosine {
		norm = simd.Norm(given)
	}
	narrow, c := any(&s.q).(*[]float32), a.codes
	simd.Scaled(sized(&s.wide, a.dim), sized(narrow, a.dim), sized(&s.query.y, a.dim), given, c.mean, norm, c.inv)
	c.encodeCentred(&s.query)
	g.unlessFar(s)
	return true
}
