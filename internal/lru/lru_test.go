package lru_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/local"
	"github.com/vecwire/vecwire/internal/lru"
)

// open opens a store twice: as it is, and with bounds.
func open(t *testing.T, path string, readOnly bool) (inner engine.Engine, d *lru.Database) {
	t.Helper()
	inner, err := local.Open(t.Context(), local.Options{Path: path, ReadOnly: readOnly, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	d = lru.Over(inner)
	t.Cleanup(func() { _ = d.Close() })
	return inner, d
}

var schema = engine.Schema{Name: "docs", Dim: 1, MaxRecords: 2, Fields: []engine.Field{{Name: "n", Type: filter.Int}}}

func records(ids string) (out []engine.Record) {
	for _, id := range strings.Fields(ids) {
		out = append(out, engine.Record{ID: id, Vector: engine.Vector{F32: []float32{1}}, Fields: []any{int64(len(out))}})
	}
	return out
}

func has(t *testing.T, c engine.Collection) string {
	t.Helper()
	ids, err := engine.ScanIDs(t.Context(), engine.Scan{}, c.Scan)
	require.NoError(t, err)
	return strings.Join(ids, " ")
}

// TestStored is how it is stored, which collections of earlier versions are opened by.
func TestStored(t *testing.T) {
	inner, d := open(t, "", false)
	c, err := d.Create(t.Context(), schema)
	require.NoError(t, err)
	require.Equal(t, schema.Fields, c.Schema().Fields)
	require.Equal(t, 2, c.Schema().MaxRecords)
	raw, err := inner.Open(t.Context(), "docs")
	require.NoError(t, err)
	require.Equal(t, engine.Field{Name: "vecwire_used", Type: filter.Int, Index: true, Bound: 2}, raw.Schema().Fields[1])
	require.Zero(t, raw.Schema().MaxRecords)
	plain := schema
	plain.Name, plain.MaxRecords = "plain", 0
	_, err = d.Create(t.Context(), plain)
	require.NoError(t, err)
	raw, err = inner.Open(t.Context(), "plain")
	require.NoError(t, err)
	require.Equal(t, plain.Fields, raw.Schema().Fields)
}

// TestClockOfAnother: what a call stores stays, though a process whose clock is ahead has
// used all else, and times that it wrote are not set back.
func TestClockOfAnother(t *testing.T) {
	inner, d := open(t, "", false)
	c, err := d.Create(t.Context(), schema)
	require.NoError(t, err)
	require.NoError(t, c.Upsert(t.Context(), records("a b")))
	raw, err := inner.Open(t.Context(), "docs")
	require.NoError(t, err)
	const ahead = int64(1) << 60
	for i, id := range []string{"b", "a"} {
		require.NoError(t, raw.Update(t.Context(), []engine.Change{{ID: id, Fields: []engine.FieldValue{{Place: 1, Value: ahead + int64(i)}}}}))
	}
	d.Used(t.Context(), "DOCS", []string{"b"})
	require.NoError(t, c.Upsert(t.Context(), records("c")))
	require.Equal(t, "a c", has(t, c))
}

// TestMerge leaves what is stored as it is, and counts it as used all the same.
func TestMerge(t *testing.T) {
	_, d := open(t, "", false)
	c, err := d.Create(t.Context(), schema)
	require.NoError(t, err)
	if !c.Can().Merge {
		t.Skip("the engine has no Merge")
	}
	require.NoError(t, c.Upsert(t.Context(), records("a b")))
	inserted, updated, err := c.Merge(t.Context(), records("a"))
	require.NoError(t, err)
	require.Equal(t, [2]int{0, 0}, [2]int{inserted, updated})
	inserted, updated, err = c.Merge(t.Context(), records("c"))
	require.NoError(t, err)
	require.Equal(t, [2]int{1, 0}, [2]int{inserted, updated})
	require.Equal(t, "a c", has(t, c))
}

// TestProcesses: two processes with a store learn what was used there when the other
// closes, or has used many records.
func TestProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache.db")
	_, d := open(t, path, false)
	large := schema
	large.MaxRecords = 1000
	c, err := d.Create(t.Context(), large)
	require.NoError(t, err)
	var ids []string
	for i := range large.MaxRecords {
		ids = append(ids, fmt.Sprintf("%04d", i))
	}
	require.NoError(t, c.Upsert(t.Context(), records(strings.Join(ids, " "))))
	_, other := open(t, path, false)
	_, err = other.Open(t.Context(), "docs")
	require.NoError(t, err)
	other.Used(t.Context(), "docs", ids[:300])
	other.Used(t.Context(), "docs", ids[300:301])
	require.NoError(t, c.Upsert(t.Context(), records("x")))
	require.NotContains(t, has(t, c), "0300", "nobody can know yet")
	require.Contains(t, has(t, c), "0000 0001")
	other.Used(t.Context(), "docs", ids[301:302])
	require.NoError(t, other.Close())
	require.NoError(t, c.Upsert(t.Context(), records("y")))
	require.Contains(t, has(t, c), "0299 0301 0303")

	require.NoError(t, d.Close())
	_, reader := open(t, path, true)
	c, err = reader.Open(t.Context(), "docs")
	require.NoError(t, err)
	reader.Used(t.Context(), "docs", ids[:400])
	require.NoError(t, c.Release(t.Context()))
	require.ErrorIs(t, c.Upsert(t.Context(), records("z")), engine.ErrReadOnly)
	require.NoError(t, reader.Close())
}
