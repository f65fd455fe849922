package ann

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/vecwire/vecwire/codec"
)

// Defaults of a [Graph].
const (
	DefaultM              = 16
	DefaultEfConstruction = 200
)

// GraphOptions say how a [Graph] is built. The zero value means the defaults.
type GraphOptions struct {
	// M is how many neighbours a row gets when it is linked, 4 to 64; it may have
	// twice as many on the lowest level. Default: 16.
	M int
	// EfConstruction is how many candidates these are chosen from, at least M and at
	// most 10,000. Default: 200.
	EfConstruction int
}

// A Graph is an [Arena] with a graph over its rows that finds most of the nearest
// ones without looking at all: HNSW (Malkov and Yashunin, Efficient and robust
// approximate nearest neighbor search using hierarchical navigable small world
// graphs, IEEE TPAMI 42, 2020). Its walks compare codes of seven bits an element;
// what they find is scored in full precision.
//
// A row that was set is pending until [Graph.Link] has linked it. Searches look
// at pending rows one by one, so that they miss none. A linked row that was
// deleted or set anew is stale: searches cross it, because its neighbours may be
// found through no other, until Link has linked these to each other.
//
// The owner holds a [sync.RWMutex]: for writing during Set, Delete, Reserve and
// Load, for reading during all else. Link takes and gives back the lock itself,
// a few rows at a time, so that searches run beside it and changes between.
//
// The rows are changed through the graph alone, not through its Arena.
type Graph[T codec.Float] struct {
	*Arena[T]
	links *links
	ef    int

	fresh nodeSet // rows that are linked as they are; the other live ones are pending
	stale nodeSet // rows that are linked and were deleted or set anew since

	unfit     atomic.Bool  // walks find too little; see examine
	unchecked atomic.Int64 // how many rows were linked since that was known

	work    sync.Mutex // held by what changes the links, or wants them unchanged
	scratch sync.Pool  // of *finder[T]
}

// NewGraph returns a graph over an arena, in which all rows are pending. It
// returns a *codec.ValueError if an option is out of bounds.
func NewGraph[T codec.Float](a *Arena[T], o GraphOptions) (*Graph[T], error) {
	if o.M == 0 {
		o.M = DefaultM
	}
	if o.EfConstruction == 0 {
		o.EfConstruction = max(DefaultEfConstruction, o.M)
	}
	if o.M < 4 || o.M > 64 {
		return nil, &codec.ValueError{Field: "M", Pos: -1, Want: "4 to 64", Got: fmt.Sprint(o.M)}
	}
	if o.EfConstruction < o.M || o.EfConstruction > 10_000 {
		return nil, &codec.ValueError{Field: "EfConstruction", Pos: -1, Want: "M to 10000", Got: fmt.Sprint(o.EfConstruction)}
	}
	g := &Graph[T]{Arena: a, links: newLinks(o.M), ef: o.EfConstruction}
	g.grow()
	return g, nil
}

// Set is [Arena.Set]. The row is pending after it.
func (g *Graph[T]) Set(row int32, v []T) error {
	if err := g.Arena.Set(row, v); err != nil {
		return err
	}
	g.grow()
	g.changed(row)
	return nil
}

// Delete is [Arena.Delete].
func (g *Graph[T]) Delete(row int32) bool {
	ok := g.Arena.Delete(row)
	if ok {
		g.changed(row)
	}
	return ok
}

// Close is [Arena.Close]. A Link that is at work finds nothing more to do.
func (g *Graph[T]) Close() {
	g.Arena.Close()
	g.links.free()
	g.links = newLinks(g.links.m)
	g.fresh.take(new(nodeSet))
	g.stale.take(new(nodeSet))
	g.unfit.Store(false)
	g.unchecked.Store(0)
}

func (g *Graph[T]) changed(row int32) {
	if g.fresh.drop(row) {
		g.stale.add(row)
	}
}

func (g *Graph[T]) grow() {
	n := g.Rows()
	g.links.grow(n)
	g.fresh.grow(n)
	g.stale.grow(n)
}

// GraphStats are figures of a [Graph].
type GraphStats struct {
	Rows    int   // that hold a vector
	Pending int   // of these, how many every search looks at one by one
	Stale   int   // linked rows that are to be unlinked
	Levels  int   // 0 while no row is linked
	Unfit   bool  // the graph finds too few rows, so that all searches are exact
	Bytes   int64 // of memory that the links take
}

// Stats returns figures of the graph as it is.
func (g *Graph[T]) Stats() GraphStats {
	s := GraphStats{
		Rows:    g.Len(),
		Pending: g.pending(),
		Stale:   g.stale.len(),
		Unfit:   g.unfit.Load(),
		Bytes:   4*int64(len(g.links.base.all)+len(g.links.upper.all)+cap(g.links.place)) + 16*int64(len(g.fresh.words)),
	}
	if _, level, ok := g.links.top(); ok {
		s.Levels = level + 1
	}
	return s
}

// pending returns the number of rows that are not linked as they are.
func (g *Graph[T]) pending() int { return g.count - g.fresh.len() }
