package ann

import (
	"errors"
	"math"
	"os"
	"runtime"
	"slices"
	"unsafe"
)

const (
	// mapFrom is the size in bytes from which a region is mapped. Below it the heap
	// is cheaper: a mapping costs system calls, and huge pages gain nothing.
	mapFrom = 1 << 20
	// addressSpace is what a mapped region reserves, in bytes. It costs no memory.
	// Systems of 32 bits have none to spare.
	addressSpace = 1 << 36 & math.MaxInt
	// hugePage is the size of a huge page on amd64 and on most arm64 systems.
	hugePage = 2 << 20
	// mapAlign is a multiple of every size that small pages have.
	mapAlign = 64 << 10
)

// A region is a slice that grows in place. A large one lies in address space that
// is reserved once and backed by memory as far as it is used, in huge pages where
// the system has them; a small one, or any where the system cannot map memory, is
// a slice of the heap.
//
// The garbage collector does not see mapped memory: whoever reads all must keep
// the region's owner alive.
type region[E byte | int32 | uint32 | uint64 | float32 | float64] struct {
	all    []E
	m      *mapping
	onHeap bool // mapping has failed
	inFile int  // how many of the first elements are mapped from a file
	sparse bool // it is touched here and there, so that huge pages would waste memory
}

// taken returns how many bytes are not mapped from a file, and how many are.
func (r *region[E]) taken() (memory, mapped int64) {
	mapped = int64(r.inFile) * int64(sizeOf[E]())
	return int64(len(r.all))*int64(sizeOf[E]()) - mapped, mapped
}

// grow makes the region n elements long, the new ones zero.
func (r *region[E]) grow(n int) {
	old := len(r.all)
	if n <= old {
		return
	}
	r.reserve(n)
	if r.m != nil {
		r.all = r.all[:n] // never written before, and the system gives zeros
		return
	}
	r.all = slices.Grow(r.all, n-old)[:n]
	clear(r.all[old:])
}

// reserve makes room for n elements.
func (r *region[E]) reserve(n int) {
	if n <= cap(r.all) {
		return
	}
	if size := n * sizeOf[E](); size >= mapFrom && !r.onHeap && r.mapped(size) {
		return
	}
	if r.m != nil { // no more to be had: back to the heap
		moved := make([]E, len(r.all), n)
		copy(moved, r.all)
		r.free()
		r.all, r.onHeap = moved, true
		return
	}
	r.all = slices.Grow(r.all, n-len(r.all))
}

// mapped makes size bytes of mapped memory the region's, and reports whether it
// could.
func (r *region[E]) mapped(size int) bool {
	m := r.m
	if m == nil || size > m.space() {
		var err error
		if m, err = newMapping(max(addressSpace, 2*size), r.sparse); err != nil {
			r.onHeap = r.m == nil
			return false
		}
	}
	b, err := m.commit(size)
	if err != nil {
		if m != r.m {
			m.release()
		}
		r.onHeap = r.m == nil
		return false
	}
	all := elements[E](b)[:len(r.all)]
	if m != r.m {
		copy(all, r.all)
		r.free()
	}
	r.all, r.m = all, m
	return true
}

// adopt makes the region n elements of a file, and reports whether the system can
// do that. They begin at offset, a multiple of mapAlign, and zeros follow them in
// the file up to the next one. They are read from the file when they are first
// touched; what is changed stays in memory.
func (r *region[E]) adopt(f *os.File, offset int64, n int) bool {
	size := n * sizeOf[E]()
	m, err := newMapping(max(addressSpace, 2*size), false)
	if err != nil {
		return false
	}
	b, err := m.commit(size)
	if err == nil {
		err = mapFile(b[:(size+mapAlign-1)&^(mapAlign-1)], f, offset)
	}
	if err != nil {
		m.release()
		return false
	}
	r.free()
	r.all, r.m, r.inFile = elements[E](b)[:n], m, n
	return true
}

// elements returns memory as elements.
func elements[E any](b []byte) []E {
	return unsafe.Slice((*E)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/sizeOf[E]())
}

// free gives the memory back. The region is then empty.
func (r *region[E]) free() {
	if r.m != nil {
		r.m.release()
	}
	*r = region[E]{}
}

func sizeOf[E any]() int {
	var e E
	return int(unsafe.Sizeof(e))
}

// A mapping is reserved address space whose first bytes are backed by memory. It
// is released when it becomes unreachable, at the latest.
type mapping struct {
	raw     []byte // as the system gave it
	start   int    // where the first huge page begins
	used    int    // bytes from start on that are backed
	cleanup runtime.Cleanup
}

func newMapping(size int, sparse bool) (*mapping, error) {
	raw, err := reserveSpace(size + hugePage)
	if err != nil {
		return nil, err
	}
	if !sparse {
		adviseHuge(raw)
	} else {
		adviseSmall(raw)
	}
	m := &mapping{raw: raw}
	m.start = -int(uintptr(unsafe.Pointer(unsafe.SliceData(raw)))) & (hugePage - 1)
	m.cleanup = runtime.AddCleanup(m, releaseSpace, raw)
	return m, nil
}

// space returns how many bytes commit can back.
func (m *mapping) space() int { return (len(m.raw) - m.start) &^ (hugePage - 1) }

// commit backs at least the first size bytes and returns all that are. It backs
// an eighth more than asked, so that a region that grows by rows seldom asks.
func (m *mapping) commit(size int) ([]byte, error) {
	if size > m.space() {
		return nil, errors.ErrUnsupported
	}
	if size > m.used {
		used := min((size+size/8+hugePage-1)&^(hugePage-1), m.space())
		if err := commitSpace(m.raw[m.start+m.used : m.start+used]); err != nil {
			return nil, err
		}
		m.used = used
	}
	return m.raw[m.start : m.start+m.used], nil
}

func (m *mapping) release() {
	m.cleanup.Stop()
	releaseSpace(m.raw)
}
