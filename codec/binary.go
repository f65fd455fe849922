package codec

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/vecwire/vecwire/internal/simd/bswap"
)

// pgvector's binary form of a vector and of a halfvec: the number of elements
// and a zero, both int16, then the elements, float4 or half precision; all
// big-endian (pgvector, src/vector.c and src/halfvec.c, vector_send).
const (
	binaryHeader = 4
	maxBinaryDim = math.MaxInt16
)

// AppendBinary appends v to dst as pgvector's type vector sends and receives it.
// It does not allocate if dst has room for 4 + 4*len(v) bytes.
//
// The form holds 1 to 32,767 elements (pgvector's limit is 16,000). The header
// of a longer v says 0 elements, which pgvector and ParseBinary refuse.
func AppendBinary(dst []byte, v []float32) []byte {
	dst = slices.Grow(dst, binaryHeader+4*len(v))
	dst = appendBinaryHeader(dst, len(v))
	dst, out := extend(dst, 4*len(v))
	copyBigEndian(out, memory(v))
	return dst
}

// ParseBinary reads one vector in the form of AppendBinary from all of b,
// appends its elements to dst, and returns the result; it does not allocate if
// dst has room. On an error it returns dst as it was, and a *SyntaxError. It
// does not look at the elements: that is for Check.
func ParseBinary(dst []float32, b []byte) ([]float32, error) {
	dim, err := binaryDim(b, 4)
	if err != nil {
		return dst, err
	}
	dst, out := extend(dst, dim)
	copyBigEndian(memory(out), b[binaryHeader:])
	return dst, nil
}

// copyBigEndian copies float32s in the machine's byte order to big-endian ones,
// or the other way round. Both slices have the same length, a multiple of 4.
func copyBigEndian(dst, src []byte) {
	if !littleEndian {
		copy(dst, src)
		return
	}
	bswap.Reverse4(dst, src)
}

// AppendHalfBinary appends v to dst as pgvector's type halfvec sends and
// receives it, each element rounded to the nearest half-precision float, ties
// to even. It returns dst as it was and a *ValueError if an element is NaN or
// rounds to infinity: from 65,520 on. The limits of AppendBinary hold.
func AppendHalfBinary(dst []byte, v []float32) ([]byte, error) {
	out := slices.Grow(dst, binaryHeader+2*len(v))
	out = appendBinaryHeader(out, len(v))
	for i, x := range v {
		h := halfFrom(x)
		if h&halfInf == halfInf {
			return dst, &ValueError{Field: "vector", Pos: i, Want: "a number below 65520 in size", Got: fmt.Sprint(x)}
		}
		out = binary.BigEndian.AppendUint16(out, h)
	}
	return out, nil
}

// ParseHalfBinary reads one halfvec in the form of AppendHalfBinary from all of
// b; each element becomes the float32 of the same value. All else is as in
// ParseBinary.
func ParseHalfBinary(dst []float32, b []byte) ([]float32, error) {
	dim, err := binaryDim(b, 2)
	if err != nil {
		return dst, err
	}
	dst, out := extend(dst, dim)
	b = b[binaryHeader:]
	for i := range out {
		out[i] = halfTo(binary.BigEndian.Uint16(b[2*i:]))
	}
	return dst, nil
}

func appendBinaryHeader(dst []byte, dim int) []byte {
	if dim > maxBinaryDim {
		dim = 0
	}
	return append(dst, byte(dim>>8), byte(dim), 0, 0)
}

// binaryDim checks the header of b, whose elements take size bytes each, against
// its length, and returns the number of elements.
func binaryDim(b []byte, size int) (int, error) {
	if len(b) < binaryHeader {
		return 0, &SyntaxError{Offset: int64(len(b)), Msg: "vector ends inside its header"}
	}
	dim := int(int16(binary.BigEndian.Uint16(b)))
	if dim < 1 {
		return 0, &SyntaxError{Offset: 0, Msg: fmt.Sprintf("vector says it has %d elements", dim)}
	}
	if b[2] != 0 || b[3] != 0 {
		return 0, &SyntaxError{Offset: 2, Msg: "the unused field of the vector is not zero"}
	}
	if want := binaryHeader + dim*size; len(b) != want {
		return 0, &SyntaxError{
			Offset: int64(min(len(b), want)),
			Msg:    fmt.Sprintf("vector of %d elements has %d bytes, want %d", dim, len(b), want),
		}
	}
	return dim, nil
}

// extend makes dst longer by n elements, which are not cleared, and returns it
// and the new part.
func extend[T any](dst []T, n int) (all, added []T) {
	all = slices.Grow(dst, n)[:len(dst)+n]
	return all, all[len(dst):]
}
