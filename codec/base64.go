package codec

import (
	"encoding/base64"
	"errors"
	"fmt"
)

// ParseBase64 reads elements of T from all of s, appends them to dst, and returns the
// result: standard base64, with padding, of what AppendBlob writes, which is a third of
// the bytes of a list of numbers in JSON. If s is anything else, it returns dst as it was
// and a *SyntaxError. It does not look at the elements: that is for Check.
func ParseBase64[T Float](dst []T, s []byte) ([]T, error) {
	var room [16 << 10]byte // most vectors need no more
	b, err := base64.StdEncoding.AppendDecode(room[:0], s)
	if bad, ok := errors.AsType[base64.CorruptInputError](err); ok {
		return dst, &SyntaxError{Offset: int64(bad), Msg: fmt.Sprintf("not base64 of %d bytes an element", ElementOf[T]().Size())}
	}
	return ParseBlob(dst, b)
}
