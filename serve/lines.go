package serve

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// lines reads a body of records. It bounds how long a line is, how long the client may be
// silent, and how slow it may be.
type lines struct {
	pace
	line    int64 // bytes of the line that is being read
	err     error // what ended the input, but for its end
	mu      sync.Mutex
	stopped bool
}

// stop ends a Read that waits for the client, and all that follow.
func (l *lines) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	_ = http.NewResponseController(l.c.w).SetReadDeadline(time.Unix(1, 0))
}

// waits gives the client a while to send more. It reports whether that is wanted.
func (l *lines) waits() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.stopped {
		l.c.readUntil(time.Now().Add(min(l.c.o.Limits.Stall, l.left())))
	}
	return !l.stopped
}

func (l *lines) Read(b []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	if !l.waits() {
		l.err = io.ErrUnexpectedEOF // the answer says why
		return 0, l.err
	}
	n, err := l.take(b)
	whole := 0 // bytes of b up to the end of a line that is not too long
	for part := range bytes.Lines(b[:n]) {
		if l.line += int64(len(part)); l.line > l.c.o.Limits.Line {
			break
		}
		if part[len(part)-1] == '\n' {
			l.line = 0
			whole += len(part)
		}
	}
	if l.line > l.c.o.Limits.Line {
		n = whole
		err = newProblem(http.StatusRequestEntityTooLarge, "too-large", "a record has more than %d bytes", l.c.o.Limits.Line)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = unread(err)
		l.err = err
	}
	return n, err
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
