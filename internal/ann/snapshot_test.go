package ann

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

func emptyGraph[T codec.Float](t testing.TB, dim int, metric codec.Metric) *Graph[T] {
	t.Helper()
	g, err := NewGraph(newArena[T](t, dim, metric), GraphOptions{})
	require.NoError(t, err)
	return g
}

func snapshot[T codec.Float](t testing.TB, g *Graph[T], stamp string) []byte {
	t.Helper()
	var b bytes.Buffer
	var mu sync.RWMutex
	require.NoError(t, g.WriteSnapshot(t.Context(), &b, mu.RLocker(), func() ([]byte, error) { return []byte(stamp), nil }))
	return b.Bytes()
}

// churned returns a graph with linked, pending, stale and free rows.
func churned[T codec.Float](t testing.TB, data *clusters, n int, metric codec.Metric) *Graph[T] {
	t.Helper()
	g := newGraph[T](t, data, n, metric)
	rng := rand.New(rand.NewPCG(3, 3))
	for range n / 10 {
		del(g, rng.Int32N(int32(n)))
		require.NoError(t, set(g, rng.Int32N(int32(n)+50), vectorOf[T](data)))
	}
	return g
}

func TestSnapshotBringsAllBack(t *testing.T) {
	skipRace(t)
	t.Run("FLOAT", testSnapshotBringsAllBack[float32])
	t.Run("DOUBLE", testSnapshotBringsAllBack[float64])
}

func testSnapshotBringsAllBack[T codec.Float](t *testing.T) {
	for _, metric := range metrics {
		data := newClusters(2, 24)
		g := churned[T](t, data, 3000, metric)
		require.NotZero(t, g.Stats().Pending)
		require.NotZero(t, g.Stats().Stale)
		g.openLongest(&g.web) // as Load does
		h := emptyGraph[T](t, 24, metric)
		stamp, err := h.Load(snapshot(t, g, "as of 7"))
		require.NoError(t, err)
		require.Equal(t, "as of 7", string(stamp))
		requireSame(t, data, g, h)
		forgetChecks(g)
		// Both go on from there.
		for range 500 {
			v, row := vectorOf[T](data), data.rng.Int32N(3200)
			require.NoError(t, set(g, row, v))
			require.NoError(t, set(h, row, v))
			row = data.rng.Int32N(3200)
			require.Equal(t, del(g, row), del(h, row))
		}
		var mu sync.RWMutex
		require.NoError(t, g.Link(t.Context(), mu.RLocker(), 1, nil))
		require.NoError(t, h.Link(t.Context(), mu.RLocker(), 1, nil))
		requireSame(t, data, g, h)
	}
}

// requireSame requires equal answers, walks included.
func requireSame[T codec.Float](t *testing.T, data *clusters, g, h *Graph[T]) {
	t.Helper()
	gs, hs := g.Stats(), h.Stats()
	gs.Bytes, hs.Bytes = 0, 0
	require.Equal(t, gs, hs)
	require.Equal(t, snapshot(t, g, ""), snapshot(t, h, ""))
	for _, q := range queries[T](data, 30) {
		want, ok := through(g, q, 10, 20, nil)
		require.True(t, ok)
		got, ok := through(h, q, 10, 20, nil)
		require.True(t, ok)
		require.Equal(t, want, got)
		want, err := g.arena.Search(t.Context(), nil, q, 10, nil)
		require.NoError(t, err)
		got, err = h.arena.Search(t.Context(), nil, q, 10, nil)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestSnapshotOfFewRows(t *testing.T) {
	for _, n := range []int{0, 1, 70} { // none has codes
		g := emptyGraph[float32](t, 3, codec.L2)
		for row := range int32(n) {
			require.NoError(t, set(g, row, []float32{float32(row), 1, 2}))
		}
		h := emptyGraph[float32](t, 3, codec.L2)
		_, err := h.Load(snapshot(t, g, ""))
		require.NoError(t, err)
		require.Equal(t, n, h.arena.Len())
		got, exact, err := h.Search(t.Context(), nil, []float32{0, 1, 2}, 100, 0, nil)
		require.NoError(t, err)
		require.True(t, exact)
		require.Len(t, got, n)
	}
}

func TestForeignSnapshotsAreRefused(t *testing.T) {
	b := snapshot(t, churned[float32](t, newClusters(2, 8), 1500, codec.L2), "x")
	change := func(at int, v byte) []byte {
		c := bytes.Clone(b)
		c[at] = v
		return c
	}
	l2 := func() error { _, err := emptyGraph[float32](t, 8, codec.L2).Load(b); return err }
	require.NoError(t, l2())
	_, dim := emptyGraph[float32](t, 9, codec.L2).Load(b)
	require.ErrorContains(t, dim, "the dimension is 8, want 9")
	_, metric := emptyGraph[float32](t, 8, codec.Dot).Load(b)
	require.ErrorContains(t, metric, "the metric is")
	_, element := emptyGraph[float64](t, 8, codec.L2).Load(b)
	require.ErrorContains(t, element, "bytes an element is 4, want 8")
	other, err := NewGraph(newArena[float32](t, 8, codec.L2), GraphOptions{M: 8})
	require.NoError(t, err)
	_, m := other.Load(b)
	require.ErrorContains(t, m, "M is 16, want 8")
	full := emptyGraph[float32](t, 8, codec.L2)
	require.NoError(t, set(full, 0, make([]float32, 8)))
	_, rows := full.Load(b)
	require.ErrorContains(t, rows, "the graph has 1 rows already")
	for _, err := range []error{dim, metric, element, m, rows} {
		require.ErrorIs(t, err, ErrSnapshot)
	}
	for want, data := range map[string][]byte{
		"0 bytes long":          nil,
		"100 bytes long":        b[:100],
		"it begins with":        change(0, 'V'),
		"version 1, want 6":     change(8, 1),
		"byte order":            change(12, 77),
		"the header is damaged": change(17, 9),
		"is damaged: its":       change(len(b)-200, b[len(b)-200]+1),
		"bytes long, want":      b[:len(b)-300],
		"bytes long, want 323":  append(bytes.Clone(b), 0),
		"another byte order":    append(append(bytes.Clone(b[:12]), b[15], b[14], b[13], b[12]), b[16:]...),
	} {
		g := emptyGraph[float32](t, 8, codec.L2)
		_, err := g.Load(data)
		require.ErrorIs(t, err, ErrSnapshot, want)
		require.ErrorContains(t, err, want)
		require.Zero(t, g.arena.Rows())
		require.NoError(t, set(g, 3, make([]float32, 8))) // it is still of use
	}
}

// Every bit counts, and so does every byte of the length.
func TestDamagedSnapshotsAreRefused(t *testing.T) {
	skipRace(t)
	b := snapshot(t, churned[float32](t, newClusters(2, 4), 1100, codec.Dot), "stamp")
	rng := rand.New(rand.NewPCG(1, 2))
	g := emptyGraph[float32](t, 4, codec.Dot)
	for range 3000 {
		i, bit := rng.IntN(len(b)), byte(1)<<rng.IntN(8)
		if rng.IntN(3) == 0 {
			i = rng.IntN(headerSize)
		}
		b[i] ^= bit
		_, err := g.Load(b)
		require.ErrorIs(t, err, ErrSnapshot, "byte %d", i)
		b[i] ^= bit
	}
	for range 300 {
		_, err := g.Load(b[:rng.IntN(len(b))])
		require.ErrorIs(t, err, ErrSnapshot)
	}
	_, err := g.Load(b)
	require.NoError(t, err)
}

// FuzzLoad changes a snapshot and sets its checksums right, so that what is behind
// them is met, too. A graph that is loaded must be safe to use.
func FuzzLoad(f *testing.F) {
	b := snapshot(f, churned[float32](f, newClusters(2, 4), 1030, codec.L2), "stamp")
	f.Add(uint32(0), []byte{}, uint32(0))
	f.Add(uint32(16), []byte{4, 0, 1, 0, 200}, uint32(0))
	f.Add(uint32(40), []byte{255, 255, 255, 255}, uint32(9))
	f.Add(uint32(len(b)-1000), []byte{255, 255, 255, 127}, uint32(0))
	f.Add(uint32(headerSize+100), []byte{255, 255, 255, 127}, uint32(0))
	f.Fuzz(func(t *testing.T, at uint32, with []byte, cut uint32) {
		c := bytes.Clone(b[:len(b)-int(cut)%len(b)])
		if len(c) > 0 {
			copy(c[int(at)%len(c):], with)
		}
		seal(c)
		g := emptyGraph[float32](t, 4, codec.L2)
		if _, err := g.Load(c); err != nil {
			require.ErrorIs(t, err, ErrSnapshot)
			return
		}
		for row := range int32(20) {
			_, _, err := g.Search(t.Context(), nil, []float32{1, 2, 3, 4}, 5, 30, nil)
			require.NoError(t, err)
			del(g, row)
			require.NoError(t, set(g, row+10, []float32{1, 2, float32(row), 4}))
		}
		var mu sync.RWMutex
		require.NoError(t, g.Link(t.Context(), mu.RLocker(), 1, nil))
		_, _, err := g.Search(t.Context(), nil, []float32{1, 2, 3, 4}, 5, 30, nil)
		require.NoError(t, err)
	})
}

// seal sets the checksums of a snapshot right, as far as it has any.
func seal(b []byte) {
	if len(b) < headerSize {
		return
	}
	var h snapshotHeader
	_, _ = binary.Decode(b, binary.NativeEndian, &h)
	at, _ := h.layout()
	for i, s := range h.Sections {
		if end := at[i] + s.Length; at[i] <= end && end <= uint64(len(b)) {
			h.Sections[i].Sum = checksum(b[at[i]:end])
		}
	}
	copy(b, h.encode())
}

// Vectors that stay in the file are changed in memory alone, and grow beyond it.
func TestMappedSnapshot(t *testing.T) {
	skipRace(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "c.graph")
	data := newClusters(2, 96)
	g := churned[float32](t, data, 4000, codec.L2) // beyond mapFrom
	var mu sync.RWMutex
	require.NoError(t, g.WriteFile(t.Context(), path, new(sync.Mutex), &mu, func() ([]byte, error) { return nil, nil }))
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	h, other := emptyGraph[float32](t, 96, codec.L2), emptyGraph[float32](t, 96, codec.L2)
	_, err = h.LoadFile(path)
	require.NoError(t, err)
	_, err = other.LoadFile(path)
	require.NoError(t, err)
	requireSame(t, data, g, h)
	forgetChecks(g)
	for range 500 {
		v, row := vectorOf[float32](data), data.rng.Int32N(8000)
		require.NoError(t, set(g, row, v))
		require.NoError(t, set(h, row, v))
		row = data.rng.Int32N(4000)
		require.Equal(t, del(g, row), del(h, row))
	}
	require.NoError(t, g.Link(t.Context(), mu.RLocker(), 1, nil))
	require.NoError(t, h.Link(t.Context(), mu.RLocker(), 1, nil))
	requireSame(t, data, g, h)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, bytes.Equal(before, after), "the file does not change")
	require.Equal(t, before, snapshot(t, other, ""), "nor does what else was loaded from it")
	require.NoError(t, os.Remove(path))
	requireSame(t, data, g, h)
	h.Close()

	// A vector that is damaged in the file is noticed when it is read.
	damaged := bytes.Clone(before)
	damaged[len(damaged)/3]++
	require.NoError(t, os.WriteFile(path, damaged, 0o600))
	h = emptyGraph[float32](t, 96, codec.L2)
	_, err = h.LoadFile(path)
	if !mapsFiles() { // all of it is read when it is loaded
		require.ErrorIs(t, err, ErrSnapshot)
		return
	}
	require.NoError(t, err)
	rows, err := h.arena.Damaged()
	require.NoError(t, err)
	require.Len(t, rows, 1)
	require.NoError(t, h.arena.Intact())
	err = h.arena.Guard(func() error {
		_, err := h.arena.Search(t.Context(), nil, vectorOf[float32](data), h.arena.Len(), nil)
		return err
	})
	require.ErrorIs(t, err, ErrDamaged)
	require.ErrorIs(t, h.WriteFile(t.Context(), path+".2", new(sync.Mutex), &mu, func() ([]byte, error) { return nil, nil }), ErrDamaged)
	damaged = bytes.Clone(before) // and what is not a vector when the file is loaded
	damaged[len(damaged)-100_000]++
	require.NoError(t, os.WriteFile(path, damaged, 0o600))
	_, err = emptyGraph[float32](t, 96, codec.L2).LoadFile(path)
	require.ErrorIs(t, err, ErrSnapshot)
	require.ErrorContains(t, err, "is damaged: its checksum")
}

// mapsFiles reports whether snapshots stay in their files, as far as they are not
// changed. Systems of 32 bits have no address space to spare for that.
func mapsFiles() bool {
	m, err := newMapping(addressSpace, false)
	if err == nil {
		m.release()
	}
	return err == nil
}

// A snapshot that is mapped and cut short does not end the process.
func TestMappedSnapshotIsCutShort(t *testing.T) {
	skipRace(t)
	path := filepath.Join(t.TempDir(), "c.graph")
	data := newClusters(2, 96)
	g := churned[float32](t, data, 20_000, codec.L2) // links and codes are mapped, too
	var mu sync.RWMutex
	require.NoError(t, g.WriteFile(t.Context(), path, new(sync.Mutex), &mu, func() ([]byte, error) { return nil, nil }))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	path += ".cut"
	for _, part := range []int64{8, 2, 1} {
		require.NoError(t, os.WriteFile(path, whole, 0o600))
		h := emptyGraph[float32](t, 96, codec.L2)
		_, err = h.LoadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.Truncate(path, int64(len(whole))-int64(len(whole))/part))
		if !mapsFiles() { // it was copied, and what becomes of the file is nothing to it
			_, _, err := h.Search(t.Context(), nil, queries[float32](data, 1)[0], 10, 100, nil)
			require.NoError(t, err)
			require.NoError(t, h.arena.Intact())
			require.NoError(t, h.Link(t.Context(), mu.RLocker(), 2, nil))
			require.NoError(t, h.WriteFile(t.Context(), path+".2", new(sync.Mutex), &mu, func() ([]byte, error) { return nil, nil }))
			continue
		}
		failed := 0
		for _, q := range queries[float32](data, 50) {
			err := h.arena.Guard(func() error { _, _, err := h.Search(t.Context(), nil, q, 10, 100, nil); return err })
			if err != nil {
				require.ErrorIs(t, err, ErrDamaged)
				failed++
			}
		}
		if part == 1 {
			require.Equal(t, 50, failed)
		}
		require.ErrorIs(t, h.arena.Intact(), ErrDamaged)
		err = h.arena.Guard(func() error { return h.Link(t.Context(), mu.RLocker(), 2, nil) })
		require.ErrorIs(t, err, ErrDamaged)
		require.True(t, mu.TryLock(), "no lock is left behind")
		mu.Unlock()
		require.ErrorIs(t, h.WriteFile(t.Context(), path+".2", new(sync.Mutex), &mu, func() ([]byte, error) { return nil, nil }), ErrDamaged)
	}
}

func TestSnapshotFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c.graph")
	data := newClusters(2, 8)
	g := churned[float32](t, data, 2000, codec.Cosine)
	var mu sync.RWMutex
	write := func(stamp string, fail error) error {
		return g.WriteFile(t.Context(), path, new(sync.Mutex), &mu, func() ([]byte, error) { return []byte(stamp), fail })
	}
	_, err := emptyGraph[float32](t, 8, codec.Cosine).LoadFile(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, write("one", nil))
	require.NoError(t, write("two", nil))
	full := errors.New("no stamp")
	require.ErrorIs(t, write("three", full), full)
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1, "what was written in vain is removed")
	h := emptyGraph[float32](t, 8, codec.Cosine)
	stamp, err := h.LoadFile(path)
	require.NoError(t, err)
	require.Equal(t, "two", string(stamp))
	requireSame(t, data, g, h)
	require.NoError(t, os.Truncate(path, 1000))
	_, err = emptyGraph[float32](t, 8, codec.Cosine).LoadFile(path)
	require.ErrorIs(t, err, ErrSnapshot)
	require.ErrorContains(t, err, path)
	require.NoError(t, os.Truncate(path, 0))
	_, err = emptyGraph[float32](t, 8, codec.Cosine).LoadFile(path)
	require.ErrorIs(t, err, ErrSnapshot)
}

// forgetChecks makes g a graph that does not know when checks are due, and which rows
// were linked last, as a loaded one does not: checks make other doors.
func forgetChecks[T codec.Float](g *Graph[T]) {
	e := &g.exam
	e.linked.Store(0)
	e.newest, e.suspects = nil, nil
	e.since, e.doubtful, e.moved, g.doors.parts = 0, 0, 0, 0
}
