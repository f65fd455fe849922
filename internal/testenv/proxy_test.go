package testenv

import (
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// echo starts a server that sends back what it gets and returns its address.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return l.Addr().String()
}

func dial(t *testing.T, p *TCPProxy) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

// say sends text and reads n bytes of the answer.
func say(conn net.Conn, text string, n int) (string, error) {
	if _, err := io.WriteString(conn, text); err != nil {
		return "", err
	}
	b := make([]byte, n)
	got, err := io.ReadFull(conn, b)
	return string(b[:got]), err
}

func TestProxyPassesBytesAndTheirEnd(t *testing.T) {
	conn := dial(t, Proxy(t, echo(t)))
	_, err := io.WriteString(conn, "all of it")
	require.NoError(t, err)
	require.NoError(t, conn.CloseWrite())
	b, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Equal(t, "all of it", string(b))
}

func TestProxyCutsAfterBytes(t *testing.T) {
	for name, d := range map[string]Direction{"to server": ToServer, "to client": ToClient} {
		t.Run(name, func(t *testing.T) {
			p := Proxy(t, echo(t))
			first, second := dial(t, p), dial(t, p)
			p.CutAfter(d, 6)
			got, err := say(first, "abcd", 4)
			require.NoError(t, err)
			require.Equal(t, "abcd", got)
			got, err = say(first, "efgh", 4)
			require.Error(t, err)
			require.LessOrEqual(t, len(got), 2)
			got, err = say(second, "free", 4)
			require.NoError(t, err, "another connection lives on, and the limit is used up")
			require.Equal(t, "free", got)
		})
	}
}

func TestProxyCutsAll(t *testing.T) {
	p := Proxy(t, echo(t))
	conns := []net.Conn{dial(t, p), dial(t, p)}
	for _, conn := range conns {
		_, err := say(conn, "a", 1)
		require.NoError(t, err)
	}
	require.Equal(t, 2, p.Open())
	p.Cut()
	for _, conn := range conns {
		_, err := conn.Read(make([]byte, 1))
		require.ErrorIs(t, err, syscall.ECONNRESET)
	}
	require.Equal(t, 2, p.Accepted())
}

func TestProxyStalls(t *testing.T) {
	p := Proxy(t, echo(t))
	conn := dial(t, p)
	p.Stall()
	_, err := io.WriteString(conn, "late")
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
	_, err = conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "nothing comes")
	require.NoError(t, conn.SetReadDeadline(time.Time{}))
	p.Resume()
	got, err := say(conn, "", 4)
	require.NoError(t, err)
	require.Equal(t, "late", got)
}

func TestProxyRefuses(t *testing.T) {
	p := Proxy(t, echo(t))
	open := dial(t, p)
	_, err := say(open, "a", 1)
	require.NoError(t, err)
	p.Refuse()
	_, err = net.Dial("tcp", p.Addr())
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	_, err = say(open, "b", 1)
	require.NoError(t, err, "open connections stay")
	require.NoError(t, p.Accept())
	_, err = say(dial(t, p), "c", 1)
	require.NoError(t, err)
}

func TestProxyBeforeNothingResets(t *testing.T) {
	port, err := freePort()
	require.NoError(t, err)
	conn, err := net.Dial("tcp", Proxy(t, loopback(port)).Addr())
	if err == nil { // the reset may come before or after
		defer conn.Close()
		_, err = say(conn, "a", 1)
	}
	require.ErrorIs(t, err, syscall.ECONNRESET)
}
