package ann

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

// filters makes filters that let a share of a graph's rows pass: at random, those
// nearest to the query, and those farthest from it.
var filters = []struct {
	name string
	of   func(g *Graph[float32], q []float32, rng *rand.Rand, n int) *Bitmap
}{
	{"random", func(g *Graph[float32], _ []float32, rng *rand.Rand, n int) *Bitmap {
		b := new(Bitmap)
		for _, row := range rng.Perm(g.arena.Rows())[:n] {
			b.Set(int32(row))
		}
		return b
	}},
	{"near", func(g *Graph[float32], q []float32, _ *rand.Rand, n int) *Bitmap { return byDistance(g, q, n, 1) }},
	{"far", func(g *Graph[float32], q []float32, _ *rand.Rand, n int) *Bitmap { return byDistance(g, q, n, -1) }},
}

func byDistance(g *Graph[float32], q []float32, n int, sign float64) *Bitmap {
	all := brute(g.arena, q, g.arena.Rows(), g.arena.Has)
	slices.SortFunc(all, func(a, b Candidate) int {
		if sign*a.Score > sign*b.Score {
			return -1
		}
		return 1
	})
	b := new(Bitmap)
	for _, c := range all[:n] {
		b.Set(c.Row)
	}
	return b
}

var shares = []float64{0.0001, 0.001, 0.003, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1}

func TestFilteredSearchIsNeverShort(t *testing.T) {
	skipRace(t)
	const n = 8000
	data := newClusters(3, 64)
	g := newGraph[float32](t, data, n, codec.L2)
	rng := rand.New(rand.NewPCG(1, 1))
	for _, f := range filters {
		hits, all, walks := 0, 0, 0
		for _, share := range shares {
			for _, q := range queries[float32](data, 3) {
				allowed := f.of(g, q, rng, int(share*n))
				for _, k := range []int{1, 10, 100} {
					want, err := g.arena.Search(t.Context(), nil, q, k, allowed)
					require.NoError(t, err)
					got, exact, err := g.Search(t.Context(), nil, q, k, 40, allowed)
					require.NoError(t, err)
					require.GreaterOrEqual(t, len(got), min(k, int(share*n)), "%s %v", f.name, share)
					for _, c := range got {
						require.True(t, allowed.Has(c.Row))
					}
					if exact {
						require.Equal(t, want, got)
						continue
					}
					walks++
					for _, c := range want {
						all++
						if slices.Contains(got, c) {
							hits++
						}
					}
				}
			}
		}
		require.Greater(t, walks, 5, f.name)
		require.Greater(t, float64(hits), 0.97*float64(all), f.name)
	}
}

func TestPlan(t *testing.T) {
	skipRace(t)
	g := newGraph[float32](t, newClusters(3, 64), 8000, codec.L2)
	few := new(Bitmap)
	for row := range int32(100) {
		few.Set(row)
	}
	few.Set(1 << 20) // no row
	require.False(t, g.plan(10, 50, nil).exact)
	require.True(t, g.plan(10, 50, few).exact)
	found, exact, err := g.Search(t.Context(), nil, g.arena.row(0), 1000, 50, few)
	require.NoError(t, err)
	require.True(t, exact)
	require.Len(t, found, 100)
	require.True(t, g.plan(10, 8000, nil).exact)
	require.True(t, g.plan(8000, 1, nil).exact)
	require.Equal(t, 64, g.plan(64, 10, nil).ef)
	g.unfit.Store(true)
	require.True(t, g.plan(10, 50, nil).exact)
}

// BenchmarkPlan finds the costs of plan.go. For each share of rows that a filter
// lets pass it times an exact search, one through the graph alone, and what the
// plan makes of them, by turns, and reports medians: us/exact, us/graph, us/search,
// and how many times longer a search takes than the faster of the two. model/exact
// and model/graph are what plan.go expects, in its units.
func BenchmarkPlan(b *testing.B) {
	for _, c := range []struct{ n, dim int }{{10_000, 128}, {50_000, 64}, {20_000, 512}} {
		data := newClusters(1, c.dim)
		g := newGraph[float32](b, data, c.n, codec.L2)
		qs := queries[float32](data, 16)
		for _, f := range filters {
			for _, share := range shares {
				if int(share*float64(c.n)) < 10 {
					continue
				}
				b.Run(fmt.Sprintf("%dx%d/%s/%g", c.n, c.dim, f.name, share), func(b *testing.B) {
					benchmarkPlan(b, g, qs, f.of, share)
				})
			}
		}
	}
}

func benchmarkPlan(b *testing.B, g *Graph[float32], qs [][]float32, filter func(*Graph[float32], []float32, *rand.Rand, int) *Bitmap, share float64) {
	const k, ef = 10, 50
	n := int(share * float64(g.arena.Rows()))
	rng := rand.New(rand.NewPCG(1, 1))
	allowed := make([]*Bitmap, len(qs))
	for i, q := range qs {
		allowed[i] = filter(g, q, rng, n)
	}
	var dst []Candidate
	ctx := b.Context()
	run := []func(i int){
		func(i int) { dst, _ = g.arena.Search(ctx, dst[:0], qs[i], k, allowed[i]) },
		func(i int) {
			p := g.plan(k, ef, allowed[i])
			p.cost = 0
			s := g.borrowFinder()
			dst, _, _ = g.find(b.Context(), s, dst[:0], qs[i], p, allowed[i])
			g.scratch.Put(s)
		},
		func(i int) { dst, _, _ = g.Search(ctx, dst[:0], qs[i], k, ef, allowed[i]) },
	}
	// Each has a query of its own in a turn, since what one reads the next finds in
	// the cache. A side that is far slower than exact search only runs once.
	var us [3]float64
	times := make([][]time.Duration, len(run))
	one := func(r, i int) {
		start := time.Now()
		run[r](i % len(qs))
		times[r] = append(times[r], time.Since(start))
	}
	for r := range run {
		one(r, 0)
	}
	slow := times[1][0] > 10*times[0][0]
	turn := 0
	for b.Loop() {
		for i := range qs {
			for j := range run {
				if r := (j + turn) % len(run); r != 1 || !slow {
					one(r, i+5*r)
				}
			}
			turn++
		}
	}
	for r, t := range times {
		slices.Sort(t)
		us[r] = float64(t[len(t)/2].Nanoseconds()) / 1e3
	}
	best := min(us[0], us[1])
	b.ReportMetric(0, "ns/op") // of all three: it says nothing
	b.ReportMetric(us[0], "us/exact")
	b.ReportMetric(us[1], "us/graph")
	b.ReportMetric(us[2], "us/search")
	b.ReportMetric(us[2]/best, "search/best")
	stride := g.arena.codes.stride
	b.ReportMetric(exactCost(g.arena.Rows(), n, stride)/1e3, "model/exact")
	b.ReportMetric(walkCost(ef/share, g.arena.count, stride)/1e3, "model/graph")
}
