package local

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

const someRows = 1500

// bounded opens a store that keeps no more than this of collections.
func bounded(t testing.TB, path string, bound int64) *store {
	t.Helper()
	e, err := Open(t.Context(), Options{Path: path, Memory: bound, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { e.Close() })
	return e.(*store)
}

func (s *store) keeps() (bytes int64, awake int) {
	for _, c := range s.openCollections() {
		bytes += c.bytes()
		if !c.isAsleep() {
			awake++
		}
	}
	return bytes, awake
}

// Collections that were not used for long are let go, and are there again when they are
// used, by whatever verb.
func TestMemoryBound(t *testing.T) {
	const bound = 5 << 18 // two collections
	path := filepath.Join(t.TempDir(), "test.db")
	s := bounded(t, path, bound)
	var all []engine.Collection
	for i := range 5 {
		schema := wideSchema
		schema.Name = fmt.Sprint("c", i)
		schema.Fields = []engine.Field{{Name: "n", Type: filter.Int}}
		c := create(t, s, schema)
		all = append(all, c)
		records := wideRecords(0, someRows)
		for j := range records {
			records[j].Fields = []any{int64(j)}
		}
		require.NoError(t, c.Upsert(t.Context(), records))
		bytes, awake := s.keeps()
		require.LessOrEqual(t, bytes, int64(bound))
		require.Equal(t, min(i+1, 2), awake)
	}
	asleep := func(i int) *collection {
		t.Helper()
		require.NoError(t, all[i].Release(t.Context()))
		c := all[i].(*collection)
		require.True(t, c.isAsleep())
		return c
	}
	for i, c := range all {
		requireMemoryIsRows(t, c)
		bytes, _ := s.keeps()
		require.LessOrEqual(t, bytes, int64(bound), i)
	}
	record := func(i int) engine.Record {
		r := wideRecord(i)
		r.Fields = []any{int64(i)}
		return r
	}
	for verb, use := range map[string]func(c engine.Collection) error{
		"upsert": func(c engine.Collection) error { return c.Upsert(t.Context(), []engine.Record{record(7)}) },
		"insert": func(c engine.Collection) error { return c.Insert(t.Context(), []engine.Record{record(9000)}) },
		"delete": func(c engine.Collection) error {
			n, err := c.Delete(t.Context(), []string{"9000"})
			require.LessOrEqual(t, n, 1)
			return err
		},
		"delete where": func(c engine.Collection) error {
			_, err := c.DeleteWhere(t.Context(), filter.Eq("n", int64(3)))
			return err
		},
		"update": func(c engine.Collection) error {
			return c.Update(t.Context(), []engine.Change{{ID: "11", Fields: []engine.FieldValue{{Place: 0, Value: int64(5)}}}})
		},
		"count": func(c engine.Collection) error {
			_, err := c.Count(t.Context(), filter.Filter{})
			return err
		},
		"get": func(c engine.Collection) error {
			found, err := c.Get(t.Context(), []string{"20"}, true)
			require.Len(t, found, 1)
			return err
		},
		"index": func(c engine.Collection) error {
			return c.BuildIndex(t.Context(), engine.IndexPlan{M: 8, EfConstruction: 16})
		},
		"tx": func(c engine.Collection) error {
			return s.Tx(t.Context(), func(ctx context.Context) error {
				found, err := c.Get(ctx, []string{"20"}, true)
				if err == nil && len(found) == 1 {
					err = c.Upsert(ctx, found)
				}
				return err
			})
		},
	} {
		c := asleep(2)
		require.NoError(t, use(c), verb)
		require.False(t, c.isAsleep(), verb)
		requireMemoryIsRows(t, c)
	}
	asleep(1)
	require.NoError(t, s.Drop(t.Context(), "c1"))
	_, err := all[1].Count(t.Context(), filter.Filter{})
	require.ErrorIs(t, err, engine.ErrNotFound)
	asleep(3)
	require.NoError(t, s.Swap(t.Context(), engine.Swap{Name: "c0", Next: "c3", Drop: true,
		Settle: func(context.Context, engine.Collection, engine.Collection) error { return nil }}))
	requireMemoryIsRows(t, open(t, s, "c0"))
}

// What another process writes to a collection that is asleep is there when it is used.
func TestAsleepBesideOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	a, b := openStore(t, path), openStore(t, path)
	inA := create(t, a, wideSchema)
	require.NoError(t, inA.Upsert(t.Context(), wideRecords(0, someRows)))
	inB := open(t, b, "docs")
	requireMemoryIsRows(t, inB)
	for i := range 3 {
		require.NoError(t, inB.Release(t.Context()))
		require.NoError(t, inA.Upsert(t.Context(), wideRecords(someRows+i, someRows+i+2)))
		other := wideSchema
		other.Name = fmt.Sprint("other", i)
		require.NoError(t, create(t, b, other).Upsert(t.Context(), wideRecords(0, 3))) // it follows, and lets it sleep
		require.True(t, inB.(*collection).isAsleep())
		requireMemoryIsRows(t, inB)
	}
	n, err := inB.Count(t.Context(), filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, someRows+4, n)
}

// Searches, writes and letting go run beside each other.
func TestReleaseBesideUse(t *testing.T) {
	s := bounded(t, filepath.Join(t.TempDir(), "test.db"), 1<<19)
	c := create(t, s, wideSchema)
	require.NoError(t, c.Upsert(t.Context(), wideRecords(0, someRows)))
	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 8, EfConstruction: 16}))
	var group sync.WaitGroup
	for w := range 3 {
		group.Go(func() {
			for i := range 60 {
				var err error
				switch w {
				case 0:
					err = c.Release(t.Context())
				case 1:
					err = c.Upsert(t.Context(), wideRecords(i, i+5))
				default:
					var found []engine.Result
					found, err = c.Search(t.Context(), []engine.Search{{Vector: wideRecord(700 + i).Vector, K: 1, Exact: i%2 == 0}})
					if err == nil && len(found[0].Hits) != 1 {
						err = fmt.Errorf("found %d", len(found[0].Hits))
					}
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	requireMemoryIsRows(t, c)
}

// A transaction that needs two collections of which the bound leaves room for one has both until it
// is done.
func TestTransactionNeedsMoreThanTheBound(t *testing.T) {
	for name, path := range map[string]string{"file": filepath.Join(t.TempDir(), "test.db"), "memory": ""} {
		t.Run(name, func(t *testing.T) {
			s := bounded(t, path, 1)
			var all []engine.Collection
			for i := range 2 {
				schema := wideSchema
				schema.Name = fmt.Sprint("c", i)
				c := create(t, s, schema)
				require.NoError(t, c.Upsert(t.Context(), wideRecords(1000, 1000+someRows)))
				all = append(all, c)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var group sync.WaitGroup
			for worker := range 3 {
				group.Go(func() {
					for i := range 10 {
						assert.NoError(t, s.Tx(ctx, func(ctx context.Context) error {
							for _, c := range all {
								if err := c.Upsert(ctx, wideRecords(worker*100+i, worker*100+i+1)); err != nil {
									return err
								}
							}
							return nil
						}))
					}
				})
			}
			group.Wait()
			for _, c := range all {
				n, err := c.Count(t.Context(), filter.Filter{})
				require.NoError(t, err)
				require.Equal(t, 30+someRows, n)
			}
			_, awake := s.keeps()
			require.LessOrEqual(t, awake, 1)
		})
	}
}

// A collection may be let go just when somebody is about to change its links or its schema: then
// nothing is linked until it is loaded again.
func TestSleepBeforeWhoHasTheLinks(t *testing.T) {
	for _, path := range []string{"", filepath.Join(t.TempDir(), "test.db")} {
		s, _ := selfStore(t, path)
		c := create(t, s, indexSchema)
		put(t, c, rand.New(rand.NewPCG(1, 1)), 0, indexRows)
		require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{}))
		lc := c.(*collection)
		require.ErrorIs(t, lc.alone(t.Context(), func(ctx context.Context) error {
			require.NoError(t, s.takeTurn(ctx, call{}))
			defer s.endTurn()
			lc.sleep()
			return errBehind
		}), errBehind)
		require.False(t, lc.keeping.Load(), "it has no linker")
		c = alterTo(t, s, "docs", func(was engine.Schema) engine.Alteration {
			lc.sleep()
			was.Codes = engine.FourBits
			return engine.Alteration{Schema: was, From: []int{0}}
		})
		require.False(t, c.(*collection).keeping.Load(), "its heir is asleep, too")
		require.Len(t, indexes(t, c), 1)
		n, err := c.Count(t.Context(), filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, indexRows, n)
		settled(t, c)
		require.Greater(t, recall(t, c), 0.8)
		requireMemoryIsRows(t, c)
		require.NoError(t, s.Close())
	}
}
