package ann

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// blockRows is the number of rows that are scanned with one threshold, a multiple
// of 64. A block's keys stay in the L1 cache, and its bound covers only its rows.
const blockRows = 256

// An Arena holds vectors of one dimension, one row after another in one slice of
// memory. Rows have numbers that the owner chooses and that stay what they are;
// a row that holds no vector is free.
//
// An Arena does not lock. Any number of searches may run at the same time, or
// one change: the owner holds a [sync.RWMutex].
type Arena[T codec.Float] struct {
	dim    int
	metric codec.Metric
	data   region[T] // row after row; free rows are zeros
	live   Bitmap    // the rows that hold a vector
	count  int       // how many those are

	// Of the rows that were loaded from a snapshot, if they are mapped from it: their
	// checksums, and which of them were compared with theirs. See arena_damage.go.
	sums   region[uint32]
	seen   []uint64
	origin *origin // nil if nothing is mapped

	away    away      // of the rows that are in none of these; see arena_outside.go
	inverse region[T] // of the norms, where vectors are as they were given
	unit    []T       // see exclusive
	wild    bool      // some of these cannot be compared by kernels

	given bool          // vectors are kept as they were given; see arena_given.go
	odd   map[int32][]T // those that rows hold normalised all the same

	// For Dot and L2, what the search's error bounds need; for Cosine all rows
	// have the norm 1, and both are nil.
	half    region[T] // half of each row's squared norm, +Inf if that overflows
	maxHalf []T       // the largest half of each block

	siftFrom int // the number of vectors from which exact searches use codes

	short  bool       // codes are to be short
	codes  *codes     // of every row that holds a vector; nil if there are none yet
	next   *codes     // being made to replace codes; nil if none are
	coded  int        // rows before this one are in next
	sets   int        // how many rows were set since codes or next were begun
	poor   int        // how many of them codes fit badly
	making sync.Mutex // held by Maintain

	givenUp atomic.Int32 // how many searches found codes useless

	scratch sync.Pool // of *batch[T]
}

// New returns an empty arena for vectors of dim elements, compared under metric.
// It returns a *codec.ValueError if dim is less than 1.
func New[T codec.Float](dim int, metric codec.Metric) (*Arena[T], error) {
	if dim < 1 {
		return nil, &codec.ValueError{Field: "dim", Pos: -1, Want: "1 or more", Got: fmt.Sprint(dim)}
	}
	a := &Arena[T]{dim: dim, metric: metric, siftFrom: siftFrom}
	if 2*codeLen(dim) > dim*sizeOf[T]() { // codes would not save enough to pay
		a.siftFrom = math.MaxInt
	}
	return a, nil
}

// SetShortCodes says whether codes have four bits an element, which take half of the
// memory, and not seven. Codes of the other kind, also those of a snapshot, are replaced by
// the next Maintain. The owner holds its lock for writing. Nothing changes where four bits
// would save nothing.
func (a *Arena[T]) SetShortCodes(short bool) {
	a.short = short && halfLen(a.dim) < codeLen(a.dim)
	if a.next != nil && a.next.short != a.short {
		a.next.free()
		a.next = nil
	}
}

// HasOtherCodes reports whether there are codes, and not of the kind that SetShortCodes has
// asked for. The owner holds its lock for reading.
func (a *Arena[T]) HasOtherCodes() bool { return a.codes != nil && a.codes.short != a.short }

// Len returns the number of rows that hold a vector.
func (a *Arena[T]) Len() int { return a.count }

// Rows returns the number of rows, free ones included: one more than the highest
// row number that was ever set.
func (a *Arena[T]) Rows() int { return len(a.data.all) / a.dim }

// Has reports whether row holds a vector.
func (a *Arena[T]) Has(row int32) bool { return a.live.Has(row) }

// Reserve makes room for rows 0 to n-1, so that setting them moves no memory.
func (a *Arena[T]) Reserve(n int) {
	if n > math.MaxInt/a.dim/8 {
		return
	}
	a.data.reserve(n * a.dim)
	if a.metric != codec.Cosine {
		a.half.reserve(n)
	}
	if a.asGiven() {
		a.inverse.reserve(n)
	}
}

// Set stores a copy of v in row, free or not, and under Cosine normalises the
// copy. Memory is taken for every row up to this one, and those that hold nothing
// are free. It returns what [codec.Check] finds wrong with v, or a
// *codec.ValueError if no arena can have that row; the row is then unchanged.
func (a *Arena[T]) Set(row int32, v []T) error {
	if err := codec.Check(v, a.dim, a.metric); err != nil {
		return err
	}
	if row < 0 || int(row) >= math.MaxInt/a.dim/8 {
		return &codec.ValueError{Field: "row", Pos: -1, Want: "a row that memory can hold", Got: fmt.Sprint(row)}
	}
	if n := int(row) + 1; n > a.Rows() {
		a.grow(n)
	}
	a.away.drop(row)
	a.put(row, v)
	a.sign(row)
	if a.metric != codec.Cosine {
		n := simd.Norm(v)
		a.setHalf(row, T(n*n/2))
	}
	if !a.live.Has(row) {
		a.live.Set(row)
		a.count++
	}
	a.encode(row)
	return nil
}

// Delete makes row free and reports whether it held a vector.
func (a *Arena[T]) Delete(row int32) bool {
	if !a.live.Has(row) {
		return false
	}
	a.live.Clear(row)
	a.count--
	for _, c := range []*codes{a.codes, a.next} {
		if c != nil {
			c.forget(row)
		}
	}
	if a.away.has(row) {
		a.away.drop(row) // its memory was never touched
	} else {
		clear(a.raw(row))
		a.sign(row)
		delete(a.odd, row)
	}
	if a.metric != codec.Cosine {
		a.setHalf(row, 0)
	}
	return true
}

// grow makes rows up to n-1 exist. They are zeros, because a free row is.
func (a *Arena[T]) grow(n int) {
	a.data.grow(n * a.dim)
	if a.asGiven() {
		a.inverse.grow(n)
	}
	if a.metric == codec.Cosine {
		return
	}
	a.half.grow(n)
	for len(a.maxHalf)*blockRows < n {
		a.maxHalf = append(a.maxHalf, 0)
	}
}

// Close gives the arena's memory back and leaves it empty. It is a change like
// [Arena.Set]; an arena that is dropped without it is closed by the garbage
// collector.
func (a *Arena[T]) Close() {
	a.data.free()
	a.half.free()
	a.inverse.free()
	a.away.free()
	a.wild = false
	a.maxHalf = nil
	a.live, a.count, a.seen = Bitmap{}, 0, nil
	a.sums.free()
	a.origin.close()
	a.origin = nil
	a.odd = nil
	a.dropCodes()
}

// dropCodes gives the memory of codes back.
func (a *Arena[T]) dropCodes() {
	for _, c := range []*codes{a.codes, a.next} {
		if c != nil {
			c.free()
		}
	}
	a.codes, a.next = nil, nil
	a.coded, a.sets, a.poor = 0, 0, 0
	a.givenUp.Store(0)
}

// put stores v in row.
func (a *Arena[T]) put(row int32, v []T) {
	switch {
	case a.asGiven() && a.given:
		a.putGiven(row, v)
	case a.asGiven():
		copy(a.raw(row), v)
		a.measure(row)
	case a.metric == codec.Cosine:
		simd.Normalize(a.raw(row), v)
	default:
		copy(a.raw(row), v)
	}
}

// measure sets the inverse of the norm of a row that is as it was given.
func (a *Arena[T]) measure(row int32) {
	norm := simd.Norm(a.raw(row))
	a.inverse.all[row] = T(1 / norm)
	a.wild = a.wild || !isCommon[T](norm)
}

// row returns what a row is compared by.
func (a *Arena[T]) row(row int32) []T {
	if a.away.has(row) || a.asGiven() {
		return a.read(make([]T, a.dim), row)
	}
	a.trust(row)
	return a.raw(row)
}

// raw is row for who writes to it, or compares it himself.
func (a *Arena[T]) raw(row int32) []T {
	i := int(row) * a.dim
	return a.data.all[i : i+a.dim : i+a.dim]
}

func (a *Arena[T]) setHalf(row int32, h T) {
	b := int(row) / blockRows
	old := a.half.all[row]
	a.half.all[row] = h
	switch {
	case h >= a.maxHalf[b]:
		a.maxHalf[b] = h
	case old == a.maxHalf[b]:
		start := b * blockRows
		a.maxHalf[b] = simd.Max(a.half.all[start:min(start+blockRows, len(a.half.all))])
	}
}
