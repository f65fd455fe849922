package testenv

import (
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Direction is one of the two directions through a proxy.
type Direction int

const (
	// ToServer is the direction from the client to the server.
	ToServer Direction = iota
	// ToClient is the direction from the server to the client.
	ToClient
)

// TCPProxy passes connections to a server on and makes them fail as told. Its
// methods may be called at any time, from any goroutine.
type TCPProxy struct {
	upstream string
	addr     string

	mu       sync.Mutex
	changed  *sync.Cond // stalled, closed, or a link has been cut
	listener net.Listener
	links    map[*link]struct{}
	accepted int
	fuse     [2]int64 // bytes that still pass in a direction; negative: no limit
	stalled  bool
	closed   bool
	running  sync.WaitGroup
}

// link is one connection through the proxy.
type link struct {
	client, server *net.TCPConn
	cut            bool
}

// Proxy starts a proxy on loopback before the server at upstream, which is
// host:port. It is closed when the test ends.
func Proxy(t testing.TB, upstream string) *TCPProxy {
	t.Helper()
	p := &TCPProxy{upstream: upstream, links: make(map[*link]struct{}), fuse: [2]int64{-1, -1}}
	p.changed = sync.NewCond(&p.mu)
	port, err := freePort()
	if err != nil {
		t.Fatalf("start proxy: %v", err)
	}
	p.addr = loopback(port)
	if err := p.Accept(); err != nil {
		t.Fatalf("start proxy: %v", err)
	}
	t.Cleanup(p.close)
	return p
}

// Addr returns the proxy's address as host:port.
func (p *TCPProxy) Addr() string { return p.addr }

// URL returns the given URL with the proxy's address in place of the server's.
func (p *TCPProxy) URL(t testing.TB, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("proxy: the server is not given as a URL")
	}
	u.Host = p.addr
	return u.String()
}

// Accepted returns how many connections clients have made.
func (p *TCPProxy) Accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

// Open returns how many connections are open.
func (p *TCPProxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
}

// CutAfter lets n more bytes pass in the given direction, counted over all
// connections, and resets the connection that would carry the next one. After
// that, bytes pass freely again. CutAfter(d, 0) resets the first connection that
// is used in that direction.
func (p *TCPProxy) CutAfter(d Direction, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fuse[d] = n
}

// Cut resets all open connections.
func (p *TCPProxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		p.cut(l)
	}
}

// Stall holds all bytes back, in both directions, until Resume. Connections are
// accepted still.
func (p *TCPProxy) Stall() { p.setStalled(true) }

// Resume ends a stall; what was held back goes on.
func (p *TCPProxy) Resume() { p.setStalled(false) }

func (p *TCPProxy) setStalled(stalled bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = stalled
	p.changed.Broadcast()
}

// Refuse closes the port: new connections are refused until Accept. Open ones
// stay.
func (p *TCPProxy) Refuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
}

// Accept opens the port again after Refuse.
func (p *TCPProxy) Accept() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil || p.closed {
		return nil
	}
	l, err := net.Listen("tcp", p.addr)
	if err != nil {
		return err
	}
	p.listener = l
	p.running.Go(func() { p.serve(l) })
	return nil
}

func (p *TCPProxy) close() {
	p.Refuse()
	p.mu.Lock()
	p.closed = true
	for l := range p.links {
		p.cut(l)
	}
	p.mu.Unlock()
	p.running.Wait()
}

// serve accepts connections until the listener is closed.
func (p *TCPProxy) serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.pass(conn.(*net.TCPConn)) })
	}
}

// pass connects the client to the server and returns when both have ended.
func (p *TCPProxy) pass(client *net.TCPConn) {
	p.mu.Lock()
	p.accepted++
	p.mu.Unlock()
	server, err := net.DialTimeout("tcp", p.upstream, readyTimeout)
	if err != nil {
		reset(client)
		return
	}
	l := &link{client: client, server: server.(*net.TCPConn)}
	p.mu.Lock()
	p.links[l] = struct{}{}
	if p.closed {
		p.cut(l)
	}
	p.mu.Unlock()

	var both sync.WaitGroup
	both.Go(func() { p.copy(l, ToServer, l.server, l.client) })
	both.Go(func() { p.copy(l, ToClient, l.client, l.server) })
	both.Wait()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
	_ = l.client.Close()
	_ = l.server.Close()
}

// copy passes bytes from one side to the other until one has ended or the link
// is cut.
func (p *TCPProxy) copy(l *link, d Direction, to, from *net.TCPConn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			n, alive := p.admit(l, d, n)
			if _, err := to.Write(buf[:n]); err != nil || !alive {
				p.mu.Lock()
				p.cut(l)
				p.mu.Unlock()
				return
			}
		}
		if errors.Is(err, io.EOF) {
			_ = to.CloseWrite()
			return
		}
		if err != nil {
			p.mu.Lock()
			p.cut(l)
			p.mu.Unlock()
			return
		}
	}
}

// admit waits while the proxy is stalled, and says how many of n bytes may pass
// and whether the link lives on after them.
func (p *TCPProxy) admit(l *link, d Direction, n int) (int, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.stalled && !l.cut {
		p.changed.Wait()
	}
	switch {
	case l.cut:
		return 0, false
	case p.fuse[d] < 0:
		return n, true
	case p.fuse[d] >= int64(n):
		p.fuse[d] -= int64(n)
		return n, true
	}
	pass := int(p.fuse[d])
	p.fuse[d] = -1
	return pass, false
}

// cut resets both sides of the link. The caller holds p.mu.
func (p *TCPProxy) cut(l *link) {
	if l.cut {
		return
	}
	l.cut = true
	p.changed.Broadcast()
	reset(l.client)
	reset(l.server)
}

// reset closes the connection with a TCP reset.
func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}
