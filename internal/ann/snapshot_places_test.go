package ann

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

// A snapshot of the version before, which has no places, is read, also by an arena whose
// vectors are outside from then on; one with places only by such an arena.
func TestSnapshotOfTheVersionBefore(t *testing.T) {
	t.Run("FLOAT", testSnapshotOfTheVersionBefore[float32])
	t.Run("DOUBLE", testSnapshotOfTheVersionBefore[float64])
}

func testSnapshotOfTheVersionBefore[T codec.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	g := emptyGraph[T](t, 16, codec.Cosine)
	vectors := map[int32][]T{}
	for row := range int32(2000) {
		v := make([]T, 16)
		for i := range v {
			v[i] = T(rng.NormFloat64())
		}
		vectors[row] = v
		require.NoError(t, set(g, row, v))
	}
	h, all := g.arena.snapshot(g, nil)
	h.Version = versionBefore
	for i, s := range all {
		h.Sections[i].Length, h.Sections[i].Sum = uint64(len(s)), checksum(s)
	}
	var b bytes.Buffer
	require.NoError(t, writeSections(&b, h, all))
	q := []T{1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 9}
	want, err := g.arena.Search(t.Context(), nil, q, 20, nil)
	require.NoError(t, err)
	shelf := &shelf{}
	for _, o := range []Outside{nil, shelf} {
		to := emptyGraph[T](t, 16, codec.Cosine)
		if o != nil {
			to.arena.KeepOutside(o, 1)
		}
		_, err := to.Load(b.Bytes())
		require.NoError(t, err)
		got, err := to.arena.Search(t.Context(), nil, q, 20, nil)
		require.NoError(t, err)
		requireSameRows[T](t, want, got)
		if o == nil {
			continue
		}
		putOnShelf(shelf, rng, vectors)
		var now bytes.Buffer
		require.NoError(t, to.WriteSnapshot(t.Context(), &now, noLock{}, func() ([]byte, error) { return nil, nil }))
		require.Less(t, now.Len(), b.Len()-2000*16*sizeOf[T]()/2)
		next := emptyGraph[T](t, 16, codec.Cosine)
		_, err = next.Load(now.Bytes())
		require.ErrorIs(t, err, ErrSnapshot)
		next.arena.KeepOutside(shelf, 1)
		_, err = next.Load(now.Bytes())
		require.NoError(t, err)
		require.Equal(t, 2000, next.arena.away.count)
		got, err = next.arena.Search(t.Context(), nil, q, 20, nil)
		require.NoError(t, err)
		requireSameRows[T](t, want, got)
	}
}

// A snapshot of few vectors has them as they were given, and they are compared as before.
func TestSnapshotHasVectorsAsGiven(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, rows := range []int32{50, 2000} {
		from, to := emptyGraph[float32](t, 16, codec.Cosine), emptyGraph[float32](t, 16, codec.Cosine)
		from.arena.KeepOutside(&shelf{}, 1<<20)
		to.arena.KeepOutside(&shelf{}, 1<<20)
		vectors := make([][]float32, rows)
		for row := range rows {
			vectors[row] = make([]float32, 16)
			for i := range vectors[row] {
				vectors[row][i] = float32(rng.NormFloat64()) * float32(row+1)
			}
			require.NoError(t, set(from, row, vectors[row]))
		}
		var b bytes.Buffer
		require.NoError(t, from.WriteSnapshot(t.Context(), &b, noLock{}, func() ([]byte, error) { return nil, nil }))
		_, err := to.Load(b.Bytes())
		require.NoError(t, err)
		for range 20 {
			q := vectors[rng.IntN(int(rows))]
			want, err := from.arena.Search(t.Context(), nil, q, 10, nil)
			require.NoError(t, err)
			got, err := to.arena.Search(t.Context(), nil, q, 10, nil)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		for row, v := range vectors {
			require.NoError(t, to.arena.CheckRow(int32(row), v))
		}
		to.arena.inverse.all[7] = 1
		require.ErrorContains(t, to.arena.CheckRow(7, vectors[7]), "the inverse of its norm is 1")
	}
}
