package serve

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/vecwire/vecwire"
)

// lines reads a body of records. A line that is too long is passed over, and the error in
// its place refuses that record: see [transfer.ReadJSONL].
type lines struct {
	in    *bufio.Reader
	most  int64  // bytes of a line
	line  int64  // bytes of the line that is being read
	piece []byte // of it, to be handed on
	err   error  // what ended the input, but for its end
}

func newLines(c *call, from io.Reader) *lines {
	return &lines{in: bufio.NewReaderSize(&heard{from, c}, 64<<10), most: c.o.Limits.Line}
}

func (l *lines) Read(b []byte) (int, error) {
	if len(l.piece) == 0 {
		if err := l.next(); err != nil {
			return 0, err
		}
	}
	n := copy(b, l.piece)
	l.piece = l.piece[n:]
	return n, nil
}

// next reads the next piece of a line.
func (l *lines) next() error {
	for l.err == nil {
		piece, err := l.in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && !errors.Is(err, io.EOF) {
			l.err = err
			if _, ok := errors.AsType[*http.MaxBytesError](err); !ok {
				l.err = malformed("the body could not be read to its end")
			}
			break
		}
		l.line += int64(len(piece))
		over, whole := l.line > l.most, !errors.Is(err, bufio.ErrBufferFull)
		if whole {
			l.line = 0
		}
		switch {
		case over && whole:
			return &vecwire.RecordError{Err: newProblem(http.StatusRequestEntityTooLarge, "too-large", "the record has more than %d bytes", l.most)}
		case over:
		case len(piece) > 0:
			l.piece = piece
			return nil
		default:
			return io.EOF
		}
	}
	return l.err
}

// heard is a body whose client may not be silent for long.
type heard struct {
	io.Reader

	c *call
}

func (h *heard) Read(b []byte) (int, error) {
	_ = http.NewResponseController(h.c.w).SetReadDeadline(time.Now().Add(h.c.o.Limits.Stall))
	return h.Reader.Read(b)
}
