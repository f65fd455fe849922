package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/vecwire/vecwire"
)

// errLongLine is of a line that was passed over, because it is too long or its reader
// refused it.
var errLongLine = errors.New("line is too long")

// lineReader reads lines that are not blank.
type lineReader struct {
	r      *bufio.Reader
	number int // of the line, from 1
	max    int // bytes of a line
	long   []byte
}

func newLineReader(r io.Reader) lineReader {
	buffered, ok := r.(*bufio.Reader)
	if !ok {
		buffered = bufio.NewReaderSize(r, 64<<10)
	}
	return lineReader{r: buffered, max: MaxLine}
}

// next returns the next line, valid until it is called again. It returns io.EOF
// after the last, and an errLongLine for one that it has passed over.
func (l *lineReader) next() ([]byte, error) {
	for {
		line, err := l.read()
		if l.number == 1 {
			line = bytes.TrimPrefix(line, []byte(bom))
		}
		if err != nil || len(bytes.TrimSpace(line)) > 0 {
			return line, err
		}
	}
}

// refusesLine reports whether a reader refuses the line that it is in, and goes on.
func refusesLine(err error) bool {
	_, refuses := errors.AsType[*vecwire.RecordError](err)
	return refuses
}

func (l *lineReader) read() ([]byte, error) {
	if cap(l.long) > 1<<20 {
		l.long = nil
	}
	l.long = l.long[:0]
	l.number++
	size := 0
	for {
		piece, err := l.r.ReadSlice('\n')
		size += len(piece)
		if size <= l.max {
			if err == nil && len(l.long) == 0 {
				return piece, nil
			}
			l.long = append(l.long, piece...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && size == 0:
			return nil, io.EOF
		case refusesLine(err):
			return nil, fmt.Errorf("%w: %w", errLongLine, err)
		case err != nil && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("transfer: read line %d: %w", l.number, err)
		case size > l.max:
			return nil, fmt.Errorf("%w: it has %d bytes, want at most %d", errLongLine, size, l.max)
		}
		return l.long, nil
	}
}
