package ann

import (
	"sync/atomic"
	"unsafe"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// Outside is a file in which the arena's owner keeps all vectors anyway, and which is mapped.
// Rows that a snapshot knows there take no memory, and no room in the snapshot: it has their
// places and checksums.
//
// The file changes as its owner likes. So nothing that is read of it counts before it was
// compared with its checksum, and again when the file may have changed; see [view].
type Outside interface {
	// State returns what changes before the file does, and reports whether nobody is
	// changing it.
	State() (state FileState, rests bool)
	// File returns what the file holds, mapped. It stays mapped as long as the owner lives.
	File() []byte
	// Read copies the vector at a place, and reports whether there may be one.
	Read(file []byte, place Place, dst []byte) bool
	// Find looks again where the vector of a row is.
	Find(row int32) (Place, bool)
	// Locate says where the vectors of all rows are, as far as they are in the file.
	Locate(each func(row int32, place Place)) error
}

// FileState tells one state of an [Outside] file from all others.
type FileState [2]uint64

// Place is where the vector of a row is in an [Outside] file. 0 is nowhere.
type Place = uint64

// InPieces marks a place whose vector does not lie there in one piece, and which only
// [Outside.Read] understands.
const InPieces Place = 1 << 63

// away is what an arena knows of the rows whose vectors are outside.
type away struct {
	from   Outside // nil for none
	least  int     // bytes of all vectors from which they are
	rows   []uint64
	count  int
	later  int // how many rows are set before goOn reads any of these again
	places region[uint64]
	sums   region[uint32]
	epoch  atomic.Pointer[epoch]
}

// epoch is one state of the file, and the rows that were compared with their checksums in it.
type epoch struct {
	state FileState
	seen  []uint64
}

func (w *away) has(row int32) bool {
	i := int(row >> 6)
	return i < len(w.rows) && w.rows[i]&(1<<(row&63)) != 0
}

// mark says that the rows that have places are outside, of those that hold a vector. None is
// so far.
func (w *away) mark(live *Bitmap) {
	w.rows = make([]uint64, (len(w.places.all)+63)/64)
	for row := range live.All() {
		if w.places.all[row] != 0 {
			w.rows[row>>6] |= 1 << (row & 63)
			w.count++
		}
	}
}

// drop says that a row is in memory from now on.
func (w *away) drop(row int32) {
	if w.has(row) {
		w.rows[row>>6] &^= 1 << (row & 63)
		w.count--
	}
}

// between reports whether there are any of the rows of a block.
func (w *away) between(start, end int) bool {
	for i := start >> 6; i < min((end+63)>>6, len(w.rows)); i++ {
		if w.rows[i] != 0 {
			return true
		}
	}
	return false
}

func (w *away) free() {
	w.rows, w.count = nil, 0
	w.places.free()
	w.sums.free()
	w.epoch.Store(nil)
}

// KeepOutside says where vectors need not be kept in memory once a snapshot was written, if all
// of them are so many bytes at least. The arena is empty. Under Cosine it holds vectors as they were given from then on, as the file
// does, and not normalised ones; scores are those of the vectors as they were given, then.
func (a *Arena[T]) KeepOutside(o Outside, least int) { a.away.from, a.away.least = o, least }

// scattered reports whether rows cannot be handed to kernels as they are in a.data.
func (a *Arena[T]) scattered() bool { return a.away.count > 0 || a.wild }

// A view is what one search reads of the file: what it reads in place is as it was when the
// search began if settled says so at its end. Otherwise the search is made again with a
// careful view, which copies vectors and compares each copy.
type view[T codec.Float] struct {
	file    []byte
	epoch   *epoch
	careful bool
	spare   []T // copies
	used    int
	fence   atomic.Uint32
}

// look begins a view.
func (a *Arena[T]) look(v *view[T], careful bool) {
	v.careful, v.used = careful, 0
	if a.away.count == 0 {
		return
	}
	state, rests := a.away.from.State()
	v.file = a.away.from.File()
	v.careful = careful || !rests
	e := a.away.epoch.Load()
	if e == nil || e.state != state {
		e = &epoch{state: state, seen: make([]uint64, len(a.away.rows))}
		a.away.epoch.Store(e)
	}
	v.epoch = e
}

// Doubt makes each vector outside be compared with its checksum again when it is read next, also
// in the present state of the file: something else than its owner may have written to it.
func (a *Arena[T]) Doubt() { a.away.epoch.Store(nil) }

// settled reports whether what was read in place was right.
func (a *Arena[T]) settled(v *view[T]) bool {
	if v.careful || a.away.count == 0 {
		return true
	}
	v.fence.Add(1) // what was read before is read before the state is
	state, _ := a.away.from.State()
	return state == v.epoch.state
}

// vector returns a row as scores are computed of it. It is valid until v is used for four
// others.
func (a *Arena[T]) vector(v *view[T], row int32) []T {
	if !a.away.has(row) {
		a.trust(row)
		return a.raw(row)
	}
	// Whether a row was seen is read before its place: the place may be found anew meanwhile, and
	// what was seen then is there and not where it was looked for before.
	was := !v.careful && atomic.LoadUint64(&v.epoch.seen[row>>6])&(1<<(row&63)) != 0
	place := atomic.LoadUint64(&a.away.places.all[row])
	size := uint64(a.dim * sizeOf[T]())
	if !v.careful && place&InPieces == 0 && place+size <= uint64(len(v.file)) {
		x := v.file[place : place+size]
		if was {
			return unaligned[T](x, a.dim)
		}
		if checksum(x) == a.away.sums.all[row] {
			atomic.OrUint64(&v.epoch.seen[row>>6], 1<<(row&63))
			return unaligned[T](x, a.dim)
		}
	}
	x := v.take(a.dim)
	if !a.copyOf(v.file, row, x) {
		panic(damage{row})
	}
	return x
}

// unaligned returns bytes as elements. They may begin anywhere: kernels do not mind, and the
// processors for which [Outside] exists do not either.
func unaligned[T codec.Float](b []byte, n int) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

// take returns memory for a copy.
func (v *view[T]) take(dim int) []T {
	const copies = 4
	if len(v.spare) != copies*dim {
		v.spare = make([]T, copies*dim)
	}
	at := v.used % copies * dim
	v.used++
	return v.spare[at : at+dim : at+dim]
}

// copyOf copies the vector of a row that is outside, and reports whether that is what it was:
// if it is not at its place, it looks where it is.
func (a *Arena[T]) copyOf(file []byte, row int32, x []T) bool {
	w := &a.away
	if w.from.Read(file, atomic.LoadUint64(&w.places.all[row]), bytesOf(x)) && checksum(bytesOf(x)) == w.sums.all[row] {
		return true
	}
	place, ok := w.from.Find(row)
	if !ok || !a.isAt(row, place, x) {
		return false
	}
	atomic.StoreUint64(&w.places.all[row], place)
	return true
}

// whole is copyOf for a row of a file that others may just cut short.
func (a *Arena[T]) whole(file []byte, row int32, x []T) (ok bool) {
	defer func() { ok = recover() == nil && ok }()
	return a.copyOf(file, row, x)
}

// read returns what a row is compared by, normalised under Cosine: in buf, if it is not in
// the arena's memory that way.
func (a *Arena[T]) read(buf []T, row int32) []T {
	if a.away.has(row) {
		buf = buf[:a.dim]
		if !a.copyOf(a.away.from.File(), row, buf) {
			panic(damage{row})
		}
		if a.metric == codec.Cosine {
			simd.Normalize(buf, buf)
		}
		return buf
	}
	a.trust(row)
	if a.asGiven() {
		simd.Normalize(buf[:a.dim], a.raw(row))
		return buf[:a.dim]
	}
	return a.raw(row)
}

// flat returns rows for kernels that compare by what read returns, and their numbers in that.
func (a *Arena[T]) flat(f *flatRows[T], rows []int32) (all []T, at []int32) {
	if !a.scattered() && !a.asGiven() {
		a.trustAll(rows)
		return a.data.all, rows
	}
	all, at = sized(&f.all, len(rows)*a.dim), sized(&f.at, len(rows))
	for i, row := range rows {
		buf := all[i*a.dim : (i+1)*a.dim]
		copy(buf, a.read(buf, row))
		at[i] = int32(i)
	}
	return all, at
}

// flatOnce is flat for the same rows again and again, which are copied once.
func (a *Arena[T]) flatOnce(f *flatRows[T], rows []int32) (all []T, at []int32) {
	if len(f.at) == len(rows) && len(rows) > 0 {
		return f.all, f.at
	}
	return a.flat(f, rows)
}

// flatRows is the memory of flat.
type flatRows[T codec.Float] struct {
	all []T
	at  []int32
}

// scoresOf sets dst to the scores of rows, of what the view shows.
func (a *Arena[T]) scoresOf(v *view[T], dst, q []float64, rows []int32) {
	for ; len(rows) > 2; rows, dst = rows[min(4, len(rows)):], dst[min(4, len(dst)):] {
		var x [4][]T
		for i := range x {
			if i < len(rows) {
				x[i] = a.vector(v, rows[i])
			} else {
				x[i] = x[0]
			}
		}
		s := scores(a.metric, q, &x)
		copy(dst[:min(4, len(dst))], s[:])
	}
	for i, row := range rows {
		dst[i] = score(a.metric, q, a.vector(v, row))
	}
}

// productsOf sets dst to the keys of rows under L2 and Dot but for their norms, and to their
// scores under Cosine.
func (a *Arena[T]) productsOf(v *view[T], dst []T, q []float64, rows []int32) {
	metric := a.metric
	if metric == codec.L2 {
		metric = codec.Dot
	}
	for _, row := range rows {
		a.prefetch(v, row)
	}
	for i := 0; i < len(rows); i += 4 {
		var x [4][]T
		n := min(4, len(rows)-i)
		for j := range x {
			if j < n {
				x[j] = a.vector(v, rows[i+j])
			} else {
				x[j] = x[0]
			}
		}
		s := scores(metric, q, &x)
		for j := range n {
			dst[i+j] = T(s[j])
		}
	}
}

// prefetch asks for a row.
func (a *Arena[T]) prefetch(v *view[T], row int32) {
	if a.away.has(row) {
		simd.PrefetchRow(v.file, int(atomic.LoadUint64(&a.away.places.all[row])&^InPieces), a.dim*sizeOf[T]())
		return
	}
	simd.PrefetchRow(a.data.all, int(row)*a.dim, a.dim)
}

// damagedOutside appends the rows outside that cannot be found any more.
func (a *Arena[T]) damagedOutside(rows []int32) []int32 {
	if a.away.count == 0 {
		return rows
	}
	file, x := a.away.from.File(), make([]T, a.dim)
	for row := range a.live.All() {
		if a.away.has(row) && !a.whole(file, row, x) {
			rows = append(rows, row)
		}
	}
	return rows
}

// Relocate looks where the vectors are that are outside and not at their places, as after the
// file was written again. The owner holds its lock for reading.
func (a *Arena[T]) Relocate() error {
	if a.away.count == 0 {
		return nil
	}
	return a.Guard(func() error {
		lost := map[int32]bool{}
		for _, row := range a.damagedOutside(nil) {
			lost[row] = true
		}
		if len(lost) == 0 {
			return nil
		}
		x := make([]T, a.dim)
		return a.away.from.Locate(func(row int32, place Place) {
			if lost[row] && a.isAt(row, place, x) {
				atomic.StoreUint64(&a.away.places.all[row], place)
			}
		})
	})
}

// isAt reports whether the vector of a row is at a place.
func (a *Arena[T]) isAt(row int32, place Place, x []T) bool {
	return a.away.from.Read(a.away.from.File(), place, bytesOf(x)) && checksum(bytesOf(x)) == a.away.sums.all[row]
}

// MapsVectors reports whether vectors are mapped from a snapshot. The owner holds its lock.
func (a *Arena[T]) MapsVectors() bool { return len(a.sums.all) > 0 }
