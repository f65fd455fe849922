package codec

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
)

// maxFileDim bounds the elements of a row in a file, so that a damaged or
// hostile header cannot ask for memory: a row takes at most 512 KiB.
const maxFileDim = 1 << 16

// ReadFvecs reads r as an .fvecs file: rows of an int32 that counts the elements
// and as many float32s, all little-endian (the TEXMEX corpora,
// http://corpus-texmex.irisa.fr). It yields one vector a row.
//
// All steps yield one slice, whose elements the next step overwrites: clone it to
// keep it. All rows must
// have as many elements as the first, 1 to 65,536. A *SyntaxError, with its
// offset in r, or an error of r ends the sequence. The elements are not looked
// at: that is for Check. Input is buffered, so that more of r may have been read
// than was yielded.
func ReadFvecs(r io.Reader) iter.Seq2[[]float32, error] {
	return readVecs(r, 4, parseBlobPortable[float32])
}

// ReadBvecs reads r as a .bvecs file, which has one unsigned byte an element,
// and yields its vectors as float32s. All else is as in ReadFvecs.
func ReadBvecs(r io.Reader) iter.Seq2[[]float32, error] {
	return readVecs(r, 1, parseBytes[float32])
}

// ReadIvecs reads r as an .ivecs file, which has one int32 an element: row
// numbers of nearest neighbours, as a rule. All else is as in ReadFvecs.
func ReadIvecs(r io.Reader) iter.Seq2[[]int32, error] {
	return readVecs(r, 4, func(out []int32, b []byte) {
		for i := range out {
			out[i] = int32(binary.LittleEndian.Uint32(b[4*i:]))
		}
	})
}

// readVecs yields rows whose elements take size bytes each; fill makes elements
// of such bytes.
func readVecs[T any](r io.Reader, size int, fill func([]T, []byte)) iter.Seq2[[]T, error] {
	f := newFile(r)
	var row []T
	return func(yield func([]T, error) bool) {
		for {
			start := f.offset
			b, err := f.next(4, "the count of a row")
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil {
				err = checkCount(int32(binary.LittleEndian.Uint32(b)), &row, start)
			}
			if err == nil {
				b, err = f.need(len(row)*size, "a row")
			}
			if err != nil {
				yield(nil, f.fail(err))
				return
			}
			fill(row, b)
			if !yield(row, nil) {
				return
			}
		}
	}
}

// checkCount checks the count before a row, at offset start, and makes *row if
// it is the first.
func checkCount[T any](n int32, row *[]T, start int64) error {
	if n < 1 || n > maxFileDim {
		return &SyntaxError{Offset: start, Msg: fmt.Sprintf("row says it has %d elements, want 1 to %d", n, maxFileDim)}
	}
	if *row == nil {
		*row = make([]T, n)
	}
	if int(n) != len(*row) {
		return &SyntaxError{Offset: start, Msg: fmt.Sprintf("row says it has %d elements, the first has %d", n, len(*row))}
	}
	return nil
}

// parseBytes fills out from unsigned bytes.
func parseBytes[T Float](out []T, b []byte) {
	for i := range out {
		out[i] = T(b[i])
	}
}

// file reads pieces of known size and counts bytes.
type file struct {
	r      *bufio.Reader
	offset int64
	buf    []byte
	failed error // what ended reading for good
}

func newFile(r io.Reader) *file { return &file{r: bufio.NewReaderSize(r, 64<<10)} }

// next returns the next n bytes, valid until it is called again. It returns
// io.EOF itself only if r ends before the first of them; a later end is a
// *SyntaxError that names what was being read.
func (f *file) next(n int, what string) ([]byte, error) {
	if f.failed != nil {
		return nil, f.failed
	}
	if cap(f.buf) < n {
		f.buf = make([]byte, n)
	}
	got, err := io.ReadFull(f.r, f.buf[:n])
	f.offset += int64(got)
	switch {
	case err == nil, err == io.EOF:
		return f.buf[:n], err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, &SyntaxError{Offset: f.offset, Msg: "file ends inside " + what}
	default:
		return nil, fmt.Errorf("read at byte %d: %w", f.offset, err)
	}
}

// need is next where the file may not end.
func (f *file) need(n int, what string) ([]byte, error) {
	b, err := f.next(n, what)
	if errors.Is(err, io.EOF) {
		return nil, &SyntaxError{Offset: f.offset, Msg: "file ends inside " + what}
	}
	return b, err
}

// fail makes err the answer of every later call of next, and returns it.
func (f *file) fail(err error) error {
	f.failed = err
	return err
}
