package serve

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// pace bounds how long a request holds its place for a client that sends its body slowly:
// the client may wait for a while in all, and for as much longer as its bytes take at the
// least rate. Only the time counts in which the server waits for it.
type pace struct {
	from   io.Reader
	c      *call
	while  time.Duration
	rate   int64 // bytes a second
	read   int64
	waited time.Duration
	set    int64 // up to which byte a deadline holds already
}

// maxPatience is how long the client of a body of JSON may wait in all.
const maxPatience = 5 * time.Second

// aheadBytes is for how many bytes one deadline holds: most bodies need one.
const aheadBytes = 64 << 10

// left returns how long the client may take for the next bytes.
func (p *pace) left() time.Duration {
	return p.while - p.waited + time.Duration(float64(p.read+aheadBytes)/float64(p.rate)*float64(time.Second))
}

// Read reads from a body of JSON.
func (p *pace) Read(b []byte) (int, error) {
	if p.read >= p.set {
		p.c.readUntil(time.Now().Add(p.left()))
		p.set = p.read + aheadBytes/2
	}
	return p.take(b)
}

func (p *pace) take(b []byte) (int, error) {
	begin := time.Now()
	n, err := p.from.Read(b)
	p.waited += time.Since(begin)
	p.read += int64(n)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = newProblem(http.StatusRequestTimeout, "too-slow", "the body came slower than %d bytes a second", p.rate)
	}
	return n, err
}

// readUntil sets the time by which the client must have sent more. It is not later than
// the end of the request's time, nor than what the server allows by itself.
func (c *call) readUntil(at time.Time) {
	if end, ok := c.ctx.Deadline(); ok && end.Before(at) {
		at = end
	}
	if s, ok := c.r.Context().Value(http.ServerContextKey).(*http.Server); ok && s.ReadTimeout > 0 && !c.route.long {
		if end := c.begun.Add(s.ReadTimeout); end.Before(at) {
			at = end
		}
	}
	_ = http.NewResponseController(c.w).SetReadDeadline(at)
}
