package ann

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

func newArena[T codec.Float](t testing.TB, dim int, metric codec.Metric) *Arena[T] {
	t.Helper()
	a, err := New[T](dim, metric)
	require.NoError(t, err)
	return a
}

func TestBitmapAgreesWithAMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var b Bitmap
	model := map[int32]bool{}
	for range 5000 {
		row := rng.Int32N(700)
		switch rng.IntN(3) {
		case 0, 1:
			b.Set(row)
			model[row] = true
		case 2:
			b.Clear(row)
			delete(model, row)
		}
		require.Equal(t, model[row], b.Has(row))
		require.Equal(t, len(model), b.Count())
	}
	rows := slices.Collect(b.All())
	require.True(t, slices.IsSorted(rows))
	require.Len(t, rows, len(model))
	for _, r := range rows {
		require.True(t, model[r])
	}
	for r := range b.All() {
		require.Equal(t, rows[0], r)
		break
	}
	b.Set(-1)
	b.Clear(-1)
	b.Clear(1 << 30)
	require.False(t, b.Has(-1))
	require.False(t, b.Has(math.MaxInt32))
	require.Equal(t, len(model), b.Count())
}

func TestArenaKeepsItsBooks(t *testing.T) {
	a := newArena[float32](t, 2, codec.L2)
	require.NoError(t, a.Set(200, []float32{1, 2})) // loading starts anywhere
	require.Equal(t, 201, a.Rows())
	require.Equal(t, 1, a.Len())
	require.False(t, a.Has(5))
	require.True(t, a.Has(200))

	for i := range int32(200) {
		require.NoError(t, a.Set(i, []float32{3, 4}))
	}
	require.NoError(t, a.Set(200, []float32{5, 6}))
	require.Equal(t, 201, a.Len())

	require.True(t, a.Delete(130))
	require.True(t, a.Delete(3))
	require.False(t, a.Delete(3))
	require.False(t, a.Delete(-1))
	require.False(t, a.Delete(math.MaxInt32))
	require.Equal(t, 199, a.Len())
	require.Equal(t, 201, a.Rows())
	require.NoError(t, a.Set(3, []float32{1, 1}))
	require.Equal(t, 200, a.Len())
}

func TestReserveMovesNothingLater(t *testing.T) {
	for _, m := range []codec.Metric{codec.Cosine, codec.L2} {
		a := newArena[float32](t, 3, m)
		a.Reserve(1000)
		a.Reserve(-5)
		a.Reserve(math.MaxInt)
		require.Zero(t, a.Rows())
		require.NoError(t, a.Set(0, []float32{1, 2, 3}))
		first := &a.data.all[0]
		require.NoError(t, a.Set(999, []float32{1, 2, 3}))
		require.Same(t, first, &a.data.all[0])
	}
}

func TestBadInputIsRefused(t *testing.T) {
	_, err := New[float32](0, codec.Dot)
	var value *codec.ValueError
	require.ErrorAs(t, err, &value)
	require.Equal(t, "dim", value.Field)

	a := newArena[float32](t, 2, codec.Cosine)
	var dim *codec.DimensionError
	require.ErrorAs(t, a.Set(0, []float32{1}), &dim)
	require.ErrorAs(t, a.Set(0, []float32{0, 0}), &value)
	require.ErrorAs(t, a.Set(0, []float32{1, float32(math.NaN())}), &value)
	require.ErrorAs(t, a.Set(-1, []float32{1, 0}), &value)
	require.Equal(t, "row", value.Field)
	require.Zero(t, a.Rows())

	dst := []Candidate{{7, 7}}
	for _, tt := range []struct {
		q []float32
		k int
	}{{[]float32{1, 0}, 0}, {[]float32{1, 0}, -1}, {[]float32{1}, 1}, {[]float32{0, 0}, 1}, {[]float32{float32(math.Inf(1)), 0}, 1}} {
		got, err := a.Search(t.Context(), dst, tt.q, tt.k, nil)
		require.Error(t, err)
		require.Equal(t, dst, got)
	}
}

// The largest half of a block is what its rows say, whatever was replaced.
func TestBlockMaximaFollowTheirRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	a := newArena[float32](t, 2, codec.Dot)
	for range 5000 {
		row := rng.Int32N(2*blockRows + 9)
		if rng.IntN(3) == 0 {
			a.Delete(row)
		} else {
			require.NoError(t, a.Set(row, []float32{float32(rng.NormFloat64()), float32(rng.NormFloat64())}))
		}
		for b, got := range a.maxHalf {
			require.Equal(t, slices.Max(a.half.all[b*blockRows:min(len(a.half.all), (b+1)*blockRows)]), got)
		}
	}
}
