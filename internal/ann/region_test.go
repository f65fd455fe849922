package ann

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/simd"
)

func TestRegionGrowsInPlace(t *testing.T) {
	var r region[float32]
	defer r.free()
	rng := rand.New(rand.NewPCG(1, 1))
	written := 0
	var mapped *float32
	for n := 1; n < 8*hugePage; n += 1 + rng.IntN(n) {
		r.grow(n)
		require.Len(t, r.all, n)
		require.Zero(t, simd.Dot(r.all[written:], r.all[written:]))
		for i := written; i < n; i++ {
			r.all[i] = float32(i)
		}
		written = n
		for range 100 {
			i := rng.IntN(n)
			require.Equal(t, float32(i), r.all[i])
		}
		if r.m != nil {
			if mapped == nil {
				mapped = &r.all[0]
			}
			require.Same(t, mapped, &r.all[0])
		}
	}
	r.grow(5)
	require.Len(t, r.all, written)
	m, err := newMapping(addressSpace, false)
	require.Equal(t, err == nil, mapped != nil)
	if err == nil {
		m.release()
	}
	r.free()
	require.Empty(t, r.all)
	r.grow(10)
	require.Equal(t, make([]float32, 10), r.all)
}

// A region whose address space is used up moves to a larger one, and to the heap
// if there is none.
func TestRegionOutgrowsItsAddressSpace(t *testing.T) {
	m, err := newMapping(hugePage, false)
	if err != nil {
		t.Skip(err)
	}
	r := region[byte]{m: m}
	defer func() { r.free() }()
	_, err = m.commit(m.space() + 1)
	require.Error(t, err)
	r.grow(hugePage)
	for i := range r.all {
		r.all[i] = byte(i)
	}
	r.grow(3 * hugePage)
	require.NotSame(t, m, r.m)
	require.True(t, r.onHeap || r.m.space() > 3*hugePage)
	for i, b := range r.all {
		want := byte(i)
		if i >= hugePage {
			want = 0
		}
		if b != want {
			require.Equal(t, want, b, "element %d", i)
		}
	}
}

func TestRegionWithoutMemoryMappings(t *testing.T) {
	r := region[float64]{onHeap: true}
	r.grow(mapFrom)
	require.Nil(t, r.m)
	r.all[mapFrom-1] = 7
	r.grow(2 * mapFrom)
	require.Nil(t, r.m)
	require.Equal(t, 7.0, r.all[mapFrom-1])
	require.Zero(t, r.all[2*mapFrom-1])
}
