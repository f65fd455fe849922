package ann

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

const (
	maxLevel  = 12
	listLocks = 1024 // how many locks the lists share
	placeRows = 16   // a power of 2
)

// links is the graph itself: lists of neighbours, by row and level. A row has one
// list on each level from 0 to its own. A list is a fixed number of elements, each
// a row's number plus one, and the first 0 ends it: memory that was never written
// is empty lists.
//
// Lists are read without a lock. Each element is written and read atomically, so
// a reader sees a list that is being changed as a mixture of old and new
// neighbours, all of which are rows. Writers of a list hold its lock. Only grow
// moves memory: nothing else may run meanwhile.
type links struct {
	m     int            // length of a list on the levels above 0
	m0    int            // length of a list on level 0
	base  region[uint32] // level 0: m0 elements for each row
	upper region[uint32] // the levels above: m elements for each list
	place []int32        // for each placeRows rows, which of upper's lists is the first of theirs
	count int            // rows that there is room for
	lists int            // how many upper holds
	locks [listLocks]sync.Mutex
}

const nobody = int32(-1) // no row

func newLinks(m int) *links { return &links{m: m, m0: 2 * m} }

// rows returns the number of rows that there is room for.
func (l *links) rows() int { return l.count }

// grow makes room for rows up to n-1, which get empty lists.
func (l *links) grow(n int) {
	l.number(n)
	l.base.grow(l.rows() * l.m0)
	l.upper.grow(l.lists * l.m)
}

// number makes places for the lists of rows up to n-1.
func (l *links) number(n int) {
	for ; l.count < n; l.count++ {
		if l.count%placeRows == 0 {
			l.place = append(l.place, int32(l.lists))
		}
		l.lists += l.level(int32(l.count))
	}
}

// level returns the highest level that row has a list on. The paper draws it at
// random, such that each level has 1/M of the rows of the one below. A hash of
// the row's number does the same, costs no memory and needs no seed: the bits of
// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), in groups of log2(M) that must
// all be 0.
func (l *links) level(row int32) int {
	z := (uint64(row) + 1) * 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return min(maxLevel, bits.TrailingZeros64(z)/(bits.Len(uint(l.m))-1))
}

// list returns the neighbours of row on a level that it has, to be read and
// written atomically.
func (l *links) list(row int32, level int) []uint32 {
	if level == 0 {
		i := int(row) * l.m0
		return l.base.all[i : i+l.m0 : i+l.m0]
	}
	place := int(l.place[row/placeRows])
	for r := row &^ (placeRows - 1); r < row; r++ {
		place += l.level(r)
	}
	i := (place + level - 1) * l.m
	return l.upper.all[i : i+l.m : i+l.m]
}

// read appends the neighbours of row to dst.
func (l *links) read(dst []int32, row int32, level int) []int32 {
	list := l.list(row, level)
	for i := range list {
		r := atomic.LoadUint32(&list[i])
		if r == 0 {
			break
		}
		dst = append(dst, int32(r-1))
	}
	return dst
}

// write makes rows the neighbours of row. The caller holds row's lock.
func (l *links) write(row int32, level int, rows []int32) {
	list := l.list(row, level)
	for i := range list {
		r := uint32(0)
		if i < len(rows) {
			r = uint32(rows[i]) + 1
		}
		atomic.StoreUint32(&list[i], r)
	}
}

// set is write for callers that hold no lock.
func (l *links) set(row int32, level int, rows []int32) {
	mu := l.lock(row)
	mu.Lock()
	defer mu.Unlock()
	l.write(row, level, rows)
}

// lock returns the lock of row's lists. Nobody holds two.
func (l *links) lock(row int32) *sync.Mutex { return &l.locks[row%listLocks] }

// asEntry returns what an [entry] is that is row.
func (l *links) asEntry(row int32) int64 { return int64(l.level(row))<<32 | int64(row) }

// free gives the memory back.
func (l *links) free() {
	l.base.free()
	l.upper.free()
}
