package transfer

import (
	"bytes"
	"fmt"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
)

// vectorValue gives a record the vector that a JSON value is: an array of numbers, or
// base64 of the bytes of its elements.
func vectorValue(r *vecwire.Record, s vecwire.Schema, value []byte) (err error) {
	switch {
	case value[0] == '[':
		return parseVector(r, s, value)
	case s.Element == vecwire.DOUBLE:
		r.Vector64, err = fromBase64[float64]("vector", value)
	default:
		r.Vector, err = fromBase64[float32]("vector", value)
	}
	return err
}

// fromBase64 reads a JSON string that is base64 of the little-endian bytes of elements.
func fromBase64[T codec.Float](field string, value []byte) ([]T, error) {
	if value[0] == '"' {
		encoded := value[1 : len(value)-1]
		if bytes.IndexByte(encoded, '\\') >= 0 { // some write \/ for /
			s, err := unquote(field, value)
			if err != nil {
				return nil, err
			}
			encoded = []byte(s)
		}
		if v, err := codec.ParseBase64([]T(nil), encoded); err == nil {
			return v, nil
		}
	}
	return nil, mismatch(field, fmt.Sprintf("an array of numbers, or base64 of %d bytes for each", codec.ElementOf[T]().Size()), value)
}
