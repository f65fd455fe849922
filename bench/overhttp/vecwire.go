package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	_ "net/http/pprof" // has its handlers in the mux that bare hands their paths to
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/serve"
)

// vecwireServer is package serve over an embedded store, as `vecwire serve` is it.
type vecwireServer struct {
	p        *process
	keep     string // the folder of a store that is kept, "" for one that is not
	profiles string // the folder of profiles, "" for none
	kept     bool   // the store had all records at the start
}

func (v *vecwireServer) name() string      { return "vecwire" }
func (v *vecwireServer) process() *process { return v.p }

func (v *vecwireServer) start(ctx context.Context, dir string) error {
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if v.keep != "" {
		if dir, err = filepath.Abs(v.keep); err == nil {
			err = os.MkdirAll(dir, 0o700)
		}
		if err != nil {
			return err
		}
	}
	v.p, err = startProcess(ctx, dir, addr, program, "-serve", addr, "-dir", dir)
	return err
}

func (v *vecwireServer) url(path string) string { return "http://" + v.p.addr + path }

func (v *vecwireServer) load(ctx context.Context, d *data) error {
	if v.keep != "" {
		answer, err := call(ctx, "POST", v.url("/v1/collections/docs/count"), "application/json", []byte("{}"))
		if v.kept = err == nil; v.kept {
			if want := fmt.Sprintf(`{"count":%d}`, len(d.rows)); string(answer) != want {
				return fmt.Errorf("the store in %s has %s records, want %s: remove it", v.keep, answer, want)
			}
			return nil
		}
	}
	if _, err := call(ctx, "POST", v.url("/v1/collections"), "application/json", fmt.Appendf(nil, `{"name":"docs","dim":%d}`, dim)); err != nil {
		return err
	}
	var body bytes.Buffer
	for at := 0; at < len(d.rows); at += 5000 { // as many as Chroma takes at a time
		body.Reset()
		for i := at; i < min(at+5000, len(d.rows)); i++ {
			fmt.Fprintf(&body, `{"id":%q,"vector":%s}`+"\n", id(i), asBase64(d.rows[i]))
		}
		answer, err := call(ctx, "POST", v.url("/v1/collections/docs/records?results=failed"), "application/x-ndjson", body.Bytes())
		if err != nil {
			return err
		}
		if first, _, _ := bytes.Cut(answer, []byte("\n")); !bytes.Contains(first, []byte(`"done":true`)) {
			return fmt.Errorf("a record was refused: %s", first)
		}
	}
	return nil
}

func (v *vecwireServer) ready(ctx context.Context, _ *data) error {
	if v.kept {
		return nil
	}
	_, err := call(ctx, "POST", v.url("/v1/collections/docs/indexes"), "application/json", []byte("{}"))
	return err
}

// truth asks for the exact answers.
func (v *vecwireServer) truth(ctx context.Context, d *data) error {
	for _, q := range d.queries {
		body, err := call(ctx, "POST", v.url("/v1/collections/docs/search"), "application/json", fmt.Appendf(nil, `{"vector":%s,"k":%d,"ids_only":true,"exact":true}`, asBase64(q), k))
		if err != nil {
			return err
		}
		ids, err := vecwireIDs(body)
		if err != nil {
			return err
		}
		d.truth = append(d.truth, ids)
	}
	return nil
}

func vecwireIDs(body []byte) ([]string, error) {
	var answer struct{ Hits []struct{ ID string } }
	err := json.Unmarshal(body, &answer)
	ids := make([]string, len(answer.Hits))
	for i, h := range answer.Hits {
		ids[i] = h.ID
	}
	return ids, err
}

func (v *vecwireServer) searches(d *data) []search {
	const withSearch, alone = "net/http with the search", "net/http alone"
	ask := func(name, more string, as func([]float32) []byte) search {
		s := search{name: name, ids: vecwireIDs}
		if more == "" {
			s.like = withSearch
		}
		for _, q := range d.queries {
			s.requests = append(s.requests, post("/v1/collections/docs/search", fmt.Appendf(nil, `{"vector":%s,"k":%d,"ids_only":true%s}`, as(q), k, more)))
		}
		return s
	}
	bare := func(name, path string) search {
		s := search{name: name, before: func(ctx context.Context) error { return v.queries(ctx, d) }}
		for _, q := range d.queries {
			s.requests = append(s.requests, post(path, fmt.Appendf(nil, `{"vector":%s,"k":%d,"ids_only":true}`, asList(q), k)))
		}
		return s
	}
	out := []search{
		ask("the default effort", "", asList),
		ask("the default effort, vectors as base64", "", asBase64),
		bare(withSearch, bareSearch),
		bare(alone, bareBytes),
	}
	for _, effort := range []int{10, 16, 24, 32, 48, 64} {
		out = append(out, ask(fmt.Sprintf("effort %d", effort), fmt.Sprintf(`,"effort":%d`, effort), asList))
	}
	return out
}

// profile has the server take profiles of a search, if they are wanted.
func (v *vecwireServer) profile(ctx context.Context, name string, span time.Duration) func() error {
	if v.profiles == "" {
		return func() error { return nil }
	}
	take := func(kind string) error {
		body, err := call(ctx, "GET", v.url(fmt.Sprintf("/debug/pprof/%s?seconds=%d", kind, max(1, int(span.Seconds())))), "", nil)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(v.profiles, 0o700); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(v.profiles, strings.NewReplacer(" ", "-", "/", "-").Replace(name)+"."+kind), body, 0o600)
	}
	ended := make(chan error, 2)
	for _, kind := range []string{"profile", "allocs"} {
		go func() { ended <- take(kind) }()
	}
	return func() error { return errors.Join(<-ended, <-ended) }
}

// Paths of the handlers that are net/http alone.
const (
	bareSearch  = "/bare/search"
	bareBytes   = "/bare/bytes"
	bareQueries = "/bare/queries"
)

// queries tells the server what bareSearch searches for.
func (v *vecwireServer) queries(ctx context.Context, d *data) error {
	var body []byte
	for _, q := range d.queries {
		body = codec.AppendBlob(body, q)
	}
	_, err := call(ctx, "POST", v.url(bareQueries), "application/octet-stream", body)
	return err
}

// serveVecwire is the server's process.
func serveVecwire(ctx context.Context, o options) error {
	db, err := vecwire.Open(ctx, filepath.Join(o.dir, "store.db"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	l, err := net.Listen("tcp", o.serve)
	if err != nil {
		return err
	}
	b := &bare{db: db, next: serve.New(db, serve.Options{})}
	return serve.Run(ctx, serve.Server(b), l, time.Second)
}

// bare answers its paths as net/http does without more, and hands on the others.
type bare struct {
	db      *vecwire.DB
	next    http.Handler
	docs    *vecwire.Collection
	queries [][]float32
	asked   atomic.Int64
}

func (b *bare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/debug/pprof/") {
		http.DefaultServeMux.ServeHTTP(w, r)
		return
	}
	switch r.URL.Path {
	case bareQueries:
		body, err := io.ReadAll(r.Body)
		if err == nil {
			b.docs, err = b.db.OpenCollection(r.Context(), "docs")
		}
		for b.queries = nil; err == nil && len(body) > 0; body = body[4*dim:] {
			var q []float32
			q, err = codec.ParseBlob([]float32(nil), body[:4*dim])
			b.queries = append(b.queries, q)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	case bareSearch, bareBytes:
		_, _ = io.Copy(io.Discard, r.Body)
		if r.URL.Path == bareSearch {
			q := b.queries[int(b.asked.Add(1))%len(b.queries)]
			if _, err := b.docs.SearchMany(r.Context(), []vecwire.Query{{Vector: q, K: k, IDsOnly: true}}); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(make([]byte, 1000))
	default:
		b.next.ServeHTTP(w, r)
	}
}
