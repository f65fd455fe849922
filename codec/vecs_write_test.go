package codec

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"
)

// rowsOf streams rows, and then an error if there is one.
func rowsOf[T any](err error, rows ...[]T) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func TestWriteVecs(t *testing.T) {
	var out bytes.Buffer
	n, err := WriteFvecs(&out, rowsOf(nil, []float32{1, -2.5}, []float32{0, -1}))
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, fvecs, out.String())

	out.Reset()
	n, err = WriteIvecs(&out, rowsOf(nil, []int32{7, -1}))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, ivecs, out.String())

	out.Reset()
	n, err = WriteFvecs(&out, rowsOf[float32](nil))
	require.NoError(t, err)
	require.Zero(t, n)
	require.Zero(t, out.Len())
}

func TestWriteVecsRefuses(t *testing.T) {
	broken := errors.New("no more")
	for want, rows := range map[string]iter.Seq2[[]float32, error]{
		"row 1: vector has 1 dimensions, want 2":                       rowsOf(nil, []float32{1, -2.5}, []float32{0}),
		"row 0: vector is of 0 elements, want 1 to 65536 elements":     rowsOf(nil, []float32{}),
		"row 0: vector is of 65537 elements, want 1 to 65536 elements": rowsOf(nil, make([]float32, 1<<16+1)),
		"row 1: vector has 0 dimensions, want 2":                       rowsOf(nil, []float32{1, -2.5}, nil),
		"no more":                                                      rowsOf(broken, []float32{1, -2.5}),
	} {
		var out bytes.Buffer
		n, err := WriteFvecs(&out, rows)
		require.EqualError(t, err, want)
		require.Equal(t, fvecs[:12*n], out.String(), "the rows before are whole")
	}
}

// full takes room bytes, and then fails.
type full struct{ room int }

var errFull = errors.New("disk full")

func (f *full) Write(b []byte) (int, error) {
	n := min(f.room, len(b))
	f.room -= n
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

func TestWriteVecsKeepsTheWritersError(t *testing.T) {
	long := make([]float32, 10_000)
	for _, rows := range []iter.Seq2[[]float32, error]{rowsOf(nil, long[:1]), rowsOf(nil, long, long, long, long)} {
		_, err := WriteFvecs(&full{room: 3}, rows)
		require.ErrorIs(t, err, errFull)
	}
}

func FuzzVecsRoundTrip(f *testing.F) {
	f.Add([]byte("\x00\x00\x80\x3f\x00\x00\xc0\x7f\x00\x00\x80\xff\x01\x00\x00\x80"), uint8(2))
	f.Add([]byte{}, uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, dim uint8) {
		rows := split[float32](b, int(dim))
		var out bytes.Buffer
		n, err := WriteFvecs(&out, rowsOf(nil, rows...))
		require.NoError(t, err)
		require.Equal(t, len(rows), n)
		again, err := collect(ReadFvecs(&out))
		require.NoError(t, err)
		requireSameRows(t, rows, again)
		_, err = out.ReadByte()
		require.Equal(t, io.EOF, err)
	})
}

// split cuts bytes into rows of dim elements, which may be anything, and drops
// what is left.
func split[T Float](b []byte, dim int) (rows [][]T) {
	size := max(dim, 1) * ElementOf[T]().Size()
	for ; len(b) >= size; b = b[size:] {
		row, _ := ParseBlob[T](nil, b[:size])
		rows = append(rows, row)
	}
	return rows
}

func requireSameRows[T Float](t *testing.T, want, got [][]T) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		requireSameBits(t, want[i], got[i])
	}
}
