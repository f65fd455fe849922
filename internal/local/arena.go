package local

import (
	"context"
	"sync"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/internal/engine"
)

// index is the in-memory index of either element type. Its owner's lock is held
// for writing during reserve, set, remove, load and what says so, and for reading
// during searches.
type index interface {
	reserve(rows int)
	set(row int32, v engine.Vector) error
	remove(row int32)
	has(row int32) bool

	// search returns the rows with the k highest scores among those allowed
	// (nil for all), and every further one that ties with the last, best first.
	search(ctx context.Context, v engine.Vector, k int, allowed *ann.Bitmap) ([]ann.Candidate, error)
	// searchMany is search of all rows for several queries, which take less time
	// together.
	searchMany(ctx context.Context, searches []engine.Search) ([][]ann.Candidate, error)
	// walk is search through the graph, which looks at the ef nearest rows that it
	// finds. It reports whether the answer is exact all the same.
	walk(ctx context.Context, v engine.Vector, k, ef int, allowed *ann.Bitmap) ([]ann.Candidate, bool, error)

	// plan begins another graph, without links, under the lock for writing. Until
	// it is published it takes part in changes and not in searches.
	plan(o ann.GraphOptions) error
	// publish puts the planned graph in the place of the present one, and discard
	// leaves the present one where it is; both under the lock for writing.
	publish()
	discard()
	// forget ends the use of a graph, under the lock for writing.
	forget()
	// link links the rows of the planned graph, or else of the present one. It
	// takes the lock itself, a few rows at a time.
	link(ctx context.Context, lock *sync.RWMutex, workers int, progress func(done, total int)) error
	// stats returns figures of the present graph, or false if there is none.
	stats() (ann.GraphStats, bool)

	// save writes a snapshot with the graph, while it holds still, which keeps out
	// changes.
	save(path string, still sync.Locker, stamp func() ([]byte, error)) error
	// load reads a snapshot into an empty index with a planned graph, which is
	// present then.
	load(path string) (stamp []byte, err error)
}

func newIndex(s engine.Schema) (index, error) {
	if s.Element == codec.DOUBLE {
		return newArena(s, func(v engine.Vector) []float64 { return v.F64 })
	}
	return newArena(s, func(v engine.Vector) []float32 { return v.F32 })
}

// arena is an index over vectors of one element type.
type arena[T codec.Float] struct {
	*ann.Arena[T]
	of    func(engine.Vector) []T
	graph *ann.Graph[T] // over the arena; nil if none was built
	next  *ann.Graph[T] // that is being built
	mark  []T           // see remove
}

func newArena[T codec.Float](s engine.Schema, of func(engine.Vector) []T) (index, error) {
	a, err := ann.New[T](s.Dim, s.Metric)
	return &arena[T]{Arena: a, of: of}, err
}

func (a *arena[T]) reserve(rows int)   { a.Reserve(rows) }
func (a *arena[T]) has(row int32) bool { return a.Has(row) }

func (a *arena[T]) set(row int32, v engine.Vector) error {
	if a.graph == nil && a.next == nil {
		return a.Set(row, a.of(v))
	}
	for _, g := range []*ann.Graph[T]{a.graph, a.next} { // each has to know
		if g == nil {
			continue
		}
		if err := g.Set(row, a.of(v)); err != nil {
			return err
		}
	}
	return nil
}

func (a *arena[T]) remove(row int32) {
	switch {
	case a.graph != nil && a.next != nil && a.graph.Delete(row):
		// The other graph has to see the row go, too, so it comes back for a moment.
		if a.mark == nil {
			a.mark = make([]T, a.Dim())
			a.mark[0] = 1
		}
		if err := a.next.Set(row, a.mark); err == nil {
			a.next.Delete(row)
		}
	case a.next != nil:
		a.next.Delete(row)
	case a.graph != nil:
		a.graph.Delete(row)
	default:
		a.Delete(row)
	}
}

func (a *arena[T]) search(ctx context.Context, v engine.Vector, k int, allowed *ann.Bitmap) ([]ann.Candidate, error) {
	return a.Search(ctx, make([]ann.Candidate, 0, room(a.Len(), k)), a.of(v), k, allowed)
}

func (a *arena[T]) searchMany(ctx context.Context, searches []engine.Search) ([][]ann.Candidate, error) {
	queries := make([]ann.Query[T], len(searches))
	for i, s := range searches {
		queries[i] = ann.Query[T]{Vector: a.of(s.Vector), K: s.K}
	}
	err := a.SearchMany(ctx, queries, nil)
	found := make([][]ann.Candidate, len(queries))
	for i, q := range queries {
		found[i] = q.Found
	}
	return found, err
}

func (a *arena[T]) walk(ctx context.Context, v engine.Vector, k, ef int, allowed *ann.Bitmap) ([]ann.Candidate, bool, error) {
	return a.graph.Search(ctx, make([]ann.Candidate, 0, room(a.Len(), k)), a.of(v), k, ef, allowed)
}

// room is for how many candidates an answer mostly needs room, with one that ties.
func room(rows, k int) int { return min(rows, k) + 1 }

func (a *arena[T]) plan(o ann.GraphOptions) (err error) {
	a.next, err = ann.NewGraph(a.Arena, o)
	return err
}

func (a *arena[T]) publish() { a.graph, a.next = a.next, nil }
func (a *arena[T]) discard() { a.next = nil }
func (a *arena[T]) forget()  { a.graph, a.next = nil, nil }

func (a *arena[T]) link(ctx context.Context, lock *sync.RWMutex, workers int, progress func(done, total int)) error {
	if err := a.Maintain(ctx, lock); err != nil { // links are made by codes
		return err
	}
	lock.RLock()
	g := a.graph
	if a.next != nil {
		g = a.next
	}
	lock.RUnlock()
	return g.Link(ctx, lock.RLocker(), workers, progress)
}

func (a *arena[T]) stats() (ann.GraphStats, bool) {
	if a.graph == nil {
		return ann.GraphStats{}, false
	}
	return a.graph.Stats(), true
}

func (a *arena[T]) save(path string, still sync.Locker, stamp func() ([]byte, error)) error {
	return a.graph.WriteFile(path, still, stamp)
}

func (a *arena[T]) load(path string) ([]byte, error) {
	stamp, err := a.next.LoadFile(path)
	if err == nil {
		a.publish()
	}
	return stamp, err
}
