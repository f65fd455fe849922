package local

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
)

// mappedRows is so many that all that is large of a snapshot of wideSchema is mapped.
const mappedRows = 20_000

var wideSchema = engine.Schema{Name: "docs", Dim: 64, Metric: codec.L2}

func wideRecord(i int) engine.Record {
	rng := rand.New(rand.NewPCG(uint64(i), 3))
	v := make([]float32, wideSchema.Dim)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return engine.Record{ID: fmt.Sprint(i), Vector: engine.Vector{F32: v}}
}

func wideRecords(from, to int) (records []engine.Record) {
	for i := from; i < to; i++ {
		records = append(records, wideRecord(i))
	}
	return records
}

// wideStore makes a store of mappedRows records with a snapshot, and leaves it open.
func wideStore(t testing.TB, indexed bool) (*store, engine.Collection) {
	s := newStore(t)
	if !indexed {
		s.leastSave = 1 << 30 // it does not save by itself meanwhile
	}
	c := create(t, s, wideSchema)
	require.NoError(t, c.Upsert(t.Context(), wideRecords(0, mappedRows)))
	if indexed {
		require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 16, EfConstruction: 32}))
	} else {
		saveNow(t, c)
	}
	return s, c
}

// saveNow writes a snapshot of a collection.
func saveNow(t testing.TB, c engine.Collection) {
	t.Helper()
	lc := c.(*collection)
	require.NoError(t, lc.alone(t.Context(), func(ctx context.Context) error { return lc.save(ctx) }))
}

// A collection without an index has a snapshot, too, which is mapped and followed by
// what was written later.
func TestSnapshotWithoutIndex(t *testing.T) {
	s, c := wideStore(t, false)
	require.Len(t, snapshots(t, s.path), 1)
	tag := c.(*collection).saved.tag
	require.NoError(t, c.Upsert(t.Context(), wideRecords(100, 110)))
	require.NoError(t, c.Upsert(t.Context(), wideRecords(mappedRows, mappedRows+10)))
	_, err := c.Delete(t.Context(), []string{"7", "8", "20001"})
	require.NoError(t, err)
	requireMemoryIsRows(t, c)
	want := all(t, t.Context(), c)
	killed := copyStore(t, filepath.Dir(s.path), s.path)
	path := s.path
	require.NoError(t, s.Close())
	for _, path := range []string{path, killed} {
		s, log := openLogged(t, path)
		c := open(t, s, "docs")
		require.Equal(t, tag, c.(*collection).loadedFrom)
		require.Equal(t, want, all(t, t.Context(), c))
		requireMemoryIsRows(t, c)
		require.NoError(t, c.Upsert(t.Context(), wideRecords(7, 9)))
		requireMemoryIsRows(t, c)
		require.NoError(t, s.Close())
		require.Empty(t, log.String())
		require.Len(t, snapshots(t, path), 1)
	}
}

// What is damaged of a snapshot is noticed when it is opened, or when a vector is read
// that is damaged, and the answers are those of the rows.
func TestDamagedSnapshotWithoutIndex(t *testing.T) {
	s, c := wideStore(t, false)
	tag, dir, path := c.(*collection).saved.tag, filepath.Dir(s.path), s.path
	require.NoError(t, s.Close())
	info, err := os.Stat(s.snapshotPath(tag))
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(5, 5))
	for range 12 {
		path := copyStore(t, dir, path)
		file := (&store{path: path}).snapshotPath(tag)
		f, err := os.OpenFile(file, os.O_RDWR, 0)
		require.NoError(t, err)
		at, b := rng.Int64N(info.Size()), make([]byte, 1)
		_, err = f.ReadAt(b, at)
		require.NoError(t, err)
		b[0] ^= 1 << rng.IntN(8)
		_, err = f.WriteAt(b, at)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		s, log := openLogged(t, path)
		requireMemoryIsRows(t, open(t, s, "docs"))
		require.Contains(t, log.String(), "level=WARN")
		require.NoError(t, s.Close())
	}
}

// Who cuts a snapshot short while it is mapped ends no process: the collection is
// loaded from its records, and an index is linked again.
func TestSnapshotIsCutShortWhileOpen(t *testing.T) {
	for _, indexed := range []bool{true, false} {
		s, _ := wideStore(t, indexed)
		dir, path := filepath.Dir(s.path), s.path
		require.NoError(t, s.Close())
		for name, use := range map[string]func(t *testing.T, c engine.Collection){
			"by searches": func(t *testing.T, c engine.Collection) {
				for i := range 5 {
					found, err := c.Search(t.Context(), []engine.Search{{Vector: wideRecord(i).Vector, K: 3}})
					require.NoError(t, err)
					require.Equal(t, fmt.Sprint(i), found[0].Hits[0].ID)
				}
			},
			"by many": func(t *testing.T, c engine.Collection) {
				var many []engine.Search
				for i := range 5 {
					many = append(many, engine.Search{Vector: wideRecord(i).Vector, K: 3, Exact: i%2 == 0})
				}
				found, err := c.Search(t.Context(), many)
				require.NoError(t, err)
				for i, r := range found {
					require.Equal(t, fmt.Sprint(i), r.Hits[0].ID)
				}
			},
			"by writing": func(t *testing.T, c engine.Collection) {
				require.NoError(t, c.Upsert(t.Context(), wideRecords(0, 200)))
				_, err := c.Delete(t.Context(), []string{"19999"})
				require.NoError(t, err)
			},
			"by building": func(t *testing.T, c engine.Collection) {
				require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 16, EfConstruction: 32}))
			},
		} {
			t.Run(fmt.Sprint(name, indexed), func(t *testing.T) {
				s, log := openLogged(t, copyStore(t, dir, path))
				c := open(t, s, "docs")
				require.NoError(t, os.Truncate(snapshots(t, s.path)[0], 100))
				use(t, c)
				requireMemoryIsRows(t, c)
				require.Contains(t, log.String(), "was changed while it was in use")
				require.NoError(t, s.Close())
			})
		}
	}
}

// After a snapshot was written, memory is the file's as far as it can be.
func TestSavedMemoryIsMapped(t *testing.T) {
	s, c := wideStore(t, true)
	require.NoError(t, c.Upsert(t.Context(), wideRecords(mappedRows, mappedRows+3000)))
	settled(t, c)
	saveNow(t, c)
	require.Empty(t, c.(*collection).ids.tail)
	requireMemoryIsRows(t, c)
	require.NoError(t, c.Upsert(t.Context(), wideRecords(100, 400)))
	_, err := c.Delete(t.Context(), []string{"5", "22999"})
	require.NoError(t, err)
	settled(t, c)
	requireMemoryIsRows(t, c)
	require.Greater(t, graphRecallOf(t, c), 0.9)
	path := s.path
	require.NoError(t, s.Close())
	s, log := openLogged(t, path)
	requireMemoryIsRows(t, open(t, s, "docs"))
	require.Empty(t, log.String())
}

// graphRecallOf returns how often a walk finds the record that it asks for.
func graphRecallOf(t testing.TB, c engine.Collection) float64 {
	found := 0
	for i := 1000; i < 1200; i++ {
		r, err := c.Search(t.Context(), []engine.Search{{Vector: wideRecord(i).Vector, K: 1, Effort: 100}})
		require.NoError(t, err)
		if r[0].Hits[0].ID == fmt.Sprint(i) {
			found++
		}
	}
	return float64(found) / 200
}
