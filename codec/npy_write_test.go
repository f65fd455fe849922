package codec

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWriteNPY(t *testing.T) {
	var out bytes.Buffer
	n, err := WriteNPY(&out, 2, 2, rowsOf(nil, []float32{1, -2}, []float32{0.1, 0}))
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, 128+16, out.Len())
	require.Equal(t, "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }  ", out.String()[:71])
	require.EqualValues(t, '\n', out.Bytes()[127])

	out.Reset()
	_, err = WriteNPY(&out, 1, 1, rowsOf(nil, []float64{0.1}))
	require.NoError(t, err)
	in, err := ReadNPY(&out)
	require.NoError(t, err)
	require.Equal(t, []any{1, 1, "<f8"}, []any{in.Rows, in.Dim, in.Type})
	rows, err := collect(in.Float64s())
	require.NoError(t, err)
	require.Equal(t, [][]float64{{0.1}}, rows)
}

func TestNPYHeaderHasRoom(t *testing.T) {
	require.Len(t, npyHeaderOf[float64](math.MaxInt, maxFileDim), npyHeaderSize)
	require.Len(t, npyHeaderOf[float32](0, 1), npyHeaderSize)
}

func TestWriteNPYRefuses(t *testing.T) {
	one := rowsOf(nil, []float32{1, 2})
	_, err := WriteNPY(io.Discard, 1, 0, one)
	require.ErrorAs(t, err, new(*ValueError))
	_, err = WriteNPY(io.Discard, 1, maxFileDim+1, one)
	require.ErrorAs(t, err, new(*ValueError))
	_, err = WriteNPY(io.Discard, -1, 2, one)
	require.EqualError(t, err, "rows is -1, want 0 or more")
	_, err = WriteNPY(io.Discard, 1, 3, one)
	require.EqualError(t, err, "row 0: vector has 2 dimensions, want 3")
	_, err = WriteNPY(&full{room: 100}, 1, 2, one)
	require.ErrorIs(t, err, errFull)
	_, err = WriteNPY(&full{room: 130}, 1, 2, one)
	require.ErrorIs(t, err, errFull)
	broken := errors.New("no more")
	n, err := WriteNPY(io.Discard, 2, 2, rowsOf(broken, []float32{1, 2}))
	require.Equal(t, 1, n)
	require.ErrorIs(t, err, broken)
	for _, rows := range []int{0, 2} {
		n, err = WriteNPY(io.Discard, rows, 2, one)
		require.Equal(t, 1, n)
		require.Equal(t, &CountError{Want: rows, Got: 1}, err)
	}
}

// TestWriteNPYCorrects corrects the number of rows in a file, also behind
// something that stands there already.
func TestWriteNPYCorrects(t *testing.T) {
	for _, rows := range []int{0, 1, 2, 1e9} {
		f, err := os.Create(filepath.Join(t.TempDir(), "v.npy"))
		require.NoError(t, err)
		defer f.Close()
		_, err = f.WriteString("before")
		require.NoError(t, err)
		n, err := WriteNPY(f, rows, 1, rowsOf(nil, []float32{1}, []float32{2}))
		require.NoError(t, err)
		require.Equal(t, 2, n)
		_, err = f.WriteString("after")
		require.NoError(t, err)

		b, err := os.ReadFile(f.Name())
		require.NoError(t, err)
		require.Equal(t, "before", string(b[:6]))
		require.Equal(t, "after", string(b[len(b)-5:]))
		in, err := ReadNPY(bytes.NewReader(b[6 : len(b)-5]))
		require.NoError(t, err)
		got, err := collect(in.Float32s())
		require.NoError(t, err)
		require.Equal(t, [][]float32{{1}, {2}}, got)
	}
}

func TestWriteNPYToAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	_, err = WriteNPY(w, 2, 1, rowsOf(nil, []float32{1}))
	require.Equal(t, &CountError{Want: 2, Got: 1}, err)
}

func FuzzNPYRoundTrip(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\xf8\x7f"), uint8(1))
	f.Add([]byte{}, uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, dim uint8) {
		dim = max(dim, 1)
		singles, doubles := split[float32](b, int(dim)), split[float64](b, int(dim))
		var out bytes.Buffer
		_, err := WriteNPY(&out, len(singles), int(dim), rowsOf(nil, singles...))
		require.NoError(t, err)
		in, err := ReadNPY(&out)
		require.NoError(t, err)
		require.Equal(t, len(singles), in.Rows)
		got32, err := collect(in.Float32s())
		require.NoError(t, err)
		requireSameRows(t, singles, got32)

		out.Reset()
		_, err = WriteNPY(&out, len(doubles), int(dim), rowsOf(nil, doubles...))
		require.NoError(t, err)
		in, err = ReadNPY(&out)
		require.NoError(t, err)
		got64, err := collect(in.Float64s())
		require.NoError(t, err)
		requireSameRows(t, doubles, got64)
	})
}
