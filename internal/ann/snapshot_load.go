package ann

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"os"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// Load makes the graph what it was when a snapshot was written, and returns the
// stamp, which points into data. The graph must be empty, and of the same element
// type, dimension, metric and M as the one that was written. If it returns an
// error, which wraps ErrSnapshot, the graph is as it was.
//
// Checksums protect against damage, not against forgers: a snapshot that was made
// to mislead gives wrong answers, though nothing worse.
func (g *Graph[T]) Load(data []byte) (stamp []byte, err error) {
	return g.arena.load(g, data, nil)
}

// load loads a snapshot, with a graph if g is not nil. With file not nil, data is what
// that holds, and large parts stay in it: they are mapped, and the arena's origin is
// told so.
func (a *Arena[T]) load(g *Graph[T], data []byte, file *os.File) (stamp []byte, err error) {
	if a.Rows() > 0 {
		return nil, fmt.Errorf("%w: the graph has %d rows already", ErrSnapshot, a.Rows())
	}
	h, err := readHeader(data)
	if err != nil {
		return nil, err
	}
	m := 0
	if g != nil {
		m = g.links.m
	}
	if err := a.fits(h, m, len(data)); err != nil {
		return nil, err
	}
	l := &loader[T]{mapper: mapper{file: file}, header: h, arena: &Arena[T]{dim: a.dim, metric: a.metric, origin: a.origin}}
	l.arena.away.from = a.away.from
	if g != nil {
		l.graph = makeGraph(l.arena, m)
	}
	if stamp, err = l.take(data); err == nil {
		err = l.verify()
	}
	if err != nil {
		if l.graph != nil {
			l.graph.Close()
		}
		l.arena.origin = nil // the caller closes it
		l.arena.Close()
		return nil, err
	}
	a.adopt(l.arena)
	if g != nil {
		g.adopt(l.graph, h)
	}
	if l.mapped {
		a.origin.header = h
	}
	return stamp, nil
}

func readHeader(data []byte) (*snapshotHeader, error) {
	h := snapshotHeader{Version: versionBefore}
	if len(data) < h.size() {
		return nil, fmt.Errorf("%w: %d bytes long, want at least %d", ErrSnapshot, len(data), h.size())
	}
	b := make([]byte, headerSize)
	copy(b, data)
	_, _ = binary.Decode(b, binary.NativeEndian, &h) // b is long enough
	if n := h.size(); n < headerSize && n <= len(data) {
		copy(b[headerSize-8:], b[h.size()-8:h.size()])
		clear(b[h.size()-8 : headerSize-8])
		_, _ = binary.Decode(b, binary.NativeEndian, &h)
	}
	switch {
	case string(h.Magic[:]) != snapshotMagic:
		return nil, fmt.Errorf("%w: it begins with %q, want %q", ErrSnapshot, h.Magic[:], snapshotMagic)
	case h.Order == bits.ReverseBytes32(byteOrder):
		return nil, fmt.Errorf("%w: written on a machine of another byte order", ErrSnapshot)
	case h.Order != byteOrder:
		return nil, fmt.Errorf("%w: byte order %#x, want %#x", ErrSnapshot, h.Order, uint32(byteOrder))
	case h.Version < versionBefore || h.Version > snapshotVersion || len(data) < h.size():
		return nil, fmt.Errorf("%w: version %d, want %d", ErrSnapshot, h.Version, snapshotVersion)
	}
	if !bytes.Equal(h.encode(), data[:h.size()]) {
		return nil, fmt.Errorf("%w: the header is damaged", ErrSnapshot)
	}
	return &h, nil
}

// fits reports what is wrong with the header of a snapshot of size bytes for this
// arena, and a graph with lists of m, or none if m is 0.
func (a *Arena[T]) fits(h *snapshotHeader, m, size int) error {
	if h.hasPlaces() && a.away.from == nil {
		return fmt.Errorf("%w: its vectors are in the store, and cannot be read there", ErrSnapshot)
	}
	for _, c := range []struct {
		what      string
		got, want uint64
	}{
		{"bytes an element", uint64(h.Element), uint64(sizeOf[T]())},
		{"the metric", uint64(h.Metric), uint64(a.metric)},
		{"the dimension", uint64(h.Dim), uint64(a.dim)},
		{"M", uint64(h.M), uint64(m)},
	} {
		if c.got != c.want {
			return fmt.Errorf("%w: %s is %d, want %d", ErrSnapshot, c.what, c.got, c.want)
		}
	}
	least := a.dim * sizeOf[T]()
	if h.hasPlaces() {
		least = sizeOf[uint64]()
	}
	if h.Rows > uint64(min(size/max(least, 8*m), math.MaxInt32)) {
		return fmt.Errorf("%w: %d bytes cannot hold %d rows", ErrSnapshot, size, h.Rows)
	}
	if h.Coded > 1 || h.Coded == 1 && (int(h.Stride) != codeLen(a.dim) && int(h.Stride) != halfLen(a.dim) || a.dim > maxCodeDim ||
		!(h.Step > 0 && h.Step <= math.MaxFloat64) || !(h.Usual >= 0)) || h.Coded == 0 && h.Stride != 0 {
		return fmt.Errorf("%w: codes of %d bytes in steps of %v for %d elements", ErrSnapshot, h.Stride, h.Step, h.Dim)
	}
	return nil
}

// loader makes an empty arena, and a graph if there is one, those of a snapshot.
type loader[T codec.Float] struct {
	mapper
	header *snapshotHeader
	arena  *Arena[T]
	graph  *Graph[T] // nil for none
	group  errgroup.Group
}

// mapper is the file that sections are mapped from.
type mapper struct {
	file   *os.File // nil if nothing is to be mapped
	mapped bool     // some of the sections are
}

// lengths returns how long each section must be, or -1 for any length.
func (l *loader[T]) lengths() (want [sections]int) {
	h, a := l.header, l.arena
	rows := int(h.Rows)
	words, blocks := (rows+63)/64, (rows+blockRows-1)/blockRows
	want[stampSection] = -1
	want[liveSection] = 8 * words
	want[dataSection] = rows * a.dim * sizeOf[T]()
	want[sumSection] = 4 * rows
	if h.hasPlaces() {
		kept := int(min(h.Sections[keptSection].Length/4, h.Rows))
		want[placeSection], want[keptSection] = 8*rows, 4*kept
		want[dataSection] = kept * a.dim * sizeOf[T]()
	}
	if a.metric != codec.Cosine {
		want[halfSection] = rows * sizeOf[T]()
	}
	if h.Coded == 1 {
		want[meanSection] = 8 * a.dim
		want[codeSection] = rows * int(h.Stride)
		want[errSection] = 4 * rows
		want[blockNormSection] = 4 * blocks
	}
	if g := l.graph; g != nil {
		want[doorSection] = 4 * min(maxDoors, int(h.Sections[doorSection].Length/4))
		want[freshSection] = 8 * words
		want[staleSection] = 8 * words
		want[baseSection] = 4 * rows * g.links.m0
		want[upperSection] = 4 * g.links.lists * g.links.m
		if k := g.kin.Load(); k != nil {
			k.lengths(h, rows, &want)
		}
	}
	return want
}

// split returns the sections of data, if they are as long as they must be, with zeros
// between.
func (l *loader[T]) split(data []byte) (from [sections][]byte, at [sections]uint64, err error) {
	h := l.header
	want := l.lengths()
	for i, s := range h.Sections {
		if s.Length != uint64(want[i]) && want[i] >= 0 || s.Length > uint64(len(data)) {
			return from, at, fmt.Errorf("%w: section %d has %d bytes, want %d", ErrSnapshot, i, s.Length, want[i])
		}
	}
	at, size := h.layout()
	if size != uint64(len(data)) {
		return from, at, fmt.Errorf("%w: %d bytes long, want %d", ErrSnapshot, len(data), size)
	}
	gap := data[h.size():]
	for i, s := range h.Sections {
		end := at[i] + s.Length
		from[i] = data[at[i]:end:end]
		if !zeros(gap[:uint64(len(gap))-(size-at[i])]) {
			return from, at, fmt.Errorf("%w: section %d does not follow zeros", ErrSnapshot, i)
		}
		gap = data[end:]
	}
	if !zeros(gap) {
		return from, at, fmt.Errorf("%w: no zeros follow its end", ErrSnapshot)
	}
	return from, at, nil
}

// take takes over the sections of data, as far as they have the right lengths and
// checksums.
func (l *loader[T]) take(data []byte) (stamp []byte, err error) {
	h, a, g := l.header, l.arena, l.graph
	rows := int(h.Rows)
	if g != nil {
		g.links.count, g.links.lists, g.links.place = 0, 0, make([]int32, 0, rows/placeRows+1)
		g.links.number(rows)
		if h.Version == snapshotVersion {
			g.kin.Store(numberedKin(g.links.m, rows))
		}
	}
	from, at, err := l.split(data)
	if err != nil {
		return nil, err
	}
	a.live.words = make([]uint64, (rows+63)/64)
	to := [sections][]byte{liveSection: bytesOf(a.live.words)}
	if h.hasPlaces() {
		l.takePlaces(from, at, &to)
	} else if takeRegion(&l.mapper, &a.data, at[dataSection], rows*a.dim, &to[dataSection]) {
		takeRegion(&l.mapper, &a.sums, at[sumSection], rows, &to[sumSection])
		a.seen = make([]uint64, (rows+63)/64)
	}
	takeRegion(&l.mapper, &a.half, at[halfSection], len(from[halfSection])/sizeOf[T](), &to[halfSection])
	if h.Coded == 1 {
		mean := make([]float64, a.dim)
		copy(bytesOf(mean), from[meanSection])
		// Those of the other kind are replaced by the next Maintain.
		a.codes = newCodes(a.metric, mean, h.Step, int(h.Stride) != codeLen(a.dim))
		a.codes.usual, a.codes.trained = h.Usual, int(h.Trained)
		takeRegion(&l.mapper, &a.codes.rows, at[codeSection], rows*a.codes.stride, &to[codeSection])
		takeRegion(&l.mapper, &a.codes.errs, at[errSection], rows, &to[errSection])
		a.codes.grow(rows)
		to[blockNormSection] = bytesOf(a.codes.blockNorm)
	}
	if g != nil {
		g.fresh.grow(rows)
		g.stale.grow(rows)
		doors := make([]int32, len(from[doorSection])/4)
		takeRegion(&l.mapper, &g.links.base, at[baseSection], rows*g.links.m0, &to[baseSection])
		takeRegion(&l.mapper, &g.links.upper, at[upperSection], g.links.lists*g.links.m, &to[upperSection])
		to[freshSection], to[staleSection], to[doorSection] = bytesOf(g.fresh.words), bytesOf(g.stale.words), bytesOf(doors)
		g.doors.set(doors)
		if k := g.kin.Load(); k != nil {
			k.takeRegions(&l.mapper, rows, &at, &to)
		}
	}
	for i := range from {
		if i == dataSection && a.seen != nil { // each vector when it is read
			continue
		}
		l.group.Go(func() error {
			return a.Guard(func() error {
				if got := checksum(from[i]); got != h.Sections[i].Sum {
					return fmt.Errorf("%w: section %d is damaged: its checksum is %#x, want %#x", ErrSnapshot, i, got, h.Sections[i].Sum)
				}
				copy(to[i], from[i])
				return nil
			})
		})
	}
	if err := l.group.Wait(); err != nil {
		return nil, err
	}
	a.live.recount()
	a.count = a.live.Count()
	if g != nil {
		if k := g.kin.Load(); k != nil {
			if err := k.take(from[groupSection], &a.live, rows, a.codes); err != nil {
				return nil, err
			}
		}
	}
	if h.hasPlaces() {
		return from[stampSection], l.verifyPlaces(from[keptSection], from[dataSection])
	}
	if !a.asGiven() {
		return from[stampSection], nil
	}
	a.inverse.grow(rows)
	err = a.Guard(func() error { // vectors as they were given, or from earlier builds normalised ones
		for row := range a.live.All() {
			a.measure(row)
		}
		return nil
	})
	return from[stampSection], err
}

// hasPlaces reports whether vectors are not in the snapshot.
func (h *snapshotHeader) hasPlaces() bool { return h.Sections[placeSection].Length > 0 }

// takeRegion makes a region n elements that begin at an offset of the snapshot, mapped
// if they are many and it is a file. If not, it sets to to the region's bytes, to be
// written. It reports whether it is mapped.
func takeRegion[E byte | int32 | uint32 | uint64 | float32 | float64](l *mapper, r *region[E], at uint64, n int, to *[]byte) bool {
	if l.file != nil && n*sizeOf[E]() >= mapFrom && r.adopt(l.file, int64(at), n) {
		l.mapped = true
		return true
	}
	r.grow(n)
	*to = bytesOf(r.all)
	return false
}

// zeros reports whether b holds nothing else.
func zeros(b []byte) bool {
	return !slices.ContainsFunc(b, func(x byte) bool { return x != 0 })
}

// verify reports what is wrong with what was copied, as far as it could do harm,
// and fills in what is not stored.
func (l *loader[T]) verify() error {
	h, a := l.header, l.arena
	if past := 64*len(a.live.words) - int(h.Rows); past > 0 && a.live.words[len(a.live.words)-1]>>(64-past) != 0 {
		return fmt.Errorf("%w: rows from %d on are live", ErrSnapshot, h.Rows)
	}
	if uint64(a.count) != h.Count {
		return fmt.Errorf("%w: it has %d vectors, want %d", ErrSnapshot, a.count, h.Count)
	}
	if c := a.codes; c != nil {
		usual, _ := c.usualErrors()
		for row := range a.live.All() {
			if float64(c.errs.all[row]) > usual || c.errs.all[row] != c.errs.all[row] {
				c.judge(row, c.errs.all[row])
			}
		}
		c.before = c.off.count
	}
	if a.metric != codec.Cosine {
		for start := 0; start < a.Rows(); start += blockRows {
			a.maxHalf = append(a.maxHalf, simd.Max(a.half.all[start:min(start+blockRows, a.Rows())]))
		}
	}
	if l.graph == nil {
		if h.Entry != noEntry {
			return fmt.Errorf("%w: entry %#x without links", ErrSnapshot, h.Entry)
		}
		return nil
	}
	return l.graph.verify(h)
}

// verify is the part of the graph.
func (g *core) verify(h *snapshotHeader) error {
	l, live, rows := g.links, g.over.liveRows(), g.over.rowCount()
	for i, w := range live.words {
		fresh, stale := g.fresh.words[i], g.stale.words[i]
		if past := 64*i + 64 - int(h.Rows); past > 0 && (fresh|stale)>>(64-past) != 0 || fresh&^w != 0 || fresh&stale != 0 {
			return fmt.Errorf("%w: the rows from %d on are live %#x, fresh %#x, stale %#x", ErrSnapshot, 64*i, w, fresh, stale)
		}
	}
	g.fresh.recount()
	g.stale.recount()
	for _, row := range g.doors.all() {
		if row < 0 || int(row) >= rows {
			return fmt.Errorf("%w: searches begin at row %d of %d", ErrSnapshot, row, rows)
		}
	}
	g.entry.Store(h.Entry)
	row, level, ok := g.entry.top()
	linked := g.fresh.len() + g.stale.len()
	switch {
	case !ok && linked > 0, ok && h.Coded == 0:
		return fmt.Errorf("%w: entry %#x for %d linked rows", ErrSnapshot, h.Entry, linked)
	case ok && (row < 0 || int(row) >= rows || level != l.level(row)):
		return fmt.Errorf("%w: entry %#x of %d rows", ErrSnapshot, h.Entry, rows)
	}
	return l.verify()
}

// verify reports what is wrong with the lists: each neighbour must have a list on
// the same level.
func (l *links) verify() error {
	for i, r := range l.base.all {
		if int64(r) > int64(l.rows()) {
			return fmt.Errorf("%w: row %d has the neighbour %d of %d", ErrSnapshot, i/l.m0, int64(r)-1, l.rows())
		}
	}
	for row := range int32(l.rows()) {
		for level := l.level(row); level > 0; level-- {
			for _, r := range l.list(row, level) {
				if r > 0 && (int64(r) > int64(l.rows()) || l.level(int32(r-1)) < level) {
					return fmt.Errorf("%w: row %d has the neighbour %d of %d on level %d", ErrSnapshot, row, int64(r)-1, l.rows(), level)
				}
			}
		}
	}
	return nil
}

// adopt makes a what b is.
func (a *Arena[T]) adopt(b *Arena[T]) {
	a.data, a.half, a.maxHalf = b.data, b.half, b.maxHalf
	a.live, a.count, a.sums, a.seen = b.live, b.count, b.sums, b.seen
	a.inverse, a.wild = b.inverse, b.wild
	a.away.rows, a.away.count, a.away.places, a.away.sums = b.away.rows, b.away.count, b.away.places, b.away.sums
	a.codes, a.sets = b.codes, b.count
	if a.codes != nil {
		a.sets = max(0, b.count-b.codes.trained)
	}
}

// adopt makes g what o is, whose arena g's has adopted.
func (g *Graph[T]) adopt(o *Graph[T], h *snapshotHeader) {
	g.links.free()
	g.links = o.links
	if k := g.kin.Swap(o.kin.Load()); k != nil {
		k.free()
	}
	g.entry.Store(h.Entry)
	g.fresh.take(o.fresh)
	g.stale.take(o.stale)
	g.doors.set(o.doors.all())
	g.openLongest(&g.web)
	g.openLongestKin()
	g.unfit.Store(h.State&stateUnfit != 0)
	g.byVectors.Store(h.State&stateByVectors != 0)
	g.exam, g.longest = exam{}, g.arena.longest()
	if h.State&stateUnchecked == 0 {
		g.exam.codes.Store(g.arena.codes)
	}
	if g.byVectors.Load() {
		g.exam.step = walkByVectors
	}
}
