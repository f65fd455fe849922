package mirror_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/gate"
	"github.com/vecwire/vecwire/internal/local"
	"github.com/vecwire/vecwire/internal/mirror"
)

// database is the embedded engine in memory with one collection, whose verbs can
// be made to fail.
type database struct {
	engine.Collection
	engine engine.Engine
	gate   gate.Gate

	mu    sync.Mutex
	calls map[string]int
	// before and after run around each verb and can fail it: before it has done
	// anything, or after it has done its work, as if the answer were lost.
	before, after func(verb string) error
}

func open(t testing.TB) *database {
	t.Helper()
	e, err := local.Open(t.Context(), local.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	c, err := e.Create(t.Context(), engine.Schema{Name: "docs", Dim: 2, Metric: codec.Dot, Fields: []engine.Field{{Name: "n", Type: filter.Int}}})
	require.NoError(t, err)
	return &database{Collection: c, engine: e, calls: map[string]int{}}
}

// mirror opens a mirror, which is closed when the test ends.
func (d *database) mirror(t testing.TB, change ...func(*mirror.Options)) *mirror.Mirror {
	t.Helper()
	m, err := mirror.Open(t.Context(), d, d.options(change...))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

func (d *database) options(change ...func(*mirror.Options)) mirror.Options {
	o := mirror.Options{Gate: &d.gate, Log: slog.New(slog.DiscardHandler), MaxRecords: 1000}
	for _, f := range change {
		f(&o)
	}
	return o
}

// fail sets what runs around verbs from now on.
func (d *database) fail(before, after func(verb string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.before, d.after = before, after
}

func (d *database) called(verb string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls[verb]
}

func (d *database) run(verb string, do func() error) error {
	d.mu.Lock()
	d.calls[verb]++
	before, after := d.before, d.after
	d.mu.Unlock()
	if before != nil {
		if err := before(verb); err != nil {
			return err
		}
	}
	if err := do(); err != nil || after == nil {
		return err
	}
	return after(verb)
}

func (d *database) Upsert(ctx context.Context, records []engine.Record) error {
	return d.run("Upsert", func() error { return d.Collection.Upsert(ctx, records) })
}

func (d *database) Insert(ctx context.Context, records []engine.Record) error {
	return d.run("Insert", func() error { return d.Collection.Insert(ctx, records) })
}

func (d *database) Get(ctx context.Context, ids []string, vectors bool) (records []engine.Record, err error) {
	err = d.run("Get", func() error {
		records, err = d.Collection.Get(ctx, ids, vectors)
		return err
	})
	return records, err
}

func (d *database) Delete(ctx context.Context, ids []string) (n int, err error) {
	err = d.run("Delete", func() error {
		n, err = d.Collection.Delete(ctx, ids)
		return err
	})
	return n, err
}

func (d *database) DeleteWhere(ctx context.Context, f filter.Filter) (n int, err error) {
	err = d.run("DeleteWhere", func() error {
		n, err = d.Collection.DeleteWhere(ctx, f)
		return err
	})
	return n, err
}

func (d *database) Count(ctx context.Context, f filter.Filter) (n int, err error) {
	err = d.run("Count", func() error {
		n, err = d.Collection.Count(ctx, f)
		return err
	})
	return n, err
}

func (d *database) Scan(ctx context.Context, s engine.Scan) (records []engine.Record, err error) {
	err = d.run("Scan", func() error {
		records, err = d.Collection.Scan(ctx, s)
		return err
	})
	return records, err
}

func (d *database) Search(ctx context.Context, searches []engine.Search) (results []engine.Result, err error) {
	err = d.run("Search", func() error {
		results, err = d.Collection.Search(ctx, searches)
		return err
	})
	return results, err
}

// record makes one whose score for [1 0] is x.
func record(id string, x float32) engine.Record {
	return engine.Record{ID: id, Vector: engine.Vector{F32: []float32{x, 1}}, Text: "text of " + id, Fields: []any{int64(x)}}
}

// records makes n of them, whose scores rise with their IDs.
func records(n int) (out []engine.Record) {
	for i := range n {
		out = append(out, record(fmt.Sprintf("%03d", i), float32(i)))
	}
	return out
}

// search finds the k best for [1 0].
func search(t testing.TB, c engine.Collection, s engine.Search) []engine.Hit {
	t.Helper()
	if s.K == 0 {
		s.K = 1000
	}
	s.Vector = engine.Vector{F32: []float32{1, 0}}
	results, err := c.Search(t.Context(), []engine.Search{s})
	require.NoError(t, err)
	return results[0].Hits
}

func hitIDs(hits []engine.Hit) []string {
	ids := make([]string, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	return ids
}

// same checks that a mirror finds by its own copy what the database finds.
func (d *database) same(t testing.TB, m *mirror.Mirror) {
	t.Helper()
	before := d.called("Search")
	got := search(t, m, engine.Search{Vectors: true})
	require.Equal(t, before, d.called("Search"), "the database answered")
	want := search(t, d.Collection, engine.Search{Vectors: true, Exact: true})
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i].ID, got[i].ID)
		require.Equal(t, want[i].Score, got[i].Score)
		require.Equal(t, want[i].Vector, got[i].Vector)
	}
}
