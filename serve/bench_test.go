package serve_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/pair"
	"github.com/vecwire/vecwire/serve"
)

const benchClients = 32

// BenchmarkSearchIDs sends searches for the IDs of the 10 nearest of 100,000 records
// of 384 dimensions (2,000 with -short) over 32 connections that stay open, as JSON
// and as base64. It pairs the handler with net/http alone, which reads as many bytes,
// makes the same search of the library, and writes as many bytes.
func BenchmarkSearchIDs(b *testing.B) {
	n := 100_000
	if testing.Short() {
		n = 2_000
	}
	const dim = 384
	db := openDB(b, "mem:")
	docs, err := db.CreateCollection(b.Context(), vecwire.Schema{Name: "docs", Dim: dim})
	require.NoError(b, err)
	rng := rand.New(rand.NewPCG(1, 1))
	centers := make([][]float32, 256) // as the texts of a topic are near each other
	for i := range centers {
		centers[i] = make([]float32, dim)
		for j := range centers[i] {
			centers[i][j] = float32(rng.NormFloat64())
		}
	}
	vector := func() []float32 {
		v := make([]float32, dim)
		for j, x := range centers[rng.IntN(len(centers))] {
			v[j] = x + float32(rng.NormFloat64())
		}
		return v
	}
	for at := 0; at < n; at += 1000 {
		records := make([]vecwire.Record, min(1000, n-at))
		for i := range records {
			records[i] = vecwire.Record{ID: fmt.Sprintf("doc-%06d", at+i), Vector: vector()}
		}
		require.NoError(b, docs.Upsert(b.Context(), records...))
	}
	require.NoError(b, docs.BuildIndex(b.Context(), vecwire.IndexOptions{}))
	q := vector()
	asJSON, err := json.Marshal(map[string]any{"vector": q, "k": 10, "ids_only": true})
	require.NoError(b, err)

	ours := listen(b, serve.New(db, serve.Options{}))
	for name, body := range map[string]string{"JSON": string(asJSON), "base64": fmt.Sprintf(`{"vector":%q,"k":10,"ids_only":true}`, base64.StdEncoding.EncodeToString(codec.AppendBlob(nil, q)))} {
		b.Run(name, func(b *testing.B) {
			request := "POST /v1/collections/docs/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
			size := len(client{t: b, url: "http://" + ours}.do("POST", "/v1/collections/docs/search", body).body)
			bare := func(search bool) string {
				return listen(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					if search {
						if _, err := docs.SearchMany(r.Context(), []vecwire.Query{{Vector: q, K: 10, IDsOnly: true}}); err != nil {
							http.Error(w, err.Error(), http.StatusInternalServerError)
							return
						}
					}
					w.Header().Set("Content-Type", "application/json")
					_, _ = w.Write(make([]byte, size))
				}))
			}
			for name, to := range map[string]string{"over net-http and the search": bare(true), "over net-http": bare(false)} {
				b.Run(name, func(b *testing.B) {
					const each = 20 // so that a call of the pair is 640 requests
					us, them := connect(b, ours, request), connect(b, to, request)
					pair.Run(b, func() { us.send(b, each) }, func() { them.send(b, each) })
				})
			}
		})
	}
}

// BenchmarkStoreRecords sends 10,000 records of 384 dimensions in a body, with lists of
// numbers and with base64, and pairs that with Upserts of them, of as many at a time as the
// server stores at a time. Both replace the records of a collection of their own, in a file.
func BenchmarkStoreRecords(b *testing.B) {
	const n, dim = 10_000, 384
	db := openDB(b, filepath.Join(b.TempDir(), "store.db"))
	rng := rand.New(rand.NewPCG(1, 1))
	records := make([]vecwire.Record, n)
	var lists, blobs strings.Builder
	for i := range records {
		v := make([]float32, dim)
		for j := range v {
			v[j] = float32(rng.NormFloat64())
		}
		records[i] = vecwire.Record{ID: fmt.Sprintf("doc-%06d", i), Vector: v}
		list, err := json.Marshal(v)
		require.NoError(b, err)
		fmt.Fprintf(&lists, "{\"id\":%q,\"vector\":%s}\n", records[i].ID, list)
		fmt.Fprintf(&blobs, "{\"id\":%q,\"vector\":%q}\n", records[i].ID, base64.StdEncoding.EncodeToString(codec.AppendBlob(nil, v)))
	}
	c := client{t: b, url: "http://" + listen(b, serve.New(db, serve.Options{}))}
	for name, body := range map[string]string{"lists": lists.String(), "base64": blobs.String()} {
		b.Run(name, func(b *testing.B) {
			theirs, err := db.CreateCollection(b.Context(), vecwire.Schema{Name: "library_" + name, Dim: dim, Index: vecwire.NoIndex})
			require.NoError(b, err)
			_, err = db.CreateCollection(b.Context(), vecwire.Schema{Name: "http_" + name, Dim: dim, Index: vecwire.NoIndex})
			require.NoError(b, err)
			pair.Run(b, func() {
				require.Contains(b, string(c.lines("/v1/collections/http_"+name+"/records?results=failed", body).body), `"stored":10000`)
			}, func() {
				for some := range slices.Chunk(records, db.Capabilities().BatchRecords) {
					require.NoError(b, theirs.Upsert(b.Context(), some...))
				}
			})
		})
	}
}

func listen(b *testing.B, h http.Handler) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	s := serve.Server(h)
	go func() { _ = s.Serve(l) }()
	b.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

// lean are connections whose clients do as little as can be, so that what is measured
// is the server: they send the same bytes again and read the length of the answer.
type lean struct {
	request []byte
	conns   []net.Conn
	readers []*bufio.Reader
}

func connect(b *testing.B, to, request string) *lean {
	l := &lean{request: []byte(request)}
	for range benchClients {
		c, err := net.Dial("tcp", to)
		require.NoError(b, err)
		b.Cleanup(func() { _ = c.Close() })
		l.conns, l.readers = append(l.conns, c), append(l.readers, bufio.NewReaderSize(c, 16<<10))
	}
	return l
}

// send makes requests over every connection at the same time.
func (l *lean) send(b *testing.B, each int) {
	var all sync.WaitGroup
	for i := range l.conns {
		all.Go(func() {
			for range each {
				if err := l.one(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

func (l *lean) one(i int) error {
	if _, err := l.conns[i].Write(l.request); err != nil {
		return err
	}
	r, length := l.readers[i], 0
	status, err := r.ReadString('\n')
	if err != nil || !strings.HasPrefix(status, "HTTP/1.1 200") {
		return fmt.Errorf("%s %w", status, err)
	}
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == 2 {
			break
		}
		if v, ok := strings.CutPrefix(string(line), "Content-Length: "); ok {
			if length, err = strconv.Atoi(strings.TrimSpace(v)); err != nil {
				return err
			}
		}
	}
	_, err = r.Discard(length)
	return err
}
