package enginetest

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
)

// small: vectors of signed bytes and of bits come back as they were, and those of bits are
// found by their Hamming distance.
func (s *suite) small(t *testing.T) {
	ctx := t.Context()
	g := rand.New(rand.NewPCG(29, 0))
	const dim = 44
	c := s.create(t, vecwire.Schema{Dim: dim})
	v := make([]int8, dim)
	for i := range v {
		v[i] = int8(g.IntN(256) - 128)
	}
	v[0], v[1] = -128, 127
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "bytes", Vector: codec.ParseInt8[float32](nil, v)}))
	got, err := c.Get(ctx, "bytes")
	require.NoError(t, err)
	back, err := codec.AppendInt8(nil, got[0].Vector)
	require.NoError(t, err)
	require.Equal(t, v, back)

	c = s.create(t, vecwire.Schema{Dim: dim, Metric: vecwire.Dot})
	packed := make([][]byte, 60)
	records := make([]vecwire.Record, len(packed))
	for i := range packed {
		packed[i] = make([]byte, (dim+7)/8)
		for j := range dim {
			packed[i][j/8] |= byte(g.IntN(2)) << (7 - j%8)
		}
		records[i] = vecwire.Record{ID: fmt.Sprintf("%02d", i)}
		records[i].Vector, err = codec.ParseBits[float32](nil, packed[i], dim)
		require.NoError(t, err)
	}
	require.NoError(t, c.Upsert(ctx, records...))
	far := func(i int) (n int) {
		for j, b := range packed[i] {
			n += bits.OnesCount8(b ^ packed[0][j])
		}
		return n
	}
	order := make([]int, len(packed))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return far(i) - far(j) })
	hits, err := c.Search(ctx, vecwire.Query{Vector: records[0].Vector, K: 20, Exact: true, Vectors: true})
	require.NoError(t, err)
	for i, h := range hits {
		require.Equal(t, records[order[i]].ID, h.ID)
		require.InDelta(t, dim-2*far(order[i]), h.Score, 1e-6)
		back, err := codec.AppendBits(nil, h.Vector)
		require.NoError(t, err)
		require.Equal(t, packed[order[i]], back)
	}
}
