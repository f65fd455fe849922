package serve

import (
	"bytes"
	"sync"
)

const keptBuffer = 1 << 20 // larger ones are let go

// scratch is memory that calls use one after the other: what a call reads its body into or
// makes a stream in, the vectors of its queries, which a search does not keep, what it
// writes its answer into, and its place among those that wait. What is used again is in
// the processor's caches, and gives the garbage collector nothing to do.
type scratch struct {
	body    bytes.Buffer
	vectors []float32
	answer  []byte
	turn    turn
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// scratch returns the call's memory.
func (c *call) scratch() *scratch {
	if c.room == nil {
		c.room = scratches.Get().(*scratch)
	}
	return c.room
}

// vector returns an empty vector with room for n elements.
func (s *scratch) vector(n int) []float32 {
	if cap(s.vectors)-len(s.vectors) < n {
		s.vectors = make([]float32, 0, max(n, min(2*cap(s.vectors), keptBuffer/4))) // earlier ones keep their own
	}
	at := len(s.vectors)
	s.vectors = s.vectors[:at+n]
	return s.vectors[at : at : at+n]
}

// release lets another call have the memory. Large ones are let go.
func (s *scratch) release() {
	if s == nil || s.body.Cap() > keptBuffer || 4*cap(s.vectors) > keptBuffer || cap(s.answer) > keptBuffer {
		return
	}
	s.body.Reset()
	s.vectors = s.vectors[:0]
	scratches.Put(s)
}
