package local

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

var indexSchema = engine.Schema{Name: "docs", Dim: 8, Metric: codec.L2, Fields: []engine.Field{{Name: "n", Type: filter.Int}}}

const (
	indexRows = 8000
	// fewRows is an effort so small that a search goes through a graph of these rows.
	fewRows = 12
)

func indexRecord(rng *rand.Rand, id string) engine.Record {
	r := engine.Record{ID: id, Vector: indexVector(rng), Fields: []any{rng.Int64N(100)}, Text: "text of " + id}
	return r
}

func indexVector(rng *rand.Rand) engine.Vector {
	v := make([]float32, indexSchema.Dim)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return engine.Vector{F32: v}
}

// indexed makes a collection with records "0" to "n-1" and an index.
func indexed(t testing.TB, s *store, schema engine.Schema, n int) engine.Collection {
	t.Helper()
	c := create(t, s, schema)
	put(t, c, rand.New(rand.NewPCG(1, 1)), 0, n)
	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 8, EfConstruction: 32}))
	return c
}

func put(t testing.TB, c engine.Collection, rng *rand.Rand, from, to int) {
	t.Helper()
	var records []engine.Record
	for i := from; i < to; i++ {
		records = append(records, indexRecord(rng, fmt.Sprint(i)))
	}
	require.NoError(t, c.Upsert(t.Context(), records))
}

func open(t testing.TB, s *store, name string) engine.Collection {
	t.Helper()
	c, err := s.Open(t.Context(), name)
	require.NoError(t, err)
	return c
}

func indexes(t testing.TB, c engine.Collection) []engine.Index {
	t.Helper()
	found, err := c.Indexes(t.Context())
	require.NoError(t, err)
	return found
}

// recall compares searches through the graph with exact ones, and checks that
// what they find is there.
func recall(t testing.TB, c engine.Collection) float64 {
	t.Helper()
	r, _ := compareExact(t, c)
	return r
}

// graphRecall is recall of a collection whose graph is good enough to be used.
func graphRecall(t testing.TB, c engine.Collection) float64 {
	t.Helper()
	r, approximate := compareExact(t, c)
	require.Positive(t, approximate)
	return r
}

func compareExact(t testing.TB, c engine.Collection) (recall float64, approximate int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(2, 2))
	found, all := 0, 0
	for range 40 {
		s := engine.Search{Vector: indexVector(rng), K: 10, Effort: 20, Vectors: true}
		exact := s
		exact.Exact = true
		results, err := c.Search(t.Context(), []engine.Search{s, exact})
		require.NoError(t, err)
		require.True(t, results[1].Exact)
		require.Equal(t, len(results[1].Hits), len(results[0].Hits))
		if !results[0].Exact {
			approximate++
		}
		want := map[string]engine.Hit{}
		for _, h := range results[1].Hits {
			want[h.ID] = h
		}
		for _, h := range results[0].Hits {
			if w, ok := want[h.ID]; ok {
				require.Equal(t, w, h)
				found++
			}
		}
		all += len(want)
	}
	return float64(found) / float64(all), approximate
}

// settled waits until all rows are linked.
func settled(t testing.TB, c engine.Collection) {
	t.Helper()
	lc := c.(*collection)
	require.NoError(t, lc.alone(t.Context(), func(ctx context.Context) error { return lc.relink(ctx, 1, nil) }))
	stats, ok := lc.index.stats()
	require.True(t, ok)
	require.Zero(t, stats.Pending)
	require.Zero(t, stats.Stale)
}

func through(t testing.TB, c engine.Collection) engine.Plan {
	t.Helper()
	results, err := c.Search(t.Context(), []engine.Search{{Vector: engine.Vector{F32: make([]float32, indexSchema.Dim)}, K: 1, Effort: fewRows}})
	require.NoError(t, err)
	require.Equal(t, results[0].Exact, results[0].Plan.Index == "")
	return results[0].Plan
}

func TestBuildIndex(t *testing.T) {
	for _, path := range []string{"", filepath.Join(t.TempDir(), "test.db")} {
		t.Run(fmt.Sprintf("path %q", path), func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			s := openStore(t, path)
			defer s.Close()
			c := create(t, s, indexSchema)
			x := c
			rng := rand.New(rand.NewPCG(1, 1))
			put(t, c, rng, 0, indexRows)
			require.Empty(t, indexes(t, c))
			require.Equal(t, "scan", through(t, c).Path)

			var last engine.IndexProgress
			plan := engine.IndexPlan{M: 8, EfConstruction: 32, Workers: 2, Progress: func(p engine.IndexProgress) {
				require.GreaterOrEqual(t, p.Done, last.Done)
				last = p
			}}
			require.NoError(t, x.BuildIndex(t.Context(), plan))
			require.Equal(t, engine.IndexProgress{Phase: "linking", Done: indexRows, Total: indexRows}, last)
			got := indexes(t, c)
			require.Len(t, got, 1)
			require.Positive(t, got[0].Bytes)
			got[0].Bytes = 0
			require.Equal(t, engine.Index{Name: "docs.hnsw", Kind: "hnsw", M: 8, EfConstruction: 32, Valid: true}, got[0])
			require.Equal(t, engine.Plan{Path: "graph", Index: "hnsw", Effort: fewRows, Records: -1, Why: through(t, c).Why}, through(t, c))
			require.Greater(t, graphRecall(t, c), 0.85)

			// The same again is no work.
			last = engine.IndexProgress{}
			require.NoError(t, x.BuildIndex(t.Context(), plan))
			require.Zero(t, last)

			// Another one that is given up leaves this one.
			ctx, cancel := context.WithCancel(t.Context())
			err := x.BuildIndex(ctx, engine.IndexPlan{Progress: func(engine.IndexProgress) { cancel() }})
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, 8, indexes(t, c)[0].M)
			require.Equal(t, "graph", through(t, c).Path)

			require.NoError(t, x.BuildIndex(t.Context(), engine.IndexPlan{}))
			require.Len(t, indexes(t, c), 1)
			require.Equal(t, 16, indexes(t, c)[0].M)
			require.Equal(t, 200, indexes(t, c)[0].EfConstruction)
			require.Greater(t, recall(t, c), 0.85)

			require.ErrorIs(t, x.DropIndex(t.Context(), "docs"), engine.ErrNotFound)
			require.NoError(t, x.DropIndex(t.Context(), "docs.hnsw"))
			require.ErrorIs(t, x.DropIndex(t.Context(), "docs.hnsw"), engine.ErrNotFound)
			require.Empty(t, indexes(t, c))
			require.Equal(t, "scan", through(t, c).Path)
			require.Empty(t, snapshots(t, path))

			err = x.BuildIndex(ctx, engine.IndexPlan{})
			require.ErrorIs(t, err, context.Canceled)
			require.Empty(t, indexes(t, c), "nothing stays behind")
		})
	}
}

func TestBuildIndexRefused(t *testing.T) {
	s := newStore(t)
	c := create(t, s, indexSchema)
	for _, p := range []engine.IndexPlan{{M: 3}, {M: 65}, {M: -1}, {EfConstruction: 10_001}, {EfConstruction: -1}, {M: 32, EfConstruction: 63}} {
		var bad *codec.ValueError
		require.ErrorAs(t, c.BuildIndex(t.Context(), p), &bad)
	}
	require.ErrorIs(t, s.Tx(t.Context(), func(ctx context.Context) error {
		return c.BuildIndex(ctx, engine.IndexPlan{})
	}), engine.ErrUnsupported)
	require.NoError(t, s.Drop(t.Context(), "docs"))
	require.ErrorIs(t, c.BuildIndex(t.Context(), engine.IndexPlan{}), engine.ErrNotFound)
	require.ErrorIs(t, c.DropIndex(t.Context(), "docs.hnsw"), engine.ErrNotFound)
}

// While another index is built, the present one and its successor see the same
// changes.
func TestChangesWhileAnotherIndexIsBuilt(t *testing.T) {
	s := newStore(t)
	c := indexed(t, s, indexSchema, indexRows)
	rng := rand.New(rand.NewPCG(5, 5))
	changed := false
	plan := engine.IndexPlan{Workers: 1, Progress: func(p engine.IndexProgress) {
		if p.Done < indexRows/2 || changed {
			return
		}
		changed = true
		put(t, c, rng, 0, 500)
		put(t, c, rng, indexRows, indexRows+500)
		var ids []string
		for i := range 1000 {
			ids = append(ids, fmt.Sprint(1000+i))
		}
		n, err := c.Delete(t.Context(), ids)
		require.NoError(t, err)
		require.Equal(t, 1000, n)
		require.Greater(t, recall(t, c), 0.85)
	}}
	require.NoError(t, c.BuildIndex(t.Context(), plan))
	require.True(t, changed)
	require.Greater(t, recall(t, c), 0.85)
	settled(t, c)
	require.Equal(t, "graph", through(t, c).Path)
	require.Greater(t, graphRecall(t, c), 0.85)
}

func TestChangesKeepRecall(t *testing.T) {
	s := newStore(t)
	c := indexed(t, s, indexSchema, indexRows)
	rng := rand.New(rand.NewPCG(6, 6))
	for round := range 4 {
		put(t, c, rng, round*1000, round*1000+1500)
		_, err := c.DeleteWhere(t.Context(), filter.Lt("n", int64(10*round)))
		require.NoError(t, err)
		require.Greater(t, recall(t, c), 0.85)
		settled(t, c)
		require.Greater(t, graphRecall(t, c), 0.85)
	}
	require.Equal(t, "graph", through(t, c).Path)
}

// A filter leaves as many hits as there are.
func TestFilteredThroughIndex(t *testing.T) {
	c := indexed(t, newStore(t), indexSchema, indexRows)
	for _, low := range []int64{0, 50, 95, 99} {
		f := filter.Ge("n", low)
		n, err := c.Count(t.Context(), f)
		require.NoError(t, err)
		for _, k := range []int{1, 10, n, n + 5} {
			results, err := c.Search(t.Context(), []engine.Search{{
				Vector: engine.Vector{F32: make([]float32, 8)}, K: k, Filter: f, Effort: fewRows, Payload: true,
			}})
			require.NoError(t, err)
			require.Len(t, results[0].Hits, min(k, n))
			for _, h := range results[0].Hits {
				require.GreaterOrEqual(t, h.Fields[0].(int64), low)
			}
		}
	}
}

// A swap takes the indexes along.
func TestSwapKeepsIndexes(t *testing.T) {
	for _, drop := range []bool{false, true} {
		t.Run(fmt.Sprint("drop ", drop), func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			path := filepath.Join(t.TempDir(), "test.db")
			s := openStore(t, path)
			defer s.Close()
			a, b := indexSchema, indexSchema
			a.Name, b.Name = "a", "b"
			indexed(t, s, a, 3000)
			next := indexed(t, s, b, indexRows)
			rng := rand.New(rand.NewPCG(4, 4))
			put(t, next, rng, 0, 100)
			late := indexRecord(rng, "late")
			require.NoError(t, s.Swap(t.Context(), engine.Swap{Name: "a", Next: "b", Old: "c", Drop: drop, Settle: func(ctx context.Context, _, next engine.Collection) error {
				return next.Upsert(ctx, []engine.Record{late})
			}}))
			require.ErrorIs(t, next.BuildIndex(t.Context(), engine.IndexPlan{}), engine.ErrNotFound)
			c := open(t, s, "a")
			require.Equal(t, "a.hnsw", indexes(t, c)[0].Name)
			put(t, c, rng, indexRows, indexRows+100)
			require.Greater(t, recall(t, c), 0.85)
			want := all(t, t.Context(), c)

			for _, killed := range []bool{true, false} {
				from := path
				if killed {
					from = copyStore(t, filepath.Dir(path), path)
				} else {
					require.NoError(t, s.Close())
				}
				s, log := openLogged(t, from)
				c := open(t, s, "a")
				require.Equal(t, want, all(t, t.Context(), c))
				require.Greater(t, recall(t, c), 0.85)
				n := 1
				if !drop {
					n = 2
					require.Len(t, all(t, t.Context(), open(t, s, "c")), 3000)
					require.Greater(t, recall(t, open(t, s, "c")), 0.85)
				}
				require.NoError(t, s.Close())
				require.Len(t, snapshots(t, from), n)
				require.Empty(t, log.String())
			}
		})
	}
}

// TestIndexUnderLoad has everything happen at once.
func TestIndexUnderLoad(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	path := filepath.Join(t.TempDir(), "test.db")
	s := openStore(t, path)
	c := indexed(t, s, indexSchema, 3000)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	fine := func(err error) bool {
		if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, engine.ErrNotFound) {
			return true
		}
		t.Error(err)
		return false
	}
	for w := range 2 {
		wg.Go(func() { // a writer
			rng := rand.New(rand.NewPCG(uint64(w), 10))
			for ctx.Err() == nil {
				var records []engine.Record
				for range 20 {
					records = append(records, indexRecord(rng, fmt.Sprint(rng.IntN(4000))))
				}
				slices.SortFunc(records, func(a, b engine.Record) int { return strings.Compare(a.ID, b.ID) })
				records = slices.CompactFunc(records, func(a, b engine.Record) bool { return a.ID == b.ID })
				_, err := c.Delete(ctx, []string{fmt.Sprint(rng.IntN(4000)), fmt.Sprint(rng.IntN(4000))})
				if !fine(errors.Join(err, c.Upsert(ctx, records))) {
					return
				}
			}
		})
		wg.Go(func() { // a reader
			rng := rand.New(rand.NewPCG(uint64(w), 11))
			for ctx.Err() == nil {
				results, err := c.Search(ctx, []engine.Search{{Vector: indexVector(rng), K: 10, Effort: fewRows, Vectors: w == 0}})
				if !fine(err) {
					return
				}
				if err == nil && len(results[0].Hits) != 10 {
					t.Errorf("found %d", len(results[0].Hits))
					return
				}
			}
		})
	}
	x := c
	for i := range 6 {
		require.NoError(t, x.BuildIndex(t.Context(), engine.IndexPlan{M: 4 + i%2, EfConstruction: 16, Workers: 2}))
		if i == 3 {
			require.NoError(t, x.DropIndex(t.Context(), "docs.hnsw"))
		}
	}
	stop()
	wg.Wait()
	want := all(t, t.Context(), c)
	copied, log := openLogged(t, copyStore(t, filepath.Dir(path), path))
	again := open(t, copied, "docs")
	require.Equal(t, want, all(t, t.Context(), again))
	requireSameMemory(t, c.(*collection), again.(*collection))
	require.NoError(t, copied.Close())
	require.Empty(t, log.String())
	require.NoError(t, s.Close())
}

// What a collection holds in memory goes when it is closed, dropped or replaced, and
// not when the garbage collector finds out.
func TestMemoryIsGivenBack(t *testing.T) {
	const n = 3000
	for name, end := range map[string]func(t *testing.T, s *store){
		"close": func(t *testing.T, s *store) { require.NoError(t, s.Close()) },
		"drop":  func(t *testing.T, s *store) { require.NoError(t, s.Drop(t.Context(), "docs")) },
		"swap": func(t *testing.T, s *store) {
			next := indexSchema
			next.Name = "next"
			put(t, create(t, s, next), rand.New(rand.NewPCG(2, 2)), 0, 10)
			settle := func(_ context.Context, old, next engine.Collection) error { return nil }
			require.NoError(t, s.Swap(t.Context(), engine.Swap{Name: "docs", Next: "next", Drop: true, Settle: settle}))
			require.Len(t, all(t, t.Context(), open(t, s, "docs")), 10)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, filepath.Join(t.TempDir(), "test.db"))
			c := indexed(t, s, indexSchema, n)
			a := c.(*collection).index.(*arena[float32])
			graph := a.graph
			require.Equal(t, n, a.Rows())
			require.Positive(t, graph.Stats().Bytes)
			end(t, s)
			require.Zero(t, a.Rows())
			require.Zero(t, graph.Stats().Bytes)
			_, err := c.Search(t.Context(), []engine.Search{{Vector: engine.Vector{F32: make([]float32, indexSchema.Dim)}, K: 1}})
			require.ErrorIs(t, err, engine.ErrNotFound)
		})
	}
	s := openStore(t, "")
	c := indexed(t, s, indexSchema, n)
	a := c.(*collection).index.(*arena[float32])
	first := a.graph
	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 4, EfConstruction: 32}))
	require.Zero(t, first.Stats().Bytes, "another graph is in its place")
	second := a.graph
	require.NoError(t, c.DropIndex(t.Context(), "docs.hnsw"))
	require.Zero(t, second.Stats().Bytes)
	require.Equal(t, n, a.Rows())
	require.Len(t, all(t, t.Context(), c), n)
}
