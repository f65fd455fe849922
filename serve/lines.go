package serve

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"sync"
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
	heard *heard
}

func newLines(c *call, from io.Reader) *lines {
	h := &heard{pace: pace{from: from, c: c, while: c.o.Limits.Stall, rate: max(1, c.o.Limits.Rate/16)}}
	return &lines{in: bufio.NewReaderSize(h, 64<<10), most: c.o.Limits.Line, heard: h}
}

// stop ends a Read that waits for the client, and all that follow.
func (l *lines) stop() { l.heard.stop() }

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
			l.err = unread(err)
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

// heard is a body whose client may not be silent for long, nor slow.
type heard struct {
	pace
	mu      sync.Mutex
	stopped bool
}

func (h *heard) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
	_ = http.NewResponseController(h.c.w).SetReadDeadline(time.Unix(1, 0))
}

// waits gives the client a while to send more. It reports whether that is wanted.
func (h *heard) waits() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.stopped {
		h.c.readUntil(time.Now().Add(min(h.c.o.Limits.Stall, h.left())))
	}
	return !h.stopped
}

func (h *heard) Read(b []byte) (int, error) {
	if !h.waits() {
		return 0, io.ErrUnexpectedEOF // the answer says why
	}
	return h.take(b)
}

// unread is the error of a body that could not be read.
func unread(err error) error {
	if _, ok := errors.AsType[*problem](err); ok {
		return err
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	return malformed("the body could not be read to its end")
}
