package ann

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// An arena that keeps vectors as they were given returns each to the bit, also one that no
// kernel can compare as it is, and finds what all scores say, with codes and without.
func TestGiven(t *testing.T) {
	for _, metric := range []codec.Metric{codec.Cosine, codec.L2, codec.Dot} {
		t.Run(fmt.Sprint("float/", metric), func(t *testing.T) { testGiven[float32](t, metric, []float64{1e-30, 1e-12, 1e12, 1e16}) })
		sizes := []float64{1e-12, 1e12}
		if metric == codec.Cosine {
			sizes = []float64{1e-290, 1e-200, 1e200, 1e290}
		}
		t.Run(fmt.Sprint("double/", metric), func(t *testing.T) { testGiven[float64](t, metric, sizes) })
	}
}

func testGiven[T codec.Float](t *testing.T, metric codec.Metric, sizes []float64) {
	const dim, rows = 48, 3000
	rng := rand.New(rand.NewPCG(3, uint64(metric)))
	a, err := New[T](dim, metric)
	require.NoError(t, err)
	a.KeepGiven()
	vector := func() []T {
		size := 1 + rng.Float64()
		if rng.IntN(30) == 0 {
			size = sizes[rng.IntN(len(sizes))]
		}
		v := make([]T, dim)
		for i := range v {
			v[i] = T(rng.NormFloat64() * size)
		}
		return v
	}
	want := map[int32][]T{}
	check := func() {
		t.Helper()
		require.Equal(t, len(want), a.Len())
		for row := range int32(rows) {
			got, ok := a.Given(nil, row)
			v, there := want[row]
			require.Equal(t, there, ok)
			require.True(t, slices.Equal(v, got))
			if there {
				require.NoError(t, a.CheckRow(row, v))
			}
		}
		for range 5 {
			q := vector()
			wide := a.widen(nil, q)
			var all []float64
			for _, v := range want {
				if metric == codec.Cosine && !isCommon[T](simd.Norm(v)) {
					unit := make([]T, dim)
					simd.Normalize(unit, v)
					v = unit
				}
				all = append(all, score(metric, wide, v))
			}
			slices.Sort(all)
			slices.Reverse(all)
			found, err := a.Search(t.Context(), nil, q, 10, nil)
			require.NoError(t, err)
			for i, c := range found[:10] {
				require.Equal(t, all[i], c.Score)
				require.False(t, math.IsNaN(c.Score))
			}
		}
	}
	for round := range 4 {
		for range rows {
			row := int32(rng.IntN(rows))
			if rng.IntN(4) == 0 {
				a.Delete(row)
				delete(want, row)
				continue
			}
			v := vector()
			require.NoError(t, a.Set(row, v))
			want[row] = v
		}
		check()
		if round == 1 {
			require.NotNil(t, a.codes)
			a.Rest()
			check()
		}
		require.False(t, a.wild)
	}
	a.Close()
	_, ok := a.Given(nil, 0)
	require.False(t, ok)
}
