package codec

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"
)

// littleEndian says whether floats in memory are what a blob holds.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// AppendBlob appends the elements of v to dst, little-endian, with nothing
// before or between them: 4 or 8 bytes an element. It does not allocate if dst
// has room.
func AppendBlob[T Float](dst []byte, v []T) []byte {
	if littleEndian {
		return append(dst, memory(v)...)
	}
	return appendBlobPortable(dst, v)
}

// ParseBlob reads elements of T, as AppendBlob writes them, from all of b,
// appends them to dst, and returns the result; it does not allocate if dst has
// room. If b is empty or ends inside an element, it returns dst as it was and a
// *SyntaxError. It does not look at the elements: that is for Check.
func ParseBlob[T Float](dst []T, b []byte) ([]T, error) {
	size := ElementOf[T]().Size()
	if n := len(b); n == 0 || n%size != 0 {
		return dst, &SyntaxError{
			Offset: int64(n - n%size),
			Msg:    fmt.Sprintf("blob has %d bytes, want a multiple of %d", n, size),
		}
	}
	dst, out := extend(dst, len(b)/size)
	if littleEndian {
		copy(memory(out), b)
	} else {
		parseBlobPortable(out, b)
	}
	return dst, nil
}

// memory returns the bytes in which v is kept. Any bytes are a float, so they
// may be written as well as read.
func memory[T Float](v []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*ElementOf[T]().Size())
}

func appendBlobPortable[T Float](dst []byte, v []T) []byte {
	double := ElementOf[T]() == DOUBLE
	for _, x := range v {
		if double {
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(float64(x)))
		} else {
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(x)))
		}
	}
	return dst
}

// parseBlobPortable fills out from b, which has as many bytes.
func parseBlobPortable[T Float](out []T, b []byte) {
	double := ElementOf[T]() == DOUBLE
	for i := range out {
		if double {
			out[i] = T(math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:])))
		} else {
			out[i] = T(math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:])))
		}
	}
}
