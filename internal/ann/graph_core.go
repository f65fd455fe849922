package ann

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vecwire/vecwire/codec"
)

// core is a graph but for what needs to know the element type of its vectors, which is
// over: a program has it once for all types.
type core struct {
	over   vectored
	metric codec.Metric
	web    // over all rows
	kin    atomic.Pointer[kin]
	ef     int

	byVectors atomic.Bool // walks compare vectors, because codes do not tell rows apart
	longest   float64     // of the arena's vectors when the first of the links were made, for Dot
	log       *slog.Logger

	closed bool
	work   sync.Mutex // held by what changes the links, or wants them unchanged
}

// vectored is what a core asks of the graph that it is of, and of its arena.
type vectored interface {
	nowCodes() *codes
	liveRows() *Bitmap
	count() int // how many these are
	rowCount() int
	sample(n int) []int32
	longestRow() float64
	longer(a, b int32) int
	equal(a, b int32) bool
	vectorBytes() int
	blur() float64
	setSpace(w *walker)
	guard(f func() error) error
	compareExact(ctx context.Context, in *web, p *part, rows []int32) error
	parts() []part
}

// makeGraph returns a graph without links.
func makeGraph[T codec.Float](a *Arena[T], m int) *Graph[T] {
	g := &Graph[T]{arena: a}
	g.over, g.metric = g, a.metric
	g.web.init(newLinks(m), new(nodeSet), new(nodeSet))
	return g
}

func (g *Graph[T]) nowCodes() *codes           { return g.arena.codes }
func (g *Graph[T]) liveRows() *Bitmap          { return &g.arena.live }
func (g *Graph[T]) count() int                 { return g.arena.count }
func (g *Graph[T]) rowCount() int              { return g.arena.Rows() }
func (g *Graph[T]) sample(n int) []int32       { return g.arena.spread(n) }
func (g *Graph[T]) longestRow() float64        { return g.arena.longest() }
func (g *Graph[T]) equal(a, b int32) bool      { return slices.Equal(g.arena.row(a), g.arena.row(b)) }
func (g *Graph[T]) vectorBytes() int           { return g.arena.dim * sizeOf[T]() }
func (g *Graph[T]) blur() float64              { return g.arena.blurred() }
func (g *Graph[T]) guard(f func() error) error { return g.arena.Guard(f) }

// longer compares rows by how long they are, the longest first.
func (g *Graph[T]) longer(a, b int32) int {
	return cmp.Or(cmp.Compare(g.arena.half.all[b], g.arena.half.all[a]), cmp.Compare(a, b))
}
