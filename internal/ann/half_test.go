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

// requireHalf checks that a row's half is that of its code, and no further from it than
// is said.
func requireHalf(t *testing.T, c *codes, h *halves, row int32) {
	t.Helper()
	half := h.rows.all[int(row)*h.size : (int(row)+1)*h.size]
	square := 0.0
	for i, x := range c.row(row)[:c.dim] {
		y := half[i%h.size] >> (4 * (i / h.size)) & 15
		require.Equal(t, x>>3, y, "element %d of row %d", i, row)
		d := float64(x) - float64(8*y+4)
		square += d * d
	}
	require.LessOrEqual(t, math.Sqrt(square), float64(h.errs[row/blockRows]))
}

// Halves are made when some searches have read all codes, and follow what is set and
// deleted; codes that are made anew begin without.
func TestHalvesFollowTheCodes(t *testing.T) {
	for _, metric := range metrics {
		rng := rand.New(rand.NewPCG(31, 31))
		const dim, n = 130, 2*trainFrom + 300
		a := newArena[float32](t, dim, metric)
		set := func(row int32) {
			require.NoError(t, a.Set(row, vector[float32](rng, shapes[0], dim, metric)))
		}
		for row := range int32(n) {
			set(row)
		}
		require.NoError(t, a.Maintain(t.Context(), new(sync.RWMutex)))
		few := new(Bitmap)
		for row := range int32(100) {
			few.Set(row)
		}
		search := func(allowed *Bitmap) {
			q := vector[float32](rng, shapes[0], dim, metric)
			counts := func(row int32) bool { return a.Has(row) && (allowed == nil || allowed.Has(row)) }
			got, err := a.Search(t.Context(), nil, q, 10, allowed)
			require.NoError(t, err)
			require.Equal(t, brute(a, q, 10, counts), got)
		}
		for range halvesFrom {
			search(nil)
			search(few)
		}
		require.Nil(t, a.codes.half.Load())
		before := a.Bytes()
		search(few)
		require.Nil(t, a.codes.half.Load(), "a search among few rows reads few codes")
		search(nil)
		require.NotNil(t, a.codes.half.Load())
		require.GreaterOrEqual(t, a.Bytes(), before+int64(a.Rows()*halfLen(dim)))
		requireCodes(t, a)

		for row := range int32(n / 3) {
			if row%5 == 0 {
				a.Delete(row)
			} else {
				set(row)
			}
		}
		set(n + 700) // in a block of its own
		requireCodes(t, a)
		for range 5 {
			search(nil)
		}
		old := a.codes
		retrain(a)
		require.Nil(t, old.half.Load())
		require.Nil(t, a.codes.half.Load())
		search(nil)
		a.Close()
	}
}

// Of searches that run at the same time one makes the halves, unless it is cancelled.
func TestHalvesAreMadeBesideSearches(t *testing.T) {
	rng := rand.New(rand.NewPCG(32, 32))
	const dim, n = 128, 3000
	a := newArena[float32](t, dim, codec.L2)
	for row := range int32(n) {
		require.NoError(t, a.Set(row, vector[float32](rng, shapes[0], dim, codec.L2)))
	}
	retrain(a)
	q := vector[float32](rng, shapes[0], dim, codec.L2)
	ended, end := context.WithCancel(t.Context())
	end()
	a.codes.scans.Store(halvesFrom)
	require.Nil(t, a.codes.wholeScan(ended))
	want := brute(a, q, 10, a.Has)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 20 {
				got, err := a.Search(t.Context(), nil, q, 10, nil)
				if err != nil || !slices.Equal(want, got) {
					t.Errorf("got %v, %v, want %v", got, err, want)
				}
			}
		})
	}
	group.Wait()
	require.NotNil(t, a.codes.half.Load())
	requireCodes(t, a)
}
