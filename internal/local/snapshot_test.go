package local

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// snapshots returns the files beside a store that are neither SQLite's nor the lock.
func snapshots(t testing.TB, path string) []string {
	t.Helper()
	if path == "" {
		return nil
	}
	all, err := filepath.Glob(path + ".*")
	require.NoError(t, err)
	return slices.DeleteFunc(all, func(name string) bool { return strings.HasSuffix(name, ".lock") })
}

// logged is a store's log, but for that a store is a copy, as many of them are in these
// tests.
type logged struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(saysCopy)) {
		return len(p), nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func openLogged(t testing.TB, path string) (*store, *logged) {
	t.Helper()
	var log logged
	e, err := Open(t.Context(), Options{Path: path, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	require.NoError(t, err)
	t.Cleanup(func() { e.Close() })
	return e.(*store), &log
}

func TestIndexIsThereAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s := openStore(t, path)
	c := indexed(t, s, indexSchema, indexRows)
	want := all(t, t.Context(), c)
	require.NoError(t, s.Close())
	rng := rand.New(rand.NewPCG(7, 7))
	for round := range 4 {
		s, log := openLogged(t, path)
		require.Len(t, snapshots(t, path), 1)
		before := snapshots(t, path)[0]
		c = open(t, s, "docs")
		require.Equal(t, want, all(t, t.Context(), c))
		require.Equal(t, 8, indexes(t, c)[0].M)
		require.Equal(t, 32, indexes(t, c)[0].EfConstruction)
		require.True(t, indexes(t, c)[0].Valid)
		require.Equal(t, "graph", through(t, c).Path)
		require.Greater(t, recall(t, c), 0.85)
		if round%2 == 1 {
			put(t, c, rng, 100*round, 100*round+50)
			put(t, c, rng, indexRows+100*round, indexRows+100*round+50)
			_, err := c.Delete(t.Context(), []string{fmt.Sprint(2000 + round)})
			require.NoError(t, err)
		}
		want = all(t, t.Context(), c)
		require.NoError(t, s.Close())
		require.Len(t, snapshots(t, path), 1)
		require.Equal(t, round%2 == 0, before == snapshots(t, path)[0], "a snapshot is written where something has changed")
		require.Empty(t, log.String())
	}
}

// TestReplay opens copies of a store that is still open, as it would be found
// after the process was killed.
func TestReplay(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	s := openStore(t, path)
	c := indexed(t, s, indexSchema, indexRows)
	rng := rand.New(rand.NewPCG(8, 8))
	for round := range 5 {
		put(t, c, rng, round*500, round*500+200)                           // changed
		put(t, c, rng, 10_000+round*300, 10_000+round*300+100)             // added
		_, err := c.DeleteWhere(t.Context(), filter.Eq("n", int64(round))) // and rows for others
		require.NoError(t, err)
		put(t, c, rng, round*500+100, round*500+300)
		if round == 3 { // a snapshot in between
			lc := c.(*collection)
			require.NoError(t, lc.alone(t.Context(), func(ctx context.Context) error { return lc.save(ctx) }))
			put(t, c, rng, 0, 10)
		}
		copied, log := openLogged(t, copyStore(t, dir, path))
		again := open(t, copied, "docs")
		require.Equal(t, all(t, t.Context(), c), all(t, t.Context(), again))
		requireSameMemory(t, c.(*collection), again.(*collection))
		requireMemoryIsRows(t, again)
		require.Greater(t, recall(t, again), 0.85)
		settled(t, again)
		require.Greater(t, graphRecall(t, again), 0.85)
		put(t, again, rng, 0, 100)
		require.NoError(t, copied.Close())
		require.Empty(t, log.String())
	}
}

// copyStore copies the files of a store and returns the path of the copy.
func copyStore(t testing.TB, dir, path string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), filepath.Base(path))
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(to), f.Name()), b, 0o600))
	}
	return to
}

// requireSameMemory compares what two collections hold in memory.
func requireSameMemory(t testing.TB, a, b *collection) {
	t.Helper()
	require.Equal(t, a.ids.len(), b.ids.len())
	live := 0
	for row := range b.end {
		id := b.ids.id(row)
		require.Equal(t, a.ids.id(row), id)
		require.Equal(t, id != "", b.ids.used(row))
		require.Equal(t, id != "", b.index.has(row))
		if id != "" {
			live++
			at, ok := b.ids.row(id)
			require.True(t, ok)
			require.Equal(t, row, at)
		}
	}
	require.Equal(t, live, b.ids.len())
	require.Len(t, b.free, int(b.end)-live)
}

// doubles returns a vector of FLOAT as one of DOUBLE.
func doubles(v []float32) engine.Vector {
	d := make([]float64, len(v))
	for i, x := range v {
		d[i] = float64(x)
	}
	return engine.Vector{F64: d}
}

// scoresOfAll returns the scores of all records, which are so many, by their IDs.
func scoresOfAll(t testing.TB, c engine.Collection, q engine.Vector, records int) map[string]float64 {
	t.Helper()
	results, err := c.Search(t.Context(), []engine.Search{{Vector: q, K: records + 1, Exact: true}})
	require.NoError(t, err)
	require.Len(t, results[0].Hits, records)
	scores := map[string]float64{}
	for _, h := range results[0].Hits {
		scores[h.ID] = h.Score
	}
	return scores
}

// requireMemoryIsRows compares what a search finds in memory with the rows.
func requireMemoryIsRows(t testing.TB, c engine.Collection) {
	t.Helper()
	q := make([]float32, c.Schema().Dim)
	for i := range q {
		q[i] = float32(i + 1)
	}
	query := engine.Vector{F32: q}
	if c.Schema().Element == codec.DOUBLE {
		query = doubles(q)
	}
	rows := all(t, t.Context(), c)
	scores := scoresOfAll(t, c, query, len(rows))
	for _, r := range rows {
		sum := 0.0
		for i, x := range elements(r.Vector) {
			d := float64(q[i]) - x
			sum += d * d
		}
		require.InDelta(t, -math.Sqrt(sum), scores[r.ID], 1e-9, r.ID)
	}
}

func TestSnapshotFaults(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	s := openStore(t, path)
	indexed(t, s, indexSchema, indexRows)
	other := indexSchema
	other.Name = "other"
	require.NoError(t, create(t, s, other).Upsert(t.Context(), []engine.Record{indexRecord(rand.New(rand.NewPCG(1, 2)), "x")}))
	require.NoError(t, open(t, s, "other").BuildIndex(t.Context(), engine.IndexPlan{M: 8, EfConstruction: 32}))
	want := all(t, t.Context(), open(t, s, "docs"))
	tags := map[string]string{}
	for _, name := range []string{"docs", "other"} {
		var tag string
		require.NoError(t, s.read.QueryRow("SELECT tag FROM vecwire_snapshots s JOIN vecwire_collections c ON c.id = s.collection WHERE c.name = ?", name).Scan(&tag))
		tags[name] = tag
	}
	require.NoError(t, s.Close())
	flip := func(at func(size int64) int64) func(t *testing.T, docs, other string) {
		return func(t *testing.T, docs, _ string) {
			b, err := os.ReadFile(docs)
			require.NoError(t, err)
			b[at(int64(len(b)))] ^= 4
			require.NoError(t, os.WriteFile(docs, b, 0o600))
		}
	}
	rng := rand.New(rand.NewPCG(9, 9))
	for name, tc := range map[string]struct {
		spoil func(t *testing.T, docs, other string)
		want  string
	}{
		"missing":                     {func(t *testing.T, docs, _ string) { require.NoError(t, os.Remove(docs)) }, "no such file"},
		"empty":                       {func(t *testing.T, docs, _ string) { require.NoError(t, os.Truncate(docs, 0)) }, "unusable snapshot"},
		"truncated":                   {func(t *testing.T, docs, _ string) { require.NoError(t, os.Truncate(docs, 100_000)) }, "unusable snapshot"},
		"a flipped bit in the header": {flip(func(int64) int64 { return 20 }), "unusable snapshot"},
		"a flipped bit in the middle": {flip(func(n int64) int64 { return n / 2 }), "unusable snapshot"},
		"a flipped bit anywhere":      {flip(func(n int64) int64 { return rng.Int64N(n) }), "unusable snapshot"},
		"another collection's": {func(t *testing.T, docs, other string) {
			b, err := os.ReadFile(other)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(docs, b, 0o600))
		}, "unusable snapshot"},
		"never written": {func(t *testing.T, docs, other string) {
			db, err := sql.Open("sqlite", fileURI(strings.TrimSuffix(docs, "."+tags["docs"]+".index")))
			require.NoError(t, err)
			_, err = db.Exec("DELETE FROM vecwire_snapshots WHERE tag = '" + tags["docs"] + "'")
			require.NoError(t, err)
			require.NoError(t, db.Close())
		}, "never written"},
	} {
		t.Run(name, func(t *testing.T) {
			path := copyStore(t, dir, path)
			probe := &store{path: path}
			tc.spoil(t, probe.snapshotPath(tags["docs"]), probe.snapshotPath(tags["other"]))
			s, log := openLogged(t, path)
			c := open(t, s, "docs")
			require.Contains(t, log.String(), "level=WARN")
			require.Contains(t, log.String(), tc.want)
			require.Equal(t, want, all(t, t.Context(), c))
			require.Greater(t, recall(t, c), 0.85)
			require.Len(t, indexes(t, c), 1)
			put(t, c, rng, 100, 200)
			settled(t, c)
			require.True(t, indexes(t, c)[0].Valid)
			require.Equal(t, "graph", through(t, c).Path)
			require.Greater(t, graphRecall(t, c), 0.85)
			require.NoError(t, s.Close())

			s, log = openLogged(t, path)
			require.Greater(t, recall(t, open(t, s, "docs")), 0.85)
			open(t, s, "other")
			require.Empty(t, log.String(), "the snapshot was written again")
			require.NoError(t, s.Close())
			require.Len(t, snapshots(t, path), 2)
		})
	}
}

// An older copy of the file beside a newer snapshot finds none that is its own.
func TestStoreFromBackup(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	s := openStore(t, path)
	indexed(t, s, indexSchema, indexRows)
	require.NoError(t, s.Close())
	backup, err := os.ReadFile(path)
	require.NoError(t, err)
	s = openStore(t, path)
	want := all(t, t.Context(), open(t, s, "docs"))
	put(t, open(t, s, "docs"), rand.New(rand.NewPCG(3, 3)), 0, 1000)
	require.NoError(t, s.Close())
	require.NoError(t, os.WriteFile(path, backup, 0o600))
	s, log := openLogged(t, path)
	c := open(t, s, "docs")
	require.Contains(t, log.String(), "no usable snapshot")
	require.Equal(t, want, all(t, t.Context(), c))
	require.Greater(t, recall(t, c), 0.85)
	require.NoError(t, s.Close())
	require.Len(t, snapshots(t, path), 1)
}

// What belongs to no collection is removed, and what only looks alike is not.
func TestOrphansAreRemoved(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	s := openStore(t, path)
	a, b := indexSchema, indexSchema
	a.Name, b.Name = "a", "b"
	indexed(t, s, a, 2000)
	indexed(t, s, b, 2000)
	require.Len(t, snapshots(t, path), 2)
	require.NoError(t, s.Drop(t.Context(), "a"))
	require.Len(t, snapshots(t, path), 1)
	require.NoError(t, s.Close())
	tag := strings.Repeat("A", 26)
	strange := []string{path + ".index", path + ".notes.index", path + "x." + tag + ".index", path + "." + tag + ".indexes"}
	for _, name := range append(strange, path+"."+tag+".index", path+"."+tag+".index.123.tmp") {
		require.NoError(t, os.WriteFile(name, []byte("x"), 0o600))
	}
	s, log := openLogged(t, path)
	require.NoError(t, s.Drop(t.Context(), "B"), "not opened before")
	require.NoError(t, s.Close())
	left, err := filepath.Glob(path + "*index*")
	require.NoError(t, err)
	require.ElementsMatch(t, strange, left)
	require.Empty(t, log.String())
	s = openStore(t, path)
	var n int
	require.NoError(t, s.read.QueryRow("SELECT count(*) FROM vecwire_indexes").Scan(&n))
	require.Zero(t, n)
}

// A snapshot that is changed while it is mapped, by a bit or as a whole, is never
// signed anew: what is written again, at the end or by BuildIndex, is what the rows
// say.
func TestMappedSnapshotChangesWhileOpen(t *testing.T) {
	wide := indexSchema
	wide.Dim = 97 // codes of 128 bytes
	t.Run("codes", func(t *testing.T) { mappedSnapshotChanges(t, wide, 8300, "by BuildIndex", "by another index") })
	wide.Element, wide.Dim = codec.DOUBLE, 24
	t.Run("vectors", func(t *testing.T) {
		defer func(from int) { outsideFrom = from }(outsideFrom)
		outsideFrom = math.MaxInt // the snapshot has them, as where they cannot be read from the file
		mappedSnapshotChanges(t, wide, 6000, "by closing", "by BuildIndex")
	})
}

// mappedSnapshotChanges does so with a snapshot of n rows, of which more than a megabyte of
// codes or of vectors is mapped.
func mappedSnapshotChanges(t *testing.T, wide engine.Schema, n int, ways ...string) {
	record := func(i int) engine.Record {
		rng := rand.New(rand.NewPCG(uint64(i), 3))
		v := make([]float32, wide.Dim)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		r := engine.Record{ID: fmt.Sprint(i), Vector: engine.Vector{F32: v}, Fields: []any{int64(i)}}
		if wide.Element == codec.DOUBLE {
			r.Vector = doubles(v)
		}
		return r
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	s := openStore(t, path)
	c := create(t, s, wide)
	var records []engine.Record
	for i := range n {
		records = append(records, record(i))
	}
	require.NoError(t, c.Upsert(t.Context(), records))
	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 8, EfConstruction: 32}))
	_, err := c.Delete(t.Context(), []string{"17"})
	require.NoError(t, err)
	require.NoError(t, s.Close())

	spoil := map[string]func(t *testing.T, f *os.File, size int64){
		"a bit": func(t *testing.T, f *os.File, size int64) {
			b := make([]byte, 1)
			_, err := f.ReadAt(b, size/3)
			require.NoError(t, err)
			b[0] ^= 0x40
			_, err = f.WriteAt(b, size/3)
			require.NoError(t, err)
		},
		"zeros": func(t *testing.T, f *os.File, size int64) {
			_, err := f.WriteAt(make([]byte, size), 0)
			require.NoError(t, err)
		},
	}
	heal := map[string]func(t *testing.T, s *store, c engine.Collection){
		"by closing": func(t *testing.T, s *store, c engine.Collection) {
			require.NoError(t, c.Upsert(t.Context(), []engine.Record{record(n), record(40)}))
			require.NoError(t, s.Close())
		},
		"by BuildIndex": func(t *testing.T, s *store, c engine.Collection) {
			require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 8, EfConstruction: 32}))
			requireMemoryIsRows(t, c)
			require.NoError(t, s.Close())
		},
		"by another index": func(t *testing.T, s *store, c engine.Collection) {
			require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 4, EfConstruction: 32}))
			requireMemoryIsRows(t, c)
			require.NoError(t, s.Close())
		},
	}
	for name, spoil := range spoil {
		for _, by := range ways {
			heal := heal[by]
			t.Run(name+" "+by, func(t *testing.T) {
				path := copyStore(t, dir, path)
				s, log := openLogged(t, path)
				c := open(t, s, "docs")
				f, err := os.OpenFile(snapshots(t, path)[0], os.O_RDWR, 0)
				require.NoError(t, err)
				defer f.Close()
				info, err := f.Stat()
				require.NoError(t, err)
				spoil(t, f, info.Size())
				heal(t, s, c)
				require.Contains(t, log.String(), "the snapshot of an index was changed while it was in use")

				s, log = openLogged(t, path)
				c = open(t, s, "docs")
				requireMemoryIsRows(t, c)
				require.Empty(t, log.String(), "the snapshot that was written is sound")
				require.NoError(t, s.Close())
			})
		}
	}
}

// Without an index a snapshot waits for many records while they come without a break, or
// for a lull.
func TestSnapshotWaitsForABulkLoad(t *testing.T) {
	s := newStore(t)
	s.leastSave = 10
	c := create(t, s, testSchema).(*collection)
	c.keeping.Store(true) // no linker is started, which would write one in a lull
	add := func(from, n int) {
		var records []engine.Record
		for i := range n {
			records = append(records, engine.Record{ID: fmt.Sprint(from + i), Vector: engine.Vector{F32: []float32{1, 2, 3, 4}}, Fields: make([]any, 2)})
		}
		require.NoError(t, c.Upsert(t.Context(), records))
		c.saveIfDue(t.Context())
	}
	add(0, 79)
	require.Empty(t, c.saved.tag)
	require.True(t, c.unsaved(), "it is written in a lull")
	add(79, 1)
	first := c.saved.tag
	require.NotEmpty(t, first)
	add(80, 79)
	require.Equal(t, first, c.saved.tag)
	add(159, 1)
	require.NotEqual(t, first, c.saved.tag)
}
