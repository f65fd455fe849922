package codec

import (
	"fmt"
	"strconv"
)

// Models also give vectors of signed bytes, and of bits. Both are kept exactly as FLOAT or
// DOUBLE vectors: every signed byte is a float32, and a bit is +1 or -1. Vectors of bytes
// that a model has scaled are compared by Cosine. Of two vectors of n bits that differ in
// h, the dot product is n - 2h and the cosine 1 - 2h/n, so both order by Hamming distance.

// ParseInt8 appends the elements of a vector of signed bytes to dst, exactly.
func ParseInt8[T Float](dst []T, v []int8) []T {
	for _, x := range v {
		dst = append(dst, T(x))
	}
	return dst
}

// AppendInt8 appends the elements of v to dst as signed bytes: the reverse of
// [ParseInt8]. An element that is not a whole number from -128 to 127 gives a
// [*ValueError], and dst as it was; -0 is 0.
func AppendInt8[T Float](dst []int8, v []T) ([]int8, error) {
	out := dst
	for i, x := range v {
		code := int8(max(-128, min(127, x))) // of NaN it is any
		if T(code) != x {
			return dst, &ValueError{Field: "vector", Pos: i, Want: "a whole number from -128 to 127", Got: inFull(x)}
		}
		out = append(out, code)
	}
	return out, nil
}

// ParseBits appends the elements of a vector of dim bits to dst: 1 for a bit that is set,
// and -1 for one that is not. The first element is the highest bit of the first byte, as
// in numpy.packbits, pgvector's type bit and the ubinary embeddings of Cohere. Bits that
// pad the last byte are not set.
//
// It returns a [*DimensionError] with the number of bits for too few bytes or too many, a
// [*ValueError] for a dim below 1 or for padding that is set, and dst as it was.
func ParseBits[T Float](dst []T, packed []byte, dim int) ([]T, error) {
	if dim < 1 {
		return dst, &ValueError{Field: "dim", Pos: -1, Want: "1 or more", Got: strconv.Itoa(dim)}
	}
	if len(packed) != (dim+7)/8 {
		return dst, &DimensionError{Want: dim, Got: 8 * len(packed)}
	}
	if rest := dim % 8; rest != 0 && packed[len(packed)-1]<<rest != 0 {
		return dst, &ValueError{Field: "vector", Pos: dim, Want: "no bit that is set after the last element", Got: fmt.Sprintf("%08b", packed[len(packed)-1])}
	}
	for i := range dim {
		x := T(-1)
		if packed[i/8]>>(7-i%8)&1 == 1 {
			x = 1
		}
		dst = append(dst, x)
	}
	return dst, nil
}

// AppendBits appends the elements of v to dst as bits: the reverse of [ParseBits]. An
// element that is neither 1 nor -1 gives a [*ValueError], and dst as it was.
func AppendBits[T Float](dst []byte, v []T) ([]byte, error) {
	out := dst
	for i, x := range v {
		if i%8 == 0 {
			out = append(out, 0)
		}
		switch x {
		case 1:
			out[len(out)-1] |= 1 << (7 - i%8)
		case -1:
		default:
			return dst, &ValueError{Field: "vector", Pos: i, Want: "1 or -1", Got: inFull(x)}
		}
	}
	return out, nil
}

func inFull[T Float](x T) string { return strconv.FormatFloat(float64(x), 'g', -1, 64) }
