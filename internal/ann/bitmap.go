package ann

import (
	"iter"
	"math"
	"math/bits"
)

// A Bitmap is a set of row numbers. The zero value is empty and ready to use. It
// takes one bit for each row up to the largest it ever held.
type Bitmap struct {
	words []uint64
	count int
	kin   uint64 // what all rows are of, 0 if that is not known
}

// NewBitmap returns the set of the rows whose bits are set in words, which it takes
// over: rows 64*i to 64*i+63 are in words[i], the lowest in bit 0.
func NewBitmap(words []uint64) *Bitmap {
	b := &Bitmap{words: words}
	b.recount()
	return b
}

// OfKin says that all rows of the set are of the group that has this key; see [Graph.LinkKin].
func (b *Bitmap) OfKin(key uint64) { b.kin = key }

// Set adds row. A negative row is no row and is not added.
func (b *Bitmap) Set(row int32) {
	if row < 0 {
		return
	}
	w := int(row >> 6)
	if w >= len(b.words) {
		b.words = append(b.words, make([]uint64, w+1-len(b.words))...)
	}
	if bit := uint64(1) << (row & 63); b.words[w]&bit == 0 {
		b.words[w] |= bit
		b.count++
	}
}

// Clear removes row.
func (b *Bitmap) Clear(row int32) {
	if b.Has(row) {
		b.words[row>>6] &^= 1 << (row & 63)
		b.count--
	}
}

// Has reports whether row is in the set.
func (b *Bitmap) Has(row int32) bool {
	return row >= 0 && b.word(int(row>>6))&(1<<(row&63)) != 0
}

// Count returns the number of rows in the set.
func (b *Bitmap) Count() int { return b.count }

// recount sets the number of rows to what words says. Where few rows are in the set most
// words are 0, and to see that of eight takes no longer than to count the bits of two.
func (b *Bitmap) recount() {
	n, w := 0, b.words
	for ; len(w) >= 8; w = w[8:] {
		if w[0]|w[1]|w[2]|w[3]|w[4]|w[5]|w[6]|w[7] == 0 {
			continue
		}
		n += bits.OnesCount64(w[0]) + bits.OnesCount64(w[1]) + bits.OnesCount64(w[2]) + bits.OnesCount64(w[3]) +
			bits.OnesCount64(w[4]) + bits.OnesCount64(w[5]) + bits.OnesCount64(w[6]) + bits.OnesCount64(w[7])
	}
	for _, w := range w {
		n += bits.OnesCount64(w)
	}
	b.count = n
}

// All returns the rows in ascending order.
func (b *Bitmap) All() iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for i, w := range b.words {
			for ; w != 0; w &= w - 1 {
				if !yield(int32(i<<6 + bits.TrailingZeros64(w))) {
					return
				}
			}
		}
	}
}

// blockFrom returns where the first block begins that has a row of the set, from the one on
// that begins with start; beyond all rows if there is none.
func (b *Bitmap) blockFrom(start int) int {
	const words = blockRows / 64
	i := start / 64
	for n := len(b.words) - 2*words; i <= n; i += 2 * words {
		w := (*[2 * words]uint64)(b.words[i:])
		if w[0]|w[1]|w[2]|w[3]|w[4]|w[5]|w[6]|w[7] != 0 {
			break
		}
	}
	for ; i < len(b.words); i++ {
		if b.words[i] != 0 {
			return i / words * blockRows
		}
	}
	return math.MaxInt
}

// word returns rows 64*i to 64*i+63, the lowest in bit 0.
func (b *Bitmap) word(i int) uint64 {
	if i >= len(b.words) {
		return 0
	}
	return b.words[i]
}
