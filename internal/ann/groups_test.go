package ann

import (
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/testenv"
)

// A history is what is written to a graph, step by step, in groups of rows that are
// alike. The index must find what any group holds, the last one included, as well
// as a graph that is built of the same rows at once.
type history struct {
	name  string
	dim   int
	steps func(w *writer)
}

// A writer writes a history. Steps are separated by settle and check.
type writer struct {
	rng    *rand.Rand
	dim    int
	n      int // how many rows the largest group has
	set    func(row int32, v []float64)
	del    func(row int32)
	next   int32
	groups []group
	// settle links what is pending; check measures all groups as they are.
	settle func()
	check  func(when string)
}

// A group is rows that are alike.
type group struct {
	name string
	rows []int32
	draw func() []float64 // a vector like theirs
}

// group writes n rows that draw makes, as a group.
func (w *writer) group(name string, n int, draw func() []float64) {
	g := group{name: name, draw: draw}
	for range n {
		w.set(w.next, draw())
		g.rows = append(g.rows, w.next)
		w.next++
	}
	w.groups = append(w.groups, g)
}

// ball draws vectors around a centre.
func (w *writer) ball(center []float64, spread float64) func() []float64 {
	return func() []float64 {
		v := make([]float64, w.dim)
		for i := range v {
			v[i] = center[i] + spread*w.rng.NormFloat64()
		}
		return v
	}
}

// away returns a point at a distance from the origin, in a random direction.
func (w *writer) away(distance float64) []float64 {
	v := make([]float64, w.dim)
	sum := 0.0
	for i := range v {
		v[i] = w.rng.NormFloat64()
		sum += v[i] * v[i]
	}
	for i := range v {
		v[i] *= distance / math.Sqrt(sum)
	}
	return v
}

func histories() []history {
	var all []history
	add := func(name string, dim int, steps func(w *writer)) { all = append(all, history{name, dim, steps}) }
	for _, late := range []int{40, 4} { // a part of the first group
		for _, spreads := range []float64{1, 8, 60} {
			add(fmt.Sprintf("another topic of 1 in %d rows, %v spreads away in each dimension", late, spreads), 32, func(w *writer) {
				a := w.away(5)
				b := w.away(spreads * 0.3 * math.Sqrt(32))
				for i := range b {
					b[i] += a[i]
				}
				w.group("first", w.n, w.ball(a, 0.3))
				w.settle()
				w.group("second", w.n/late, w.ball(b, 0.3))
				w.check("pending")
				w.settle()
				w.check("linked")
			})
		}
	}
	for _, distance := range []float64{30, 1e3, 1e6} {
		add(fmt.Sprintf("near the origin, then a few %v away", distance), 24, func(w *writer) {
			w.group("near", w.n, w.ball(w.away(0), 1))
			w.settle()
			w.group("far", 300, w.ball(w.away(distance), 1))
			w.check("pending")
			w.settle()
			w.check("linked")
			w.group("far elsewhere", 300, w.ball(w.away(distance), 0.1))
			w.settle()
			w.group("as many", w.n, w.ball(w.away(distance), 1))
			w.settle()
			w.check("more")
		})
	}
	add("norms grow tenfold", 32, func(w *writer) {
		for part := range 5 {
			f := math.Pow(10, float64(part)/4)
			w.group(fmt.Sprint(part), w.n/5, func() []float64 {
				v := w.ball(w.away(0), 1)()
				for i := range v {
					v[i] *= f
				}
				return v
			})
			w.settle()
		}
		w.check("linked")
	})
	add("data drifts", 32, func(w *writer) {
		at, to := w.away(0), w.away(3)
		for part := range 8 {
			for i := range at {
				at[i] += to[i]
			}
			c := append([]float64{}, at...)
			w.group(fmt.Sprint(part), w.n/8, w.ball(c, 0.3))
			w.settle()
		}
		w.check("linked")
	})
	add("clusters one after another", 32, func(w *writer) {
		for part := range 20 {
			w.group(fmt.Sprint(part), w.n/20, w.ball(w.away(20), 0.5))
			if part%4 == 3 {
				w.settle()
			}
		}
		w.check("linked")
	})
	add("tiny clusters in turn", 16, func(w *writer) {
		draws := make([]func() []float64, 100)
		for i := range draws {
			draws[i] = w.ball(w.away(10), 0.05)
		}
		i := 0
		all := func() []float64 { i++; return draws[i%100]() }
		w.group("first", w.n/2, all)
		w.settle()
		w.group("second", w.n/2, all)
		w.settle()
		for i := range 5 {
			w.group(fmt.Sprint("late ", i), 25, w.ball(w.away(10), 0.05))
		}
		// Once linked, a cluster of a few dozen rows is not held to a fresh build:
		// both find 0.7 to 1.0 of it, now the one and now the other more.
		w.check("pending")
	})
	add("clusters of many scales", 24, func(w *writer) {
		for i, spread := range []float64{1, 0.1, 0.01, 1e-3, 10, 1e-4} {
			w.group(fmt.Sprint(spread), w.n/4, w.ball(w.away(8), spread))
			if i%2 == 0 {
				w.settle()
			}
		}
		w.settle()
		w.check("linked")
	})
	add("duplicates", 16, func(w *writer) {
		same := w.away(3)
		w.group("before", w.n/2, w.ball(w.away(0), 1))
		w.group("equal", w.n/4, func() []float64 { return same })
		w.settle()
		w.group("around", w.n/10, w.ball(same, 0.01))
		w.group("after", w.n/4, w.ball(w.away(6), 1))
		w.settle()
		w.check("linked")
		for _, row := range w.groups[1].rows[:w.n/5] {
			w.del(row)
		}
		w.settle()
		w.check("most of the equal ones gone")
	})
	add("all equal", 16, func(w *writer) {
		same := w.away(3)
		w.group("equal", w.n/4, func() []float64 { return same })
		w.settle()
		w.group("others", w.n/10, w.ball(w.away(3), 0.3))
		w.settle()
		w.check("linked")
	})
	add("pairs", 16, func(w *writer) {
		ball := w.ball(w.away(0), 1)
		var last []float64
		w.group("pairs", w.n, func() []float64 {
			if last != nil {
				v := last
				last = nil
				return v
			}
			last = ball()
			return last
		})
		w.settle()
		w.check("linked")
	})
	add("half deleted and written again elsewhere", 32, func(w *writer) {
		w.group("kept", w.n/2, w.ball(w.away(4), 0.4))
		w.group("moved", w.n/2, w.ball(w.away(4), 0.4))
		w.settle()
		draw := w.ball(w.away(12), 0.4)
		for round := range 3 {
			moved := &w.groups[1]
			moved.draw = draw
			for _, row := range moved.rows {
				w.del(row)
			}
			if round == 1 {
				w.settle()
				w.check("deleted")
			}
			for _, row := range moved.rows {
				w.set(row, draw())
			}
			if round == 2 {
				w.check("pending")
			}
			w.settle()
			draw = w.ball(w.away(12), 0.4)
		}
		w.check("linked")
	})
	add("small, then wide", 32, func(w *writer) {
		w.group("small", 1100, w.ball(w.away(3), 0.01))
		w.settle()
		w.group("wide", 1200, w.ball(w.away(0), 3))
		w.check("pending")
		w.settle()
		w.check("linked")
		w.group("wider", w.n, w.ball(w.away(0), 9))
		w.settle()
		w.check("more")
	})
	return all
}

// groupRecall returns which part of the k best rows of each query of a group the graphs
// find, which hold the same rows: their means, and the standard error of the
// difference of these.
func groupRecall[T codec.Float](t testing.TB, now, atOnce *Graph[T], qs [][]T, k, ef int) (a, b, deviation float64) {
	t.Helper()
	sum, squares := 0.0, 0.0
	for _, q := range qs {
		want, err := now.arena.Search(t.Context(), nil, q, k, nil)
		require.NoError(t, err)
		want = want[:min(k, len(want))]
		share := func(g *Graph[T]) float64 {
			got, hits := walked(t, g, q, k, ef), 0
			for _, c := range got[:min(k, len(got))] {
				if c.Score >= want[len(want)-1].Score {
					hits++
				}
			}
			return float64(hits) / float64(len(want))
		}
		x, y := share(now), share(atOnce)
		a, b = a+x, b+y
		sum, squares = sum+(x-y), squares+(x-y)*(x-y)
	}
	n := float64(len(qs))
	return a / n, b / n, math.Sqrt(max(0, squares/n-sum/n*sum/n) / n)
}

// walked is Search, but through the graph wherever that is fit, however few rows
// there are.
func walked[T codec.Float](t testing.TB, g *Graph[T], q []T, k, ef int) []Candidate {
	if g.arena.codes != nil && !g.unfit.Load() && g.exam.codes.Load() == g.arena.codes {
		if got, ok := through(g, q, k, ef, nil); ok {
			return got
		}
	}
	got, _, err := g.Search(t.Context(), nil, q, k, ef, nil)
	require.NoError(t, err)
	return got
}

func narrowed[T codec.Float](v []float64) []T {
	out := make([]T, len(v))
	for i := range v {
		out[i] = T(v[i])
	}
	return out
}

// TestEveryGroupIsFound writes histories, and compares with a graph that is built at
// once. It comes out the same each time: histories run beside each other, and each is
// linked by one goroutine. Each history is of one metric, the next one's is another,
// and -short leaves out most. VECWIRE_TEST_QUALITY=1 is all of them with all metrics,
// and -args -seed 7 others of the same kinds; -rows 12000 makes larger ones, linked by
// two goroutines.
func TestEveryGroupIsFound(t *testing.T) {
	skipRace(t)
	for i, h := range histories() {
		for j, metric := range metrics {
			if !testenv.Quality() && (i%len(metrics) != j || testing.Short() && i%4 != 0) {
				continue
			}
			t.Run(fmt.Sprint(h.name, "/", metric), func(t *testing.T) {
				t.Parallel()
				seed := uint64(10*i+j) + 1000*uint64(*otherSeed)
				if (i+j)%4 == 0 {
					testHistory[float64](t, h, metric, seed)
				} else {
					testHistory[float32](t, h, metric, seed)
				}
			})
		}
	}
}

var (
	otherSeed = flag.Uint("seed", 0, "of the histories of TestEveryGroupIsFound")
	mostRows  = flag.Int("rows", 3000, "of the largest group of one")
)

func testHistory[T codec.Float](t *testing.T, h history, metric codec.Metric, seed uint64) {
	const k, ef, few = 10, 64, 200
	least := 0.85
	if metric == codec.Dot { // the longest rows are what is found, in no clusters
		least = 0.7
	}
	n, workers := *mostRows, 1
	if n > 3000 {
		workers = 2
	}
	g := emptyGraph[T](t, h.dim, metric)
	var mu sync.RWMutex
	settle := func(g *Graph[T]) {
		ctx := context.WithoutCancel(t.Context())
		require.NoError(t, g.arena.Maintain(ctx, &mu))
		require.NoError(t, g.Link(ctx, mu.RLocker(), workers, nil))
	}
	w := &writer{rng: rand.New(rand.NewPCG(seed, 9)), dim: h.dim, n: n}
	w.set = func(row int32, v []float64) { require.NoError(t, set(g, row, narrowed[T](v))) }
	w.del = func(row int32) { require.True(t, del(g, row)) }
	w.settle = func() { settle(g) }
	w.check = func(when string) {
		closer := closerLook[T]{g: g, settle: settle, others: []*Graph[T]{builtAtOnce(t, g, settle, 0)}}
		fresh, again := closer.others[0], reopened(t, g)
		for _, gr := range w.groups {
			lost := lost
			if metric == codec.Dot && !slices.ContainsFunc(gr.rows, g.arena.Has) {
				lost = lostNone
			}
			draw := func(n int) (qs [][]T) {
				for i := 0; len(qs) < n; i++ {
					if row := gr.rows[w.rng.IntN(len(gr.rows))]; i%2 == 0 && g.arena.Has(row) {
						qs = append(qs, append([]T{}, g.arena.row(row)...))
					} else {
						qs = append(qs, narrowed[T](gr.draw()))
					}
				}
				return qs
			}
			qs := draw(few)
			now, atOnce, deviation := groupRecall(t, g, fresh, qs, k, ef)
			opened, _, _ := groupRecall(t, again, fresh, qs, k, ef)
			s := g.Stats()
			s.Bytes = 0
			line := fmt.Sprintf("%s, %s: %.4f, built at once %.4f, ±%.4f, opened again %.4f (%+v, at once unfit %v)", when, gr.name, now, atOnce, deviation, opened, s, fresh.Stats().Unfit)
			if t.Log(line); now < least || opened < now-lost {
				t.Error("too few: ", line)
			}
			if now < atOnce-lost {
				now, worst, all := closer.recall(t, draw(closerQueries), k, ef)
				line = fmt.Sprintf("closer, %s, %s: %.4f, built at once %s", when, gr.name, now, all)
				if t.Log(line); now < worst-lost {
					t.Error("too few: ", line)
				}
			}
		}
	}
	h.steps(w)
}
