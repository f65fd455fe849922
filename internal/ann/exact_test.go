package ann

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

var metrics = []codec.Metric{codec.Cosine, codec.Dot, codec.L2}

// brute scores every row that counts, one by one, and sorts them.
func brute[T codec.Float](a *Arena[T], q []T, k int, counts func(int32) bool) []Candidate {
	wide := make([]float64, len(q))
	for i, x := range q {
		wide[i] = float64(x)
	}
	if a.metric == codec.Cosine {
		simd.Normalize(wide, wide)
	}
	var all []Candidate
	for r := range int32(a.Rows()) {
		if counts(r) {
			all = append(all, Candidate{r, score(a.metric, wide, a.row(r))})
		}
	}
	slices.SortFunc(all, func(x, y Candidate) int {
		return cmp.Or(cmp.Compare(y.Score, x.Score), cmp.Compare(x.Row, y.Row))
	})
	n := min(k, len(all))
	for n > 0 && n < len(all) && all[n].Score == all[n-1].Score {
		n++
	}
	return all[:n]
}

// A shape makes a vector: what real data can hold at its worst.
type shape struct {
	name string
	fill func(rng *rand.Rand, v []float64)
}

func each(f func(rng *rand.Rand, i int) float64) func(*rand.Rand, []float64) {
	return func(rng *rand.Rand, v []float64) {
		for i := range v {
			v[i] = f(rng, i)
		}
	}
}

var shapes = []shape{
	{"normal", each(func(rng *rand.Rand, _ int) float64 { return rng.NormFloat64() })},
	{"small integers, many ties", each(func(rng *rand.Rand, _ int) float64 { return float64(rng.IntN(3) - 1) })},
	{"all equal", each(func(*rand.Rand, int) float64 { return 0.3 })},
	{"duplicates", func(rng *rand.Rand, v []float64) {
		own := rand.New(rand.NewPCG(uint64(rng.IntN(5)), 9))
		for i := range v {
			v[i] = own.NormFloat64()
		}
	}},
	{"far from the origin", each(func(rng *rand.Rand, _ int) float64 { return 1000 + rng.NormFloat64()*0.01 })},
	{"constant dimensions", each(func(rng *rand.Rand, i int) float64 {
		if i%3 > 0 {
			return 77
		}
		return rng.NormFloat64()
	})},
	{"last bits differ", each(func(rng *rand.Rand, _ int) float64 { return 1 + float64(rng.IntN(3))*0x1p-23 })},
	{"huge", each(func(rng *rand.Rand, _ int) float64 { return rng.NormFloat64() * 1e30 })},
	{"near overflow", each(func(rng *rand.Rand, _ int) float64 { return (rng.Float64()*2 - 1) * math.MaxFloat32 })},
	{"subnormal", each(func(rng *rand.Rand, _ int) float64 { return float64(rng.IntN(9)-4) * math.SmallestNonzeroFloat32 })},
	{"tiny", each(func(rng *rand.Rand, _ int) float64 { return rng.NormFloat64() * 1e-22 })},
	{"every size", each(func(rng *rand.Rand, _ int) float64 { return rng.NormFloat64() * math.Pow(10, float64(rng.IntN(70)-35)) })},
	{"outliers", func(rng *rand.Rand, v []float64) {
		size := 1.0
		if rng.IntN(50) == 0 {
			size = math.Pow(10, float64(rng.IntN(37)))
		}
		for i := range v {
			v[i] = rng.NormFloat64() * size
		}
	}},
	{"zeros among them", func(rng *rand.Rand, v []float64) {
		size := float64(rng.IntN(2))
		for i := range v {
			v[i] = rng.NormFloat64() * size
		}
	}},
	{"growing", func(rng *rand.Rand, v []float64) {
		size := math.Exp(rng.Float64() * 20)
		for i := range v {
			v[i] = size
		}
	}},
}

// wideShapes are for float64 arenas, with sizes that float32 does not have.
var wideShapes = append(slices.Clone(shapes),
	shape{"near overflow of float64", each(func(rng *rand.Rand, _ int) float64 { return (rng.Float64()*2 - 1) * math.MaxFloat64 })},
	shape{"products overflow", each(func(rng *rand.Rand, _ int) float64 { return rng.NormFloat64() * 1e200 })},
	shape{"squares underflow", each(func(rng *rand.Rand, _ int) float64 { return rng.NormFloat64() * 1e-200 })},
	shape{"subnormal of float64", each(func(rng *rand.Rand, _ int) float64 {
		return float64(rng.IntN(9)-4) * math.SmallestNonzeroFloat64
	})},
	shape{"every size of float64", each(func(rng *rand.Rand, _ int) float64 {
		return rng.NormFloat64() * math.Pow(10, float64(rng.IntN(600)-300))
	})},
)

func shapesOf[T codec.Float]() []shape {
	if codec.ElementOf[T]() == codec.DOUBLE {
		return wideShapes
	}
	return shapes
}

// vector returns a vector of the shape that the metric allows.
func vector[T codec.Float](rng *rand.Rand, s shape, dim int, metric codec.Metric) []T {
	wide, v := make([]float64, dim), make([]T, dim)
	s.fill(rng, wide)
	for i, x := range wide {
		if codec.ElementOf[T]() == codec.FLOAT {
			x = min(math.MaxFloat32, max(-math.MaxFloat32, x))
		}
		v[i] = T(x)
	}
	if codec.Check(v, dim, metric) != nil {
		v[0] = 1
	}
	return v
}

func TestSearchIsExact(t *testing.T) {
	t.Run("FLOAT", testSearchIsExact[float32])
	t.Run("DOUBLE", testSearchIsExact[float64])
}

func testSearchIsExact[T codec.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	dims := []int{1, 2, 3, 8, 31, 33, 128, 300}
	for _, metric := range metrics {
		for _, s := range shapesOf[T]() {
			t.Run(fmt.Sprint(metric, "/", s.name), func(t *testing.T) {
				for range 3 {
					n := 1 + rng.IntN(3*blockRows)
					requireExact[T](t, rng, s, metric, dims[rng.IntN(len(dims))], n)
				}
			})
		}
	}
}

// requireExact fills an arena with n vectors, changes it at random, and compares
// searches with brute force.
func requireExact[T codec.Float](t *testing.T, rng *rand.Rand, s shape, metric codec.Metric, dim, n int) {
	t.Helper()
	a := newArena[T](t, dim, metric)
	a.SetShortCodes(rng.IntN(3) == 0)
	live := map[int32]bool{}
	for _, r := range rng.Perm(n) {
		require.NoError(t, a.Set(int32(r), vector[T](rng, s, dim, metric)))
		live[int32(r)] = true
	}
	if rng.IntN(3) > 0 {
		retrain(a)
		if a.codes.scans.Store(-1 << 30); rng.IntN(2) == 0 {
			withHalves(a)
		}
	}
	for range rng.IntN(n) {
		r := rng.Int32N(int32(n))
		require.Equal(t, live[r], a.Delete(r))
		delete(live, r)
	}
	for range rng.IntN(n) {
		r := rng.Int32N(int32(n))
		require.NoError(t, a.Set(r, vector[T](rng, s, dim, metric)))
		live[r] = true
	}
	var dst []Candidate
	for _, share := range []float64{-1, 0, 0.01, 0.1, 0.3, 0.9, 1} {
		q := vector[T](rng, s, dim, metric)
		if rng.IntN(3) == 0 {
			q = vector[T](rng, shapes[0], dim, metric)
		}
		var allowed *Bitmap
		counts := func(r int32) bool { return live[r] }
		if share >= 0 {
			allowed = new(Bitmap)
			for r := range int32(n + 100) { // rows that are free or do not exist, too
				if rng.Float64() < share {
					allowed.Set(r)
				}
			}
			counts = func(r int32) bool { return live[r] && allowed.Has(r) }
		}
		for _, k := range []int{1, 10, 1 + rng.IntN(n), n, n + 1, math.MaxInt} {
			requireAfter(t, rng, a, q, k, allowed, brute(a, q, math.MaxInt, counts))
			want := brute(a, q, k, counts)
			got, err := a.Search(t.Context(), dst[:0], q, k, allowed)
			require.NoError(t, err)
			require.True(t, slices.Equal(want, got), "k=%d share=%v dim=%d n=%d\nwant %v\ngot  %v", k, share, dim, n, want, got)
			dst = got
			seeds := seedsOf(rng, a, q, k, counts)
			got, err = a.search(t.Context(), nil, q, k, allowed, seeds)
			require.NoError(t, err)
			require.True(t, slices.Equal(want, got), "k=%d share=%v seeds=%v\nwant %v\ngot  %v", k, share, seeds, want, got)
			for _, c := range got {
				require.False(t, math.IsNaN(c.Score))
			}
		}
	}
	requireManyExact(t, rng, a, s)
}

// seedsOf returns some rows that count in any order: the best, which tell a search
// most, or any.
func seedsOf[T codec.Float](rng *rand.Rand, a *Arena[T], q []T, k int, counts func(int32) bool) []int32 {
	n := k
	if rng.IntN(2) == 0 {
		n = math.MaxInt
	}
	var seeds []int32
	for _, c := range brute(a, q, n, counts) {
		seeds = append(seeds, c.Row)
	}
	rng.Shuffle(len(seeds), func(i, j int) { seeds[i], seeds[j] = seeds[j], seeds[i] })
	return seeds[:min(len(seeds), max(k, k+rng.IntN(3)))]
}

// requireManyExact compares searches done together with the same ones done alone.
func requireManyExact[T codec.Float](t *testing.T, rng *rand.Rand, a *Arena[T], s shape) {
	t.Helper()
	first := []Candidate{{9, 9}}
	qs := make([]Query[T], rng.IntN(10))
	for i := range qs {
		qs[i] = Query[T]{vector[T](rng, s, a.dim, a.metric), 1 + rng.IntN(12), first}
	}
	require.NoError(t, a.SearchMany(t.Context(), qs, nil))
	for _, q := range qs {
		want, err := a.Search(t.Context(), first, q.Vector, q.K, nil)
		require.NoError(t, err)
		require.True(t, slices.Equal(want, q.Found), "want %v\ngot  %v", want, q.Found)
	}
}

func FuzzSearch(f *testing.F) {
	f.Add(uint64(1), uint8(0), uint8(0), uint8(4), uint16(10))
	f.Add(uint64(2), uint8(1), uint8(7), uint8(33), uint16(600))
	f.Add(uint64(3), uint8(2), uint8(11), uint8(100), uint16(300))
	f.Fuzz(func(t *testing.T, seed uint64, metric, kind, dim uint8, n uint16) {
		rng := rand.New(rand.NewPCG(seed, 0))
		m := metrics[int(metric)%len(metrics)]
		d, rows := 1+int(dim), 1+int(n%700)
		requireExact[float32](t, rng, shapes[int(kind)%len(shapes)], m, d, rows)
		requireExact[float64](t, rng, wideShapes[int(kind)%len(wideShapes)], m, d, rows)
	})
}

// T is the k-th largest lower bound, and a row goes only if its upper bound is
// below T.
func TestRowsAreKeptByTheirBounds(t *testing.T) {
	a := newArena[float32](t, 1, codec.Dot)
	require.NoError(t, a.Set(0, []float32{1}))
	var s scratch[float32]
	s.reset(a, []float32{1}, 1)
	s.keep(0, 1, 0.5)
	require.Equal(t, 0.5, s.floor.floor())
	s.keep(1, 0.25, 0.25)
	s.keep(2, 0.25, 0.125)
	require.Equal(t, []Candidate{{0, 1.5}, {1, 0.5}}, s.found)
	s.keep(3, 1, 0.25)
	s.prune()
	require.Equal(t, []Candidate{{0, 1.5}, {3, 1.25}}, s.found)

	require.Equal(t, float32(1), below[float32](1+1e-9))
	require.Less(t, below[float32](1-1e-9), float32(1))
	require.Equal(t, float32(math.MaxFloat32), below[float32](1e300))
	require.Equal(t, float32(math.Inf(-1)), below[float32](-1e300))
	require.Equal(t, 1-1e-9, below[float64](1-1e-9))
}

func TestSearchAppends(t *testing.T) {
	a := newArena[float32](t, 1, codec.Dot)
	first := []Candidate{{9, 9}}
	got, err := a.Search(t.Context(), first, []float32{1}, 3, nil)
	require.NoError(t, err)
	require.Equal(t, first, got)
	require.NoError(t, a.Set(4, []float32{2}))
	require.NoError(t, a.Set(1, []float32{5}))
	require.NoError(t, a.Set(2, []float32{5}))
	got, err = a.Search(t.Context(), first, []float32{1}, 1, nil)
	require.NoError(t, err)
	require.Equal(t, []Candidate{{9, 9}, {1, 5}, {2, 5}}, got)
	got, err = a.Search(t.Context(), nil, []float32{1}, 2, new(Bitmap))
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestScoresMeanWhatTheySay(t *testing.T) {
	search := func(metric codec.Metric, rows [][]float64, q []float64) []Candidate {
		a := newArena[float64](t, len(q), metric)
		for i, r := range rows {
			require.NoError(t, a.Set(int32(i), r))
		}
		got, err := a.Search(t.Context(), nil, q, len(rows), nil)
		require.NoError(t, err)
		return got
	}
	require.Equal(t, []Candidate{{0, 1}, {2, 0}, {1, -1}}, search(codec.Cosine, [][]float64{{2, 0}, {-3, 0}, {0, 9}}, []float64{5, 0}))
	require.Equal(t, []Candidate{{2, 45}, {0, 10}, {1, -15}}, search(codec.Dot, [][]float64{{2, 0}, {-3, 0}, {9, 1}}, []float64{5, 0}))
	require.Equal(t, []Candidate{{1, 0}, {0, -5}, {2, -10}}, search(codec.L2, [][]float64{{3, 4}, {0, 0}, {6, 8}}, []float64{0, 0}))
	// What overflows on the way but not at the end.
	require.Equal(t, []Candidate{{1, 1e300}, {0, 0}}, search(codec.Dot, [][]float64{{1e200, -1e200}, {1e100, 0}}, []float64{1e200, 1e200}))
	got := search(codec.L2, [][]float64{{3e200, 0}, {3e-200, 0}}, []float64{0, 4e-200})
	require.InEpsilon(t, 5e-200, -got[0].Score, 1e-15)
	require.InEpsilon(t, 3e200, -got[1].Score, 1e-15)
	got = search(codec.L2, [][]float64{{math.MaxFloat64, 1}}, []float64{-math.MaxFloat64, 1})
	require.True(t, math.IsInf(got[0].Score, -1))
	got = search(codec.Cosine, [][]float64{{1e308, 1e308}, {1e-320, 0}}, []float64{1e308, 1e308})
	require.InDelta(t, 1, got[0].Score, 1e-15)
	require.InDelta(t, math.Sqrt2/2, got[1].Score, 1e-15)
}

// Rows that no sane scan could tell apart cost a search linear time and come
// back whole.
func TestMassiveTies(t *testing.T) {
	const n = 50_000
	for _, metric := range metrics {
		a := newArena[float32](t, 4, metric)
		for r := range int32(n) {
			require.NoError(t, a.Set(r, []float32{1, 2, 3, 4}))
		}
		got, err := a.Search(t.Context(), nil, []float32{4, 3, 2, 1}, 10, nil)
		require.NoError(t, err)
		require.Len(t, got, n)
		for i, c := range got {
			require.Equal(t, Candidate{int32(i), got[0].Score}, c)
		}
	}
}

// countdown is a context that is cancelled at the n-th look at it.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestCancelledSearchStops(t *testing.T) {
	a := newArena[float32](t, 1, codec.Dot)
	for r := range int32(3 * checkRows) {
		require.NoError(t, a.Set(r, []float32{1})) // ties: all of them are scored
	}
	dst := []Candidate{{9, 9}}
	for left := range 6 { // 3 looks in the scan, 3 at the scores
		got, err := a.Search(&countdown{t.Context(), left}, dst, []float32{1}, 1, nil)
		require.ErrorIs(t, err, context.Canceled, "look %d", left)
		require.Equal(t, dst, got)
	}
	got, err := a.Search(&countdown{t.Context(), 6}, nil, []float32{1}, 1, nil)
	require.NoError(t, err)
	require.Len(t, got, 3*checkRows)
}

// Searches done together succeed or fail together.
func TestSearchManyLeavesNothingHalfDone(t *testing.T) {
	a := newArena[float32](t, 1, codec.Dot)
	for r := range int32(3 * checkRows) {
		require.NoError(t, a.Set(r, []float32{1})) // ties: all of them are scored
	}
	first := []Candidate{{9, 9}}
	queries := func() []Query[float32] {
		return []Query[float32]{{[]float32{1}, 1, first}, {[]float32{2}, 1, nil}}
	}
	want := queries()
	for left := range 9 { // 3 looks in the scan, 3 at the scores of each
		qs := queries()
		require.ErrorIs(t, a.SearchMany(&countdown{t.Context(), left}, qs, nil), context.Canceled, "look %d", left)
		require.Equal(t, want, qs)
	}
	qs := queries()
	require.NoError(t, a.SearchMany(&countdown{t.Context(), 9}, qs, nil))
	require.Len(t, qs[0].Found, 3*checkRows+1)
	require.Len(t, qs[1].Found, 3*checkRows)

	qs = append(queries(), Query[float32]{[]float32{1}, 0, first})
	var value *codec.ValueError
	require.ErrorAs(t, a.SearchMany(t.Context(), qs, nil), &value)
	require.Equal(t, "k", value.Field)
	require.Equal(t, want, qs[:2])
	require.NoError(t, a.SearchMany(t.Context(), nil, nil))
}

func TestConcurrentSearches(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	a := newArena[float32](t, 16, codec.L2)
	for r := range int32(2000) {
		require.NoError(t, a.Set(r, vector[float32](rng, shapes[0], 16, codec.L2)))
	}
	q := vector[float32](rng, shapes[0], 16, codec.L2)
	want := brute(a, q, 10, a.Has)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if got, err := a.Search(t.Context(), nil, q, 10, nil); err != nil || !slices.Equal(want, got) {
					t.Errorf("got %v, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestSearchDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops items at random under the race detector")
	}
	rng := rand.New(rand.NewPCG(6, 6))
	for _, metric := range metrics {
		a := newArena[float32](t, 32, metric)
		for r := range int32(3000) {
			require.NoError(t, a.Set(r, vector[float32](rng, shapes[0], 32, metric)))
		}
		q := vector[float32](rng, shapes[0], 32, metric)
		var few Bitmap
		for r := int32(0); r < 3000; r += 40 {
			few.Set(r)
		}
		dst := make([]Candidate, 0, 100)
		ctx := t.Context()
		qs := make([]Query[float32], 9)
		require.Zero(t, testing.AllocsPerRun(100, func() {
			for i := range qs {
				qs[i] = Query[float32]{q, 1 + i, dst[10*i : 10*i]}
			}
			if err := a.SearchMany(ctx, qs, nil); err != nil {
				t.Error(err)
			}
		}), "%s", metric)
		for _, allowed := range []*Bitmap{nil, &few} {
			require.Zero(t, testing.AllocsPerRun(100, func() {
				if _, err := a.Search(ctx, dst, q, 10, allowed); err != nil {
					t.Error(err)
				}
			}), "%s", metric)
		}
	}
}
