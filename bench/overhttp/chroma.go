package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"time"
)

// chromaServer is `chroma run`, which is written in Rust.
type chromaServer struct {
	program string
	p       *process
	id      string // of the collection
	effort  int    // ef_search, which is given when the collection is made: one that is changed later has no effect on an index in use
}

func (c *chromaServer) name() string      { return "Chroma" }
func (c *chromaServer) process() *process { return c.p }

func (c *chromaServer) start(ctx context.Context, dir string) error {
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	c.p, err = startProcess(ctx, dir, addr, c.program, "run", "--path", filepath.Join(dir, "chroma"), "--host", host, "--port", port)
	return err
}

func (c *chromaServer) profile(context.Context, string, time.Duration) func() error {
	return func() error { return nil }
}

func (c *chromaServer) path(more string) string {
	return "/api/v2/tenants/default_tenant/databases/default_database/collections" + more
}

func (c *chromaServer) url(path string) string { return "http://" + c.p.addr + path }

func (c *chromaServer) load(ctx context.Context, d *data) error {
	answer, err := call(ctx, "GET", c.url("/api/v2/pre-flight-checks"), "application/json", nil)
	if err != nil {
		return err
	}
	var can struct {
		Batch  int  `json:"max_batch_size"`
		Base64 bool `json:"supports_base64_encoding"`
	}
	if err := json.Unmarshal(answer, &can); err != nil {
		return err
	}
	answer, err = call(ctx, "POST", c.url(c.path("")), "application/json", fmt.Appendf(nil, `{"name":"docs","configuration":{"hnsw":{"space":"cosine","ef_search":%d}}}`, c.effort))
	if err != nil {
		return err
	}
	var made struct{ ID string }
	if err := json.Unmarshal(answer, &made); err != nil {
		return err
	}
	c.id = made.ID
	as := asList
	if can.Base64 {
		as = asBase64
	}
	batch := min(5000, can.Batch)
	for at := 0; at < len(d.rows); at += batch {
		var ids, vectors bytes.Buffer
		for i := at; i < min(at+batch, len(d.rows)); i++ {
			if i > at {
				ids.WriteByte(',')
				vectors.WriteByte(',')
			}
			fmt.Fprintf(&ids, "%q", id(i))
			vectors.Write(as(d.rows[i]))
		}
		if _, err := call(ctx, "POST", c.url(c.path("/"+c.id+"/add")), "application/json", fmt.Appendf(nil, `{"ids":[%s],"embeddings":[%s]}`, ids.Bytes(), vectors.Bytes())); err != nil {
			return err
		}
	}
	return nil
}

// ready asks one query, which waits for the records that are not in the index yet.
func (c *chromaServer) ready(ctx context.Context, d *data) error {
	_, err := call(ctx, "POST", c.url(c.path("/"+c.id+"/query")), "application/json", c.query(d.queries[0]))
	return err
}

func (c *chromaServer) query(q []float32) []byte {
	return fmt.Appendf(nil, `{"query_embeddings":[%s],"n_results":%d,"include":[]}`, asList(q), k)
}

func (c *chromaServer) searches(d *data) []search {
	s := search{name: fmt.Sprintf("ef_search %d", c.effort), ids: chromaIDs}
	for _, q := range d.queries {
		s.requests = append(s.requests, post(c.path("/"+c.id+"/query"), c.query(q)))
	}
	return []search{s}
}

func chromaIDs(body []byte) ([]string, error) {
	var answer struct{ IDs [][]string }
	if err := json.Unmarshal(body, &answer); err != nil || len(answer.IDs) != 1 {
		return nil, fmt.Errorf("%w: %s", err, body)
	}
	return answer.IDs[0], nil
}
