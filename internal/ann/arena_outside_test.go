package ann

import (
	"bytes"
	"context"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

// shelf is an Outside in memory, which has vectors at odd places.
type shelf struct {
	file   []byte
	places map[int32]Place
	state  FileState
	busy   bool // somebody writes to the file
	lost   bool // Find finds nothing
	during func()
}

func (s *shelf) State() (FileState, bool) {
	state, rests := s.state, !s.busy
	if f := s.during; f != nil { // after the state was looked at
		s.during = nil
		f()
	}
	return state, rests
}
func (s *shelf) File() []byte { return s.file }
func (s *shelf) Read(file []byte, place Place, dst []byte) bool {
	inPieces := place&InPieces != 0
	if place &^= InPieces; place == 0 || int(place)+len(dst) > len(file) {
		return false
	}
	copy(dst, file[place:])
	if inPieces {
		for i := range dst {
			dst[i] ^= 0xff
		}
	}
	return true
}

func (s *shelf) Find(row int32) (Place, bool) {
	p, ok := s.places[row]
	return p, ok && !s.lost
}

func (s *shelf) Locate(each func(int32, Place)) error {
	for row, p := range s.places {
		each(row, p)
	}
	return nil
}

// putOnShelf puts vectors onto the shelf, each at another place than before, if it is rewritten.
func putOnShelf[T codec.Float](s *shelf, rng *rand.Rand, vectors map[int32][]T) {
	s.state[0]++
	s.file, s.places = make([]byte, 1+rng.IntN(64)), map[int32]Place{}
	rows := []int32{}
	for row := range vectors {
		rows = append(rows, row)
	}
	rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	for _, row := range rows {
		at, b := Place(len(s.file)), bytes.Clone(bytesOf(vectors[row]))
		if row%7 == 0 {
			at |= InPieces
			for i := range b {
				b[i] ^= 0xff
			}
		}
		s.places[row] = at
		s.file = append(append(s.file, b...), make([]byte, rng.IntN(5))...)
	}
}

// An arena whose vectors are outside gives the answers of one that has them, whatever is written,
// moved, lost, saved and loaded.
func TestOutsideModel(t *testing.T) {
	for _, metric := range []codec.Metric{codec.L2, codec.Cosine, codec.Dot} {
		t.Run("FLOAT/"+metric.String(), func(t *testing.T) { testOutsideModel[float32](t, metric) })
		t.Run("DOUBLE/"+metric.String(), func(t *testing.T) { testOutsideModel[float64](t, metric) })
	}
}

func testOutsideModel[T codec.Float](t *testing.T, metric codec.Metric) {
	const dim, rows = 64, 5000
	rng := rand.New(rand.NewPCG(uint64(metric), 3))
	sizes := []float64{1e-12, 1e12} // that kernels do not compare
	if metric == codec.Cosine && codec.ElementOf[T]() == codec.DOUBLE {
		sizes = []float64{1e-290, 1e-12, 1e12, 1e290} // whose squares float64 does not have, too
	}
	random := func() []T {
		size := 3.
		if rng.IntN(100) == 0 {
			size = sizes[rng.IntN(len(sizes))]
		}
		v := make([]T, dim)
		for i := range v {
			v[i] = T(rng.NormFloat64() * size)
		}
		return v
	}
	shelf, vectors := &shelf{}, map[int32][]T{}
	inside := must(New[T](dim, metric))
	fresh := func() (*Arena[T], *Graph[T]) {
		a := must(New[T](dim, metric))
		a.KeepOutside(shelf, 1<<20)
		g, err := NewGraph(a, GraphOptions{M: 8, EfConstruction: 40})
		require.NoError(t, err)
		return a, g
	}
	a, g := fresh()
	set := func(row int32) {
		v := random()
		vectors[row] = v
		require.NoError(t, inside.Set(row, v))
		require.NoError(t, a.Set(row, v))
		g.Changed(row)
	}
	drop := func(row int32) {
		delete(vectors, row)
		require.Equal(t, inside.Delete(row), a.Delete(row))
		g.Changed(row)
	}
	compare := func() {
		t.Helper()
		require.Equal(t, inside.Len(), a.Len())
		for range 4 {
			q := random()
			want, err := inside.Search(t.Context(), nil, q, 12, nil)
			require.NoError(t, err)
			var got, found []Candidate
			require.NoError(t, a.Guard(func() (err error) {
				if got, err = a.Search(t.Context(), nil, q, 12, nil); err != nil {
					return err
				}
				found, _, err = g.Search(t.Context(), nil, q, 12, 200, nil)
				return err
			}))
			requireSameRows[T](t, want, got)
			for _, c := range append(got, found...) { // to the bit, wherever the vector is
				require.Equal(t, score(metric, inside.widen(nil, q), vectors[c.Row]), c.Score)
			}
			require.GreaterOrEqual(t, len(found), 12)
		}
	}
	path := filepath.Join(t.TempDir(), "snapshot")
	var mu sync.RWMutex
	save := func() {
		require.NoError(t, g.Link(context.Background(), &mu, 1, nil))
		require.NoError(t, g.WriteFile(t.Context(), path, mu.RLocker(), noLock{}, func() ([]byte, error) { return nil, nil }))
	}
	for row := range int32(rows) {
		set(row)
	}
	compare()
	putOnShelf(shelf, rng, vectors)
	delete(shelf.places, 11) // it is not there yet
	save()
	require.Equal(t, rows-1, a.away.count)
	compare()
	for step := range 16 {
		switch rng.IntN(8) {
		case 0, 1:
			for range 20 {
				set(rng.Int32N(rows + 50))
			}
		case 2:
			for range 20 {
				drop(rng.Int32N(rows))
			}
		case 3:
			putOnShelf(shelf, rng, vectors) // all has moved
		case 4: // in the midst of a search
			shelf.during = func() { putOnShelf(shelf, rng, vectors) }
		case 5:
			shelf.busy = !shelf.busy
		case 6:
			putOnShelf(shelf, rng, vectors)
			save()
		case 7:
			putOnShelf(shelf, rng, vectors)
			save()
			a.Close()
			a, g = fresh()
			_, err := g.LoadFile(path)
			require.NoError(t, err)
		}
		compare()
		if step%8 == 7 {
			for row := range int32(rows) {
				require.NoError(t, a.CheckRow(row, vectors[row]))
			}
		}
	}
	// What cannot be found any more is said, found again, or mended.
	putOnShelf(shelf, rng, vectors)
	save()
	putOnShelf(shelf, rng, vectors)
	shelf.lost = true
	err := a.Guard(func() error {
		_, err := a.Search(t.Context(), nil, random(), 12, nil)
		return err
	})
	require.ErrorIs(t, err, ErrDamaged)
	require.NoError(t, a.Relocate())
	compare()
	shelf.places, shelf.file = nil, shelf.file[:len(shelf.file)/2]
	damaged, err := a.Damaged()
	require.NoError(t, err)
	require.NotEmpty(t, damaged)
	for _, row := range damaged {
		require.True(t, a.Mend(row, vectors[row]))
	}
	shelf.state[0]++
	compare()
}

// requireSameRows compares answers of arenas of which one has normalised vectors.
func requireSameRows[T codec.Float](t *testing.T, want, got []Candidate) {
	t.Helper()
	require.Len(t, got, len(want))
	within := 1e-6
	if codec.ElementOf[T]() == codec.DOUBLE {
		within = 1e-14
	}
	for i, w := range want {
		require.Equal(t, w.Row, got[i].Row)
		require.InDelta(t, w.Score, got[i].Score, within)
	}
}

type noLock struct{}

func (noLock) Lock()   {}
func (noLock) Unlock() {}

func must[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}

// A vector that is set is set, though others that new codes are made of cannot be read just now.
func TestOutsideSetWhileOthersAreLost(t *testing.T) {
	t.Run("FLOAT", testSetWhileOthersAreLost[float32])
	t.Run("DOUBLE", testSetWhileOthersAreLost[float64])
}

func testSetWhileOthersAreLost[T codec.Float](t *testing.T) {
	const dim, rows = 64, 5000
	rng := rand.New(rand.NewPCG(1, 9))
	random := func() []T {
		v := make([]T, dim)
		for i := range v {
			v[i] = T(rng.NormFloat64())
		}
		return v
	}
	shelf, vectors := &shelf{}, map[int32][]T{}
	a := must(New[T](dim, codec.L2))
	a.KeepOutside(shelf, 1)
	for row := range int32(rows) {
		vectors[row] = random()
		require.NoError(t, a.Set(row, vectors[row]))
	}
	putOnShelf(shelf, rng, vectors)
	var still, lock sync.Mutex
	none := func() ([]byte, error) { return nil, nil }
	require.NoError(t, a.WriteFile(t.Context(), filepath.Join(t.TempDir(), "snapshot"), &still, &lock, none))
	require.Equal(t, rows, a.away.count)
	clear(shelf.file)
	shelf.lost = true
	for row := range int32(4 * rows) { // new codes are wanted
		require.NoError(t, a.Set(rows+row, random()))
	}
	require.NotZero(t, a.away.later)
	require.Equal(t, 5*rows, a.Len())
	putOnShelf(shelf, rng, vectors)
	shelf.lost = false
	for row := range int32(2 * setsUntilNext) {
		require.NoError(t, a.Set(row, random()))
	}
	require.True(t, a.next != nil || a.codes.trained > rows)
}
