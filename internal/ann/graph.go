package ann

import (
	"cmp"
	"fmt"
	"log/slog"
	"math/bits"
	"strconv"
	"sync"

	"github.com/vecwire/vecwire/codec"
)

// Defaults of a [Graph].
const (
	DefaultM              = 16
	DefaultEfConstruction = 200
)

// Limits of [GraphOptions].
const (
	minM              = 4
	maxM              = 64
	maxEfConstruction = 10_000
)

// GraphOptions say how a [Graph] is built. The zero value means the defaults.
type GraphOptions struct {
	// M is how many neighbours a row gets when it is linked, 4 to 64; it may have
	// twice as many on the lowest level. Default: 16.
	M int
	// EfConstruction is how many candidates these are chosen from, at least twice M
	// and at most 10,000. Default: 200.
	EfConstruction int
	// Log is told when a graph finds too little and what becomes of it. Default:
	// nobody is.
	Log *slog.Logger
}

// Complete returns the options with defaults for those that are 0, or a
// *codec.ValueError that names the one that is out of bounds.
func (o GraphOptions) Complete() (GraphOptions, error) {
	o.M = cmp.Or(o.M, DefaultM)
	o.EfConstruction = cmp.Or(o.EfConstruction, max(DefaultEfConstruction, 2*o.M))
	bad := func(field, want string, got int) (GraphOptions, error) {
		return o, &codec.ValueError{Field: field, Pos: -1, Want: want, Got: strconv.Itoa(got)}
	}
	switch {
	case o.M < minM || o.M > maxM:
		return bad("M", fmt.Sprintf("%d to %d", minM, maxM), o.M)
	case o.EfConstruction > maxEfConstruction:
		return bad("EfConstruction", fmt.Sprintf("%d at most", maxEfConstruction), o.EfConstruction)
	case o.EfConstruction < 2*o.M:
		return bad("EfConstruction", fmt.Sprintf("at least twice M, %d", 2*o.M), o.EfConstruction)
	}
	return o, nil
}

// A Graph is a graph over the rows of an [Arena] that finds most of the nearest ones
// without looking at all: HNSW (Malkov and Yashunin, Efficient and robust
// approximate nearest neighbor search using hierarchical navigable small world
// graphs, IEEE TPAMI 42, 2020). Its walks compare codes;
// what they find is scored in full precision.
//
// A row that was set is pending until [Graph.Link] has linked it, and a row whose
// code says little about it stays apart. Searches go through both exactly, as
// [Arena.Search] does, so that they miss none. A linked row that was
// deleted or set again is stale: searches cross it, because its neighbours may be
// found through no other, until Link has linked these to each other.
//
// The owner changes the rows in the arena, and tells every graph over it with
// [Graph.Changed]. The owner holds a [sync.RWMutex]: for writing during both, and
// during Load and Close, for reading during all else. Link takes and gives back the
// lock itself, a few rows at a time, so that searches run beside it and changes
// between.
type Graph[T codec.Float] struct {
	arena *Arena[T]
	core
	scratch sync.Pool // of *finder[T]
}

// NewGraph returns a graph over an arena, in which all rows are pending. It
// returns a *codec.ValueError if an option is out of bounds.
func NewGraph[T codec.Float](a *Arena[T], o GraphOptions) (*Graph[T], error) {
	o, err := o.Complete()
	if err != nil {
		return nil, err
	}
	g := makeGraph(a, o.M)
	g.ef, g.log = o.EfConstruction, o.Log
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	g.grow()
	return g, nil
}

// Changed says that row was set or deleted in the arena. If it holds a vector, it is
// pending from now on.
func (g *core) Changed(row int32) {
	if g.closed {
		return
	}
	g.grow()
	g.outdate(row)
	if k := g.kin.Load(); k != nil {
		k.changed(row)
	}
}

// Close gives the memory of the links back. Searches are exact from then on, and a
// Link that is at work finds nothing more to do. The arena stays as it is.
func (g *core) Close() {
	g.closed = true
	g.links.free()
	g.links = newLinks(g.links.m)
	g.entry.Store(noEntry)
	g.fresh.take(new(nodeSet))
	g.stale.take(new(nodeSet))
	g.doors.set(nil)
	if k := g.kin.Swap(nil); k != nil {
		k.free()
	}
}

func (g *core) grow() {
	n := g.over.rowCount()
	g.links.grow(n)
	g.fresh.grow(n)
	g.stale.grow(n)
	if k := g.kin.Load(); k != nil {
		k.grow(n)
	}
}

// GraphStats are figures of a [Graph].
type GraphStats struct {
	Rows      int   // that hold a vector
	Pending   int   // of these, how many are to be linked
	Apart     int   // and how many stay apart, because their codes say little
	Stale     int   // linked rows that are to be unlinked
	Levels    int   // 0 while no row is linked
	ByVectors bool  // walks compare vectors, because codes do not tell rows apart
	Unfit     bool  // the graph finds too few rows, so that all searches are exact
	Groups    int   // of rows that have links of their own, which searches use
	Bytes     int64 // of memory that the links take
}

// Stats returns figures of the graph as it is.
func (g *core) Stats() GraphStats {
	s := GraphStats{
		Rows:      g.over.count(),
		Stale:     g.stale.len(),
		ByVectors: g.byVectors.Load(),
		Unfit:     g.unfit.Load(),
		Bytes:     4*int64(len(g.links.base.all)+len(g.links.upper.all)+cap(g.links.place)) + 16*int64(len(g.fresh.words)),
	}
	if k := g.kin.Load(); k != nil {
		for _, grp := range *k.byKey.Load() {
			if grp.isOfUse(g.over.nowCodes()) {
				s.Groups++
			}
		}
		s.Bytes += 4*int64(len(k.links.base.all)+len(k.links.upper.all)+len(k.links.place)+len(k.of.all)) + 24*int64(len(k.fresh.words))
	}
	if _, level, ok := g.entry.top(); ok {
		s.Levels = level + 1
	}
	for i, live := range g.over.liveRows().words {
		apart := g.apart(i)
		s.Apart += bits.OnesCount64(live & apart)
		s.Pending += bits.OnesCount64(live &^ apart &^ g.fresh.word(i))
	}
	return s
}

// apartRows returns the rows that are to stay apart.
func (g *core) apartRows() *Bitmap {
	if g.over.nowCodes() == nil || g.byVectors.Load() {
		return &noRows
	}
	return g.over.nowCodes().astray(g.over.count())
}

var noRows Bitmap // never changed

// apart returns which of the rows 64*i to 64*i+63 are to stay apart.
func (g *core) apart(i int) uint64 { return g.apartRows().word(i) }

// waiting returns which of the rows 64*i to 64*i+63 a walk does not find: they are
// pending or apart.
func (g *core) waiting(i int) uint64 {
	return g.over.liveRows().word(i) & (^g.fresh.word(i) | g.apart(i))
}

// waits returns about how many rows wait, and 0 only if none does.
func (g *core) waits() int {
	n := g.over.count() - g.fresh.len()
	if c := g.over.nowCodes(); c != nil && !g.byVectors.Load() {
		n = max(n, c.astray(g.over.count()).count)
	}
	return n
}
