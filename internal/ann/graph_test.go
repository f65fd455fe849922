package ann

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

// clusters makes vectors as embeddings are: they lie in clusters, and near
// surfaces of few dimensions within them. Equal seeds make equal vectors.
type clusters struct {
	rng     *rand.Rand
	centers [][]float64
	axes    [][]float64
}

func newClusters(seed uint64, dim int) *clusters {
	c := &clusters{rng: rand.New(rand.NewPCG(seed, 77))}
	for range 40 {
		c.centers = append(c.centers, c.normal(dim, 1))
	}
	for range 12 {
		c.axes = append(c.axes, c.normal(dim, 0.25))
	}
	return c
}

func (c *clusters) normal(dim int, size float64) []float64 {
	v := make([]float64, dim)
	for i := range v {
		v[i] = c.rng.NormFloat64() * size
	}
	return v
}

func vectorOf[T codec.Float](c *clusters) []T {
	center := c.centers[c.rng.IntN(len(c.centers))]
	v := c.normal(len(center), 0.1)
	for _, axis := range c.axes {
		f := c.rng.NormFloat64()
		for i, x := range axis {
			v[i] += f * x
		}
	}
	out := make([]T, len(v))
	for i := range v {
		out[i] = T(v[i] + center[i])
	}
	return out
}

// skipRace skips long tests in which nothing runs at once: the race detector makes
// them many times slower and has nothing to find.
func skipRace(t *testing.T) {
	t.Helper()
	if raceEnabled {
		t.Skip("nothing here runs at once")
	}
}

// newGraph returns a graph over n rows, linked and with codes.
func newGraph[T codec.Float](t testing.TB, data *clusters, n int, metric codec.Metric) *Graph[T] {
	t.Helper()
	return newCodedGraph[T](t, data, n, metric, false)
}

// newCodedGraph is newGraph with codes of either kind.
func newCodedGraph[T codec.Float](t testing.TB, data *clusters, n int, metric codec.Metric, short bool) *Graph[T] {
	t.Helper()
	g, err := NewGraph(newArena[T](t, len(data.centers[0]), metric), GraphOptions{})
	require.NoError(t, err)
	g.arena.SetShortCodes(short)
	for row := range int32(n) {
		require.NoError(t, set(g, row, vectorOf[T](data)))
	}
	link(t, g)
	return g
}

// set and del change a row as an owner does.
func set[T codec.Float](g *Graph[T], row int32, v []T) error {
	if err := g.arena.Set(row, v); err != nil {
		return err
	}
	g.Changed(row)
	return nil
}

func del[T codec.Float](g *Graph[T], row int32) bool {
	was := g.arena.Delete(row)
	if was {
		g.Changed(row)
	}
	return was
}

func link[T codec.Float](t testing.TB, g *Graph[T]) {
	t.Helper()
	var mu sync.RWMutex
	require.NoError(t, g.arena.Maintain(t.Context(), &mu))
	require.NoError(t, g.Link(t.Context(), mu.RLocker(), 2, nil))
}

// through searches through the graph alone, whatever is cheaper. ok is false if
// that finds too few rows.
func through[T codec.Float](g *Graph[T], q []T, k, ef int, allowed *Bitmap) (found []Candidate, ok bool) {
	p := g.plan(k, ef, allowed)
	p.cost = 0
	found, ok, err := g.find(context.Background(), g.borrowFinder(), nil, q, p, allowed)
	return found, ok && err == nil
}

// recall returns which share of the k best scores searches through the graph find,
// and how many of them found too few rows.
func recall[T codec.Float](t testing.TB, g *Graph[T], qs [][]T, k, ef int, allowed *Bitmap) (share float64, short int) {
	t.Helper()
	hits, all := 0, 0
	for _, q := range qs {
		want, err := g.arena.Search(t.Context(), nil, q, k, allowed)
		require.NoError(t, err)
		want = want[:min(k, len(want))]
		all += len(want)
		got, ok := through(g, q, k, ef, allowed)
		if !ok {
			short++
			continue
		}
		require.True(t, slices.IsSortedFunc(got, byScore))
		for i, c := range got {
			if i < len(want) && c.Score >= want[len(want)-1].Score {
				hits++
			}
		}
	}
	return float64(hits) / float64(max(1, all)), short
}

func queries[T codec.Float](data *clusters, n int) [][]T {
	qs := make([][]T, n)
	for i := range qs {
		qs[i] = vectorOf[T](data)
	}
	return qs
}

func TestGraphRecall(t *testing.T) {
	skipRace(t)
	t.Run("FLOAT", testGraphRecall[float32])
	t.Run("DOUBLE", testGraphRecall[float64])
}

func testGraphRecall[T codec.Float](t *testing.T) {
	for _, metric := range metrics {
		for _, codes := range []string{"seven bits", "four bits"} {
			t.Run(fmt.Sprint(metric, " ", codes), func(t *testing.T) {
				data := newClusters(1, 48)
				g := newCodedGraph[T](t, data, 5000, metric, codes == "four bits")
				s := g.Stats()
				require.Equal(t, GraphStats{Rows: 5000, Apart: s.Apart, Levels: s.Levels, Bytes: s.Bytes}, s)
				require.Less(t, s.Apart, 20)
				share, short := recall(t, g, queries[T](data, 100), 10, 64, nil)
				require.Zero(t, short)
				require.Greater(t, share, 0.97)
			})
		}
	}
}

func TestGraphAgreesWithAModel(t *testing.T) {
	skipRace(t)
	for i, metric := range metrics {
		t.Run(fmt.Sprint(metric), func(t *testing.T) { testGraphModel(t, metric, uint64(i)) })
	}
}

// testGraphModel changes a graph at random, and compares what it finds with all
// there is: what is allowed, as much as there is, in order, and nearly always the
// best.
func testGraphModel(t *testing.T, metric codec.Metric, seed uint64) {
	const n = 4000
	data := newClusters(seed, 16)
	rng := rand.New(rand.NewPCG(seed, 5))
	g := newGraph[float32](t, data, n, metric)
	model := map[int32]bool{}
	for row := range int32(n) {
		model[row] = true
	}
	hits, all, walks := 0, 0, 0
	for range 120 {
		for range rng.IntN(150) {
			row := rng.Int32N(n + 500)
			if rng.IntN(2) == 0 {
				require.Equal(t, model[row], del(g, row))
				delete(model, row)
				continue
			}
			require.NoError(t, set(g, row, vectorOf[float32](data)))
			model[row] = true
		}
		if rng.IntN(10) == 0 {
			link(t, g)
			require.Zero(t, g.Stats().Pending)
			require.Zero(t, g.Stats().Stale)
			require.False(t, g.Stats().Unfit)
		}
		require.Equal(t, len(model), g.arena.Len())
		var allowed *Bitmap
		if rng.IntN(3) > 0 {
			allowed = new(Bitmap)
			share := rng.Float64()
			for row := range int32(n + 600) {
				if rng.Float64() < share {
					allowed.Set(row)
				}
			}
		}
		counts := func(row int32) bool { return model[row] && (allowed == nil || allowed.Has(row)) }
		k := 1 + rng.IntN(20)
		q := vectorOf[float32](data)
		want := brute(g.arena, q, k, counts)
		got, exact, err := g.Search(t.Context(), nil, q, k, 50, allowed)
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(got), min(k, len(want)))
		if exact {
			require.Equal(t, want, got)
		}
		found, ok := through(g, q, k, 50, allowed)
		if !ok {
			continue
		}
		walks++
		for _, got := range [][]Candidate{got, found} {
			require.True(t, slices.IsSortedFunc(got, byScore))
			rows := map[int32]bool{}
			for _, c := range got {
				require.True(t, counts(c.Row))
				require.False(t, rows[c.Row], "row %d twice", c.Row)
				rows[c.Row] = true
			}
		}
		for _, c := range want {
			all++
			if slices.Contains(found, c) {
				hits++
			}
		}
	}
	require.Greater(t, walks, 80)
	require.Greater(t, float64(hits)/float64(all), 0.95)
}

// A row is found from the moment that it is set, linked or not.
func TestPendingRowsAreFound(t *testing.T) {
	skipRace(t)
	const n = 5000
	data := newClusters(4, 16)
	g := newGraph[float32](t, data, n, codec.L2)
	for i := range int32(300) {
		row := i * 20 // some are linked, some are new
		v := vectorOf[float32](data)
		require.NoError(t, set(g, row, v))
		got, ok := through(g, v, 1, 10, nil)
		require.True(t, ok)
		require.Equal(t, Candidate{row, 0}, got[0])
		if i%3 == 0 {
			require.True(t, del(g, row))
			got, _ = through(g, v, 1, 10, nil)
			require.NotEqual(t, row, got[0].Row)
		}
	}
}

// TestReplacedRows replaces half of the rows twice, by updates and by deletes
// whose row numbers are used again, and compares with a graph that is built of the
// same rows at once.
func TestReplacedRows(t *testing.T) {
	skipRace(t)
	const n = 6000
	data := newClusters(6, 32)
	old := newGraph[float32](t, data, n, codec.L2)
	for round := range int32(2) {
		for row := round; row < n; row += 2 {
			if row%4 < 2 {
				require.True(t, del(old, row))
			}
			require.NoError(t, set(old, row, vectorOf[float32](data)))
		}
		link(t, old)
	}
	fresh := emptyGraph[float32](t, 32, codec.L2)
	for row := range int32(n) {
		require.NoError(t, set(fresh, row, old.arena.row(row)))
	}
	link(t, fresh)
	qs := queries[float32](data, 300)
	for _, ef := range []int{10, 16, 32} {
		a, _ := recall(t, old, qs, 10, ef, nil)
		b, short := recall(t, fresh, qs, 10, ef, nil)
		t.Logf("recall at ef %d: %.4f, of a fresh graph %.4f", ef, a, b)
		require.Zero(t, short)
		require.Greater(t, a, b-0.01, "ef %d", ef)
	}
}

// Deleted rows in one place must not cut off what is behind them.
func TestDeletedRegion(t *testing.T) {
	skipRace(t)
	const n = 5000
	data := newClusters(8, 16)
	g := newGraph[float32](t, data, n, codec.L2)
	for _, q := range queries[float32](data, 3) {
		near, err := g.arena.Search(t.Context(), nil, q, n/5, nil)
		require.NoError(t, err)
		for _, c := range near {
			del(g, c.Row)
		}
	}
	require.NotZero(t, g.Stats().Stale)
	qs := queries[float32](data, 200)
	share, short := recall(t, g, qs, 10, 40, nil)
	require.Greater(t, share, 0.97, "before they are unlinked")
	require.Zero(t, short)
	link(t, g)
	require.Zero(t, g.Stats().Stale)
	share, short = recall(t, g, qs, 10, 40, nil)
	require.Greater(t, share, 0.97, "after")
	require.Zero(t, short)
}

func TestGraphEmptiedAndFilledAgain(t *testing.T) {
	const n = 2500
	data := newClusters(9, 16)
	g := newGraph[float32](t, data, n, codec.L2)
	for round := range 2 {
		for row := range int32(n) {
			require.True(t, del(g, row))
		}
		got, _, err := g.Search(t.Context(), nil, vectorOf[float32](data), 10, 40, nil)
		require.NoError(t, err)
		require.Empty(t, got)
		if round == 0 {
			link(t, g)
			require.Equal(t, GraphStats{Bytes: g.Stats().Bytes}, g.Stats())
		}
		for row := range int32(n) {
			require.NoError(t, set(g, row, vectorOf[float32](data)))
		}
		link(t, g)
		share, short := recall(t, g, queries[float32](data, 300), 10, 64, nil)
		require.Zero(t, short)
		require.Greater(t, share, 0.97)
	}
}

// Where rows are equal, or codes cannot tell them apart, a graph knows that it is
// of no use.
func TestGraphKnowsItsLimits(t *testing.T) {
	skipRace(t)
	unfit := 0
	for i, s := range shapesOf[float32]() {
		for j, metric := range metrics {
			if testing.Short() && i%len(metrics) != j {
				continue
			}
			t.Run(fmt.Sprint(metric, "/", s.name), func(t *testing.T) {
				const n = 1500
				rng := rand.New(rand.NewPCG(4, 4))
				g := emptyGraph[float32](t, 12, metric)
				for row := range int32(n) {
					require.NoError(t, set(g, row, vector[float32](rng, s, 12, metric)))
				}
				link(t, g)
				var qs [][]float32
				for range 30 {
					qs = append(qs, vector[float32](rng, s, 12, metric))
				}
				share, short := recall(t, g, qs, 10, 400, nil)
				t.Log(share, short, g.Stats().Unfit)
				if g.Stats().Unfit {
					unfit++
					_, exact, err := g.Search(t.Context(), nil, qs[0], 10, 400, nil)
					require.NoError(t, err)
					require.True(t, exact)
					return
				}
				require.Zero(t, short)
				require.Greater(t, share, 0.75)
			})
		}
	}
	require.NotZero(t, unfit)
}

func TestGraphSearchChecksItsArguments(t *testing.T) {
	g := newGraph[float32](t, newClusters(1, 4), 2000, codec.L2)
	first := []Candidate{{7, 7}}
	q := []float32{1, 2, 3, 4}
	for _, c := range []struct {
		q     []float32
		k, ef int
	}{{q, 0, 10}, {q, 1, -1}, {q[:3], 1, 1}} {
		got, _, err := g.Search(t.Context(), first, c.q, c.k, c.ef, nil)
		require.Error(t, err)
		require.Equal(t, first, got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, _, err := g.Search(ctx, first, q, 1, 1, nil)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, first, got)
	for _, k := range []int{1999, 2000, 5000, math.MaxInt} {
		for _, ef := range []int{0, math.MaxInt} {
			got, _, err := g.Search(t.Context(), first, q, k, ef, nil)
			require.NoError(t, err)
			require.GreaterOrEqual(t, len(got), 1+min(k, 2000))
			require.Equal(t, first[0], got[0])
		}
	}
	for _, o := range []GraphOptions{{M: 3}, {M: 65}, {M: -1}, {EfConstruction: 31}, {EfConstruction: 10_001}, {EfConstruction: -1}, {M: 32, EfConstruction: 63}} {
		_, err := NewGraph(g.arena, o)
		var bad *codec.ValueError
		require.ErrorAs(t, err, &bad, "%+v", o)
	}
	for _, o := range []GraphOptions{{}, {M: 4}, {M: 64}, {M: 4, EfConstruction: 8}, {EfConstruction: 10_000}} {
		_, err := NewGraph(newArena[float32](t, 4, codec.L2), o)
		require.NoError(t, err, "%+v", o)
	}
}

func TestLinkStopsAndGoesOn(t *testing.T) {
	data := newClusters(3, 8)
	g := emptyGraph[float32](t, 8, codec.L2)
	for row := range int32(3000) {
		require.NoError(t, set(g, row, vectorOf[float32](data)))
	}
	var mu sync.RWMutex
	require.NoError(t, g.arena.Maintain(t.Context(), &mu))
	ctx, cancel := context.WithCancel(t.Context())
	apart := g.Stats().Apart
	require.Less(t, apart, 30)
	err := g.Link(ctx, mu.RLocker(), 2, func(done, total int) {
		require.Equal(t, 3000, total)
		if done >= 1000 {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	left := g.Stats().Pending
	require.Greater(t, left, 1900-apart)
	require.LessOrEqual(t, left, 2000)
	last := 0
	require.NoError(t, g.Link(t.Context(), mu.RLocker(), 0, func(done, total int) {
		require.Equal(t, left, total)
		require.Greater(t, done, last)
		last = done
	}))
	require.Equal(t, left, last)
	require.Zero(t, g.Stats().Pending)
	require.NoError(t, g.Link(t.Context(), mu.RLocker(), 2, nil), "there is nothing to do")
}

// Searches, links, changes and snapshots run beside each other; the race detector
// looks on. Every row is found while it is there.
func TestGraphConcurrency(t *testing.T) {
	const n = 2500
	data := newClusters(5, 8)
	g := newGraph[float32](t, data, n, codec.L2)
	var mu sync.RWMutex
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var others, changes sync.WaitGroup
	for i := range 2 {
		data := newClusters(5, 8)
		data.rng = rand.New(rand.NewPCG(uint64(i), 1))
		changes.Go(func() {
			for range 400 {
				v, row := vectorOf[float32](data), data.rng.Int32N(n+500)
				mu.Lock()
				if data.rng.IntN(3) == 0 {
					del(g, row)
				} else if err := set(g, row, v); err != nil {
					t.Error(err)
				}
				mu.Unlock()
				mu.RLock()
				if g.arena.Has(row) {
					if got, ok := through(g, g.arena.row(row), 1, 60, nil); !ok || got[0].Score < -1e-3 {
						t.Errorf("row %d: got %v", row, got)
					}
				}
				mu.RUnlock()
			}
		})
	}
	others.Go(func() {
		for ctx.Err() == nil {
			if err := g.Link(ctx, mu.RLocker(), 2, nil); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	others.Go(func() {
		for ctx.Err() == nil {
			if err := g.WriteSnapshot(t.Context(), io.Discard, mu.RLocker(), func() ([]byte, error) { return nil, nil }); err != nil {
				t.Error(err)
			}
			if err := g.arena.Maintain(ctx, &mu); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	changes.Wait()
	stop()
	others.Wait()
	link(t, g)
	require.Zero(t, g.Stats().Pending)
	share, _ := recall(t, g, queries[float32](data, 100), 10, 60, nil)
	require.Greater(t, share, 0.97)
}

// Close may come while Link is at work. Searches are exact from then on.
func TestCloseDuringLink(t *testing.T) {
	data := newClusters(5, 8)
	g := emptyGraph[float32](t, 8, codec.L2)
	for row := range int32(1500) {
		require.NoError(t, set(g, row, vectorOf[float32](data)))
	}
	var mu sync.RWMutex
	linking := make(chan struct{})
	var once sync.Once
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := g.Link(t.Context(), mu.RLocker(), 2, func(int, int) { once.Do(func() { close(linking) }) }); err != nil {
			t.Error(err)
		}
	})
	<-linking
	mu.Lock()
	g.Close()
	g.Close()
	mu.Unlock()
	wg.Wait()
	require.Zero(t, g.Stats().Levels)
	require.NoError(t, set(g, 2000, vectorOf[float32](data)))
	require.NoError(t, g.Link(t.Context(), mu.RLocker(), 1, nil), "there is nothing to do")
	q := vectorOf[float32](data)
	got, exact, err := g.Search(t.Context(), nil, q, 10, 50, nil)
	require.NoError(t, err)
	require.True(t, exact)
	require.Equal(t, brute(g.arena, q, 10, g.arena.Has), got)
}

func TestGraphSearchDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops items at random under the race detector")
	}
	for _, metric := range metrics {
		data := newClusters(5, 16)
		g := newGraph[float32](t, data, 6000, metric)
		for row := range int32(50) {
			require.NoError(t, set(g, row*100, vectorOf[float32](data)))
		}
		var most Bitmap
		for row := range int32(6000) {
			if row%16 > 0 {
				most.Set(row)
			}
		}
		q := vectorOf[float32](data)
		dst := make([]Candidate, 0, 100)
		ctx := t.Context()
		for _, allowed := range []*Bitmap{nil, &most} {
			require.Zero(t, testing.AllocsPerRun(100, func() {
				if _, exact, err := g.Search(ctx, dst, q, 10, 16, allowed); err != nil || exact {
					t.Error(exact, err)
				}
			}), "%s", metric)
		}
	}
}

func TestLevelsThinOut(t *testing.T) {
	skipRace(t)
	for _, m := range []int{4, 16, 64} {
		l := newLinks(m)
		var at [maxLevel + 1]int
		for row := range int32(1 << 20) {
			for level := range l.level(row) + 1 {
				at[level]++
			}
		}
		for level := 1; at[level-1] > 1000*m; level++ {
			require.InEpsilon(t, float64(at[level-1])/float64(m), at[level], 0.1, "level %d of M %d", level, m)
		}
	}
}
