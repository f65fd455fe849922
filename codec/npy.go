package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strconv"
	"strings"
)

// NPY is an open NumPy array file that holds a row for each vector.
type NPY struct {
	Rows int    // the number of vectors
	Dim  int    // the elements of each, 1 to 65,536
	Type string // their type as NumPy writes it: "<f2", "<f4", "<f8" or "|u1"

	file *file
	done int // rows read
}

// npySizes holds the bytes of an element for each type that can be read.
var npySizes = map[string]int{"<f2": 2, "<f4": 4, "<f8": 8, "|u1": 1}

// ReadNPY reads the header of r as an .npy file, version 1, 2 or 3 of its format
// (NumPy, numpy/lib/format.py). The array must have two dimensions in C order
// and elements of a type that [NPY] names. It refuses all others with a
// *SyntaxError. Input is buffered, so that more of r may have been read than was
// asked for.
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

// Float32s yields the vectors that have not been read yet. Each slice is valid
// until the next step: clone it to keep it. Elements of "<f8" are rounded to the
// nearest float32; one that is too large becomes an infinity, which Check
// refuses. A *SyntaxError, also for bytes after the last row, or an error of the
// reader ends the sequence.
func (n *NPY) Float32s() iter.Seq2[[]float32, error] { return npyRows[float32](n) }

// Float64s is Float32s for []float64; nothing is rounded.
func (n *NPY) Float64s() iter.Seq2[[]float64, error] { return npyRows[float64](n) }

func npyRows[T Float](n *NPY) iter.Seq2[[]T, error] {
	fill, size := npyFill[T](n.Type), npySizes[n.Type]
	return func(yield func([]T, error) bool) {
		row := make([]T, n.Dim)
		for n.done < n.Rows {
			b, err := n.file.next(n.Dim*size, "a row")
			if errors.Is(err, io.EOF) {
				err = &SyntaxError{Offset: n.file.offset, Msg: fmt.Sprintf("file ends after row %d of %d", n.done, n.Rows)}
			}
			if err != nil {
				yield(nil, n.file.fail(err))
				return
			}
			n.done++
			fill(row, b)
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

// npyFill returns the function that makes elements of the bytes of type typ.
func npyFill[T Float](typ string) func([]T, []byte) {
	le := binary.LittleEndian
	switch typ {
	case "<f2":
		return func(out []T, b []byte) {
			for i := range out {
				out[i] = T(halfTo(le.Uint16(b[2*i:])))
			}
		}
	case "<f4":
		return func(out []T, b []byte) {
			for i := range out {
				out[i] = T(math.Float32frombits(le.Uint32(b[4*i:])))
			}
		}
	case "<f8":
		return func(out []T, b []byte) {
			for i := range out {
				out[i] = T(math.Float64frombits(le.Uint64(b[8*i:])))
			}
		}
	default:
		return parseBytes[T]
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
			k, err = 1, p.order()
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
	if _, known := npySizes[typ]; !ok || !known {
		p.i = at
		return p.want("elements of type <f4, <f8, <f2 or |u1")
	}
	n.Type = typ
	return nil
}

func (p *npyHeader) order() error {
	if !p.accept("False") {
		return p.want("an array in C order, fortran_order False")
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
		return p.want("an array of two dimensions")
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

// int reads a number without a sign.
func (p *npyHeader) int(n *int) bool {
	p.space()
	digits := p.i
	for digits < len(p.s) && p.s[digits]-'0' < 10 {
		digits++
	}
	value, err := strconv.Atoi(p.s[p.i:digits])
	*n, p.i = value, digits
	return err == nil
}
