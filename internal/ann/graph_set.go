package ann

import (
	"math/bits"
	"sync/atomic"
)

// nodeSet is a set of rows that may be read while it is changed, unlike a Bitmap.
// grow alone needs all others out.
type nodeSet struct {
	words []uint64
	n     atomic.Int64
}

// grow makes room for rows up to n-1.
func (s *nodeSet) grow(n int) {
	if words := (n + 63) / 64; words > len(s.words) {
		s.words = append(s.words, make([]uint64, words-len(s.words))...)
	}
}

func (s *nodeSet) has(row int32) bool { return s.word(int(row>>6))>>(row&63)&1 != 0 }

func (s *nodeSet) len() int { return int(s.n.Load()) }

// word returns rows 64*i to 64*i+63, the lowest in bit 0.
func (s *nodeSet) word(i int) uint64 {
	if i >= len(s.words) {
		return 0
	}
	return atomic.LoadUint64(&s.words[i])
}

// add reports whether row was not in the set before.
func (s *nodeSet) add(row int32) bool {
	bit := uint64(1) << (row & 63)
	if atomic.OrUint64(&s.words[row>>6], bit)&bit != 0 {
		return false
	}
	s.n.Add(1)
	return true
}

// drop reports whether row was in the set.
func (s *nodeSet) drop(row int32) bool {
	bit := uint64(1) << (row & 63)
	if atomic.AndUint64(&s.words[row>>6], ^bit)&bit == 0 {
		return false
	}
	s.n.Add(-1)
	return true
}

// appendTo appends the set's rows in ascending order.
func (s *nodeSet) appendTo(dst []int32) []int32 {
	for i := range s.words {
		for w := s.word(i); w != 0; w &= w - 1 {
			dst = append(dst, int32(i<<6+bits.TrailingZeros64(w)))
		}
	}
	return dst
}

// recount sets the number of rows to what words says.
func (s *nodeSet) recount() {
	n := 0
	for i := range s.words {
		n += bits.OnesCount64(s.word(i))
	}
	s.n.Store(int64(n))
}

// take makes s the set o, which is not used any more.
func (s *nodeSet) take(o *nodeSet) {
	s.words = o.words
	s.n.Store(o.n.Load())
}
