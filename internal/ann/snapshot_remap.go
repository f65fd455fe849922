package ann

import (
	"os"
)

// remap puts what a snapshot that was just written holds in the place of the memory that
// it was written from, which is the same. Nothing else looks at either meanwhile.
func (a *Arena[T]) remap(f *os.File, h *snapshotHeader, l *located[T], g *Graph[T]) {
	if a.data.onHeap { // the system maps nothing
		return
	}
	info, err := f.Stat()
	if err != nil {
		return
	}
	data, rest, release, err := fileBytes(f, info.Size())
	if err != nil {
		return
	}
	o := newOrigin(data, rest, release)
	o.header = h
	at, _ := h.layout()
	if l != nil {
		a.remapPlaces(f, h, at, l)
	} else if remapRegion(&a.data, f, h, at, dataSection) {
		a.adoptSums(f, h, at, data)
	} else { // small, or the system cannot
		o.close()
		return
	}
	remapRegion(&a.half, f, h, at, halfSection)
	if c := a.codes; c != nil {
		remapRegion(&c.rows, f, h, at, codeSection)
		remapRegion(&c.errs, f, h, at, errSection)
	}
	if g != nil {
		remapRegion(&g.links.base, f, h, at, baseSection)
		remapRegion(&g.links.upper, f, h, at, upperSection)
		if k := g.kin.Load(); k != nil {
			k.remap(f, h, &at)
		}
	}
	a.origin.close()
	a.origin = o
}

// adoptSums takes over the checksums of a snapshot's vectors, with which none was
// compared yet.
func (a *Arena[T]) adoptSums(f *os.File, h *snapshotHeader, at [sections]uint64, data []byte) {
	s := h.Sections[sumSection]
	a.sums.free()
	if s.Length < mapFrom || !a.sums.adopt(f, int64(at[sumSection]), int(s.Length/4)) {
		a.sums.grow(int(s.Length / 4))
		copy(bytesOf(a.sums.all), data[at[sumSection]:])
	}
	a.seen = make([]uint64, (len(a.sums.all)+63)/64)
}

// remapRegion maps a section over a region that holds the same, and reports whether it
// could.
func remapRegion[E byte | int32 | uint32 | uint64 | float32 | float64](r *region[E], f *os.File, h *snapshotHeader, at [sections]uint64, section int) bool {
	size := len(r.all) * sizeOf[E]()
	if size < mapFrom || uint64(size) != h.Sections[section].Length {
		return false
	}
	if r.m == nil { // it has become large on the heap
		moved := region[E]{}
		if !moved.adopt(f, int64(at[section]), len(r.all)) {
			return false
		}
		*r = moved
		return true
	}
	b := r.m.raw[r.m.start : r.m.start+r.m.used]
	r.inFile = len(r.all)
	return mapFile(b[:(size+mapAlign-1)&^(mapAlign-1)], f, int64(at[section])) == nil
}
