package codec

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBinary(t *testing.T) {
	tests := []struct {
		v    []float32
		want string
	}{
		{[]float32{1}, "\x00\x01\x00\x00\x3f\x80\x00\x00"},
		{[]float32{-2.5, float32(math.Copysign(0, -1))}, "\x00\x02\x00\x00\xc0\x20\x00\x00\x80\x00\x00\x00"},
		{[]float32{1, 2, math.MaxFloat32}, "\x00\x03\x00\x00\x3f\x80\x00\x00\x40\x00\x00\x00\x7f\x7f\xff\xff"},
	}
	for _, tt := range tests {
		require.Equal(t, "x"+tt.want, string(AppendBinary([]byte("x"), tt.v)))
		got, err := ParseBinary([]float32{42}, []byte(tt.want))
		require.NoError(t, err)
		requireSameBits(t, append([]float32{42}, tt.v...), got)
	}
}

func TestBinaryLengths(t *testing.T) {
	for _, dim := range []int{1, 2, 7, 8, 9, 31, 128, 1000, 16_000, math.MaxInt16} {
		v := randomUnit(dim)
		want := []byte{byte(dim >> 8), byte(dim), 0, 0}
		for _, x := range v {
			want = binary.BigEndian.AppendUint32(want, math.Float32bits(x))
		}
		require.Equal(t, want, AppendBinary(nil, v))
		got, err := ParseBinary(nil, want)
		require.NoError(t, err)
		requireSameBits(t, v, got)
	}
}

func TestBinaryTooLong(t *testing.T) {
	for _, dim := range []int{0, math.MaxInt16 + 1, math.MaxUint16 + 2} {
		_, err := ParseBinary(nil, AppendBinary(nil, make([]float32, dim)))
		require.EqualError(t, err, "vector says it has 0 elements at byte 0")
	}
}

func TestParseBinaryRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                                     "vector ends inside its header at byte 0",
		"\x00\x01\x00":                         "vector ends inside its header at byte 3",
		"\x00\x00\x00\x00":                     "vector says it has 0 elements at byte 0",
		"\xff\xff\x00\x00":                     "vector says it has -1 elements at byte 0",
		"\x00\x01\x00\x01\x00\x00\x00\x00":     "the unused field of the vector is not zero at byte 2",
		"\x7f\xff\x00\x00\x00":                 "vector of 32767 elements has 5 bytes, want 131072 at byte 5",
		"\x00\x01\x00\x00\x00\x00\x00\x00\x00": "vector of 1 elements has 9 bytes, want 8 at byte 8",
	} {
		dst := []float32{42}
		got, err := ParseBinary(dst, []byte(in))
		require.EqualError(t, err, want)
		require.ErrorAs(t, err, new(*SyntaxError))
		require.Equal(t, dst, got)
	}
	_, err := ParseHalfBinary(nil, []byte("\x00\x01\x00\x00\x00"))
	require.EqualError(t, err, "vector of 1 elements has 5 bytes, want 6 at byte 5")
}

func TestHalfBinary(t *testing.T) {
	v := []float32{1, -2, 0.1, 65504, 65519.996, 1e-8, -6e-8}
	b, err := AppendHalfBinary([]byte("x"), v)
	require.NoError(t, err)
	require.Equal(t, "x\x00\x07\x00\x00\x3c\x00\xc0\x00\x2e\x66\x7b\xff\x7b\xff\x00\x00\x80\x01", string(b))
	got, err := ParseHalfBinary([]float32{42}, b[1:])
	require.NoError(t, err)
	requireSameBits(t, []float32{42, 1, -2, 0.099975586, 65504, 65504, 0, -0x1p-24}, got)
}

func TestAppendHalfBinaryRefuses(t *testing.T) {
	for x, got := range map[float32]string{65520: "65520", -1e30: "-1e+30", float32(math.Inf(1)): "+Inf", float32(math.NaN()): "NaN"} {
		b, err := AppendHalfBinary([]byte("x"), []float32{1, x})
		require.Equal(t, &ValueError{"vector", 1, "a number below 65520 in size", got}, err)
		require.Equal(t, "x", string(b))
	}
}

// halfValue is the value of h by the definition of binary16.
func halfValue(h uint16) float64 {
	sign, exponent, fraction := 1-2*float64(h>>15), int(h>>10&31), float64(h&1023)
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -24)
	case 31:
		if fraction != 0 {
			return math.NaN()
		}
		return sign * math.Inf(1)
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}

func TestHalfEachValue(t *testing.T) {
	for u := range 1 << 16 {
		h := uint16(u)
		x, want := halfTo(h), halfValue(h)
		if math.IsNaN(want) {
			require.True(t, math.IsNaN(float64(x)))
			require.True(t, math.IsNaN(halfValue(halfFrom(x))))
			continue
		}
		if math.Float32bits(x) != math.Float32bits(float32(want)) || halfFrom(x) != h {
			t.Fatalf("%#04x is read as %v, want %v, and written as %#04x", h, x, want, halfFrom(x))
		}
	}
}

func TestHalfRounds(t *testing.T) {
	for h := range uint16(halfInf) {
		low, high := halfValue(h), halfValue(h+1)
		if h+1 == halfInf {
			high = 65536 // what would come next
		}
		middle, even := float32((low+high)/2), h+h&1
		for sign, s := range map[uint16]float32{0: 1, 1 << 15: -1} {
			below, above := math.Nextafter32(middle, 0), math.Nextafter32(middle, 1e6)
			got := [3]uint16{halfFrom(s * below), halfFrom(s * middle), halfFrom(s * above)}
			if want := [3]uint16{sign | h, sign | even, sign | (h + 1)}; got != want {
				t.Fatalf("around %v: %#04x, want %#04x", s*middle, got, want)
			}
		}
	}
}

func TestBinaryDoesNotAllocate(t *testing.T) {
	v := randomUnit(128)
	b, h := AppendBinary(nil, v), make([]byte, 0, 4+2*128)
	floats := make([]float32, 0, 128)
	require.Zero(t, testing.AllocsPerRun(100, func() { b = AppendBinary(b[:0], v) }))
	require.Zero(t, testing.AllocsPerRun(100, func() { floats, _ = ParseBinary(floats[:0], b) }))
	require.Zero(t, testing.AllocsPerRun(100, func() { h, _ = AppendHalfBinary(h[:0], v) }))
	require.Zero(t, testing.AllocsPerRun(100, func() { floats, _ = ParseHalfBinary(floats[:0], h) }))
}

func FuzzParseBinary(f *testing.F) {
	for _, s := range []string{"", "\x00\x01\x00\x00\x3f\x80\x00\x00", "\x00\x01\x00\x01\x3f\x80\x00\x00", "\xff\xff\x00\x00", "\x00\x02\x00\x00\x3f\x80\x00\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := ParseBinary(nil, b)
		if err != nil {
			require.ErrorAs(t, err, new(*SyntaxError))
			return
		}
		require.Equal(t, b, AppendBinary(nil, v))
	})
}

func FuzzParseHalfBinary(f *testing.F) {
	for _, s := range []string{"", "\x00\x01\x00\x00\x3c\x00", "\x00\x01\x00\x00\x7c\x00", "\x00\x02\x00\x00\x00\x01\xfe\x00", "\x00\x01\x00\x00\x3f\x80\x00\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := ParseHalfBinary(nil, b)
		if err != nil {
			require.ErrorAs(t, err, new(*SyntaxError))
			return
		}
		if finite, _ := survey(v); !finite {
			_, err = AppendHalfBinary(nil, v)
			require.ErrorAs(t, err, new(*ValueError))
			return
		}
		again, err := AppendHalfBinary(nil, v)
		require.NoError(t, err)
		require.Equal(t, b, again)
	})
}
