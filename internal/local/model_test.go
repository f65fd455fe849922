package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// model is what a collection should hold: the simplest thing that could be right.
type model map[string]engine.Record

func (m model) sorted() []engine.Record {
	return slices.SortedFunc(maps.Values(m), func(a, b engine.Record) int { return cmp.Compare(a.ID, b.ID) })
}

// where returns the IDs of the records whose field n is at least low.
func (m model) where(low int64) (ids []string) {
	for _, r := range m.sorted() {
		if n, ok := r.Fields[0].(int64); ok && n >= low {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

func (m model) search(q []float32, k int, low int64) []engine.Hit {
	var hits []engine.Hit
	for _, id := range m.where(low) {
		r := m[id]
		sum := 0.0
		for i, x := range r.Vector.F32 {
			d := float64(q[i]) - float64(x)
			sum += d * d
		}
		r.Vector = engine.Vector{}
		hits = append(hits, engine.Hit{Record: r, Score: 0 - math.Sqrt(sum)})
	}
	slices.SortStableFunc(hits, func(a, b engine.Hit) int { return cmp.Compare(b.Score, a.Score) })
	return hits[:min(k, len(hits))]
}

// TestModel does random things to a collection and to the model, inside
// transactions and outside, some of them rolled back, closes and opens the store
// in between, or goes on with a copy of its files as they are, builds and drops an
// index, and compares the two.
func TestModel(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { runModel(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

var errUndo = errors.New("undo")

func runModel(t *testing.T, rng *rand.Rand) {
	ctx := t.Context()
	s := newStore(t)
	path := s.path
	c := create(t, s, testSchema)
	m := model{}
	bySelf := rng.IntN(2) == 0 // an index appears by itself
	grow := func() {
		if bySelf {
			s.paying = paying{rows: 30}
		}
	}
	grow()
	s.payloads.most = []int{0, 6 << 10, payloadBytes}[rng.IntN(3)]
	for range 150 {
		switch rng.IntN(15) {
		case 12:
			require.NoError(t, c.BuildIndex(ctx, engine.IndexPlan{M: 4 + rng.IntN(2), EfConstruction: 10}))
		case 13:
			err := c.DropIndex(ctx, "docs.hnsw")
			require.True(t, err == nil || errors.Is(err, engine.ErrNotFound), err)
		case 14: // as if the process had been killed
			was := indexes(t, c)
			killed := path
			path = copyStore(t, filepath.Dir(path), path)
			s.Close()
			require.NoError(t, os.RemoveAll(filepath.Dir(killed)))
			s = openStore(t, path)
			grow()
			var err error
			c, err = s.Open(ctx, testSchema.Name)
			require.NoError(t, err)
			require.GreaterOrEqual(t, len(indexes(t, c)), len(was))
			requireMemoryIsRows(t, c)
		case 0:
			require.NoError(t, s.Close())
			s = openStore(t, path)
			grow()
			var err error
			c, err = s.Open(ctx, testSchema.Name)
			require.NoError(t, err)
		case 1, 2, 3:
			inside, undo := maps.Clone(m), rng.IntN(3) == 0
			err := s.Tx(ctx, func(ctx context.Context) error {
				for range rng.IntN(6) {
					step(t, ctx, rng, c, inside)
					compare(t, ctx, rng, c, inside)
				}
				if undo {
					return errUndo
				}
				return nil
			})
			if undo {
				require.ErrorIs(t, err, errUndo)
			} else {
				require.NoError(t, err)
				m = inside
			}
		default:
			step(t, ctx, rng, c, m)
		}
		compare(t, ctx, rng, c, m)
	}
	require.Equal(t, m.sorted(), nilToEmpty(all(t, ctx, c)))
}

func nilToEmpty(records []engine.Record) []engine.Record {
	return append([]engine.Record(nil), records...)
}

// step changes the collection and the model in the same way.
func step(t *testing.T, ctx context.Context, rng *rand.Rand, c engine.Collection, m model) {
	id := func() string { return fmt.Sprint("id", rng.IntN(60)) }
	switch rng.IntN(6) {
	case 0:
		ids := []string{id(), "none"}
		want := 0
		if _, ok := m[ids[0]]; ok {
			want = 1
		}
		n, err := c.Delete(ctx, ids)
		require.NoError(t, err)
		require.Equal(t, want, n)
		delete(m, ids[0])
	case 1:
		low := rng.Int64N(10) + 5
		want := m.where(low)
		n, err := c.DeleteWhere(ctx, filter.Ge("n", low))
		require.NoError(t, err)
		require.Equal(t, len(want), n)
		for _, id := range want {
			delete(m, id)
		}
	case 2:
		r := randomRecord(rng, fmt.Sprint("new", rng.Uint64()))
		require.NoError(t, c.Insert(ctx, []engine.Record{r}))
		m[r.ID] = r
	default:
		batch := map[string]engine.Record{}
		for range rng.IntN(20) + 1 {
			r := randomRecord(rng, id())
			batch[r.ID] = r
		}
		require.NoError(t, c.Upsert(ctx, slices.Collect(maps.Values(batch))))
		maps.Copy(m, batch)
	}
}

// compare asks the collection and the model the same things.
func compare(t *testing.T, ctx context.Context, rng *rand.Rand, c engine.Collection, m model) {
	n, err := c.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, len(m), n)

	low, k := rng.Int64N(10), rng.IntN(12)+1
	q := randomRecord(rng, "").Vector
	results, err := c.Search(ctx, []engine.Search{{Vector: q, K: k, Filter: filter.Ge("n", low), Payload: true}})
	require.NoError(t, err)
	require.Equal(t, m.search(q.F32, k, low), append([]engine.Hit(nil), results[0].Hits...))

	ids := []string{"none"}
	var want []engine.Record
	for _, r := range m.sorted()[:min(3, len(m))] {
		ids, want = append(ids, r.ID), append(want, r)
	}
	got, err := c.Get(ctx, ids, true)
	require.NoError(t, err)
	slices.SortFunc(got, func(a, b engine.Record) int { return cmp.Compare(a.ID, b.ID) })
	require.Equal(t, want, nilToEmpty(got))
}
