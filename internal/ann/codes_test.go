package ann

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

// The rotation keeps norms and distances, whatever the dimension, as well as loss
// says.
func TestRotationIsOrthogonal(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 21))
	for _, dim := range []int{1, 2, 3, 5, 31, 32, 33, 100, 128, 200, 768, 1000, 1536} {
		r := newRotation(dim)
		for _, s := range []shape{shapes[0], shapes[2], shapes[11]} {
			wide := make([]float64, dim)
			s.fill(rng, wide)
			x := make([]float32, dim)
			for i := range x {
				x[i] = float32(wide[i] * 1e-18)
			}
			before := norm64(x)
			y := slices.Clone(x)
			r.apply(y)
			require.InDelta(t, before, norm64(y), r.loss*before+0x1p-100, "dim %d, %s", dim, s.name)
		}
		// One dimension becomes many.
		x := make([]float32, dim)
		x[dim/3] = 1
		r.apply(x)
		if dim >= 32 {
			require.Less(t, slices.Max(x), float32(0.6), "dim %d", dim)
		}
	}
}

func norm64(x []float32) float64 {
	s := 0.0
	for _, v := range x {
		s += float64(v) * float64(v)
	}
	return math.Sqrt(s)
}

// requireCodes checks that the codes in use are those of the arena's vectors.
func requireCodes(t *testing.T, a *Arena[float32]) {
	t.Helper()
	if a.codes == nil {
		return
	}
	for row := range a.live.All() {
		y, code := make([]float32, a.dim), make([]uint8, a.codes.stride)
		transform(a.codes, y, a.row(row))
		err, _ := a.codes.store(code, make([]uint8, a.codes.whole), y)
		require.Equal(t, code, a.codes.row(row), "row %d", row)
		require.Equal(t, roundUp(err), a.codes.errs.all[row])
		if h := a.codes.half.Load(); h != nil {
			requireHalf(t, a.codes, h, row)
		}
	}
}

func TestCodesFollowTheirRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(22, 22))
	a := newArena[float32](t, 24, codec.L2)
	made := 0
	was := a.codes
	for i := range 30_000 {
		row := rng.Int32N(min(int32(4*trainFrom), int32(i)/2+10))
		if rng.IntN(4) == 0 {
			a.Delete(row)
			continue
		}
		require.NoError(t, a.Set(row, vector[float32](rng, shapes[0], 24, codec.L2)))
		if a.codes != was {
			made++
			was = a.codes
			requireCodes(t, a)
		}
	}
	requireCodes(t, a)
	require.Greater(t, made, 2)
	require.Less(t, made, 12)
}

// Data that moves, spreads or shrinks gets new codes, and searches are fast again.
func TestCodesFollowDrift(t *testing.T) {
	const n, dim = 4000, 32
	for _, tt := range []struct {
		name        string
		from, scale float64
	}{{"moves", 300, 1}, {"spreads", 0, 1000}, {"shrinks", 0, 0.001}, {"moves and shrinks", 0.5, 0.01}} {
		t.Run(tt.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(23, 23))
			a := newArena[float32](t, dim, codec.L2)
			set := func(row int32, from, scale float64) {
				v := make([]float32, dim)
				for i := range v {
					v[i] = float32(from + scale*rng.NormFloat64())
				}
				require.NoError(t, a.Set(row, v))
			}
			for row := range int32(n) {
				set(row, 0, 1)
			}
			old := a.codes
			for row := range int32(n) { // replaced once
				set(row, tt.from, tt.scale)
			}
			var s *scratch[float32]
			for range givenUpFrom + 1 {
				require.NoError(t, a.Maintain(t.Context(), new(sync.RWMutex)))
				q := make([]float32, dim)
				for i := range q {
					q[i] = float32(tt.from + tt.scale*rng.NormFloat64())
				}
				b := a.borrow()
				s = b.add(a, q, 10)
				require.NoError(t, a.scan(t.Context(), b, nil))
				_, err := a.answer(t.Context(), nil, s)
				require.NoError(t, err)
			}
			require.NotSame(t, old, a.codes)
			require.True(t, s.sieve.on)
			require.Less(t, s.sieve.passed, n/4)
		})
	}
}

// Dimensions far larger than the others do not spoil the codes.
func TestOutlyingDimensionsDoNotSpoilCodes(t *testing.T) {
	const n, dim = 8000, 128
	for _, metric := range metrics {
		rng := rand.New(rand.NewPCG(24, 24))
		a := newArena[float32](t, dim, metric)
		mix := make([][]float64, 16) // 16 true dimensions, as embeddings have fewer than elements
		for i := range mix {
			mix[i] = make([]float64, dim)
			for j := range mix[i] {
				mix[i][j] = rng.NormFloat64()
			}
		}
		draw := func() []float32 {
			v := make([]float32, dim)
			for _, m := range mix {
				c := rng.NormFloat64()
				for j := range v {
					v[j] += float32(c * m[j])
				}
			}
			v[3] *= 12
			v[50] = v[50]*12 + 300
			v[99] *= 12
			return v
		}
		for row := range int32(n) {
			require.NoError(t, a.Set(row, draw()))
		}
		passed := 0
		for range 20 {
			q := draw()
			b := a.borrow()
			s := b.add(a, q, 10)
			require.NoError(t, a.scan(t.Context(), b, nil))
			require.True(t, s.sieve.on)
			passed += s.sieve.passed
			found, err := a.answer(t.Context(), nil, s)
			require.NoError(t, err)
			require.Equal(t, brute(a, q, 10, a.Has), found)
		}
		require.Less(t, passed/20, n/8, "%s", metric)
	}
}

// Where codes prove nothing, the search goes on without them, and is exact.
func TestSieveIsGivenUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(25, 25))
	const dim = 32
	a := newArena[float32](t, dim, codec.L2)
	for row := range int32(20_000) {
		require.NoError(t, a.Set(row, vector[float32](rng, shapes[0], dim, codec.L2)))
	}
	q := make([]float32, dim)
	for i := range q {
		q[i] = 1e4
	}
	b := a.borrow()
	s := b.add(a, q, 10)
	require.True(t, s.sieve.on)
	require.NoError(t, a.scan(t.Context(), b, nil))
	require.False(t, s.sieve.on)
	found, err := a.answer(t.Context(), nil, s)
	require.NoError(t, err)
	require.Equal(t, brute(a, q, 10, a.Has), found)
}

// Searches run while Maintain does, writers come in between, and all codes are
// right in the end.
func TestMaintainBesideSearchesAndWriters(t *testing.T) {
	const n, dim = 20_000, 24
	rng := rand.New(rand.NewPCG(26, 26))
	a := newArena[float32](t, dim, codec.Dot)
	var mu sync.RWMutex
	for row := range int32(n) {
		require.NoError(t, a.Set(row, vector[float32](rng, shapes[0], dim, codec.Dot)))
	}
	q := vector[float32](rng, shapes[0], dim, codec.Dot)
	var wg sync.WaitGroup
	wg.Go(func() {
		own := rand.New(rand.NewPCG(27, 27))
		for range 1000 {
			v := vector[float32](own, shapes[0], dim, codec.Dot)
			mu.Lock()
			err := a.Set(own.Int32N(n+100), v)
			mu.Unlock()
			if err != nil {
				t.Error(err)
			}
		}
	})
	wg.Go(func() {
		for range 30 {
			mu.RLock()
			found, err := a.Search(t.Context(), nil, q, 3, nil)
			if err != nil || !slices.Equal(found, brute(a, q, 3, a.Has)) {
				t.Errorf("found %v, %v", found, err)
			}
			mu.RUnlock()
		}
	})
	for range 5 {
		mu.Lock()
		was := a.codes
		a.codes.trained = 0 // new ones are due
		mu.Unlock()
		require.NoError(t, a.Maintain(t.Context(), &mu))
		mu.Lock()
		require.NotSame(t, was, a.codes)
		requireCodes(t, a)
		mu.Unlock()
	}
	wg.Wait()
	requireCodes(t, a)
}

func TestMaintainStops(t *testing.T) {
	a := newArena[float32](t, 3, codec.Dot)
	var mu sync.RWMutex
	require.NoError(t, a.Maintain(t.Context(), &mu)) // nothing to do
	for row := range int32(trainFrom) {
		require.NoError(t, a.Set(row, []float32{1, 2, float32(row)}))
	}
	require.Nil(t, a.codes)
	require.ErrorIs(t, a.Maintain(&countdown{t.Context(), 0}, &mu), context.Canceled)
	require.NoError(t, a.Maintain(t.Context(), &mu))
	require.NotNil(t, a.codes)
	requireCodes(t, a)
}

func TestCloseBesideMaintain(t *testing.T) {
	rng := rand.New(rand.NewPCG(30, 30))
	for range 5 {
		a := newArena[float32](t, 24, codec.L2)
		var mu sync.RWMutex
		for row := range int32(8 * trainFrom) {
			require.NoError(t, a.Set(row, vector[float32](rng, shapes[0], 24, codec.L2)))
		}
		a.codes.trained = 0 // new ones are due
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := a.Maintain(t.Context(), &mu); err != nil {
				t.Error(err)
			}
		})
		mu.Lock()
		a.Close()
		mu.Unlock()
		wg.Wait()
		require.Nil(t, a.codes)
		require.Zero(t, a.Rows())
	}
}

func TestCloseLeavesTheArenaEmpty(t *testing.T) {
	rng := rand.New(rand.NewPCG(28, 28))
	for _, metric := range metrics {
		a := newArena[float32](t, 150, metric)
		for range 2 {
			for row := range int32(2 * trainFrom) {
				require.NoError(t, a.Set(row, vector[float32](rng, shapes[0], 150, metric)))
			}
			require.NotNil(t, a.codes)
			q := vector[float32](rng, shapes[0], 150, metric)
			got, err := a.Search(t.Context(), nil, q, 2, nil)
			require.NoError(t, err)
			require.Equal(t, brute(a, q, 2, a.Has), got)
			a.Close()
			a.Close()
			require.Zero(t, a.Rows())
			require.Zero(t, a.Len())
			require.False(t, a.Has(3))
			got, err = a.Search(t.Context(), nil, q, 2, nil)
			require.NoError(t, err)
			require.Empty(t, got)
		}
	}
}

// Keys order rows as their scores do, as well as codes can.
func TestKeysOrderRows(t *testing.T) {
	const n, dim, k = 3000, 64, 10
	for _, metric := range metrics {
		rng := rand.New(rand.NewPCG(29, 29))
		a := newArena[float64](t, dim, metric)
		for row := range int32(n) {
			require.NoError(t, a.Set(row, vector[float64](rng, shapes[0], dim, metric)))
		}
		all := slices.Collect(a.live.All())
		keys := make([]int32, n)
		nearest := func() map[int32]bool {
			rows := slices.Clone(all)
			slices.SortFunc(rows, func(x, y int32) int { return int(keys[x]) - int(keys[y]) })
			near := map[int32]bool{}
			for _, r := range rows[:3*k] {
				near[r] = true
			}
			return near
		}
		var q codeQuery
		for range 20 {
			v := vector[float64](rng, shapes[0], dim, metric)
			a.codes.encodeQuery(&q, a.widen(nil, v))
			a.codes.keys(keys, &q, all)
			near := nearest()
			for _, c := range brute(a, v, k, a.Has) {
				require.True(t, near[c.Row], "%s", metric)
			}
			if metric == codec.Dot { // the distances between rows are not those of its scores
				continue
			}
			row, s := rng.Int32N(n), newSpace(a)
			s.between(keys, row, all)
			near = nearest()
			for _, c := range brute(a, a.row(row), k, a.Has) {
				require.True(t, near[c.Row], "%s", metric)
			}
		}
	}
}
