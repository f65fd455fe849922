package local

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"sort"

	"github.com/vecwire/vecwire/internal/ann"
)

// btree reads tables in the bytes of a SQLite file
// (https://www.sqlite.org/fileformat2.html). What it reads may be written at the same time:
// it believes nothing, and whoever asks compares what is at a place with a checksum.
type btree struct {
	file         []byte
	size, usable int // of a page
}

// Types of pages.
const (
	interiorTable = 5
	leafTable     = 13
)

// deepest is how many pages are one above the other at most, in a file of any size.
const deepest = 24

var errNoTree = errors.New("the file holds no such table")

// newBtree returns the trees of a file.
func newBtree(file []byte) (t btree, ok bool) {
	if len(file) < 100 {
		return t, false
	}
	t = btree{file: file, size: int(binary.BigEndian.Uint16(file[16:]))}
	if t.size == 1 {
		t.size = 1 << 16
	}
	t.usable = t.size - int(file[20])
	return t, t.size >= 512 && t.usable >= 480
}

// page returns a page of a table, and where its header begins.
func (t btree) page(n uint32) (page []byte, ok bool) {
	from := (int64(n) - 1) * int64(t.size)
	if n < 2 || from+int64(t.size) > int64(len(t.file)) {
		return nil, false
	}
	return t.file[from : from+int64(t.size)], true
}

// cells returns the pointers to the cells of a page, which has a header of so many bytes.
func cells(page []byte, header int) []byte {
	n := 2 * int(binary.BigEndian.Uint16(page[3:]))
	if header+n > len(page) {
		return nil
	}
	return page[header : header+n]
}

// each passes on the cells of all leaves of a table: the numbers of the rows, and where in the
// file their payload is. What is no part of a table, as while pages of it are in the log alone, it
// leaves out, and returns an error that wraps errNoTree at the end.
func (t btree) each(root uint32, f func(row int64, c cell)) error {
	pages := len(t.file) / t.size // pages may lead in a circle
	return t.under(root, 0, &pages, f)
}

// under is each from a page on, with no more pages than there are.
func (t btree) under(root uint32, depth int, pages *int, f func(row int64, c cell)) error {
	page, ok := t.page(root)
	if *pages--; !ok || depth > deepest || *pages < 0 {
		return fmt.Errorf("%w: page %d", errNoTree, root)
	}
	switch page[0] {
	case leafTable:
		from := int64(root-1) * int64(t.size)
		for p := cells(page, 8); len(p) > 0; p = p[2:] {
			if row, c, ok := t.cell(page, from, int(binary.BigEndian.Uint16(p))); ok {
				f(row, c)
			}
		}
		return nil
	case interiorTable:
		var failed error
		for p := cells(page, 12); len(p) > 0 && *pages >= 0; p = p[2:] {
			if at := int(binary.BigEndian.Uint16(p)); at+4 <= len(page) {
				failed = cmp.Or(failed, t.under(binary.BigEndian.Uint32(page[at:]), depth+1, pages, f))
			}
		}
		return cmp.Or(failed, t.under(binary.BigEndian.Uint32(page[8:]), depth+1, pages, f))
	}
	return fmt.Errorf("%w: page %d has the type %d", errNoTree, root, page[0])
}

// find returns the cell of a row.
func (t btree) find(root uint32, row int64) (c cell, ok bool) {
	for range deepest {
		page, ok := t.page(root)
		if !ok {
			return c, false
		}
		switch page[0] {
		case leafTable:
			p := cells(page, 8)
			i := sort.Search(len(p)/2, func(i int) bool {
				n, _, ok := t.cell(page, 0, int(binary.BigEndian.Uint16(p[2*i:])))
				return !ok || n >= row
			})
			if i == len(p)/2 {
				return c, false
			}
			n, c, ok := t.cell(page, int64(root-1)*int64(t.size), int(binary.BigEndian.Uint16(p[2*i:])))
			return c, ok && n == row
		case interiorTable:
			p := cells(page, 12)
			key := func(i int) int64 {
				at := int(binary.BigEndian.Uint16(p[2*i:])) + 4
				if at > len(page) {
					return 0
				}
				n, _ := varint(page[at:])
				return int64(n)
			}
			i := sort.Search(len(p)/2, func(i int) bool { return key(i) >= row })
			if i == len(p)/2 {
				root = binary.BigEndian.Uint32(page[8:])
				continue
			}
			at := int(binary.BigEndian.Uint16(p[2*i:]))
			if at+4 > len(page) {
				return c, false
			}
			root = binary.BigEndian.Uint32(page[at:])
		default:
			return c, false
		}
	}
	return c, false
}

// cell is where the payload of a row is.
type cell struct {
	at    int64  // in the file
	local []byte // what of it is in the leaf
	whole int    // how long it is
}

// cell reads the cell at an offset of a leaf that begins at from in the file.
func (t btree) cell(page []byte, from int64, at int) (row int64, c cell, ok bool) {
	if at >= t.usable {
		return 0, c, false
	}
	whole, n := varint(page[at:t.usable])
	key, m := varint(page[min(at+n, t.usable):t.usable])
	at += n + m
	if n == 0 || m == 0 || whole > 1<<31 {
		return 0, c, false
	}
	local := t.inLeaf(int(whole))
	if at+local > t.usable {
		return 0, c, false
	}
	return int64(key), cell{at: from + int64(at), local: page[at : at+local], whole: int(whole)}, true
}

// inLeaf returns how many bytes of a payload are in the leaf.
func (t btree) inLeaf(whole int) int {
	most := t.usable - 35
	if whole <= most {
		return whole
	}
	least := (t.usable-12)*32/255 - 23
	if n := least + (whole-least)%(t.usable-4); n <= most {
		return n
	}
	return least
}

// varint reads an integer of SQLite's, and returns its length, 0 if it does not end.
func varint(b []byte) (v uint64, n int) {
	for i, x := range b[:min(9, len(b))] {
		if i == 8 {
			return v<<8 | uint64(x), 9
		}
		v = v<<7 | uint64(x&0x7f)
		if x < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}

const (
	offsetBits = 46 // of a place; then the number of bytes in the leaf follows, if not all are
	offsetMask = 1<<offsetBits - 1
)

// vector returns where the vector of so many bytes is, the second column of a record whose
// first is the row's number and takes nothing.
func (c cell) vector(size int) (place ann.Place, ok bool) {
	header, n := varint(c.local)
	if n == 0 || header > uint64(len(c.local)) {
		return 0, false
	}
	key, k := varint(c.local[n:header])
	if k == 0 || key != 0 {
		return 0, false
	}
	kind, m := varint(c.local[n+k : header])
	if m == 0 || kind < 12 || kind%2 != 0 || (kind-12)/2 != uint64(size) {
		return 0, false
	}
	place = uint64(c.at) + header
	switch inLeaf := len(c.local) - int(header); {
	case place > offsetMask:
		return 0, false
	case inLeaf >= size:
		return place, true
	default:
		return ann.InPieces | uint64(inLeaf)<<offsetBits | place, true
	}
}

// read copies the vector at a place, and reports whether the file has one there.
func (t btree) read(place ann.Place, dst []byte) bool {
	at := place & offsetMask
	if place&ann.InPieces == 0 {
		if place > uint64(len(t.file)) || uint64(len(t.file))-place < uint64(len(dst)) {
			return false
		}
		copy(dst, t.file[place:])
		return true
	}
	n := place &^ ann.InPieces >> offsetBits
	if n > uint64(len(dst)) || at+n+4 > uint64(len(t.file)) {
		return false
	}
	copy(dst[:n], t.file[at:])
	next := binary.BigEndian.Uint32(t.file[at+n:])
	for dst = dst[n:]; len(dst) > 0; {
		page, ok := t.page(next)
		if !ok {
			return false
		}
		next = binary.BigEndian.Uint32(page)
		dst = dst[copy(dst, page[4:t.usable]):]
	}
	return true
}
