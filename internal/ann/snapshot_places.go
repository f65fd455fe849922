package ann

import (
	"bytes"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// A snapshot of an arena with an [Outside] has the places of vectors there instead of the
// vectors. What is not found there is kept in the snapshot. The section of checksums is then of
// the vectors as they are outside.

// located is where the vectors of an arena are, when a snapshot is written.
type located[T codec.Float] struct {
	places []uint64
	sums   []uint32
	kept   []int32 // rows that hold a vector that was not found
	data   []T     // what those hold
}

// locate says where the vectors are outside, or returns nil if the snapshot is to have them. A
// place counts only if it holds, byte by byte, what the arena has.
func (a *Arena[T]) locate() (*located[T], error) {
	if a.away.from == nil || a.Rows() == 0 || a.Rows()*a.dim*sizeOf[T]() < a.away.least || a.data.onHeap {
		return nil, nil
	}
	l := &located[T]{places: make([]uint64, a.Rows()), sums: make([]uint32, a.Rows())}
	err := a.away.from.Locate(func(row int32, place Place) {
		if row >= 0 && int(row) < len(l.places) {
			l.places[row] = place
		}
	})
	if err != nil {
		return nil, err
	}
	file := a.away.from.File() // after Locate, which may have mapped more
	x, unit := make([]T, a.dim), make([]T, a.dim)
	for row := range a.live.All() {
		place := l.places[row]
		switch {
		case place != 0 && a.away.from.Read(file, place, bytesOf(x)) && a.holds(row, x, unit):
			l.sums[row] = checksum(bytesOf(x))
			continue
		case a.away.has(row):
			if !a.whole(file, row, x) {
				return nil, fmt.Errorf("%w: the vector of row %d", ErrDamaged, row)
			}
			l.places[row], l.sums[row] = atomic.LoadUint64(&a.away.places.all[row]), a.away.sums.all[row]
			continue // the way to it is in the log alone
		default:
			a.trust(row)
			copy(x, a.raw(row))
		}
		l.places[row] = 0
		l.kept, l.data = append(l.kept, row), append(l.data, x...)
	}
	return l, nil
}

// holds reports whether x is the vector of a row, as it was given.
func (a *Arena[T]) holds(row int32, x, unit []T) bool {
	if a.away.has(row) {
		return checksum(bytesOf(x)) == a.away.sums.all[row]
	}
	if bytes.Equal(bytesOf(x), bytesOf(a.raw(row))) {
		return true
	}
	if a.metric != codec.Cosine {
		return false
	}
	simd.Normalize(unit, x) // of a snapshot that has vectors
	return bytes.Equal(bytesOf(unit), bytesOf(a.raw(row)))
}

// put makes what was located the sections of a snapshot.
func (l *located[T]) put(all *[sections][]byte) {
	all[dataSection], all[sumSection] = bytesOf(l.data), bytesOf(l.sums)
	all[placeSection], all[keptSection] = bytesOf(l.places), bytesOf(l.kept)
}

// takePlaces takes over the sections that put has written.
func (l *loader[T]) takePlaces(from [sections][]byte, at [sections]uint64, to *[sections][]byte) {
	a, rows := l.arena, int(l.header.Rows)
	a.data.sparse, a.inverse.sparse = true, true
	a.data.grow(rows * a.dim)
	if a.asGiven() {
		a.inverse.grow(rows)
	}
	takeRegion(&l.mapper, &a.away.places, at[placeSection], rows, &to[placeSection])
	takeRegion(&l.mapper, &a.away.sums, at[sumSection], rows, &to[sumSection])
}

// verifyPlaces reports what is wrong with what takePlaces has taken, and says which rows are
// outside. kept and data are sections that fit their checksums.
func (l *loader[T]) verifyPlaces(kept, data []byte) error {
	a := l.arena
	rows := make([]int32, len(kept)/4)
	copy(bytesOf(rows), kept)
	size := a.dim * sizeOf[T]()
	for i, row := range rows {
		if row < 0 || int(row) >= a.Rows() || !a.live.Has(row) || a.away.places.all[row] != 0 {
			return fmt.Errorf("%w: it keeps row %d of %d", ErrSnapshot, row, a.Rows())
		}
		copy(bytesOf(a.raw(row)), data[i*size:(i+1)*size])
		if a.asGiven() {
			a.measure(row)
		}
	}
	a.away.mark(&a.live)
	if a.away.count+len(rows) != a.count {
		return fmt.Errorf("%w: it has %d places and %d vectors, want %d", ErrSnapshot, a.away.count, len(rows), a.count)
	}
	return nil
}

// remapPlaces takes over where vectors are from a snapshot that was just written, and gives
// their memory back.
func (a *Arena[T]) remapPlaces(f *os.File, h *snapshotHeader, at [sections]uint64, l *located[T]) {
	places := region[uint64]{}
	if h.Sections[placeSection].Length < mapFrom || !places.adopt(f, int64(at[placeSection]), len(l.places)) {
		places.grow(len(l.places))
		copy(places.all, l.places)
	}
	sums := region[uint32]{}
	if h.Sections[sumSection].Length < mapFrom || !sums.adopt(f, int64(at[sumSection]), len(l.sums)) {
		sums.grow(len(l.sums))
		copy(sums.all, l.sums)
	}
	data := region[T]{sparse: true}
	data.grow(len(a.data.all))
	for i, row := range l.kept {
		copy(data.all[int(row)*a.dim:int(row+1)*a.dim], l.data[i*a.dim:])
	}
	a.data.free()
	a.data = data
	a.sums.free()
	a.seen = nil
	a.away.free()
	a.away.places, a.away.sums = places, sums
	a.away.mark(&a.live)
}
