package codec

import (
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"strings"
)

// npyHeaderSize is what stands before the rows: room for the longest numbers,
// and a multiple of 64, so that the rows are aligned when the file is mapped.
const npyHeaderSize = 128

// WriteNPY writes vectors of dim elements, 1 to 65,536, to w as an .npy file,
// version 1.0 (NumPy, numpy/lib/format.py), and returns how many it wrote. The
// elements are "<f4" or "<f8", after T.
//
// The format has the number of rows before the rows. If there are more or fewer
// than rows says, WriteNPY corrects the number, provided that w is a file, or
// another io.WriterAt and io.Seeker; otherwise it returns a *CountError. A
// vector of another length, in a *DimensionError, an error of vectors or an
// error of w ends the file early: it then has fewer rows than it says, which
// readers notice. Output is buffered and flushed at the end.
func WriteNPY[T Float](w io.Writer, rows, dim int, vectors iter.Seq2[[]T, error]) (n int, err error) {
	if err := checkFileDim(dim); err != nil {
		return 0, err
	}
	if rows < 0 {
		return 0, &ValueError{Field: "rows", Pos: -1, Want: "0 or more", Got: fmt.Sprint(rows)}
	}
	file, start := rewritable(w)
	if _, err := w.Write(npyHeaderOf[T](rows, dim)); err != nil {
		return 0, err
	}
	n, err = writeRows(w, vectors, func(dst []byte, row []T) ([]byte, error) {
		if len(row) != dim {
			return nil, &DimensionError{Want: dim, Got: len(row)}
		}
		return AppendBlob(dst, row), nil
	})
	if err != nil || n == rows {
		return n, err
	}
	if file == nil {
		return n, &CountError{Want: rows, Got: n}
	}
	_, err = file.WriteAt(npyHeaderOf[T](n, dim), start)
	return n, err
}

// rewritable returns w, and where in it the next byte goes, if what is written
// to it can be corrected later; nil if not.
func rewritable(w io.Writer) (file io.WriterAt, start int64) {
	f, ok := w.(interface {
		io.WriterAt
		io.Seeker
	})
	if !ok {
		return nil, 0
	}
	start, err := f.Seek(0, io.SeekCurrent)
	if err != nil { // a pipe
		return nil, 0
	}
	return f, start
}

func npyHeaderOf[T Float](rows, dim int) []byte {
	const before = len("\x93NUMPY") + 2 + 2 // magic, version and the length of the text
	typ := "<f4"
	if ElementOf[T]() == DOUBLE {
		typ = "<f8"
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }", typ, rows, dim)
	text += strings.Repeat(" ", npyHeaderSize-before-len(text)-1) + "\n"
	out := []byte("\x93NUMPY\x01\x00")
	out = binary.LittleEndian.AppendUint16(out, uint16(len(text)))
	return append(out, text...)
}

// CountError reports a stream that has not as many rows as was said before.
type CountError struct {
	Want, Got int // numbers of rows
}

func (e *CountError) Error() string {
	return fmt.Sprintf("there are %d rows, want %d", e.Got, e.Want)
}
