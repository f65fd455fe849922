package local

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// growingCollection is one of which an index is being built by itself.
func growingCollection(t testing.TB, s *store, rows int) engine.Collection {
	t.Helper()
	c := create(t, s, indexSchema)
	put(t, c, rand.New(rand.NewPCG(1, 1)), 0, rows)
	require.Eventually(t, func() bool { return isBuilding(c) }, time.Minute, time.Millisecond)
	return c
}

// What is written while an index is built is in it, as in the model.
func TestWritesWhileAnIndexAppears(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s, log := selfStore(t, path)
	c := growingCollection(t, s, indexRows)
	rng := rand.New(rand.NewPCG(5, 5))
	m := model{}
	for _, r := range all(t, t.Context(), c) {
		m[r.ID] = r
	}
	for len(indexes(t, c)) == 0 {
		switch id := fmt.Sprint(rng.IntN(2 * indexRows)); rng.IntN(4) {
		case 0: // what a bound or an expiry does
			_, err := c.Delete(t.Context(), []string{id})
			require.NoError(t, err)
			delete(m, id)
		case 1:
			least := 99 - rng.Int64N(3)/2 // one in a hundred, mostly
			went := m.where(least)
			for _, id := range went {
				delete(m, id)
			}
			gone, err := c.DeleteWhere(t.Context(), filter.Ge("n", least))
			require.NoError(t, err)
			require.Equal(t, len(went), gone)
		default:
			r := indexRecord(rng, id)
			require.NoError(t, c.Upsert(t.Context(), []engine.Record{r}))
			m[id] = r
		}
	}
	idle(t, c)
	require.Contains(t, log(), wasBuilt)
	requireMemoryIsRows(t, c)
	require.Len(t, all(t, t.Context(), c), len(m))
	require.Greater(t, graphRecall(t, c), 0.8)
	require.NoError(t, s.Close())
	s, _ = selfStore(t, path)
	c = open(t, s, "docs")
	require.Len(t, indexes(t, c), 1)
	require.Len(t, all(t, t.Context(), c), len(m))
	requireMemoryIsRows(t, c)
}

// An alteration, or the end of a collection, does not wait for an index that is built by
// itself.
func TestSchemaChangesWhileAnIndexAppears(t *testing.T) {
	s, log := selfStore(t, filepath.Join(t.TempDir(), "test.db"))
	growingCollection(t, s, 3*indexRows)
	alter := func(name string, change func(*engine.Schema)) {
		t.Helper()
		require.NoError(t, s.Alter(t.Context(), engine.Alter{
			Name: name,
			Plan: func(is engine.Schema) (engine.Alteration, error) {
				change(&is)
				return engine.Alteration{Schema: is, From: []int{0}}, nil
			},
			Alone: func(_ context.Context, run func() error) error { return run() },
			Done:  func(engine.Collection) {},
		}))
	}
	alter("docs", func(is *engine.Schema) { is.Name = "other" })
	require.NotContains(t, log(), wasBuilt)
	c := open(t, s, "other") // begins anew
	appears(t, c)
	require.Greater(t, graphRecall(t, c), 0.8)

	growingCollection(t, s, 3*indexRows)
	alter("docs", func(is *engine.Schema) { is.Index = engine.NoIndex })
	requireNoIndexComes(t, open(t, s, "docs"))
	alter("docs", func(is *engine.Schema) { is.Index = engine.AutoIndex })
	require.Eventually(t, func() bool { return isBuilding(open(t, s, "docs")) }, time.Minute, time.Millisecond)
	require.NoError(t, s.Drop(t.Context(), "docs"))
	_, err := s.Open(t.Context(), "docs")
	require.ErrorIs(t, err, engine.ErrNotFound)
}

// A search says that it looked at all rows because the index is not there yet.
func TestPlanWhileAnIndexAppears(t *testing.T) {
	s, _ := selfStore(t, "")
	c := growingCollection(t, s, 3*indexRows)
	c.(*collection).mu.RLock() // no index is published meanwhile
	found, err := c.Search(t.Context(), []engine.Search{{Vector: indexVector(rand.New(rand.NewPCG(1, 1))), K: 1}})
	c.(*collection).mu.RUnlock()
	require.NoError(t, err)
	require.True(t, found[0].Exact)
	require.Equal(t, "the vector index is being built", found[0].Plan.Why)
}

// A collection that declines an index does so, too, when it takes the place of another.
func TestSwapKeepsThatAnIndexIsDeclined(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "test.db"))
	indexed(t, s, indexSchema, 100)
	next := indexSchema
	next.Name = "next"
	c := indexed(t, s, next, 100)
	require.NoError(t, c.DropIndex(t.Context(), "next.hnsw"))
	require.NoError(t, s.Swap(t.Context(), engine.Swap{
		Name: "docs", Next: "next", Drop: true,
		Settle: func(context.Context, engine.Collection, engine.Collection) error { return nil },
	}))
	require.Equal(t, engine.NoIndex, open(t, s, "docs").Schema().Index)
}

// What an index is built of stays in memory when room is needed.
func TestMemoryBoundWhileAnIndexAppears(t *testing.T) {
	s := bounded(t, filepath.Join(t.TempDir(), "test.db"), 1)
	c := create(t, s, indexSchema).(*collection)
	put(t, c, rand.New(rand.NewPCG(1, 1)), 0, 10)
	c.building.Store(true)
	require.False(t, c.sleepIfIdle())
	c.building.Store(false)
	require.True(t, c.sleepIfIdle())
}

// Work in the background waits for those who search, and goes on even if they always do.
func TestPatientGoesOn(t *testing.T) {
	var mu sync.RWMutex
	p := &patient{mu: &mu}
	mu.RLock()
	p.Lock()
	require.False(t, mu.TryLock())
	mu.RUnlock()
	p.Unlock()
	require.True(t, mu.TryLock())
}
