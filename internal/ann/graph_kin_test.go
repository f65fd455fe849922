package ann

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

// kinModel is a graph over rows of groups, beside what each row is.
type kinModel[T codec.Float] struct {
	g    *Graph[T]
	mu   sync.RWMutex
	data *clusters
	rng  *rand.Rand
	of   []uint64 // the key of each row's group, 0 for a row that is free
}

func newKinModel[T codec.Float](t testing.TB, metric codec.Metric) *kinModel[T] {
	return &kinModel[T]{g: emptyGraph[T](t, 24, metric), data: newClusters(4, 24), rng: rand.New(rand.NewPCG(5, 5))}
}

func (m *kinModel[T]) put(t testing.TB, row int32, key uint64) {
	for int(row) >= len(m.of) {
		m.of = append(m.of, 0)
	}
	require.NoError(t, set(m.g, row, vectorOf[T](m.data)))
	m.of[row] = key
}

// threeGroups returns 8,000 linked rows, a third of each group from 1 to 3.
func threeGroups(t testing.TB) *kinModel[float32] {
	m := newKinModel[float32](t, codec.Cosine)
	for row := range int32(8000) {
		m.put(t, row, uint64(1+row%3))
	}
	m.link(t)
	return m
}

func (m *kinModel[T]) groups(each func(key uint64, rows []int32)) error {
	rows := map[uint64][]int32{}
	for row, key := range m.of {
		if key != 0 {
			rows[key] = append(rows[key], int32(row))
		}
	}
	for key, rows := range rows {
		if len(rows) >= LeastKin {
			each(key, rows)
		}
	}
	return nil
}

func (m *kinModel[T]) link(t testing.TB) {
	t.Helper()
	require.NoError(t, m.g.arena.Maintain(t.Context(), &m.mu))
	require.NoError(t, m.g.Link(t.Context(), m.mu.RLocker(), 2, nil))
	require.NoError(t, m.g.LinkKin(t.Context(), m.mu.RLocker(), 2, m.groups))
	require.NoError(t, m.g.Check())
	if k := m.g.kin.Load(); k != nil {
		for _, grp := range *k.byKey.Load() { // it is small, so that looking at all is as fast
			grp.effort.CompareAndSwap(0, usualEffort)
		}
	}
}

// rows returns the rows of a group.
func (m *kinModel[T]) rows(key uint64) *Bitmap {
	b := new(Bitmap)
	for row, k := range m.of {
		if k == key {
			b.Set(int32(row))
		}
	}
	b.OfKin(key)
	return b
}

// search searches in a group, compares, and returns the share that was found of what is nearest.
func (m *kinModel[T]) search(t testing.TB, g *Graph[T], key uint64) float64 {
	t.Helper()
	allowed := m.rows(key)
	hits, all := 0, 0
	for _, q := range queries[T](m.data, 20) {
		got, err := found(g.Search(t.Context(), nil, q, 10, leastEf, allowed))
		if m.uses(g, key) {
			p := g.plan(10, leastEf, allowed)
			p.cost = 0 // it is not given up
			if all, ok, err := g.find(t.Context(), g.borrowFinder(), nil, q, p, allowed); ok || err != nil {
				require.NoError(t, err)
				got = all
			}
		}
		require.NoError(t, err)
		want, err := g.arena.Search(t.Context(), nil, q, 10, allowed)
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(got), min(10, allowed.Count()))
		for i, c := range got {
			require.True(t, allowed.Has(c.Row), "row %d of group %d", c.Row, m.of[c.Row])
			require.True(t, i == 0 || c.Score <= got[i-1].Score)
			if i < 10 && c.Score >= want[len(want)-1].Score {
				hits++
			}
		}
		all += min(10, len(want))
	}
	if all == 0 {
		return 1
	}
	return float64(hits) / float64(all)
}

// uses reports whether a search in a group goes through the group's links.
func (m *kinModel[T]) uses(g *Graph[T], key uint64) bool {
	return g.kinOf(m.rows(key)) != nil
}

// Whatever is written, deleted, moved, linked and brought back from a snapshot, a search in a
// group finds what is nearest in it, and nothing of another.
func TestKinModel(t *testing.T) {
	skipRace(t)
	for _, metric := range metrics {
		t.Run(metric.String(), func(t *testing.T) { testKinModel[float32](t, metric) })
	}
	t.Run("DOUBLE", func(t *testing.T) { testKinModel[float64](t, codec.Cosine) })
}

func testKinModel[T codec.Float](t *testing.T, metric codec.Metric) {
	m := newKinModel[T](t, metric)
	for row := range int32(9000) {
		key := uint64(1 + row%3) // of 3,000 each
		if row%30 == 0 {
			key = 4 // too few
		}
		m.put(t, row, key)
	}
	require.False(t, m.uses(m.g, 1))
	m.link(t)
	for key := range uint64(3) {
		require.True(t, m.uses(m.g, key+1), "%+v", m.g.kin.Load().byNumber)
	}
	require.False(t, m.uses(m.g, 4))
	used := 0
	for step := range 12 {
		for range 300 {
			row := m.rng.Int32N(int32(len(m.of)) + 1)
			live := int(row) < len(m.of) && m.of[row] != 0
			switch m.rng.IntN(5) {
			case 0:
				if live {
					del(m.g, row)
					m.of[row] = 0
				}
			case 1, 2:
				if live {
					m.of[row] = uint64(1 + m.rng.IntN(4))
					m.g.Moved(row)
				}
			default:
				m.put(t, row, uint64(1+m.rng.IntN(4)))
			}
		}
		for key := range uint64(4) { // before they are linked
			require.Greater(t, m.search(t, m.g, key+1), 0.9, "step %d, group %d", step, key+1)
		}
		switch step % 4 {
		case 0: // some is left to do
			ctx, cancel := context.WithCancel(t.Context())
			require.NoError(t, m.g.Link(t.Context(), m.mu.RLocker(), 1, nil))
			err := m.g.LinkKin(ctx, m.mu.RLocker(), 1, func(each func(key uint64, rows []int32)) error {
				cancel()
				return m.groups(each)
			})
			require.ErrorIs(t, err, context.Canceled)
		default:
			m.link(t)
		}
		h := emptyGraph[T](t, 24, metric)
		_, err := h.Load(snapshot(t, m.g, "x"))
		require.NoError(t, err)
		require.NoError(t, h.Check())
		require.Equal(t, snapshot(t, m.g, ""), snapshot(t, h, ""))
		for key := range uint64(4) {
			require.Equal(t, m.uses(m.g, key+1), m.uses(h, key+1))
			if m.uses(h, key+1) {
				used++
			}
			require.Greater(t, m.search(t, m.g, key+1), 0.9, "step %d, group %d", step, key+1)
			require.Greater(t, m.search(t, h, key+1), 0.9, "step %d, group %d", step, key+1)
		}
		if step%3 == 0 {
			m.g = h
		}
	}
	require.Greater(t, used, 20)
}

// A group that is emptied has no links, and has them again when it is filled.
func TestKinComesAndGoes(t *testing.T) {
	skipRace(t)
	m := threeGroups(t)
	require.True(t, m.uses(m.g, 2))
	for row, key := range m.of {
		if key == 2 {
			del(m.g, int32(row))
			m.of[row] = 0
		}
	}
	require.Empty(t, must(found(m.g.Search(t.Context(), nil, queries[float32](m.data, 1)[0], 10, leastEf, m.rows(2)))))
	m.link(t)
	require.Nil(t, (*m.g.kin.Load().byKey.Load())[2])
	for row, key := range m.of { // others take its rows
		if key == 0 {
			m.put(t, int32(row), uint64(3+2*(row%2)))
		}
	}
	m.link(t)
	require.Greater(t, m.search(t, m.g, 3), 0.9)
	require.False(t, m.uses(m.g, 5))
	for row := range m.of {
		if row%6 == 0 {
			m.of[row] = 5
			m.g.Moved(int32(row))
		}
	}
	require.Greater(t, m.search(t, m.g, 5), 0.9)
	m.link(t)
	require.True(t, m.uses(m.g, 5))
	require.Greater(t, m.search(t, m.g, 5), 0.9)
	m.g.DropKin()
	require.False(t, m.uses(m.g, 5))
	m.link(t)
	require.True(t, m.uses(m.g, 5))
}

func found(c []Candidate, _ bool, err error) ([]Candidate, error) { return c, err }

// Links that lead to rows of other groups bring none of these into an answer, and Check names them.
func TestKinLinksOfOthers(t *testing.T) {
	skipRace(t)
	m := threeGroups(t)
	l := m.g.kin.Load().links
	for row := range int32(8000) {
		l.set(row, 0, []int32{(row + 1) % 8000, (row + 2) % 8000, (row + 3) % 8000, m.rng.Int32N(8000), m.rng.Int32N(8000), m.rng.Int32N(8000)})
	}
	require.ErrorContains(t, m.g.Check(), "of another")
	m.search(t, m.g, 1) // looks at each row that it returns
}

// A group whose links lead nowhere is noticed when something is linked, and mended or not used.
func TestKinThatFindsTooLittle(t *testing.T) {
	skipRace(t)
	m := threeGroups(t)
	l := m.g.kin.Load().links
	for row := range int32(8000) {
		if m.rng.IntN(4) > 0 {
			l.set(row, 0, nil)
		}
	}
	walks := func() float64 {
		require.True(t, m.uses(m.g, 1))
		share, _ := recall(t, m.g, queries[float32](m.data, 20), 10, leastEf, m.rows(1))
		return share
	}
	require.Less(t, walks(), 0.9)
	for range 300 {
		m.put(t, int32(len(m.of)), 1)
	}
	m.link(t)
	require.Greater(t, walks(), 0.9)
}

// Searches, changes and Link may run side by side.
func TestKinBeside(t *testing.T) {
	m := newKinModel[float32](t, codec.L2)
	n := int32(5000)
	for row := range n {
		m.put(t, row, uint64(1+row%2))
	}
	m.link(t)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		for ctx.Err() == nil {
			_ = m.g.Link(ctx, m.mu.RLocker(), 1, nil)
			_ = m.g.LinkKin(ctx, m.mu.RLocker(), 1, m.groups)
		}
	})
	qs := queries[float32](m.data, 8)
	for range 2 {
		all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				m.mu.RLock()
				allowed := m.rows(uint64(1 + i%2))
				got, _, err := m.g.Search(context.Background(), nil, qs[i%8], 5, leastEf, allowed)
				if err != nil || len(got) < 5 {
					t.Error(len(got), err)
				}
				for _, c := range got {
					if !allowed.Has(c.Row) {
						t.Error("a row of another group")
					}
				}
				m.mu.RUnlock()
			}
		})
	}
	vectors := queries[float32](m.data, 400)
	for i := range 400 {
		m.mu.Lock()
		row := m.rng.Int32N(n)
		switch i % 3 {
		case 0:
			_ = set(m.g, row, vectors[i])
		default:
			m.g.Moved(row)
		}
		m.of[row] = uint64(1 + m.rng.IntN(2))
		m.mu.Unlock()
	}
	cancel()
	all.Wait()
	m.link(t)
}

// Where few rows have changed groups are not asked for: to look at all rows again takes longer
// than a search among those that wait.
func TestKinLag(t *testing.T) {
	skipRace(t)
	m := newKinModel[float32](t, codec.Cosine)
	for row := range int32(5 * kinLag) {
		m.put(t, row, uint64(1+row%2))
	}
	m.link(t)
	asked := func() (n int) {
		require.NoError(t, m.g.Link(t.Context(), m.mu.RLocker(), 1, nil))
		require.NoError(t, m.g.LinkKin(t.Context(), m.mu.RLocker(), 1, func(each func(uint64, []int32)) error {
			n++
			return m.groups(each)
		}))
		return n
	}
	require.Zero(t, asked())
	for row := range int32(4) {
		m.put(t, row, uint64(1+row%2))
	}
	require.Zero(t, asked())
	require.Contains(t, must(found(m.g.Search(t.Context(), nil, m.g.arena.row(0), 10, leastEf, m.rows(1)))), Candidate{0, 1})
	for row := range int32(4) {
		m.put(t, 4+row, uint64(1+row%2))
	}
	require.Positive(t, asked())
	require.Zero(t, asked())
}
