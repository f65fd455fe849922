package ingest

import (
	"maps"
	"slices"
)

// slabBytes is how much room for vectors is made at a time: few allocations, and
// little that a last record keeps from the garbage collector.
const slabBytes = 64 << 10

// Slab makes copies of vectors, several in a block. The zero Slab is ready for use.
type Slab[T float32 | float64] struct{ rest []T }

// Own returns a copy of v, nil of nil. Most vectors have dim elements.
func (s *Slab[T]) Own(v []T, dim int) []T {
	if v == nil {
		return nil
	}
	if len(v) > len(s.rest) {
		s.rest = make([]T, max(len(v), slabBytes/8/max(1, dim)*dim))
	}
	n := copy(s.rest, v)
	own := s.rest[:n:n]
	s.rest = s.rest[n:]
	return own
}

// OwnVectors copies named vectors.
func OwnVectors(vectors map[string][]float32) map[string][]float32 {
	out := maps.Clone(vectors)
	for name, v := range out {
		out[name] = slices.Clone(v)
	}
	return out
}
