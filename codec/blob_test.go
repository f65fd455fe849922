package codec

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBlob(t *testing.T) {
	single, double := []float32{1, -2.5}, []float64{1, math.Copysign(0, -1)}
	singleBlob := "\x00\x00\x80\x3f\x00\x00\x20\xc0"
	doubleBlob := "\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\x00\x80"
	require.Equal(t, "x"+singleBlob, string(AppendBlob([]byte("x"), single)))
	require.Equal(t, "x"+doubleBlob, string(AppendBlob([]byte("x"), double)))

	gotSingle, err := ParseBlob([]float32{42}, []byte(singleBlob))
	require.NoError(t, err)
	requireSameBits(t, []float32{42, 1, -2.5}, gotSingle)
	gotDouble, err := ParseBlob([]float64{42}, []byte(doubleBlob))
	require.NoError(t, err)
	requireSameBits(t, append([]float64{42}, double...), gotDouble)
}

// TestBlobPortable holds the path of big-endian machines against the other.
func TestBlobPortable(t *testing.T) {
	single := randomUnit(33)
	double := make([]float64, len(single))
	for i, x := range single {
		double[i] = float64(x) / 3
	}
	blob := AppendBlob(nil, single)
	require.Equal(t, blob, appendBlobPortable(nil, single))
	gotSingle := make([]float32, len(single))
	parseBlobPortable(gotSingle, blob)
	requireSameBits(t, single, gotSingle)

	blob = AppendBlob(nil, double)
	require.Equal(t, blob, appendBlobPortable(nil, double))
	gotDouble := make([]float64, len(double))
	parseBlobPortable(gotDouble, blob)
	requireSameBits(t, double, gotDouble)
}

// TestBlobUnaligned reads from and writes to odd addresses.
func TestBlobUnaligned(t *testing.T) {
	v := randomUnit(5)
	for shift := range 8 {
		b := AppendBlob(make([]byte, shift), v)
		got, err := ParseBlob[float32](nil, b[shift:])
		require.NoError(t, err)
		requireSameBits(t, v, got)
	}
}

func TestParseBlobRefuses(t *testing.T) {
	for size, want := range map[int]string{
		0:  "blob has 0 bytes, want a multiple of 8 at byte 0",
		7:  "blob has 7 bytes, want a multiple of 8 at byte 0",
		12: "blob has 12 bytes, want a multiple of 8 at byte 8",
	} {
		dst := []float64{42}
		got, err := ParseBlob(dst, make([]byte, size))
		require.EqualError(t, err, want)
		require.ErrorAs(t, err, new(*SyntaxError))
		require.Equal(t, dst, got)
	}
}

func TestBlobDoesNotAllocate(t *testing.T) {
	v := randomUnit(128)
	blob, floats := AppendBlob(nil, v), make([]float32, 0, 128)
	require.Zero(t, testing.AllocsPerRun(100, func() { blob = AppendBlob(blob[:0], v) }))
	require.Zero(t, testing.AllocsPerRun(100, func() { floats, _ = ParseBlob(floats[:0], blob) }))
}

func FuzzParseBlob(f *testing.F) {
	for _, s := range []string{"", "123", "1234", "12345678", "\x00\x00\xc0\x7f\x00\x00\x80\xff", "0123456789abcdef0"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		fuzzBlob[float32](t, b)
		fuzzBlob[float64](t, b)
	})
}

func fuzzBlob[T Float](t *testing.T, b []byte) {
	v, err := ParseBlob[T](nil, b)
	if err != nil {
		require.ErrorAs(t, err, new(*SyntaxError))
		require.True(t, len(b) == 0 || len(b)%ElementOf[T]().Size() != 0)
		return
	}
	require.Equal(t, b, AppendBlob(nil, v))
}
