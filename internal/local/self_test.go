package local

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
)

// soon is what pays in tests: few rows, at once.
var soon = paying{rows: 500}

// selfStore opens a store in which indexes appear soon, and what it logs of them.
func selfStore(t testing.TB, path string) (*store, func() string) {
	t.Helper()
	var mu sync.Mutex
	var log bytes.Buffer
	e, err := Open(t.Context(), Options{Path: path, Logger: slog.New(slog.NewTextHandler(writer(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return log.Write(p)
	}), nil))})
	require.NoError(t, err)
	t.Cleanup(func() { e.Close() })
	s := e.(*store)
	s.paying = soon
	return s, func() string {
		mu.Lock()
		defer mu.Unlock()
		return log.String()
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

const wasBuilt = "an index was built"

// appears waits for the index.
func appears(t testing.TB, c engine.Collection) {
	t.Helper()
	require.Eventually(t, func() bool { return len(indexes(t, c)) == 1 }, time.Minute, time.Millisecond)
}

// isBuilding reports whether a graph is being linked that searches do not use yet.
func isBuilding(c engine.Collection) bool {
	lc := c.(*collection)
	lc.mu.RLock()
	defer lc.mu.RUnlock()
	a, ok := lc.index.(*arena[float32])
	return ok && a.next != nil
}

// idle waits until the linker of a collection does nothing more at present.
func idle(t testing.TB, c engine.Collection) {
	t.Helper()
	lc := c.(*collection)
	require.NoError(t, lc.alone(t.Context(), func(context.Context) error { return nil }))
}

func TestIndexAppears(t *testing.T) {
	for _, path := range []string{"", filepath.Join(t.TempDir(), "test.db")} {
		s, log := selfStore(t, path)
		c := create(t, s, indexSchema)
		rng := rand.New(rand.NewPCG(1, 1))
		put(t, c, rng, 0, soon.rows-1)
		require.False(t, c.(*collection).wantsIndex())
		require.Equal(t, "scan", through(t, c).Path)
		put(t, c, rng, soon.rows-1, indexRows)
		appears(t, c)
		require.Equal(t, "graph", through(t, c).Path)
		require.Greater(t, graphRecall(t, c), 0.8)
		idle(t, c)
		require.Contains(t, log(), wasBuilt)
		put(t, c, rng, 0, 100)
		require.NoError(t, c.DropIndex(t.Context(), "docs.hnsw"))
		requireNoIndexComes(t, c)
		require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{}))
		require.Len(t, indexes(t, c), 1)
		require.Equal(t, 1, strings.Count(log(), wasBuilt))
		require.NoError(t, s.Close())
	}
}

// requireNoIndexComes looks that a collection is not to have an index by itself, and
// that none is built when it is asked for.
func requireNoIndexComes(t testing.TB, c engine.Collection) {
	t.Helper()
	lc := c.(*collection)
	put(t, c, rand.New(rand.NewPCG(3, 3)), 0, 10) // which starts the linker, if there is something to do
	require.Empty(t, indexes(t, c))
	require.False(t, lc.wantsIndex())
	require.Equal(t, engine.NoIndex, c.Schema().Index)
	require.NoError(t, lc.alone(t.Context(), lc.indexAlone))
	lc.declined.Store(false) // as if this process did not know it
	require.ErrorIs(t, lc.alone(t.Context(), lc.indexAlone), errOvertaken)
	lc.declined.Store(true)
	require.Empty(t, indexes(t, c))
}

func TestDeclinedIndexDoesNotAppear(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s, log := selfStore(t, path)
	other, _ := selfStore(t, path)
	schema := indexSchema
	schema.Index = engine.NoIndex
	c := create(t, s, schema)
	put(t, c, rand.New(rand.NewPCG(1, 1)), 0, 1000)
	requireNoIndexComes(t, c)
	requireNoIndexComes(t, open(t, other, "docs"))
	require.NotContains(t, log(), wasBuilt)

	schema = indexSchema // dropped by one process, and not to come back in another, or later
	schema.Name = "more"
	more := create(t, s, schema)
	put(t, more, rand.New(rand.NewPCG(1, 1)), 0, 1000)
	appears(t, more)
	there := open(t, other, "more")
	require.Len(t, indexes(t, there), 1)
	require.NoError(t, more.DropIndex(t.Context(), "more.hnsw"))
	requireNoIndexComes(t, there)
	require.NoError(t, s.Close())
	s, _ = selfStore(t, path)
	requireNoIndexComes(t, open(t, s, "more"))

	err := s.Alter(t.Context(), engine.Alter{
		Name: "more",
		Plan: func(is engine.Schema) (engine.Alteration, error) {
			require.Equal(t, engine.NoIndex, is.Index)
			is.Index = engine.AutoIndex
			return engine.Alteration{Schema: is, From: []int{0}}, nil
		},
		Alone: func(_ context.Context, run func() error) error { return run() },
		Done:  func(engine.Collection) {},
	})
	require.NoError(t, err)
	appears(t, open(t, s, "more"))
}

// While many records change no index is begun.
func TestIndexWaitsForALull(t *testing.T) {
	s, _ := selfStore(t, "")
	s.paying.lull = time.Hour
	c := create(t, s, indexSchema)
	put(t, c, rand.New(rand.NewPCG(1, 1)), 0, 1000)
	lc := c.(*collection)
	require.True(t, lc.wantsIndex())
	over := func(l lull) bool { return l.isOver(lc) }
	written := lc.written.Load()
	require.False(t, over(lull{time.Now(), written}))
	require.True(t, over(lull{time.Now().Add(-time.Hour), written}))
	require.True(t, over(lull{time.Now().Add(-time.Hour), written - 15}))
	require.False(t, over(lull{time.Now().Add(-time.Hour), written - 16}))
	s.turn.Store(&turn{begun: time.Now().Add(-2 * slowWrite)})
	require.False(t, over(lull{time.Now().Add(-time.Hour), written}), "somebody writes to a slow disk")
	s.turn.Store(&turn{begun: time.Now().Add(time.Hour)})
	require.True(t, over(lull{time.Now().Add(-time.Hour), written}))
	s.turn.Store(nil)
}

// One of two processes builds it, and the other takes it over.
func TestOneProcessBuildsTheIndex(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	a, logA := selfStore(t, path)
	b, logB := selfStore(t, path)
	a.paying.rows, b.paying.rows = 2*indexRows, 2*indexRows
	inA := create(t, a, indexSchema)
	put(t, inA, rand.New(rand.NewPCG(1, 1)), 0, indexRows)
	inB := open(t, b, "docs")
	a.paying, b.paying = soon, soon
	put(t, inA, rand.New(rand.NewPCG(2, 1)), 0, 10)
	put(t, inB, rand.New(rand.NewPCG(3, 1)), 0, 10)
	appears(t, inA)
	appears(t, inB)
	idle(t, inA)
	idle(t, inB)
	require.Equal(t, 1, strings.Count(logA()+logB(), wasBuilt), logA()+logB())
	for _, c := range []engine.Collection{inA, inB} {
		require.Greater(t, recall(t, c), 0.8)
		requireMemoryIsRows(t, c)
	}
}

// What is closed, or let go, while an index is built leaves nothing behind, and builds
// it the next time.
func TestCloseWhileAnIndexAppears(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s, log := selfStore(t, path)
	c := create(t, s, indexSchema)
	put(t, c, rand.New(rand.NewPCG(1, 1)), 0, 3*indexRows)
	building := func() {
		require.Eventually(t, func() bool { return isBuilding(c) }, time.Minute, time.Millisecond)
	}
	building()
	require.NoError(t, c.Release(t.Context()))
	require.False(t, isBuilding(c))
	_, err := c.Search(t.Context(), []engine.Search{{Vector: indexVector(rand.New(rand.NewPCG(1, 1))), K: 1}})
	require.NoError(t, err)
	building()
	require.NoError(t, s.Close())
	require.NotContains(t, log(), wasBuilt)

	s, _ = selfStore(t, path)
	c = open(t, s, "docs")
	require.Empty(t, indexes(t, c))
	building()
	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 8, EfConstruction: 32})) // which takes its place
	require.Equal(t, 8, indexes(t, c)[0].M)
	require.Greater(t, recall(t, c), 0.8)
}

// A process that is killed while it builds one holds up nobody.
func TestKillWhileAnIndexAppears(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s := openStore(t, path)
	for range 3 {
		p := startPeer(t, path, "grow")
		t.Cleanup(func() { p.stop(t) })
		require.Eventually(t, func() bool {
			free, err := s.indexLock.TryLock()
			require.NoError(t, err)
			if free {
				require.NoError(t, s.indexLock.Unlock())
			}
			return !free
		}, time.Minute, time.Millisecond)
		p.kill(t)
		require.Empty(t, indexes(t, open(t, s, "docs")))
	}
	require.NoError(t, s.Close())
	s, _ = selfStore(t, path)
	c := open(t, s, "docs")
	appears(t, c)
	require.Greater(t, recall(t, c), 0.8)
	requireMemoryIsRows(t, c)
}

// growing is the peer of TestKillWhileAnIndexAppears.
func growing(ctx context.Context, s *store) error {
	s.paying = soon
	c, err := ensure(ctx, s, indexSchema)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(1, 1))
	var records []engine.Record
	for i := range 3 * indexRows {
		records = append(records, indexRecord(rng, fmt.Sprint(i)))
	}
	if err := c.Upsert(ctx, records); err != nil {
		return err
	}
	fmt.Println("grown")
	select {} // until it is killed
}
