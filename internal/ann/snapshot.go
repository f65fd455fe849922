package ann

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
	"unsafe"
)

// ErrSnapshot is what errors wrap that say why a snapshot cannot be used: it is
// damaged, of something else, or of a newer version. Its owner builds anew then.
var ErrSnapshot = errors.New("unusable snapshot")

// A snapshot is a header, then sections, with zeros between. Integers and
// floating-point numbers are in the byte order of the machine that wrote it; there
// is a section for each slice that an arena and a graph over it are made of, so that
// a load is little more than comparing checksums. Large sections have pages of their
// own, so that they can be mapped. Without a graph M is 0.
const (
	snapshotMagic   = "vwgraph\n"
	snapshotVersion = 6 // which has links of groups; without them it is written as versionPlaces
	versionPlaces   = 5
	versionBefore   = 4 // which has no places
)

// snapshotHeader has no padding that encoding/binary does not write, too.
type snapshotHeader struct {
	Magic   [8]byte
	Version uint32
	Order   uint32 // byteOrder

	Element uint8 // size of an element in bytes
	Metric  uint8
	Coded   uint8 // 1 if there are codes
	State   uint8 // stateUnfit and so on
	Dim     uint32
	M       uint32
	Stride  uint32 // bytes of a code
	Rows    uint64
	Count   uint64
	Entry   int64
	Step    float64
	Usual   float64
	Trained uint64

	Sections [sections]struct {
		Length uint64
		Sum    uint32 // CRC-32C
		_      uint32
	}
	Sum uint32 // of the header up to here
	_   uint32
}

// Bits of a header's State.
const (
	stateUnfit     = 1 << iota // walks find too little
	stateByVectors             // walks compare vectors
	stateUnchecked             // codes were made since it was known what walks find
)

// The sections, in the order that they are written in.
const (
	stampSection = iota
	liveSection
	dataSection
	halfSection
	meanSection
	codeSection
	errSection
	blockNormSection
	freshSection
	staleSection
	baseSection
	upperSection
	doorSection
	sumSection
	placeSection
	keptSection
	groupSection
	kinOfSection
	kinFreshSection
	kinStaleSection
	kinKnownSection
	kinBaseSection
	kinUpperSection
	sections

	sectionsPlaces = groupSection // of versionPlaces
	sectionsBefore = placeSection // of versionBefore
)

// byteOrder tells the byte order of the machine that wrote it.
const byteOrder = 0x01020304

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// headerSize is the length of an encoded header.
var headerSize = binary.Size(snapshotHeader{})

// WriteSnapshot writes all that Load needs to bring the graph back: vectors,
// codes and links. stamp is called while nothing changes; what it returns is
// stored and comes back from Load, for the owner to know which changes came
// later.
//
// WriteSnapshot waits for Link to return, and holds lock, the owner's for reading,
// until it has written all. If what is mapped from an earlier snapshot is not what it
// was, it writes nothing and returns an error that wraps ErrDamaged. It ends early
// with ctx's error.
func (g *Graph[T]) WriteSnapshot(ctx context.Context, w io.Writer, lock sync.Locker, stamp func() ([]byte, error)) error {
	return g.arena.write(ctx, w, g, lock, stamp, nil)
}

// write writes a snapshot, and calls written, if not nil, before anything can change.
func (a *Arena[T]) write(ctx context.Context, w io.Writer, g *Graph[T], lock sync.Locker, stamp func() ([]byte, error), written func(*snapshotHeader, *located[T]) error) (err error) {
	if g != nil {
		g.work.Lock()
		defer g.work.Unlock()
	}
	lock.Lock()
	defer lock.Unlock()
	mark, err := stamp()
	if err != nil {
		return err
	}
	var h *snapshotHeader
	var l *located[T]
	err = a.Guard(func() (err error) {
		h, l, err = a.writeAll(ctx, w, g, mark)
		return err
	})
	if err == nil && written != nil {
		err = written(h, l)
	}
	return err
}

func (a *Arena[T]) writeAll(ctx context.Context, w io.Writer, g *Graph[T], mark []byte) (*snapshotHeader, *located[T], error) {
	l, err := a.locate()
	if err != nil {
		return nil, nil, err
	}
	h, all := a.snapshot(g, l)
	all[stampSection] = mark
	for i, s := range all {
		h.Sections[i].Length = uint64(len(s))
		var err error
		if h.Sections[i].Sum, err = checksumUntil(ctx, s); err != nil {
			return nil, nil, err
		}
	}
	// After the sums: what changes from now on does not fit them.
	if damaged, err := a.damagedMapped(); len(damaged) > 0 || err != nil {
		return nil, nil, cmp.Or(err, fmt.Errorf("%w: %d vectors", ErrDamaged, len(damaged)))
	}
	if err := a.origin.check(); err != nil {
		return nil, nil, err
	}
	return h, l, writeSections(w, h, all)
}

func writeSections(w io.Writer, h *snapshotHeader, all [sections][]byte) error {
	if _, err := w.Write(h.encode()); err != nil {
		return err
	}
	at, size := h.layout()
	pos := uint64(h.size())
	for i, s := range all {
		if err := writeZeros(w, at[i]-pos); err != nil {
			return err
		}
		if _, err := w.Write(s); err != nil {
			return err
		}
		pos = at[i] + uint64(len(s))
	}
	return writeZeros(w, size-pos)
}

// snapshot returns the header of a snapshot, without lengths and checksums, and its
// sections, without the stamp.
func (a *Arena[T]) snapshot(g *Graph[T], l *located[T]) (h *snapshotHeader, all [sections][]byte) {
	h = &snapshotHeader{
		Version: versionPlaces, Order: byteOrder,
		Element: uint8(sizeOf[T]()), Metric: uint8(a.metric), Dim: uint32(a.dim),
		Rows: uint64(a.Rows()), Count: uint64(a.count), Entry: noEntry,
	}
	copy(h.Magic[:], snapshotMagic)
	live := make([]uint64, (a.Rows()+63)/64)
	for i := range live {
		live[i] = a.live.word(i)
	}
	all = [sections][]byte{
		liveSection: bytesOf(live),
		halfSection: bytesOf(a.half.all),
	}
	if l != nil {
		l.put(&all)
	} else {
		all[dataSection], all[sumSection] = bytesOf(a.data.all), bytesOf(a.allSums())
	}
	if c := a.codes; c != nil {
		h.Coded, h.Stride, h.Step, h.Usual, h.Trained = 1, uint32(c.stride), c.step, c.usual, uint64(c.trained)
		all[meanSection] = bytesOf(c.mean)
		all[codeSection] = bytesOf(c.rows.all)
		all[errSection] = bytesOf(c.errs.all)
		all[blockNormSection] = bytesOf(c.blockNorm)
	}
	if g == nil {
		return h, all
	}
	h.M, h.Entry = uint32(g.links.m), g.entry.Load()
	all[freshSection] = bytesOf(g.fresh.words)
	all[staleSection] = bytesOf(g.stale.words)
	all[baseSection] = bytesOf(g.links.base.all)
	all[upperSection] = bytesOf(g.links.upper.all)
	all[doorSection] = bytesOf(g.doors.all())
	if k := g.kin.Load(); k != nil && len(*k.byKey.Load()) > 0 {
		h.Version = snapshotVersion
		k.put(&all, a.codes)
	}
	if g.unfit.Load() {
		h.State |= stateUnfit
	}
	if g.byVectors.Load() {
		h.State |= stateByVectors
	}
	if g.exam.codes.Load() != a.codes {
		h.State |= stateUnchecked
	}
	return h, all
}

func writeZeros(w io.Writer, n uint64) error {
	_, err := w.Write(make([]byte, n))
	return err
}

// layout returns where each section begins, and the size of the whole.
func (h *snapshotHeader) layout() (at [sections]uint64, size uint64) {
	pos := uint64(h.size())
	for i, s := range h.Sections {
		align := uint64(64)
		if s.Length >= mapFrom {
			align = mapAlign
		}
		at[i] = roundTo(pos, align)
		pos = roundTo(at[i]+s.Length, align)
	}
	return at, pos
}

// roundTo returns the first multiple of align, a power of two, from n on.
func roundTo(n, align uint64) uint64 { return (n + align - 1) &^ (align - 1) }

// size returns the length of the header's bytes.
func (h *snapshotHeader) size() int {
	fewer := 0
	switch h.Version {
	case versionBefore:
		fewer = sections - sectionsBefore
	case versionPlaces:
		fewer = sections - sectionsPlaces
	}
	return headerSize - fewer*binary.Size(h.Sections[0])
}

// encode returns the header's bytes, with its checksum.
func (h *snapshotHeader) encode() []byte {
	b := make([]byte, headerSize)
	_, _ = binary.Encode(b, binary.NativeEndian, h) // b is long enough
	n := h.size()
	copy(b[n-8:], b[headerSize-8:])
	binary.NativeEndian.PutUint32(b[n-8:], checksum(b[:n-8]))
	return b[:n]
}

func bytesOf[E any](s []E) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*sizeOf[E]())
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// checksumUntil is checksum until ctx ends.
func checksumUntil(ctx context.Context, b []byte) (sum uint32, err error) {
	const step = 16 << 20
	for ; len(b) > 0 && err == nil; err = ctx.Err() {
		n := min(len(b), step)
		sum = crc32.Update(sum, castagnoli, b[:n])
		b = b[n:]
	}
	return sum, err
}
