package local

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"unsafe"

	"github.com/vecwire/vecwire/internal/ann"
)

// idTable says which row has which ID. Most are in a packed table, as a snapshot holds
// it, which takes about 10 bytes beside an ID; what was changed since is in maps.
type idTable struct {
	packed  packedIDs
	changed map[int32]string // IDs of the packed table's rows that were changed since, "" for a free row
	tail    []string         // IDs of the rows after those
	rows    map[string]int32 // rows of the IDs in changed and tail
	live    int              // how many IDs there are
}

func newIDs() *idTable { return &idTable{changed: map[int32]string{}, rows: map[string]int32{}} }

// len returns how many IDs there are.
func (t *idTable) len() int { return t.live }

// bytes returns about how much memory the table takes.
func (t *idTable) bytes() int64 {
	return int64(len(t.packed.ends)+len(t.packed.table)+len(t.packed.all)) + 80*int64(len(t.rows))
}

// row returns the row that has an ID.
func (t *idTable) row(id string) (int32, bool) {
	if row, ok := t.rows[id]; ok {
		return row, true
	}
	row, ok := t.packed.row(id)
	if !ok || len(t.changed) == 0 {
		return row, ok
	}
	_, changed := t.changed[row]
	return row, !changed
}

// id returns the ID of a row, "" for a free one.
func (t *idTable) id(row int32) string {
	if n := int32(t.packed.count); row >= n {
		if int(row-n) >= len(t.tail) {
			return ""
		}
		return t.tail[row-n]
	}
	if len(t.changed) > 0 {
		if id, ok := t.changed[row]; ok {
			return id
		}
	}
	return t.packed.text(row)
}

// used reports whether a row has an ID.
func (t *idTable) used(row int32) bool {
	if row < int32(t.packed.count) && len(t.changed) == 0 {
		return len(t.packed.id(row)) > 0
	}
	return t.id(row) != ""
}

// put gives a row an ID, in the place of the one that it has. Another row that has the
// ID still has it, until it gets another, but it is not found by it.
func (t *idTable) put(row int32, id string) {
	if _, ok := t.row(id); !ok {
		t.live++
	}
	if old := t.id(row); old != id {
		t.forget(row, old)
	}
	t.set(row, id)
	t.rows[id] = row
}

// free takes the ID of a row away.
func (t *idTable) free(row int32) {
	if old := t.id(row); old != "" {
		t.forget(row, old)
		t.set(row, "")
	}
}

// forget says that an ID is not found in a row any more.
func (t *idTable) forget(row int32, id string) {
	if at, ok := t.row(id); ok && at == row {
		delete(t.rows, id)
		t.live--
	}
}

func (t *idTable) set(row int32, id string) {
	n := int32(t.packed.count)
	if row < n {
		t.changed[row] = id
		return
	}
	for int(row-n) >= len(t.tail) {
		t.tail = append(t.tail, "")
	}
	t.tail[row-n] = id
}

// repack makes a table that was packed of this one the packed part of it. What was
// changed since is kept beside it.
func (t *idTable) repack(p packedIDs) {
	to := newIDs()
	to.packed, to.live = p, t.live
	keep := func(row int32, id string) {
		if row < int32(p.count) && string(p.id(row)) == id {
			return
		}
		to.set(row, id)
		if at, ok := t.rows[id]; ok && at == row {
			to.rows[id] = row
		}
	}
	for row, id := range t.changed {
		keep(row, id)
	}
	for i, id := range t.tail {
		keep(int32(t.packed.count+i), id)
	}
	*t = *to
}

// packedIDs is a table of IDs in one piece of memory: how many rows and slots there are
// and the seed of hashes, then for each row where its ID ends, then the slots, a hash
// table of row numbers plus one, then the IDs one after another.
type packedIDs struct {
	count, slots int
	seed         uint64
	ends, table  []byte
	all          []byte
}

const packedHeader = 16

// pack returns the table of the IDs of rows up to end, behind a prefix.
func (t *idTable) pack(prefix []byte, end int32) ([]byte, error) {
	size := 0
	for row := range end {
		size += len(t.id(row))
	}
	if uint64(size) > math.MaxUint32 {
		return nil, errors.New("the IDs of a snapshot take more than 4 GB")
	}
	p := packedIDs{count: int(end), slots: t.live + t.live/3 + 1, seed: rand.Uint64()}
	b := make([]byte, len(prefix)+packedHeader+4*(p.count+p.slots)+size)
	at := b[copy(b, prefix):]
	binary.NativeEndian.PutUint32(at, uint32(p.count))
	binary.NativeEndian.PutUint32(at[4:], uint32(p.slots))
	binary.NativeEndian.PutUint64(at[8:], p.seed)
	p.cut(at[packedHeader:])
	n := 0
	for row := range end {
		id := t.id(row)
		n += copy(p.all[n:], id)
		binary.NativeEndian.PutUint32(p.ends[4*row:], uint32(n))
		if id == "" {
			continue
		}
		if now, ok := t.row(id); !ok || now != row {
			return nil, errOvertaken // a commit of another process is being taken in
		}
		slot := p.slot(id)
		for p.at(slot) != 0 {
			slot = p.after(slot)
		}
		binary.NativeEndian.PutUint32(p.table[4*slot:], uint32(row)+1)
	}
	return b, nil
}

// parseIDs returns the table that pack has written behind a prefix, if it is one of
// rows of which has, if not nil, says which have an ID.
func parseIDs(b, prefix []byte, has func(row int32) bool) (p packedIDs, live int, err error) {
	b, ok := bytes.CutPrefix(b, prefix)
	if !ok {
		return p, 0, fmt.Errorf("%w: it is another one", ann.ErrSnapshot)
	}
	if len(b) < packedHeader {
		return p, 0, fmt.Errorf("%w: it has no IDs", ann.ErrSnapshot)
	}
	count, slots := binary.NativeEndian.Uint32(b), binary.NativeEndian.Uint32(b[4:])
	if slots == 0 || count > math.MaxInt32 || (uint64(count)+uint64(slots))*4 > uint64(len(b)-packedHeader) {
		return p, 0, fmt.Errorf("%w: it has no IDs", ann.ErrSnapshot)
	}
	p = packedIDs{count: int(count), slots: int(slots), seed: binary.NativeEndian.Uint64(b[8:])}
	p.cut(b[packedHeader:])
	last := 0
	for row := range int32(count) {
		end := p.end(row)
		if end < last || end > len(p.all) || has != nil && has(row) != (end > last) {
			return p, 0, fmt.Errorf("%w: the ID of row %d does not fit", ann.ErrSnapshot, row)
		}
		if end > last {
			live++
		}
		last = end
	}
	return p, live, nil
}

// cut takes the parts out of what is behind the header.
func (p *packedIDs) cut(b []byte) {
	p.ends, b = b[:4*p.count], b[4*p.count:]
	p.table, p.all = b[:4*p.slots], b[4*p.slots:]
}

func (p *packedIDs) end(row int32) int {
	return int(binary.NativeEndian.Uint32(p.ends[4*int(row):]))
}

func (p *packedIDs) id(row int32) []byte {
	start := 0
	if row > 0 {
		start = p.end(row - 1)
	}
	return p.all[start:p.end(row)]
}

// text is id as a string. It is a part of the table, which does not change.
func (p *packedIDs) text(row int32) string {
	id := p.id(row)
	return unsafe.String(unsafe.SliceData(id), len(id))
}

// row returns the row that has an ID.
func (p *packedIDs) row(id string) (int32, bool) {
	if p.count == 0 || id == "" {
		return 0, false
	}
	slot := p.slot(id)
	for range p.slots {
		n := p.at(slot)
		if n == 0 || int(n) > p.count {
			break
		}
		if row := int32(n - 1); string(p.id(row)) == id {
			return row, true
		}
		slot = p.after(slot)
	}
	return 0, false
}

// slot returns where the search for an ID begins.
func (p *packedIDs) slot(id string) int {
	h, _ := bits.Mul64(hashOf(p.seed, id), uint64(p.slots))
	return int(h)
}

func (p *packedIDs) at(slot int) uint32 { return binary.NativeEndian.Uint32(p.table[4*slot:]) }

func (p *packedIDs) after(slot int) int {
	if slot++; slot == p.slots {
		return 0
	}
	return slot
}

// hashOf returns a hash that who does not know the seed cannot steer: each eight bytes
// are multiplied into it, both halves of the product, as wyhash does.
func hashOf(seed uint64, id string) uint64 {
	const a, b = 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93
	h := seed ^ a
	mix := func(x uint64) {
		hi, lo := bits.Mul64(h^x, b^bits.RotateLeft64(seed, 23))
		h = hi ^ lo
	}
	for ; len(id) >= 8; id = id[8:] {
		mix(uint64(id[0]) | uint64(id[1])<<8 | uint64(id[2])<<16 | uint64(id[3])<<24 | uint64(id[4])<<32 | uint64(id[5])<<40 | uint64(id[6])<<48 | uint64(id[7])<<56)
	}
	last := uint64(len(id)) << 56
	for i := range len(id) {
		last |= uint64(id[i]) << (8 * i)
	}
	mix(last)
	mix(a)
	return h
}
