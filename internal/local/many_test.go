package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// After each change of the schema a connection that reads takes in all of it again,
// which grows with the collections. So no reader takes part in making one.
func TestMakingACollectionAsksNoReader(t *testing.T) {
	s := newStore(t)
	schema := testSchema
	schema.FullText = engine.Words
	_, err := s.Open(t.Context(), schema.Name) // the first look
	require.ErrorIs(t, err, engine.ErrNotFound)
	require.NoError(t, s.read.Close())
	for i := range 3 {
		schema.Name = fmt.Sprint("c", i)
		_, err := s.Open(t.Context(), schema.Name)
		require.ErrorIs(t, err, engine.ErrNotFound)
		c := create(t, s, schema)
		require.NoError(t, c.Upsert(t.Context(), []engine.Record{
			{ID: "a", Vector: engine.Vector{F32: []float32{1, 2, 3, 4}}, Fields: make([]any, 2), Text: "some words"},
		}))
		again, err := s.Open(t.Context(), schema.Name)
		require.NoError(t, err)
		require.Same(t, c, again)
	}
}

// The names that a store keeps are those in its file.
func TestNamesAreThoseOfTheFile(t *testing.T) {
	s := newStore(t)
	schema := testSchema
	for _, name := range []string{"a", "B", "c", "d"} {
		schema.Name = name
		create(t, s, schema)
	}
	settle := func(_ context.Context, _, _ engine.Collection) error { return nil }
	require.NoError(t, s.Drop(t.Context(), "b"))
	require.NoError(t, s.Swap(t.Context(), engine.Swap{Name: "a", Next: "c", Old: "Was", Settle: settle}))
	require.NoError(t, s.Swap(t.Context(), engine.Swap{Name: "was", Next: "d", Drop: true, Settle: settle}))
	check := func(s *store) {
		for name, there := range map[string]bool{"a": true, "A": true, "b": false, "c": false, "WAS": true, "d": false} {
			_, err := s.Open(t.Context(), name)
			if there {
				require.NoError(t, err, name)
			} else {
				require.ErrorIs(t, err, engine.ErrNotFound, name)
			}
		}
	}
	check(s)
	path := s.path
	require.NoError(t, s.Close())
	check(openStore(t, path))
}

// SQLite's indexes over fields are made when there are many records, once, also if the
// field was altered before, and by whichever process comes first.
func TestFieldsAreIndexedWhenThereAreMany(t *testing.T) {
	s := newStore(t)
	schema := testSchema
	schema.Fields = []engine.Field{{Name: "n", Type: filter.Int, Index: true}, {Name: "m", Type: filter.Int, Index: true}, {Name: "tags", Type: filter.Strings, Index: true}}
	c := create(t, s, schema)
	var records []engine.Record
	for i := range indexedFrom {
		records = append(records, engine.Record{ID: fmt.Sprint(i), Vector: engine.Vector{F32: []float32{1, 2, 3, 4}}, Fields: []any{int64(i), nil, nil}})
	}
	indexes := func() (names []string) {
		for _, name := range objects(t, s, schema.Name) {
			if strings.HasPrefix(name, "index ") {
				names = append(names, name)
			}
		}
		return names
	}
	require.NoError(t, c.Upsert(t.Context(), records[1:]))
	require.Empty(t, indexes())
	c = alterTo(t, s, schema.Name, func(was engine.Schema) engine.Alteration {
		was.Fields = append(slices.Clone(was.Fields), engine.Field{Name: "late", Type: filter.Int, Index: true})
		was.Fields[0].Name, was.Fields[1].Index = "number", false
		return engine.Alteration{Schema: was, From: []int{0, 1, 2, -1}}
	})
	require.Equal(t, []string{"index docs.index.late"}, indexes())
	for i := range records {
		records[i].Fields = append(records[i].Fields, nil)
	}
	boom := errors.New("boom")
	err := s.Tx(t.Context(), func(ctx context.Context) error {
		require.NoError(t, c.Upsert(ctx, records[:1]))
		return boom
	})
	require.ErrorIs(t, err, boom)
	require.Equal(t, []string{"index docs.index.late"}, indexes(), "it was not committed")
	want := []string{"index docs.index.late", "index docs.index.number"}
	require.NoError(t, c.Upsert(t.Context(), records[:1]))
	require.Equal(t, want, indexes())
	other := openStore(t, s.path)
	again, err := other.Open(t.Context(), schema.Name)
	require.NoError(t, err)
	for _, c := range []engine.Collection{again, c} {
		require.NoError(t, c.Upsert(t.Context(), records[1:2]))
		require.Equal(t, want, indexes())
	}
}

// BenchmarkMakeMany makes 1,000 collections and stores a record in each, and reports how
// long both took for the quickest of the first and of the last 20, and how long the processor was
// at work for both together, which disks do not change; and how long SQLite alone took to make
// the same tables.
func BenchmarkMakeMany(b *testing.B) {
	plain := testSchema
	plain.Fields = nil
	words := testSchema
	words.FullText = engine.Words
	for name, schema := range map[string]engine.Schema{"Plain": plain, "Field": testSchema, "Words": words} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				makeMany(b, schema)
			}
		})
	}
}

func makeMany(b *testing.B, schema engine.Schema) {
	const all, some = 1000, 20
	s := newStore(b)
	var made, stored []time.Duration
	busy := cpuTime(b)
	for i := range all {
		if i == all-some {
			busy = cpuTime(b)
		}
		schema.Name = fmt.Sprint("c", i)
		begun := time.Now()
		c := create(b, s, schema)
		made = append(made, time.Since(begun))
		record := engine.Record{ID: "a", Vector: engine.Vector{F32: []float32{1, 2, 3, 4}}, Text: "some words", Fields: make([]any, len(schema.Fields))}
		begun = time.Now()
		require.NoError(b, c.Upsert(b.Context(), []engine.Record{record}))
		stored = append(stored, time.Since(begun))
		if i == some-1 {
			b.ReportMetric(float64((cpuTime(b)-busy).Microseconds())/some, "first-cpu-us")
		}
	}
	b.ReportMetric(float64((cpuTime(b)-busy).Microseconds())/some, "last-cpu-us")
	report := func(took []time.Duration, unit string) {
		b.ReportMetric(float64(slices.Min(took).Microseconds()), unit) // what else runs disturbs the others
	}
	b.ReportMetric(0, "ns/op")
	report(made[:some], "first-us")
	report(made[all-some:], "last-us")
	report(stored[:some], "first-store-us")
	report(stored[all-some:], "last-store-us")
	require.NoError(b, s.Close())
	bare := makeManyBare(b, schema, all)
	report(bare[:some], "bare-first-us")
	report(bare[all-some:], "bare-last-us")
}

// makeManyBare makes the tables of so many collections by SQLite alone, and returns how
// long each took.
func makeManyBare(b *testing.B, schema engine.Schema, n int) (made []time.Duration) {
	db, err := openPool(fileURI(filepath.Join(b.TempDir(), "bare.db")) + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	require.NoError(b, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	for i := range n {
		schema.Name = fmt.Sprint("c", i)
		begun := time.Now()
		tx, err := db.Begin()
		require.NoError(b, err)
		for _, statement := range createTables(schema, rand.Text()) {
			_, err := tx.Exec(statement)
			require.NoError(b, err)
		}
		require.NoError(b, tx.Commit())
		made = append(made, time.Since(begun))
	}
	return made
}

// cpuTime returns how long the threads of the process have run, where the system says so.
func cpuTime(b *testing.B) (total time.Duration) {
	threads, err := filepath.Glob("/proc/self/task/*/schedstat")
	require.NoError(b, err)
	for _, thread := range threads {
		var ns int64
		line, err := os.ReadFile(thread)
		require.NoError(b, err)
		_, err = fmt.Sscan(string(line), &ns)
		require.NoError(b, err)
		total += time.Duration(ns)
	}
	return total
}
