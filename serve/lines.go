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
	*heard // which in reads
	in     *bufio.Reader
	most   int64  // bytes of a line
	line   int64  // bytes of the line that is being read
	piece  []byte // of it, to be handed on
	err    error  // what ended the input, but for its end
}

func newLines(c *call, from io.Reader) *lines {
	h := &heard{pace: pace{from: from, c: c, while: c.o.Limits.Stall, rate: max(1, c.o.Limits.Rate/16)}}
	return &lines{in: bufio.NewReaderSize(h, 64<<10), most: c.o.Limits.Line, heard: h}
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

// heard is a body whose client may not be silent for long, nor slow. While records are
// stored it may be both, because it may wait for their lines.
type heard struct {
	pace
	mu      sync.Mutex
	stopped bool
	storing bool
	stored  time.Duration // what storing took, in which the client may have waited
}

// stop ends a Read that waits for the client, and all that follow.
func (h *heard) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
	_ = http.NewResponseController(h.c.w).SetReadDeadline(time.Unix(1, 0))
}

// during lets the client be silent while f stores records: it may wait for their lines.
func (h *heard) during(f func() error) error {
	begin := time.Now()
	h.allow(true, 0)
	defer func() { h.allow(false, time.Since(begin)) }()
	return f()
}

func (h *heard) allow(storing bool, stored time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.storing, h.stored = storing, h.stored+stored
	if !h.stopped {
		h.wait(h.c.o.Limits.Stall)
	}
}

// wait lets a Read that waits for the client do so for a while, or as long as records
// are stored.
func (h *heard) wait(while time.Duration) {
	if h.storing {
		while = unbounded
	}
	h.c.readUntil(time.Now().Add(while))
}

// unbounded is longer than any request takes.
const unbounded = 1000 * time.Hour

// waits gives the client a while to send more. It reports whether that is wanted.
func (h *heard) waits() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.stopped {
		h.wait(min(h.c.o.Limits.Stall, h.left()+h.stored))
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
