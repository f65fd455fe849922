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
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

// hammer sends requests in their order over all clients' connections for a time. It
// returns how long each took, and how many answers there were from its sending to its own:
// as many as there are clients where they are answered in turn, whatever else the machine
// has to do.
func hammer(addr string, requests [][]byte, span time.Duration) (took []time.Duration, answers []int64, err error) {
	var all sync.WaitGroup
	var answered atomic.Int64
	tooks, places, errs := make([][]time.Duration, clients), make([][]int64, clients), make([]error, clients)
	end := time.Now().Add(span)
	for i := range clients {
		c, err := dial(addr)
		if err != nil {
			return nil, nil, err
		}
		defer c.close()
		all.Go(func() {
			for n := i * len(requests) / clients; ; n++ {
				begin, before := time.Now(), answered.Load()
				if begin.After(end) {
					return
				}
				if _, errs[i] = c.do(requests[n%len(requests)]); errs[i] != nil {
					return
				}
				tooks[i], places[i] = append(tooks[i], time.Since(begin)), append(places[i], answered.Add(1)-before)
			}
		})
	}
	all.Wait()
	took, answers = slices.Concat(tooks...), slices.Concat(places...)
	if len(took) == 0 {
		errs = append(errs, errors.New("no request was answered in time"))
	}
	return took, answers, errors.Join(errs...)
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
