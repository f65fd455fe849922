package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
)

// NPY is an open NumPy array file that holds a row for each vector.
type NPY struct {
	Rows int    // the number of vectors
	Dim  int    // the elements of each, 1 to 65,536
	Type string // their type as NumPy writes it, such as "<f4": see [ReadNPY]

	file    *file
	kind    npyKind
	columns bool   // whether the elements of a column follow each other, not those of a row
	array   []byte // all elements, if columns, once they have been read
	done    int    // rows read
}

// ReadNPY reads the header of r as an .npy file, version 1, 2 or 3 of its format
// (NumPy, numpy/lib/format.py). The array must have two dimensions, in C or
// Fortran order, and elements that are floats of 2, 4 or 8 bytes, signed or
// unsigned integers of 1, 2, 4 or 8, little- or big-endian. It refuses all others
// with a *SyntaxError that says how NumPy converts them. Input is buffered, so
// that more of r may have been read than was asked for.
//
// Rows in C order are read one at a time. An array in Fortran order has the last
// element of its first row near its end, and so is kept in memory as a whole.
func ReadNPY(r io.Reader) (*NPY, error) {
	f := newFile(r)
	text, err := readNPYHeader(f)
	if err != nil {
		return nil, err
	}
	n := &NPY{file: f}
	p := npyHeader{s: text, start: f.offset - int64(len(text))}
	if err := p.parse(n); err != nil {
		return nil, err
	}
	n.kind = npyKinds[n.Type[1:]]
	return n, nil
}

// readNPYHeader reads what stands before the rows, and returns its text part.
func readNPYHeader(f *file) (string, error) {
	const (
		magic = "\x93NUMPY"
		what  = "the header"
		most  = math.MaxUint16 // of any version
	)
	b, err := f.need(len(magic)+2, what)
	if err != nil {
		return "", err
	}
	if string(b[:len(magic)]) != magic {
		return "", &SyntaxError{Offset: 0, Msg: "not an .npy file"}
	}
	width := 4 // of the text's length
	switch version := b[len(magic)]; version {
	case 1:
		width = 2
	case 2, 3:
	default:
		return "", &SyntaxError{Offset: int64(len(magic)), Msg: fmt.Sprintf("format version %d, want 1 to 3", version)}
	}
	start := f.offset
	if b, err = f.need(width, what); err != nil {
		return "", err
	}
	var size uint32
	for i, c := range b {
		size |= uint32(c) << (8 * i)
	}
	if size > most {
		return "", &SyntaxError{Offset: start, Msg: fmt.Sprintf("header of %d bytes, want at most %d", size, most)}
	}
	b, err = f.need(int(size), what)
	return string(b), err
}

// Float32s yields the vectors that have not been read yet. All steps yield one
// slice, whose elements the next step overwrites: clone it to keep it. Elements
// of type f8 are rounded to the nearest float32; one that is too large becomes an
// infinity, which Check refuses. Integers are never rounded: one that a float32
// does not hold ends the sequence with a *ValueError. A *SyntaxError, also for
// bytes after the last row, or an error of the reader ends it too.
func (n *NPY) Float32s() iter.Seq2[[]float32, error] { return npyRows[float32](n) }

// Float64s is Float32s for []float64; no float is rounded.
func (n *NPY) Float64s() iter.Seq2[[]float64, error] { return npyRows[float64](n) }

func npyRows[T Float](n *NPY) iter.Seq2[[]T, error] {
	fill := npyFill[T](n.kind)
	return func(yield func([]T, error) bool) {
		row := make([]T, n.Dim)
		for n.done < n.Rows {
			b, err := n.next()
			if err == nil {
				if n.Type[0] == '>' {
					swap(b, n.kind.size)
				}
				if i := fill(row, b); i >= 0 {
					err = &ValueError{Field: "vector", Pos: i, Want: fmt.Sprintf("an integer that a %T holds exactly", row[i]), Got: n.kind.integer(b, i)}
				}
			}
			if err != nil {
				yield(nil, n.file.fail(err))
				return
			}
			n.done++
			if !yield(row, nil) {
				return
			}
		}
		switch _, err := n.file.next(1, "a row"); {
		case errors.Is(err, io.EOF):
		case err == nil:
			yield(nil, n.file.fail(&SyntaxError{Offset: n.file.offset - 1, Msg: "bytes after the last row"}))
		default:
			yield(nil, n.file.fail(err))
		}
	}
}

// next returns the bytes of the next row, which may be changed.
func (n *NPY) next() ([]byte, error) {
	size := n.kind.size
	if !n.columns {
		b, err := n.file.next(n.Dim*size, "a row")
		if errors.Is(err, io.EOF) {
			err = &SyntaxError{Offset: n.file.offset, Msg: fmt.Sprintf("file ends after row %d of %d", n.done, n.Rows)}
		}
		return b, err
	}
	if n.array == nil && n.file.failed == nil {
		if err := n.readArray(); err != nil {
			return nil, err
		}
	}
	if n.file.failed != nil {
		return nil, n.file.failed
	}
	if cap(n.file.buf) < n.Dim*size {
		n.file.buf = make([]byte, n.Dim*size)
	}
	b := n.file.buf[:n.Dim*size]
	for i := range n.Dim {
		copy(b[i*size:(i+1)*size], n.array[(i*n.Rows+n.done)*size:])
	}
	return b, nil
}

// readArray reads all elements. Memory grows with what the file has, and not
// with what its header says.
func (n *NPY) readArray() error {
	column := int64(n.Rows) * int64(n.kind.size)
	if column > math.MaxInt/int64(n.Dim) || int64(n.Rows) > math.MaxInt64/int64(n.kind.size) {
		return &SyntaxError{Offset: n.file.offset, Msg: fmt.Sprintf("array of %d rows of %d elements is too large", n.Rows, n.Dim)}
	}
	var array bytes.Buffer
	got, err := array.ReadFrom(io.LimitReader(n.file.r, column*int64(n.Dim)))
	n.file.offset += got
	switch {
	case err != nil:
		return fmt.Errorf("read at byte %d: %w", n.file.offset, err)
	case got < column*int64(n.Dim):
		return &SyntaxError{Offset: n.file.offset, Msg: fmt.Sprintf("file ends inside column %d of %d", got/column, n.Dim)}
	}
	n.array = array.Bytes()
	return nil
}

// swap turns the bytes of each element around.
func swap(b []byte, size int) {
	for ; len(b) >= size; b = b[size:] {
		slices.Reverse(b[:size])
	}
}

// npyKind is a type of elements but for the order of their bytes.
type npyKind struct {
	letter byte // 'f', 'i' or 'u', as NumPy has it
	size   int  // bytes
}

var npyKinds = map[string]npyKind{
	"f2": {'f', 2}, "f4": {'f', 4}, "f8": {'f', 8},
	"i1": {'i', 1}, "i2": {'i', 2}, "i4": {'i', 4}, "i8": {'i', 8},
	"u1": {'u', 1}, "u2": {'u', 2}, "u4": {'u', 4}, "u8": {'u', 8},
}

// bits returns element i of little-endian bytes as an unsigned integer.
func (k npyKind) bits(b []byte, i int) uint64 {
	var x uint64
	for j := k.size - 1; j >= 0; j-- {
		x = x<<8 | uint64(b[i*k.size+j])
	}
	return x
}

// signed returns element i of a signed type.
func (k npyKind) signed(b []byte, i int) int64 {
	unused := 64 - 8*k.size
	return int64(k.bits(b, i)<<unused) >> unused
}

// integer writes element i of a type of integers.
func (k npyKind) integer(b []byte, i int) string {
	if k.letter == 'i' {
		return strconv.FormatInt(k.signed(b, i), 10)
	}
	return strconv.FormatUint(k.bits(b, i), 10)
}

// npyFill returns the function that makes elements of little-endian bytes. It
// returns the place of the first integer that T does not hold, or -1.
func npyFill[T Float](k npyKind) func([]T, []byte) int {
	le := binary.LittleEndian
	switch {
	case k == npyKind{'f', 2}:
		return func(out []T, b []byte) int {
			for i := range out {
				out[i] = T(halfTo(le.Uint16(b[2*i:])))
			}
			return -1
		}
	case k == npyKind{'f', 4}:
		return func(out []T, b []byte) int {
			for i := range out {
				out[i] = T(math.Float32frombits(le.Uint32(b[4*i:])))
			}
			return -1
		}
	case k == npyKind{'f', 8}:
		return func(out []T, b []byte) int {
			for i := range out {
				out[i] = T(math.Float64frombits(le.Uint64(b[8*i:])))
			}
			return -1
		}
	case k == npyKind{'u', 1}:
		return func(out []T, b []byte) int {
			parseBytes(out, b)
			return -1
		}
	case k.letter == 'i':
		return func(out []T, b []byte) int {
			for i := range out {
				x := k.signed(b, i)
				// Beside the range that all integers up to it are held in, a float
				// may hold x; at 2^63 the conversion back has no meaning.
				if out[i] = T(x); float64(out[i]) >= 1<<63 || int64(out[i]) != x {
					return i
				}
			}
			return -1
		}
	default:
		return func(out []T, b []byte) int {
			for i := range out {
				x := k.bits(b, i)
				if out[i] = T(x); float64(out[i]) >= 1<<64 || uint64(out[i]) != x {
					return i
				}
			}
			return -1
		}
	}
}

// npyHeader reads the header: the text of a Python dict with the keys 'descr',
// 'fortran_order' and 'shape', in any order.
type npyHeader struct {
	s     string
	i     int
	start int64 // the offset of s in the file
}

func (p *npyHeader) parse(n *NPY) error {
	if !p.accept("{") {
		return p.want("a dict")
	}
	var seen [3]bool
	for !p.accept("}") {
		at := p.i
		key, ok := p.str()
		if !ok || !p.accept(":") {
			return p.want("a key and a colon")
		}
		k, err := -1, error(nil)
		switch key {
		case "descr":
			k, err = 0, p.descr(n)
		case "fortran_order":
			k, err = 1, p.order(n)
		case "shape":
			k, err = 2, p.shape(n)
		}
		if err != nil {
			return err
		}
		if k < 0 || seen[k] {
			p.i = at
			return p.want("each of the keys descr, fortran_order and shape once")
		}
		seen[k] = true
		if !p.accept(",") {
			if !p.accept("}") {
				return p.want("a comma or the end of the dict")
			}
			break
		}
	}
	if seen != [3]bool{true, true, true} {
		return p.want("each of the keys descr, fortran_order and shape once")
	}
	if p.space(); p.i < len(p.s) {
		return p.want("the end of the header")
	}
	return nil
}

func (p *npyHeader) descr(n *NPY) error {
	p.space()
	at := p.i
	typ, ok := p.str()
	if ok && len(typ) == 3 && strings.IndexByte("<>|", typ[0]) >= 0 && (typ[0] != '|' || typ[2] == '1') {
		if _, ok = npyKinds[typ[1:]]; ok {
			n.Type = typ
			return nil
		}
	}
	p.i = at
	return p.want("elements that are floats of 2, 4 or 8 bytes or integers, as NumPy's astype('<f4') makes them")
}

func (p *npyHeader) order(n *NPY) error {
	n.columns = p.accept("True")
	if !n.columns && !p.accept("False") {
		return p.want("fortran_order True or False")
	}
	return nil
}

func (p *npyHeader) shape(n *NPY) error {
	p.space()
	at := p.i
	ok := p.accept("(") && p.int(&n.Rows) && p.accept(",") && p.int(&n.Dim)
	if ok {
		p.accept(",")
		ok = p.accept(")")
	}
	if !ok {
		p.i = at
		return p.want("an array of two dimensions, as NumPy's reshape(len(a), -1) makes it")
	}
	if n.Dim < 1 || n.Dim > maxFileDim {
		p.i = at
		return p.want(fmt.Sprintf("rows of 1 to %d elements", maxFileDim))
	}
	return nil
}

func (p *npyHeader) want(what string) error {
	return &SyntaxError{Offset: p.start + int64(p.i), Msg: "want " + what}
}

func (p *npyHeader) space() { p.i = skipSpace(p.s, p.i) }

// accept skips white space and then token, if that is next.
func (p *npyHeader) accept(token string) bool {
	p.space()
	if !strings.HasPrefix(p.s[p.i:], token) {
		return false
	}
	p.i += len(token)
	return true
}

// str reads a string in either kind of quotes. None that matters has escapes.
func (p *npyHeader) str() (string, bool) {
	p.space()
	if p.i == len(p.s) || p.s[p.i] != '\'' && p.s[p.i] != '"' {
		return "", false
	}
	rest := p.s[p.i+1:]
	end := strings.IndexByte(rest, p.s[p.i])
	if end < 0 {
		return "", false
	}
	p.i += end + 2
	return rest[:end], true
}

// int reads a number without a sign, which must fit in 64 bits. One that an int of
// 32 bits cannot hold becomes the largest, and no file holds so many.
func (p *npyHeader) int(n *int) bool {
	p.space()
	digits := p.i
	for digits < len(p.s) && p.s[digits]-'0' < 10 {
		digits++
	}
	value, err := strconv.ParseInt(p.s[p.i:digits], 10, 64)
	*n, p.i = int(min(value, math.MaxInt)), digits
	return err == nil
}
