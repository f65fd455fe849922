package codec

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
)

// WriteFvecs writes rows to w as an .fvecs file, which ReadFvecs reads, and
// returns how many it wrote. The format has float32s only: write float64s with
// WriteNPY.
//
// All rows must have as many elements as the first, 1 to 65,536. A row that does
// not, in a *DimensionError or *ValueError, an error of rows or an error of w
// ends the file after the row before, or inside a row if w failed. Output is
// buffered and flushed at the end.
func WriteFvecs(w io.Writer, rows iter.Seq2[[]float32, error]) (n int, err error) {
	return writeVecs(w, rows, AppendBlob[float32])
}

// WriteIvecs writes rows to w as an .ivecs file, which ReadIvecs reads. All else
// is as in WriteFvecs.
func WriteIvecs(w io.Writer, rows iter.Seq2[[]int32, error]) (n int, err error) {
	return writeVecs(w, rows, func(dst []byte, row []int32) []byte {
		for _, x := range row {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(x))
		}
		return dst
	})
}

func writeVecs[T any](w io.Writer, rows iter.Seq2[[]T, error], elements func([]byte, []T) []byte) (int, error) {
	dim := 0
	return writeRows(w, rows, func(dst []byte, row []T) ([]byte, error) {
		if dim == 0 {
			if err := checkFileDim(len(row)); err != nil {
				return nil, err
			}
			dim = len(row)
		}
		if len(row) != dim {
			return nil, &DimensionError{Want: dim, Got: len(row)}
		}
		return elements(binary.LittleEndian.AppendUint32(dst, uint32(dim)), row), nil
	})
}

// checkFileDim refuses rows that the readers of this package would not take.
func checkFileDim(dim int) error {
	if dim < 1 || dim > maxFileDim {
		return &ValueError{
			Field: "vector", Pos: -1,
			Want: fmt.Sprintf("1 to %d elements", maxFileDim), Got: fmt.Sprintf("of %d elements", dim),
		}
	}
	return nil
}

// writeRows writes each row as encode appends it.
func writeRows[T any](w io.Writer, rows iter.Seq2[[]T, error], encode func([]byte, []T) ([]byte, error)) (n int, err error) {
	out := bufio.NewWriterSize(w, 64<<10)
	defer func() {
		if failed := out.Flush(); err == nil {
			err = failed
		}
	}()
	var buf []byte
	for row, err := range rows {
		if err != nil {
			return n, err
		}
		if buf, err = encode(buf[:0], row); err != nil {
			return n, fmt.Errorf("row %d: %w", n, err)
		}
		if _, err := out.Write(buf); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
