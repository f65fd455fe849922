package local

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/simd"
)

// heldSchemas are collections of every way in which an index has vectors.
func heldSchemas() (all []engine.Schema) {
	for _, element := range []codec.Element{codec.FLOAT, codec.DOUBLE} {
		for _, metric := range []codec.Metric{codec.Cosine, codec.L2, codec.Dot} {
			all = append(all, engine.Schema{Name: "docs", Dim: 24, Metric: metric, Element: element, FullText: engine.Words})
		}
	}
	return all
}

// heldRecord returns a record with a vector of random length, now and then one that kernels
// cannot compare as it is.
func heldRecord(rng *rand.Rand, s engine.Schema, id string) engine.Record {
	size := 1.0
	if rng.IntN(20) == 0 {
		size = []float64{1e-30, 1e-12, 1e12, 1e16}[rng.IntN(4)]
		if s.Element == codec.DOUBLE && s.Metric == codec.Cosine {
			size = []float64{1e-250, 1e-160, 1e160, 1e250}[rng.IntN(4)]
		}
	}
	return engine.Record{ID: id, Text: "word " + id, Vector: vectorOf(s, func() float64 { return rng.NormFloat64() * size })}
}

// requireHeld compares every way to read a collection of a store in memory with what was
// stored, to the bit, and answers of searches with those of a store in a file.
func requireHeld(t *testing.T, ctx context.Context, c, file engine.Collection, want map[string]engine.Record, rng *rand.Rand) {
	t.Helper()
	records := all(t, ctx, c)
	require.Len(t, records, len(want))
	var ids []string
	for _, r := range records {
		w := want[r.ID]
		if w.ID != r.ID || w.Text != r.Text || !w.Vector.Equal(r.Vector) {
			require.Equal(t, w, r)
		}
		ids = append(ids, r.ID)
	}
	got, err := c.Get(ctx, ids, true)
	require.NoError(t, err)
	require.Len(t, got, len(want))
	for _, r := range got {
		if w := want[r.ID].Vector; !w.Equal(r.Vector) {
			require.Equal(t, w, r.Vector)
		}
	}
	byText, err := c.SearchText(ctx, []engine.TextSearch{{Text: "word", K: 7, Vectors: true}})
	require.NoError(t, err)
	for _, h := range byText[0] {
		require.Equal(t, want[h.ID].Vector, h.Vector)
	}
	q := heldRecord(rng, c.Schema(), "query").Vector
	for _, s := range []engine.Search{{Vector: q, K: 9, Exact: true, Vectors: true}, {Vector: q, K: 9, Exact: true, Vectors: true, Payload: true}} {
		found, err := c.Search(ctx, []engine.Search{s})
		require.NoError(t, err)
		theirs, err := file.Search(ctx, []engine.Search{s})
		require.NoError(t, err)
		require.Len(t, found[0].Hits, len(theirs[0].Hits))
		for i, h := range found[0].Hits {
			require.InDelta(t, 0, relative(h.Score, theirs[0].Hits[i].Score), scoresWithin(c.Schema(), h.Vector))
			require.Equal(t, want[h.ID].Vector, h.Vector)
			if s.Payload {
				require.Equal(t, want[h.ID].Text, h.Text)
			}
		}
	}
}

// scoresWithin is how much scores in a file may differ from those in memory: nothing, but under
// Cosine of vectors that are kept normalised in memory, because kernels cannot compare them.
func scoresWithin(s engine.Schema, v engine.Vector) float64 {
	switch norm := simd.Norm(elements(v)); {
	case s.Metric != codec.Cosine, s.Element == codec.FLOAT && 1e-9 < norm && norm < 1e9, s.Element == codec.DOUBLE && 1e-120 < norm && norm < 1e120:
		return 0
	case s.Element == codec.FLOAT:
		return 1e-6
	}
	return 1e-14
}

func relative(x, y float64) float64 {
	if x == y {
		return 0
	}
	return (x - y) / max(x, -x, y, -y)
}

var errWanted = errors.New("wanted")

// A store in memory has each vector in one place, and every verb reads it from there as it
// was stored, whatever was done to the collection in between.
func TestHeldVectors(t *testing.T) {
	for _, schema := range heldSchemas() {
		t.Run(fmt.Sprint(schema.Element, " ", schema.Metric), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, uint64(schema.Metric)))
			dir, ctx := t.TempDir(), t.Context()
			mem, disk := openStore(t, ""), openStore(t, filepath.Join(dir, "test.db"))
			c, file := create(t, mem, schema), create(t, disk, schema)
			want := map[string]engine.Record{}
			both := func(do func(c engine.Collection) error) {
				t.Helper()
				require.NoError(t, do(c))
				require.NoError(t, do(file))
			}
			change := func(ctx context.Context, want map[string]engine.Record, c engine.Collection, seed uint64) error {
				rng := rand.New(rand.NewPCG(seed, 2))
				var records []engine.Record
				for range 40 {
					r := heldRecord(rng, schema, fmt.Sprint(rng.IntN(300)))
					records = append(records, r)
					want[r.ID] = r
				}
				if err := c.Upsert(ctx, records); err != nil {
					return err
				}
				id := records[0].ID
				v := heldRecord(rng, schema, id).Vector
				if err := c.Update(ctx, []engine.Change{{ID: id, Vector: v}}); err != nil {
					return err
				}
				want[id] = engine.Record{ID: id, Text: want[id].Text, Vector: v}
				gone := fmt.Sprint(rng.IntN(300))
				delete(want, gone)
				_, err := c.Delete(ctx, []string{gone})
				return err
			}
			for step := range uint64(16) {
				switch step % 8 {
				case 1: // a transaction that is given up leaves all as it was
					err := mem.Tx(ctx, func(ctx context.Context) error {
						inside := cloneRecords(want)
						require.NoError(t, change(ctx, inside, c, step))
						records := all(t, ctx, c)
						require.Len(t, records, len(inside))
						for _, r := range records {
							require.Equal(t, inside[r.ID].Vector, r.Vector)
						}
						return errWanted
					})
					require.ErrorIs(t, err, errWanted)
				case 2:
					both(func(c engine.Collection) error {
						return c.(*collection).store.Tx(ctx, func(ctx context.Context) error { return change(ctx, want, c, step) })
					})
				case 3:
					require.NoError(t, c.Release(ctx))
					require.True(t, c.(*collection).isAsleep())
				case 4:
					require.NoError(t, c.BuildIndex(ctx, engine.IndexPlan{M: 8, EfConstruction: 32}))
				case 5:
					require.NoError(t, mem.Compact(ctx))
				case 6:
					other := schema
					other.Name = "other"
					create(t, mem, other)
					require.NoError(t, mem.Swap(ctx, engine.Swap{Name: "other", Next: "docs", Drop: true,
						Settle: func(context.Context, engine.Collection, engine.Collection) error { return nil }}))
					require.NoError(t, mem.Swap(ctx, engine.Swap{Name: create(t, mem, schema).Schema().Name, Next: "other", Old: "old",
						Settle: func(context.Context, engine.Collection, engine.Collection) error { return nil }}))
					require.NoError(t, mem.Drop(ctx, "old"))
					c = open(t, mem, "docs")
				default:
					both(func(c engine.Collection) error { return change(ctx, want, c, step) })
				}
				requireHeld(t, ctx, c, file, want, rng)
			}
			checked, err := mem.Check(ctx)
			require.NoError(t, err)
			require.Empty(t, checked.Problems)
			for n := 0; n < 1200; n += 600 { // codes are made meanwhile
				both(func(c engine.Collection) error {
					rng := rand.New(rand.NewPCG(uint64(n), 5))
					var records []engine.Record
					for i := range 600 {
						records = append(records, heldRecord(rng, schema, fmt.Sprint(1000+n+i)))
						want[records[i].ID] = records[i]
					}
					return c.Upsert(ctx, records)
				})
			}
			requireHeld(t, ctx, c, file, want, rng)
			checked, err = mem.Check(ctx)
			require.NoError(t, err)
			require.Empty(t, checked.Problems)
			backup, salvaged := filepath.Join(dir, "backup.db"), filepath.Join(dir, "salvaged.db")
			require.NoError(t, mem.Backup(ctx, backup, nil))
			checked, err = mem.Salvage(ctx, salvaged)
			require.NoError(t, err)
			require.Empty(t, checked.Problems)
			for _, path := range []string{backup, salvaged} {
				s := openStore(t, path)
				requireHeld(t, ctx, open(t, s, "docs"), file, want, rng)
				checked, err := s.Check(ctx)
				require.NoError(t, err)
				require.Empty(t, checked.Problems)
			}
			var bytes int
			require.NoError(t, mem.read.QueryRow("SELECT coalesce(sum(length(vector)), 0) FROM "+dataTable("docs")).Scan(&bytes))
			require.Zero(t, bytes)
		})
	}
}

func cloneRecords(records map[string]engine.Record) map[string]engine.Record {
	copied := map[string]engine.Record{}
	for id, r := range records {
		copied[id] = r
	}
	return copied
}

// Searches, readers, writers, transactions that are given up, letting go, and verbs that put
// another collection in the place of one run beside each other: whoever finds a record finds
// its vector.
func TestHeldBesideUse(t *testing.T) {
	schema := engine.Schema{Name: "docs", Dim: 24, Metric: codec.Cosine, FullText: engine.Words}
	s := openStore(t, "")
	create(t, s, schema)
	// The vector of a record is known from its ID and how often it was written.
	record := func(id, round int) engine.Record {
		r := heldRecord(rand.New(rand.NewPCG(uint64(id), uint64(round))), schema, fmt.Sprint(id))
		r.Text = fmt.Sprint("word ", round)
		return r
	}
	const ids, rounds = 400, 30
	batch := func(round int) (records []engine.Record) {
		for i := range 50 {
			records = append(records, record((round*37+i*7)%ids, round))
		}
		return records
	}
	docs := func() engine.Collection { return open(t, s, "docs") }
	require.NoError(t, docs().Upsert(t.Context(), batch(0)))
	fits := func(r engine.Record) error {
		var id, round int
		if _, err := fmt.Sscan(r.ID, &id); err != nil {
			return err
		}
		if _, err := fmt.Sscanf(r.Text, "word %d", &round); err != nil {
			return err
		}
		if !record(id, round).Vector.Equal(r.Vector) {
			return fmt.Errorf("record %d has another vector than it was given in round %d", id, round)
		}
		return nil
	}
	passing := func(err error) bool { // the collection was altered meanwhile
		return errors.Is(err, engine.ErrNotFound) || errors.Is(err, engine.ErrAltered)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var readers, writers sync.WaitGroup
	read := func(do func(c engine.Collection) ([]engine.Record, error)) {
		readers.Go(func() {
			for ctx.Err() == nil {
				records, err := do(docs())
				for _, r := range records {
					if err == nil {
						err = fits(r)
					}
				}
				if err != nil && !passing(err) {
					t.Error(err)
					return
				}
			}
		})
	}
	read(func(c engine.Collection) ([]engine.Record, error) {
		return c.Scan(t.Context(), engine.Scan{Limit: 100, Vectors: true})
	})
	read(func(c engine.Collection) (records []engine.Record, err error) {
		found, err := c.SearchText(t.Context(), []engine.TextSearch{{Text: "word", K: 20, Vectors: true, Payload: true}})
		if err == nil {
			for _, h := range found[0] {
				records = append(records, h.Record)
			}
		}
		return records, err
	})
	read(func(c engine.Collection) (records []engine.Record, err error) {
		found, err := c.Search(t.Context(), []engine.Search{{Vector: record(1, 1).Vector, K: 20, Vectors: true, Payload: true}})
		if err == nil {
			for _, h := range found[0].Hits {
				records = append(records, h.Record)
			}
		}
		return records, err
	})
	backups := t.TempDir()
	writers.Go(func() {
		for round := range rounds {
			var err error
			switch round % 6 {
			case 1:
				err = s.Tx(t.Context(), func(ctx context.Context) error {
					if err := docs().Upsert(ctx, batch(1000+round)); err != nil {
						return err
					}
					return errWanted
				})
				if errors.Is(err, errWanted) {
					err = nil
				}
			case 2:
				err = docs().Release(t.Context())
			case 3:
				_, err = docs().Delete(t.Context(), []string{fmt.Sprint(round), fmt.Sprint(round * 3 % ids)})
			case 4:
				other := schema
				other.Name = "other"
				create(t, s, other)
				nothing := func(context.Context, engine.Collection, engine.Collection) error { return nil }
				err = errors.Join(
					s.Swap(t.Context(), engine.Swap{Name: "docs", Next: "other", Old: "old", Settle: nothing}),
					s.Swap(t.Context(), engine.Swap{Name: "docs", Next: "old", Drop: true, Settle: nothing}))
			default:
				err = docs().Upsert(t.Context(), batch(round))
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	writers.Go(func() {
		for i := range 2 {
			path := filepath.Join(backups, fmt.Sprint(i, ".db"))
			if err := s.Backup(t.Context(), path, nil); err != nil {
				t.Error(err)
				return
			}
		}
	})
	writers.Wait()
	stop()
	readers.Wait()
	for i := range 2 {
		copied := openStore(t, filepath.Join(backups, fmt.Sprint(i, ".db")))
		for _, r := range all(t, t.Context(), open(t, copied, "docs")) {
			require.NoError(t, fits(r))
		}
	}
}

// A store in memory that has as much as SQLite takes refuses what is too much whole, and
// takes records again when others are gone. Vectors do not count.
func TestMemoryLimit(t *testing.T) {
	uri := fmt.Sprintf("file:/vecwire-%d?vfs=memdb", memories.Load()+1)
	s := openStore(t, "")
	require.NoError(t, limitMemory(uri, 1<<20))
	c := create(t, s, wideSchema)
	require.NoError(t, c.Upsert(t.Context(), wideRecords(0, 8000))) // 2 MB of vectors
	long := wideRecord(8000)
	long.Text = strings.Repeat("x", 1<<20)
	err := c.Upsert(t.Context(), []engine.Record{wideRecord(8001), long})
	require.ErrorContains(t, err, "a store in memory has 2 GiB beside its vectors")
	n, err := c.Count(t.Context(), filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, 8000, n)
	requireMemoryIsRows(t, c)
	require.NoError(t, c.Upsert(t.Context(), wideRecords(8000, 8010)))
	requireMemoryIsRows(t, c)
}
