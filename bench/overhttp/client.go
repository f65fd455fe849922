package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// post returns the bytes of a request with a body of JSON.
func post(path string, body []byte) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}

// conn is a connection that stays open.
type conn struct {
	c net.Conn
	r *bufio.Reader
}

func dial(addr string) (*conn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &conn{c, bufio.NewReaderSize(c, 16<<10)}, nil
}

func (c *conn) close() { _ = c.c.Close() }

// do sends a request, and returns the answer's body.
func (c *conn) do(request []byte) ([]byte, error) {
	if _, err := c.c.Write(request); err != nil {
		return nil, err
	}
	r, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", r.Status, body)
	}
	return body, err
}

// hammer sends requests in their order over all clients' connections for a time, and
// returns how long each took.
func hammer(addr string, requests [][]byte, span time.Duration) ([]time.Duration, error) {
	var all sync.WaitGroup
	took, errs := make([][]time.Duration, clients), make([]error, clients)
	end := time.Now().Add(span)
	for i := range clients {
		c, err := dial(addr)
		if err != nil {
			return nil, err
		}
		defer c.close()
		all.Go(func() {
			for n := i * len(requests) / clients; ; n++ {
				begin := time.Now()
				if begin.After(end) {
					return
				}
				if _, errs[i] = c.do(requests[n%len(requests)]); errs[i] != nil {
					return
				}
				took[i] = append(took[i], time.Since(begin))
			}
		})
	}
	all.Wait()
	var out []time.Duration
	for _, t := range took {
		out = append(out, t...)
	}
	if len(out) == 0 {
		errs = append(errs, errors.New("no request was answered in time"))
	}
	return out, errors.Join(errs...)
}

// call sends one request by net/http's client, for what is not measured by the request.
func call(ctx context.Context, method, url, mediaType string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", mediaType)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	out, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", method, url, answer.Status, strings.TrimSpace(string(out[:min(len(out), 500)])))
	}
	return out, err
}
