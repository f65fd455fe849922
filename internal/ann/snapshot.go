package ann

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"math/bits"
	"os"
	"slices"
	"sync"
	"unsafe"

	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// ErrSnapshot is what errors wrap that say why a snapshot cannot be used: it is
// damaged, of something else, or of a newer version. Its owner builds anew then.
var ErrSnapshot = errors.New("unusable snapshot")

// A snapshot is a header, then sections, with zeros between. Integers and
// floating-point numbers are in the byte order of the machine that wrote it; there
// is a section for each slice that a graph and its arena are made of, so that a
// load is little more than copying. Large sections have pages of their own, so that
// they can be mapped.
const (
	snapshotMagic   = "vwgraph\n"
	snapshotVersion = 2
)

// snapshotHeader has no padding that encoding/binary does not write, too.
type snapshotHeader struct {
	Magic   [8]byte
	Version uint32
	Order   uint32 // byteOrder

	Element uint8 // size of an element in bytes
	Metric  uint8
	Coded   uint8 // 1 if there are codes
	Unfit   uint8 // 1 if walks find too little
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
	sections
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
// until it has written all.
func (g *Graph[T]) WriteSnapshot(w io.Writer, lock sync.Locker, stamp func() ([]byte, error)) error {
	g.work.Lock()
	defer g.work.Unlock()
	lock.Lock()
	defer lock.Unlock()
	mark, err := stamp()
	if err != nil {
		return err
	}
	h := snapshotHeader{
		Version: snapshotVersion, Order: byteOrder,
		Element: uint8(sizeOf[T]()), Metric: uint8(g.metric), Dim: uint32(g.dim), M: uint32(g.links.m),
		Rows: uint64(g.Rows()), Count: uint64(g.count), Entry: g.links.entry.Load(),
	}
	copy(h.Magic[:], snapshotMagic)
	live := make([]uint64, (g.Rows()+63)/64)
	for i := range live {
		live[i] = g.live.word(i)
	}
	all := [sections][]byte{
		stampSection: mark,
		liveSection:  bytesOf(live),
		dataSection:  bytesOf(g.data.all),
		halfSection:  bytesOf(g.half.all),
		freshSection: bytesOf(g.fresh.words),
		staleSection: bytesOf(g.stale.words),
		baseSection:  bytesOf(g.links.base.all),
		upperSection: bytesOf(g.links.upper.all),
	}
	if g.unfit.Load() {
		h.Unfit = 1
	}
	if c := g.codes; c != nil {
		h.Coded, h.Stride, h.Step, h.Usual, h.Trained = 1, uint32(c.stride), c.step, c.usual, uint64(c.trained)
		all[meanSection] = bytesOf(c.mean)
		all[codeSection] = bytesOf(c.rows.all)
		all[errSection] = bytesOf(c.errs.all)
		all[blockNormSection] = bytesOf(c.blockNorm)
	}
	for i, s := range all {
		h.Sections[i].Length = uint64(len(s))
		h.Sections[i].Sum = checksum(s)
	}
	if _, err := w.Write(h.encode()); err != nil {
		return err
	}
	at, size := h.layout()
	pos := uint64(headerSize)
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

func writeZeros(w io.Writer, n uint64) error {
	_, err := w.Write(make([]byte, n))
	return err
}

// layout returns where each section begins, and the size of the whole.
func (h *snapshotHeader) layout() (at [sections]uint64, size uint64) {
	pos := uint64(headerSize)
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

// encode returns the header's bytes, with its checksum.
func (h *snapshotHeader) encode() []byte {
	b := make([]byte, headerSize)
	_, _ = binary.Encode(b, binary.NativeEndian, h) // b is long enough
	sum := checksum(b[:headerSize-8])
	binary.NativeEndian.PutUint32(b[headerSize-8:], sum)
	return b
}

func bytesOf[E any](s []E) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*sizeOf[E]())
}

// Load makes the graph what it was when a snapshot was written, and returns the
// stamp, which points into data. The graph must be empty, and of the same element
// type, dimension, metric and M as the one that was written. If it returns an
// error, which wraps ErrSnapshot, the graph is as it was.
//
// With file not nil, data is what that holds, and the vectors stay in it: they are
// mapped, and it must not change as long as the graph is in use. Nothing else of
// data is kept.
//
// Checksums protect against damage, not against forgers: a snapshot that was made
// to mislead gives wrong answers, though nothing worse.
func (g *Graph[T]) Load(data []byte, file *os.File) (stamp []byte, err error) {
	if g.Rows() > 0 {
		return nil, fmt.Errorf("%w: the graph has %d rows already", ErrSnapshot, g.Rows())
	}
	h, err := readHeader(data)
	if err != nil {
		return nil, err
	}
	if err := g.fits(h, len(data)); err != nil {
		return nil, err
	}
	loaded := &Graph[T]{Arena: &Arena[T]{dim: g.dim, metric: g.metric}, links: newLinks(g.links.m)}
	if stamp, err = loaded.copyFrom(h, data, file); err == nil {
		err = loaded.verify(h)
	}
	if err != nil {
		loaded.Close()
		return nil, err
	}
	g.adopt(loaded)
	g.unfit.Store(h.Unfit != 0)
	return stamp, nil
}

func readHeader(data []byte) (*snapshotHeader, error) {
	if len(data) < headerSize {
		return nil, fmt.Errorf("%w: %d bytes long, want at least %d", ErrSnapshot, len(data), headerSize)
	}
	var h snapshotHeader
	_, _ = binary.Decode(data, binary.NativeEndian, &h) // data is long enough
	switch {
	case string(h.Magic[:]) != snapshotMagic:
		return nil, fmt.Errorf("%w: it begins with %q, want %q", ErrSnapshot, h.Magic[:], snapshotMagic)
	case h.Order == bits.ReverseBytes32(byteOrder):
		return nil, fmt.Errorf("%w: written on a machine of another byte order", ErrSnapshot)
	case h.Order != byteOrder:
		return nil, fmt.Errorf("%w: byte order %#x, want %#x", ErrSnapshot, h.Order, uint32(byteOrder))
	case h.Version != snapshotVersion:
		return nil, fmt.Errorf("%w: version %d, want %d", ErrSnapshot, h.Version, snapshotVersion)
	}
	if !bytes.Equal(h.encode(), data[:headerSize]) {
		return nil, fmt.Errorf("%w: the header is damaged", ErrSnapshot)
	}
	return &h, nil
}

// fits reports what is wrong with the header of a snapshot of size bytes for this
// graph.
func (g *Graph[T]) fits(h *snapshotHeader, size int) error {
	for _, c := range []struct {
		what      string
		got, want uint64
	}{
		{"bytes an element", uint64(h.Element), uint64(sizeOf[T]())},
		{"the metric", uint64(h.Metric), uint64(g.metric)},
		{"the dimension", uint64(h.Dim), uint64(g.dim)},
		{"M", uint64(h.M), uint64(g.links.m)},
	} {
		if c.got != c.want {
			return fmt.Errorf("%w: %s is %d, want %d", ErrSnapshot, c.what, c.got, c.want)
		}
	}
	if h.Rows > uint64(min(size/max(g.dim*sizeOf[T](), 4*g.links.m0), math.MaxInt32)) {
		return fmt.Errorf("%w: %d bytes cannot hold %d rows", ErrSnapshot, size, h.Rows)
	}
	if h.Coded > 1 || h.Coded == 1 && (h.Stride != uint32(codeLen(g.dim)) || g.dim > maxCodeDim ||
		!(h.Step > 0 && h.Step <= math.MaxFloat64) || !(h.Usual >= 0)) || h.Coded == 0 && h.Stride != 0 {
		return fmt.Errorf("%w: codes of %d bytes in steps of %v for %d elements", ErrSnapshot, h.Stride, h.Step, h.Dim)
	}
	return nil
}

// copyFrom makes an empty graph that of a snapshot, as far as its sections have
// the right lengths and checksums.
func (g *Graph[T]) copyFrom(h *snapshotHeader, data []byte, file *os.File) (stamp []byte, err error) {
	rows, dim := int(h.Rows), g.dim
	words, blocks := (rows+63)/64, (rows+blockRows-1)/blockRows
	g.links.grow(rows)
	var want [sections]int
	want[stampSection] = -1 // any length
	want[liveSection] = 8 * words
	want[dataSection] = rows * dim * sizeOf[T]()
	if g.metric != codec.Cosine {
		want[halfSection] = rows * sizeOf[T]()
	}
	if h.Coded == 1 {
		want[meanSection] = 8 * dim
		want[codeSection] = rows * int(h.Stride)
		want[errSection] = 4 * rows
		want[blockNormSection] = 4 * blocks
	}
	want[freshSection] = 8 * words
	want[staleSection] = 8 * words
	want[baseSection] = 4 * rows * g.links.m0
	want[upperSection] = 4 * g.links.lists * g.links.m
	for i, s := range h.Sections {
		if s.Length != uint64(want[i]) && want[i] >= 0 || s.Length > uint64(len(data)) {
			return nil, fmt.Errorf("%w: section %d has %d bytes, want %d", ErrSnapshot, i, s.Length, want[i])
		}
	}
	at, size := h.layout()
	if size != uint64(len(data)) {
		return nil, fmt.Errorf("%w: %d bytes long, want %d", ErrSnapshot, len(data), size)
	}
	var from [sections][]byte
	gap := data[headerSize:]
	for i, s := range h.Sections {
		end := at[i] + s.Length
		from[i] = data[at[i]:end:end]
		if !zeros(gap[:uint64(len(gap))-(size-at[i])]) {
			return nil, fmt.Errorf("%w: section %d does not follow zeros", ErrSnapshot, i)
		}
		gap = data[end:]
	}
	if !zeros(gap) {
		return nil, fmt.Errorf("%w: no zeros follow its end", ErrSnapshot)
	}

	a := g.Arena
	a.live.words = make([]uint64, words)
	mapped := len(from[dataSection]) >= mapFrom && file != nil && a.data.adopt(file, int64(at[dataSection]), rows*dim)
	if !mapped {
		a.data.grow(rows * dim)
	}
	a.half.grow(want[halfSection] / sizeOf[T]())
	g.fresh.grow(rows)
	g.stale.grow(rows)
	to := [sections][]byte{
		liveSection:  bytesOf(a.live.words),
		dataSection:  bytesOf(a.data.all),
		halfSection:  bytesOf(a.half.all),
		freshSection: bytesOf(g.fresh.words),
		staleSection: bytesOf(g.stale.words),
		baseSection:  bytesOf(g.links.base.all),
		upperSection: bytesOf(g.links.upper.all),
	}
	if h.Coded == 1 {
		mean := make([]float64, dim)
		copy(bytesOf(mean), from[meanSection])
		a.codes = newCodes(g.metric, mean, h.Step)
		a.codes.usual, a.codes.trained = h.Usual, int(h.Trained)
		a.codes.grow(rows)
		to[codeSection] = bytesOf(a.codes.rows.all)
		to[errSection] = bytesOf(a.codes.errs.all)
		to[blockNormSection] = bytesOf(a.codes.blockNorm)
	}
	if mapped {
		from[dataSection], to[dataSection] = to[dataSection], nil
	}
	var group errgroup.Group
	for i := range from {
		group.Go(func() error {
			if got := checksum(from[i]); got != h.Sections[i].Sum {
				return fmt.Errorf("%w: section %d is damaged: its checksum is %#x, want %#x", ErrSnapshot, i, got, h.Sections[i].Sum)
			}
			copy(to[i], from[i])
			return nil
		})
	}
	return from[stampSection], group.Wait()
}

// zeros reports whether b holds nothing else.
func zeros(b []byte) bool {
	return !slices.ContainsFunc(b, func(x byte) bool { return x != 0 })
}

// verify reports what is wrong with what was copied, as far as it could do harm,
// and fills in what is not stored.
func (g *Graph[T]) verify(h *snapshotHeader) error {
	a, l := g.Arena, g.links
	a.live.recount()
	a.count = a.live.Count()
	for a.live.word(a.full) == math.MaxUint64 {
		a.full++
	}
	for i, w := range a.live.words {
		fresh, stale := g.fresh.words[i], g.stale.words[i]
		if past := 64*i + 64 - int(h.Rows); past > 0 && (w|fresh|stale)>>(64-past) != 0 || fresh&^w != 0 || fresh&stale != 0 {
			return fmt.Errorf("%w: the rows from %d on are live %#x, fresh %#x, stale %#x", ErrSnapshot, 64*i, w, fresh, stale)
		}
	}
	g.fresh.recount()
	g.stale.recount()
	if uint64(a.count) != h.Count {
		return fmt.Errorf("%w: it has %d vectors, want %d", ErrSnapshot, a.count, h.Count)
	}
	if a.metric != codec.Cosine {
		for start := 0; start < a.Rows(); start += blockRows {
			a.maxHalf = append(a.maxHalf, simd.Max(a.half.all[start:min(start+blockRows, a.Rows())]))
		}
	}
	l.entry.Store(h.Entry)
	row, level, ok := l.top()
	linked := g.fresh.len() + g.stale.len()
	switch {
	case !ok && linked > 0, ok && h.Coded == 0:
		return fmt.Errorf("%w: entry %#x for %d linked rows", ErrSnapshot, h.Entry, linked)
	case ok && (row < 0 || int(row) >= a.Rows() || level != l.level(row)):
		return fmt.Errorf("%w: entry %#x of %d rows", ErrSnapshot, h.Entry, a.Rows())
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

// adopt makes g what o is.
func (g *Graph[T]) adopt(o *Graph[T]) {
	a, b := g.Arena, o.Arena
	a.data, a.half, a.maxHalf = b.data, b.half, b.maxHalf
	a.live, a.count, a.full = b.live, b.count, b.full
	a.codes, a.sets = b.codes, b.count
	if a.codes != nil {
		a.sets = max(0, b.count-b.codes.trained)
	}
	g.links.free()
	g.links = o.links
	g.fresh.take(&o.fresh)
	g.stale.take(&o.stale)
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }
