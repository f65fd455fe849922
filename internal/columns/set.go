package columns

import (
	"iter"
	"math/bits"
)

// A Set is a set of row numbers, a bit each. Rows beyond its length are not in it.
type Set []uint64

// Words is how long a Set of n row numbers is.
func Words(n int) int { return (n + 63) / 64 }

// Has reports whether a row is in the set.
func (s Set) Has(row int32) bool {
	w := int(row >> 6)
	return w < len(s) && s[w]>>(row&63)&1 != 0
}

// Add puts a row into the set, which it makes longer if need be.
func (s *Set) Add(row int32) {
	w := int(row >> 6)
	if w >= len(*s) {
		*s = append(*s, make(Set, w+1-len(*s))...)
	}
	(*s)[w] |= 1 << (row & 63)
}

// Remove takes a row out of the set.
func (s Set) Remove(row int32) {
	if w := int(row >> 6); w < len(s) {
		s[w] &^= 1 << (row & 63)
	}
}

// Count returns how many rows are in the set.
func (s Set) Count() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// All returns the rows in ascending order.
func (s Set) All() iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for i, w := range s {
			for ; w != 0; w &= w - 1 {
				if !yield(int32(i<<6 + bits.TrailingZeros64(w))) {
					return
				}
			}
		}
	}
}

// Or puts the rows of t, which is no longer, into s.
func (s Set) Or(t Set) {
	for s = s[:len(t)]; len(t) >= 4; s, t = s[4:], t[4:] {
		s[0], s[1], s[2], s[3] = s[0]|t[0], s[1]|t[1], s[2]|t[2], s[3]|t[3]
	}
	for i, w := range t {
		s[i] |= w
	}
}

// And leaves the rows in s that are in t.
func (s Set) And(t Set) {
	if len(t) < len(s) {
		clear(s[len(t):])
		s = s[:len(t)]
	}
	for t = t[:len(s)]; len(t) >= 4; s, t = s[4:], t[4:] {
		s[0], s[1], s[2], s[3] = s[0]&t[0], s[1]&t[1], s[2]&t[2], s[3]&t[3]
	}
	for i, w := range t {
		s[i] &= w
	}
}

// AndNot takes the rows of t out of s.
func (s Set) AndNot(t Set) {
	n := min(len(s), len(t))
	for s, t = s[:n], t[:n]; len(t) >= 4; s, t = s[4:], t[4:] {
		s[0], s[1], s[2], s[3] = s[0]&^t[0], s[1]&^t[1], s[2]&^t[2], s[3]&^t[3]
	}
	for i, w := range t {
		s[i] &^= w
	}
}

// xor puts the rows of t, which is no longer, into s or takes them out.
func (s Set) xor(t Set) {
	for s = s[:len(t)]; len(t) >= 4; s, t = s[4:], t[4:] {
		s[0], s[1], s[2], s[3] = s[0]^t[0], s[1]^t[1], s[2]^t[2], s[3]^t[3]
	}
	for i, w := range t {
		s[i] ^= w
	}
}

// addAll puts rows into the set, which has room for them.
func (s Set) addAll(rows []int32) {
	for _, row := range rows {
		s[row>>6] |= 1 << (row & 63)
	}
}

// flip puts each of the rows into the set, which has room for them, or takes it out.
func (s Set) flip(rows []int32) {
	for _, row := range rows {
		s[row>>6] ^= 1 << (row & 63)
	}
}
