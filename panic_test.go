package vecwire_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

// mine is a caller's code that panics when it is armed: an Observer, an Embedder, a
// Reranker, the handler of a log and a Tracer.
type mine struct {
	mu    sync.Mutex
	armed string // where
	begun map[vecwire.Op]int
	ended map[vecwire.Op]int
	errs  map[vecwire.Op]error // the last
}

func (m *mine) arm(where string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.armed = where
}

func (m *mine) passes(where string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.armed == where {
		panic("boom in " + where)
	}
}

func (m *mine) Begin(ctx context.Context, call vecwire.Call) (context.Context, func(vecwire.Outcome)) {
	m.passes("Begin")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begun[call.Op]++
	return ctx, func(o vecwire.Outcome) {
		m.mu.Lock()
		m.ended[call.Op]++
		m.errs[call.Op] = o.Err
		m.mu.Unlock()
		m.passes("end")
	}
}

func (m *mine) Model() string { return "mine" }
func (m *mine) Dim() int      { return 2 }
func (m *mine) Embed(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
	m.passes("Embed")
	out := make([][]float32, len(texts))
	for i, t := range texts {
		out[i] = []float32{1, float32(len(t))}
	}
	return out, nil
}

func (m *mine) Rerank(_ context.Context, _ string, texts []string) ([]float64, error) {
	m.passes("Rerank")
	return make([]float64, len(texts)), nil
}

func (m *mine) Enabled(context.Context, slog.Level) bool  { m.passes("log"); return true }
func (m *mine) Handle(context.Context, slog.Record) error { m.passes("log"); return nil }
func (m *mine) WithAttrs([]slog.Attr) slog.Handler        { m.passes("log"); return m }
func (m *mine) WithGroup(string) slog.Handler             { m.passes("log"); return m }
func (m *mine) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	m.passes("trace")
	return ctx
}
func (m *mine) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) { m.passes("trace") }
func (m *mine) TraceAcquireStart(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	m.passes("trace")
	return ctx
}
func (m *mine) TraceAcquireEnd(context.Context, *pgxpool.Pool, pgxpool.TraceAcquireEndData) {
	m.passes("trace")
}
func (m *mine) TraceRelease(*pgxpool.Pool, pgxpool.TraceReleaseData) { m.passes("trace") }
func (m *mine) count(string) int                                     { m.passes("count"); return 1 }
func (m *mine) input(n int) func(func(vecwire.Record, error) bool) {
	return func(yield func(vecwire.Record, error) bool) {
		for i := range n {
			m.passes("input")
			if !yield(vecwire.Record{ID: fmt.Sprint(i), Text: "text", Fields: vecwire.Fields{"n": i}}, nil) {
				return
			}
		}
	}
}

// TestPanicsOfTheCaller has each piece of a caller's code panic in each verb, and
// recovers, as net/http does for its handlers. The database goes on, tells the
// Observer the end of all that began, and can be closed.
func TestPanicsOfTheCaller(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { panicsOfTheCaller(t, func(testing.TB) string { return "mem:" }) })
	t.Run("postgres", func(t *testing.T) { panicsOfTheCaller(t, testenv.Postgres) })
}

func panicsOfTheCaller(t *testing.T, database func(testing.TB) string) {
	where := []string{"Begin", "end", "Embed", "Rerank", "count", "body", "input", "log", "f", "trace"}
	for _, at := range where {
		t.Run(at, func(t *testing.T) {
			ctx := t.Context()
			m := &mine{begun: map[vecwire.Op]int{}, ended: map[vecwire.Op]int{}, errs: map[vecwire.Op]error{}}
			db, err := vecwire.Config{Observer: m, Logger: slog.New(m), Server: vecwire.ServerConfig{Tracer: m}}.Open(ctx, database(t))
			require.NoError(t, err)
			s := vecwire.Schema{Name: "docs", Dim: 2, Model: "mine", FullText: vecwire.Words, Fields: append([]vecwire.Field{{Name: "n", Type: vecwire.Int}}, vecwire.SourceFields()...)}
			c, err := db.CreateCollection(ctx, s)
			require.NoError(t, err)
			c, err = c.WithEmbedder(m)
			require.NoError(t, err)
			_, err = c.ReplaceSource(ctx, "s", vecwire.Record{ID: "s1", Text: "one two"}, vecwire.Record{ID: "s2", Text: "three"})
			require.NoError(t, err)
			_, err = c.Ingest(ctx, m.input(20), vecwire.IngestOptions{})
			require.NoError(t, err)
			mirror, err := c.Mirror(ctx, vecwire.MirrorOptions{})
			require.NoError(t, err)

			verbs := map[string]func() error{
				"CreateCollection": func() error { _, err := db.CreateCollection(ctx, vecwire.Schema{Name: "other", Dim: 2}); return err },
				"OpenCollection":   func() error { _, err := db.OpenCollection(ctx, "docs"); return err },
				"EnsureCollection": func() error { _, err := db.EnsureCollection(ctx, s); return err },
				"Collections":      func() error { _, err := db.Collections(ctx); return err },
				"AlterCollection": func() error {
					return db.AlterCollection(ctx, "docs", vecwire.Alter{AddFields: []vecwire.Field{{Name: "more", Type: vecwire.Int}}})
				},
				"DropCollection": func() error { return db.DropCollection(ctx, "other") },
				"Reembed":        func() error { _, _, err := db.Reembed(ctx, "docs", m, vecwire.ReembedOptions{}); return err },
				"Check":          func() error { _, err := db.Check(ctx); return err },
				"Tx": func() error {
					return db.Tx(ctx, func(ctx context.Context) error {
						m.passes("f")
						return c.Upsert(ctx, vecwire.Record{ID: "tx", Text: "in a transaction"})
					})
				},
				"Upsert":      func() error { return c.Upsert(ctx, vecwire.Record{ID: "u", Text: "upserted"}) },
				"Insert":      func() error { return c.Insert(ctx, vecwire.Record{ID: t.Name() + "i", Text: "inserted"}) },
				"Update":      func() error { return c.Update(ctx, vecwire.Change{ID: "1", Text: "changed"}) },
				"UpdateWhere": func() error { _, err := c.UpdateWhere(ctx, filter.Eq("n", 1), vecwire.Fields{"n": 2}); return err },
				"Ingest": func() error {
					_, err := c.Ingest(ctx, m.input(3), vecwire.IngestOptions{Job: "j", Every: time.Millisecond, Progress: func(vecwire.Progress) { m.passes("body") }})
					return err
				},
				"Cursor":        func() error { _, err := c.Cursor(ctx, "j"); return err },
				"ReplaceSource": func() error { _, err := c.ReplaceSource(ctx, "s", vecwire.Record{ID: "s1", Text: "four"}); return err },
				"Source":        func() error { _, err := c.Source(ctx, "s"); return err },
				"Get":           func() error { _, err := c.Get(ctx, "1"); return err },
				"Delete":        func() error { _, err := c.Delete(ctx, "none"); return err },
				"DeleteWhere":   func() error { _, err := c.DeleteWhere(ctx, filter.Eq("n", 19)); return err },
				"Count":         func() error { _, err := c.Count(ctx, filter.Filter{}); return err },
				"Facet":         func() error { _, err := c.Facet(ctx, "n", vecwire.FacetOptions{}); return err },
				"Range":         func() error { _, _, err := c.Range(ctx, "n", filter.Filter{}); return err },
				"All": func() error {
					for _, err := range c.All(ctx, vecwire.Scan{}) {
						if err != nil {
							return err
						}
						m.passes("body")
					}
					return nil
				},
				"SearchAll": func() error {
					for _, err := range c.SearchAll(ctx, vecwire.Query{Text: "word"}) {
						if err != nil {
							return err
						}
						m.passes("body")
					}
					return nil
				},
				"Search": func() error {
					_, err := c.Search(ctx, vecwire.Query{Text: "one two", Fusion: &vecwire.Fusion{}, Reranker: m, Around: 1, AroundTokens: 10, AroundCount: m.count})
					return err
				},
				"SearchMany": func() error {
					q := vecwire.Query{Text: "one two", Reranker: m}
					_, err := c.SearchMany(ctx, []vecwire.Query{q, q})
					return err
				},
				"BuildIndex": func() error {
					return c.BuildIndex(ctx, vecwire.IndexOptions{Progress: func(vecwire.Progress) { m.passes("body") }})
				},
				"Indexes":          func() error { _, err := c.Indexes(ctx); return err },
				"Recall":           func() error { _, err := c.Recall(ctx, vecwire.RecallOptions{}); return err },
				"Usage":            func() error { _, err := c.Usage(ctx); return err },
				"DropIndex":        func() error { return c.DropIndex(ctx, "vw_docs_hnsw") },
				"Mirror":           func() error { _, err := c.Mirror(ctx, vecwire.MirrorOptions{}); return err },
				"Refresh":          func() error { return mirror.Refresh(ctx) },
				"Mirror.Search":    func() error { _, err := mirror.Search(ctx, vecwire.Query{Text: "a"}); return err },
				"WithEmbedder":     func() error { _, err := c.WithEmbedder(m); return err },
				"Namespace":        func() error { _, err := c.Namespace("acme"); return err },
				"DeleteExpired":    func() error { _, err := c.DeleteExpired(ctx); return err },
				"db.Compact":       func() error { return db.Compact(ctx) },
				"Collection.Close": func() error { return c.Close() },
			}
			for verb, run := range verbs {
				for _, armed := range []bool{true, false} {
					if m.arm(""); armed {
						m.arm(at)
					}
					done := make(chan struct{})
					go func() {
						defer close(done)
						defer func() {
							if p := recover(); p != nil && !armed {
								t.Errorf("%s: %v", verb, p)
							}
						}()
						if err := run(); at == "log" && armed {
							t.Log(verb, err)
						}
					}()
					select {
					case <-done:
					case <-time.After(20 * time.Second):
						t.Fatalf("%s does not return after a panic", verb)
					}
				}
			}
			m.arm("")
			m.mu.Lock()
			for op, n := range m.begun {
				if m.ended[op] != n {
					t.Errorf("%s: %d began, %d ended", op, n, m.ended[op])
				}
			}
			m.mu.Unlock()
			closed := make(chan error)
			go func() { closed <- db.Close() }()
			select {
			case err := <-closed:
				require.NoError(t, err)
			case <-time.After(20 * time.Second):
				t.Fatal("Close waits for a call that panicked")
			}
		})
	}
}

// connects is a Tracer that panics in the pool's own goroutines, too.
type connects struct{ *mine }

func (connects) TraceConnectStart(context.Context, pgx.TraceConnectStartData) context.Context {
	panic("boom while connecting")
}
func (connects) TraceConnectEnd(context.Context, pgx.TraceConnectEndData) {
	panic("boom after connecting")
}

// TestTracerPanicsInThePool has a Tracer panic where no caller could recover.
func TestTracerPanicsInThePool(t *testing.T) {
	m := &mine{armed: "trace"}
	cfg := vecwire.Config{Server: vecwire.ServerConfig{Tracer: connects{m}, MinConns: 3}}
	db, err := cfg.Open(t.Context(), testenv.Postgres(t))
	require.NoError(t, err)
	_, err = db.Collections(t.Context())
	require.NoError(t, err)
	require.NoError(t, db.Close())
}
