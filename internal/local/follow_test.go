package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// TestStoresFollow makes random changes through one of two stores over the same file,
// and looks through either. To SQLite and to us the two are what two processes are.
func TestStoresFollow(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { runStores(t, rand.New(rand.NewPCG(seed, 7)), int64(seed)) })
	}
}

func runStores(t *testing.T, rng *rand.Rand, seed int64) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	var stores [2]*store
	var in [2]engine.Collection
	reopen := func(i int) {
		if stores[i] != nil {
			require.NoError(t, stores[i].Close())
		}
		stores[i] = openStore(t, path)
		stores[i].leastSave = 30
		if seed%3 == 2 {
			stores[i].paying = paying{rows: 30}
		}
		if seed%2 == 1 {
			stores[i].keep = 3 // so that the other falls behind
		}
		c, err := ensure(ctx, stores[i], testSchema)
		require.NoError(t, err)
		in[i] = c
	}
	reopen(0)
	reopen(1)
	m := model{}
	for range 200 {
		i := rng.IntN(2)
		c := in[i]
		switch rng.IntN(14) {
		case 0:
			require.NoError(t, c.BuildIndex(ctx, engine.IndexPlan{M: 4 + rng.IntN(2), EfConstruction: 10}))
			require.Len(t, indexes(t, in[1-i]), 1)
		case 1:
			err := c.DropIndex(ctx, "docs.hnsw")
			require.True(t, err == nil || errors.Is(err, engine.ErrNotFound), err)
			if err == nil || seed%3 != 2 { // else one may appear meanwhile
				require.Empty(t, indexes(t, in[1-i]))
			}
		case 2:
			reopen(i)
		case 3:
			inside := maps.Clone(m)
			require.NoError(t, stores[i].Tx(ctx, func(ctx context.Context) error {
				for range 3 {
					step(t, ctx, rng, c, inside)
					compare(t, ctx, rng, c, inside)
				}
				return nil
			}))
			m = inside
		case 4: // another one of that name
			require.NoError(t, stores[i].Drop(ctx, testSchema.Name))
			_, err := in[1-i].Count(ctx, filter.Filter{})
			require.ErrorIs(t, err, engine.ErrNotFound)
			require.ErrorIs(t, in[1-i].Upsert(ctx, []engine.Record{randomRecord(rng, "a")}), engine.ErrNotFound)
			_, err = stores[1-i].Open(ctx, testSchema.Name)
			require.ErrorIs(t, err, engine.ErrNotFound)
			in[i] = create(t, stores[i], testSchema)
			_, err = stores[1-i].Create(ctx, testSchema)
			require.ErrorIs(t, err, engine.ErrExists)
			in[1-i], err = stores[1-i].Open(ctx, testSchema.Name)
			require.NoError(t, err)
			m = model{}
		case 5:
			for range rng.IntN(12) {
				step(t, ctx, rng, c, m)
			}
		default:
			step(t, ctx, rng, c, m)
		}
		compare(t, ctx, rng, in[0], m)
		if rng.IntN(3) > 0 {
			compare(t, ctx, rng, in[1], m)
		}
	}
	for i := range 2 {
		require.Equal(t, m.sorted(), nilToEmpty(all(t, ctx, in[i])))
		requireMemoryIsRows(t, in[i])
	}
}

// TestReadersSeeWholeCommitsOfOthers is TestReadersSeeWholeCommits with the writer in
// another store over the same file.
func TestReadersSeeWholeCommitsOfOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	a, b := openStore(t, path), openStore(t, path)
	inA := create(t, a, testSchema)
	inB, err := b.Open(t.Context(), testSchema.Name)
	require.NoError(t, err)
	write := func(ctx context.Context, n int) error {
		records := make([]engine.Record, 40)
		for i := range records {
			records[i] = engine.Record{ID: fmt.Sprint(i), Vector: engine.Vector{F32: []float32{float32(n), 0, 0, 0}}, Fields: []any{int64(n), nil}}
		}
		return inA.Upsert(ctx, records)
	}
	require.NoError(t, write(t.Context(), 0))
	readers, ctx := errgroup.WithContext(t.Context())
	writing, stop := context.WithCancel(ctx)
	for i := range 3 {
		readers.Go(func() error {
			for writing.Err() == nil {
				if err := lookAtCommit(ctx, inB); err != nil {
					return err
				}
				if i > 0 {
					continue
				}
				// One without luck, who holds on to a state of the file.
				err := inB.(*collection).runPinned(ctx, "Count", readingFunc(func(ctx context.Context) error {
					rows, _, err := inB.(*collection).rowsThat(ctx, filter.Ge("n", int64(0)))
					if n := rows.Count(); err == nil && n != inB.(*collection).ids.len() {
						err = fmt.Errorf("%d records in the file, %d in memory", n, inB.(*collection).ids.len())
					}
					return err
				}))
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	for n := range 60 {
		require.NoError(t, write(ctx, n+1))
	}
	stop()
	require.NoError(t, readers.Wait())
}

// Those who open a new file at the same moment open one store.
func TestOpenNewFileAtOnce(t *testing.T) {
	for range 4 {
		path := filepath.Join(t.TempDir(), "test.db")
		group, ctx := errgroup.WithContext(t.Context())
		const most = 6
		for i := range most {
			group.Go(func() error {
				e, err := Open(ctx, Options{Path: path, Logger: slog.New(slog.DiscardHandler)})
				if err != nil {
					return err
				}
				c, err := ensure(ctx, e.(*store), testSchema)
				if err != nil {
					return errors.Join(err, e.Close())
				}
				return errors.Join(c.Upsert(ctx, []engine.Record{randomRecord(rand.New(rand.NewPCG(1, 1)), fmt.Sprint(i))}), e.Close())
			})
		}
		require.NoError(t, group.Wait())
		c, err := openStore(t, path).Open(t.Context(), testSchema.Name)
		require.NoError(t, err)
		require.Len(t, all(t, t.Context(), c), most)
	}
}

// A collection that another store swaps for another is gone for those who have it, and
// each name means at the next call what it means there.
func TestStoresFollowSwap(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	a, b := openStore(t, path), openStore(t, path)
	rng := rand.New(rand.NewPCG(1, 1))
	next := testSchema
	next.Name = "next"
	require.NoError(t, create(t, a, testSchema).Upsert(ctx, []engine.Record{randomRecord(rng, "old")}))
	require.NoError(t, create(t, a, next).Upsert(ctx, []engine.Record{randomRecord(rng, "new")}))
	oldInB, err := b.Open(ctx, "docs")
	require.NoError(t, err)
	nextInB, err := b.Open(ctx, "next")
	require.NoError(t, err)
	require.NoError(t, a.Swap(ctx, engine.Swap{Name: "docs", Next: "next", Old: "was", Settle: func(context.Context, engine.Collection, engine.Collection) error { return nil }}))
	for _, c := range []engine.Collection{oldInB, nextInB} {
		_, err := c.Count(ctx, filter.Filter{})
		require.ErrorIs(t, err, engine.ErrNotFound)
		_, err = c.Search(ctx, []engine.Search{{Vector: randomRecord(rng, "").Vector, K: 1, Filter: filter.Ge("n", int64(0))}})
		require.ErrorIs(t, err, engine.ErrNotFound)
	}
	_, err = b.Open(ctx, "next")
	require.ErrorIs(t, err, engine.ErrNotFound)
	for name, id := range map[string]string{"docs": "new", "was": "old"} {
		c, err := b.Open(ctx, name)
		require.NoError(t, err)
		require.Equal(t, id, all(t, ctx, c)[0].ID)
		require.NoError(t, c.Upsert(ctx, []engine.Record{randomRecord(rng, "more")}))
		inA, err := a.Open(ctx, name)
		require.NoError(t, err)
		require.Len(t, all(t, ctx, inA), 2)
		requireMemoryIsRows(t, inA)
	}
}

// TestFormat3 opens a store that noted the rows which a snapshot lacks otherwise.
func TestFormat3(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "test.db")
	s := openStore(t, path)
	indexed(t, s, indexSchema, indexRows)
	require.NoError(t, s.Close())
	s = openStore(t, path)
	c := open(t, s, "docs")
	changed := all(t, ctx, c)[:5]
	for i := range changed {
		changed[i].Vector.F32[0] += 3
	}
	require.NoError(t, c.Upsert(ctx, changed))
	path = copyStore(t, filepath.Dir(path), path) // as if killed
	s = openStore(t, path)                        // what is in the log comes into the file
	require.NoError(t, s.emptyLog())
	lines, err := changesOf(ctx, s.read, s.seq.Load(), 0)
	require.NoError(t, err)
	require.Empty(t, lines)
	var id, upto int64
	require.NoError(t, s.read.QueryRow("SELECT c.id, s.upto FROM vecwire_collections c, vecwire_snapshots s").Scan(&id, &upto))
	rows, err := changesOf(ctx, s.read, id, upto)
	require.NoError(t, err)
	require.Len(t, rows, 5)
	statements := []string{createChanged}
	for _, row := range rows {
		statements = append(statements, fmt.Sprintf("INSERT INTO vecwire_changed SELECT id, %d, 0 FROM vecwire_indexes", row))
	}
	for _, statement := range append(statements,
		"ALTER TABLE vecwire_indexes ADD COLUMN snapshot TEXT NOT NULL DEFAULT ''", "UPDATE vecwire_indexes SET snapshot = (SELECT tag FROM vecwire_snapshots)",
		"DROP TABLE vecwire_snapshots", "DROP TABLE vecwire_changes", "ALTER TABLE vecwire_collections DROP COLUMN id", "PRAGMA user_version = 3") {
		_, err := s.write.Exec(statement)
		require.NoError(t, err, statement)
	}
	path = copyStore(t, filepath.Dir(path), path)

	s, log := openLogged(t, path)
	c = open(t, s, "docs")
	requireMemoryIsRows(t, c)
	require.Empty(t, log.String(), "the snapshot was used")
	require.NoError(t, c.Upsert(ctx, changed[:1]))
	require.NoError(t, s.Close())
	s, log = openLogged(t, path)
	requireMemoryIsRows(t, open(t, s, "docs"))
	require.Empty(t, log.String())
}

// An index that another process has put in the place of the only one of the store is another one,
// and the snapshot of the former is not taken for its own.
func TestFollowsAnotherIndex(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	here, there := openStore(t, path), openStore(t, path)
	c := indexed(t, here, indexSchema, 600)
	in := open(t, there, "docs")
	require.Equal(t, 8, indexes(t, in)[0].M)
	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 5, EfConstruction: 32}))
	require.Equal(t, 5, indexes(t, in)[0].M)
	put(t, in, rand.New(rand.NewPCG(2, 2)), 0, 10)
	saveNow(t, in)
	require.Empty(t, checked(t, here).Problems)
}
