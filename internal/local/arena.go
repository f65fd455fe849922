package local

import (
	"context"
	"slices"
	"sync"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/internal/engine"
)

// index is the in-memory index of either element type. Its owner's lock is held
// for writing during reserve, set, remove, load and what says so, and for reading
// during searches.
type index interface {
	pager
	reserve(rows int)
	set(row int32, v engine.Vector) error
	remove(row int32)
	has(row int32) bool
	// given returns the vector of a row, of an index that holds vectors as they were given,
	// and rest lets codes go.
	given(row int32) (engine.Vector, bool)
	rest()

	// search appends to dst the rows with the k highest scores among those allowed
	// (nil for all), and every further one that ties with the last, best first.
	search(ctx context.Context, dst []ann.Candidate, v engine.Vector, k int, allowed *ann.Bitmap) ([]ann.Candidate, error)
	// searchMany is search for several queries, which take less time together.
	searchMany(ctx context.Context, searches []engine.Search, allowed *ann.Bitmap) ([][]ann.Candidate, error)
	// walk is search through the graph, which looks at the ef nearest rows that it
	// finds. It reports whether the answer is exact all the same.
	walk(ctx context.Context, dst []ann.Candidate, v engine.Vector, k, ef int, allowed *ann.Bitmap) ([]ann.Candidate, bool, error)
	// searchRows is search among few rows that are listed, each once. With an ef it reports
	// false if a walk that looks at so many may be faster.
	searchRows(ctx context.Context, dst []ann.Candidate, v engine.Vector, k, ef int, rows []int32) (found []ann.Candidate, ok bool, err error)

	// plan begins another graph, without links, under the lock for writing. Until
	// it is published it takes part in changes and not in searches. o is complete.
	plan(o ann.GraphOptions) error
	// publish puts the planned graph in the place of the present one, and discard
	// leaves the present one where it is; both under the lock for writing.
	publish()
	discard()
	// forget ends the use of a graph, under the lock for writing.
	forget()
	// taken returns what the vectors, their codes and the links of graphs take.
	taken() (vectors, codes, links ann.Taken)
	// close gives all memory back, under the lock for writing. The index is empty then.
	close()
	// setCodes says what codes are to be like, under the lock for writing, hasOtherCodes
	// whether they are not, and maintain makes those that are wanted, beside searches.
	setCodes(c engine.Codes)
	hasOtherCodes() bool
	maintain(ctx context.Context, lock *sync.RWMutex) error
	// link links the rows of the planned graph, or else of the present one. It
	// takes the lock itself, a few rows at a time: for that as slice, which is the lock
	// for reading.
	link(ctx context.Context, lock *sync.RWMutex, slice sync.Locker, workers int, progress func(done, total int)) error
	// linkKin links the rows of each group in that graph, and dropKin forgets the groups,
	// under the lock for writing. moved says that a row may be of another group now, under
	// that lock, too.
	linkKin(ctx context.Context, lock *sync.RWMutex, slice sync.Locker, workers int, groups ann.Groups) error
	dropKin()
	moved(row int32)
	// stats returns figures of the present graph, or false if there is none.
	stats() (ann.GraphStats, bool)

	// guard runs f, which calls what else is here, and returns an error
	// that wraps ann.ErrDamaged if it meets something that is mapped from a snapshot and
	// damaged.
	guard(f func() error) error
	// guardReading is guard for a reading.
	guardReading(ctx context.Context, r reading) error
	// intact returns such an error if the snapshot that is mapped has changed, apart from
	// vectors.
	intact() error
	// damaged returns the rows that have changed by themselves in memory, and mend
	// brings one back, under the lock for writing; nil is for a free row. It reports
	// false if the row held another vector.
	damaged() ([]int32, error)
	// holds returns an error if a row does not hold v, nil for a free row, or its code
	// is not that of v; and sound returns what is wrong with the graph, if there is one.
	// Both are called under the lock for reading.
	holds(row int32, v *engine.Vector) error
	sound() error
	mend(row int32, v *engine.Vector) bool
	// relocate looks again where vectors are that are read from the store's file, under the
	// lock for reading.
	relocate() error
	// doubt makes each vector that is read from the store's file be compared again.
	doubt()
	// mapsVectors reports whether vectors are mapped from a snapshot.
	mapsVectors() bool

	// save writes a snapshot with the graph, if there is one, while it holds still, which
	// keeps out changes, and all, the lock for writing, for a moment.
	save(ctx context.Context, path string, still, all sync.Locker, stamp func() ([]byte, error)) error
	// load reads a snapshot into an empty index, with a planned graph, which is present
	// then, or of one without.
	load(path string) (stamp []byte, err error)
}

// newIndex returns an index, whose vectors are also in the store's file if o is not nil, and
// nowhere else if held.
func newIndex(s engine.Schema, o *outside, held bool) (index, error) {
	if s.Element == codec.DOUBLE {
		return newArena(s, o, held, func(v engine.Vector) []float64 { return v.F64 }, func(v []float64) engine.Vector { return engine.Vector{F64: v} })
	}
	return newArena(s, o, held, func(v engine.Vector) []float32 { return v.F32 }, func(v []float32) engine.Vector { return engine.Vector{F32: v} })
}

// arena is an index over vectors of one element type.
type arena[T codec.Float] struct {
	*ann.Arena[T]
	of    func(engine.Vector) []T
	as    func([]T) engine.Vector
	graph *ann.Graph[T] // over the arena; nil if none was built
	next  *ann.Graph[T] // that is being built
}

func newArena[T codec.Float](s engine.Schema, o *outside, held bool, of func(engine.Vector) []T, as func([]T) engine.Vector) (index, error) {
	a, err := ann.New[T](s.Dim, s.Metric)
	if err != nil {
		return nil, err
	}
	if o != nil {
		a.KeepOutside(o, outsideFrom)
	}
	if held {
		a.KeepGiven()
	}
	made := &arena[T]{Arena: a, of: of, as: as}
	made.setCodes(s.Codes)
	return made, nil
}

func (a *arena[T]) reserve(rows int)   { a.Reserve(rows) }
func (a *arena[T]) has(row int32) bool { return a.Has(row) }

func (a *arena[T]) given(row int32) (engine.Vector, bool) {
	v, ok := a.Given(nil, row)
	return a.as(v), ok
}

func (a *arena[T]) rest() { a.Rest() }

func (a *arena[T]) set(row int32, v engine.Vector) error {
	if err := a.Set(row, a.of(v)); err != nil {
		return err
	}
	a.changed(row)
	return nil
}

func (a *arena[T]) remove(row int32) {
	if a.Delete(row) {
		a.changed(row)
	}
}

// changed tells the graphs of a row that was set or deleted.
func (a *arena[T]) changed(row int32) {
	if a.graph != nil {
		a.graph.Changed(row)
	}
	if a.next != nil {
		a.next.Changed(row)
	}
}

func (a *arena[T]) search(ctx context.Context, dst []ann.Candidate, v engine.Vector, k int, allowed *ann.Bitmap) ([]ann.Candidate, error) {
	return a.Search(ctx, slices.Grow(dst, room(a.Len(), k)), a.of(v), k, allowed)
}

func (a *arena[T]) searchMany(ctx context.Context, searches []engine.Search, allowed *ann.Bitmap) ([][]ann.Candidate, error) {
	queries := make([]ann.Query[T], len(searches))
	for i, s := range searches {
		queries[i] = ann.Query[T]{Vector: a.of(s.Vector), K: s.K}
	}
	err := a.SearchMany(ctx, queries, allowed)
	found := make([][]ann.Candidate, len(queries))
	for i, q := range queries {
		found[i] = q.Found
	}
	return found, err
}

func (a *arena[T]) walk(ctx context.Context, dst []ann.Candidate, v engine.Vector, k, ef int, allowed *ann.Bitmap) ([]ann.Candidate, bool, error) {
	return a.graph.Search(ctx, slices.Grow(dst, room(a.Len(), k)), a.of(v), k, ef, allowed)
}

func (a *arena[T]) searchRows(ctx context.Context, dst []ann.Candidate, v engine.Vector, k, ef int, rows []int32) (found []ann.Candidate, ok bool, err error) {
	if ef > 0 {
		return a.graph.SearchRows(ctx, dst, a.of(v), k, ef, rows)
	}
	found, err = a.SearchRows(ctx, dst, a.of(v), k, rows)
	return found, true, err
}

// room is for how many candidates an answer mostly needs room, with one that ties.
func room(rows, k int) int { return min(rows, k) + 1 }

func (a *arena[T]) plan(o ann.GraphOptions) (err error) {
	a.next, err = ann.NewGraph(a.Arena, o)
	return err
}

func (a *arena[T]) publish() {
	closeGraph(&a.graph)
	a.graph, a.next = a.next, nil
}

func (a *arena[T]) taken() (vectors, codes, links ann.Taken) {
	vectors, codes = a.Taken()
	for _, g := range a.graphs() {
		of := g.Taken()
		links.Memory += of.Memory
		links.Mapped += of.Mapped
	}
	return vectors, codes, links
}

func (a *arena[T]) discard() { closeGraph(&a.next) }

func (a *arena[T]) forget() {
	closeGraph(&a.graph)
	closeGraph(&a.next)
}

func (a *arena[T]) close() {
	a.forget()
	a.Close()
}

// closeGraph gives a graph's memory back, if there is one.
func closeGraph[T codec.Float](g **ann.Graph[T]) {
	if *g != nil {
		(*g).Close()
		*g = nil
	}
}

func (a *arena[T]) setCodes(c engine.Codes) { a.SetShortCodes(c == engine.FourBits) }
func (a *arena[T]) hasOtherCodes() bool     { return a.HasOtherCodes() }

func (a *arena[T]) maintain(ctx context.Context, lock *sync.RWMutex) error {
	return a.Guard(func() error { return a.Maintain(ctx, lock) })
}

func (a *arena[T]) link(ctx context.Context, lock *sync.RWMutex, slice sync.Locker, workers int, progress func(done, total int)) error {
	return a.Guard(func() error {
		if err := a.Maintain(ctx, lock); err != nil { // links are made by codes
			return err
		}
		return a.toLink(lock).Link(ctx, slice, workers, progress)
	})
}

// toLink returns the planned graph, or else the present one.
func (a *arena[T]) toLink(lock *sync.RWMutex) *ann.Graph[T] {
	lock.RLock()
	defer lock.RUnlock()
	if a.next != nil {
		return a.next
	}
	return a.graph
}

func (a *arena[T]) linkKin(ctx context.Context, lock *sync.RWMutex, slice sync.Locker, workers int, groups ann.Groups) error {
	return a.Guard(func() error { return a.toLink(lock).LinkKin(ctx, slice, workers, groups) })
}

// graphs returns those that there are.
func (a *arena[T]) graphs() (all []*ann.Graph[T]) {
	for _, g := range []*ann.Graph[T]{a.graph, a.next} {
		if g != nil {
			all = append(all, g)
		}
	}
	return all
}

func (a *arena[T]) dropKin() {
	for _, g := range a.graphs() {
		g.DropKin()
	}
}

func (a *arena[T]) moved(row int32) {
	if a.graph != nil {
		a.graph.Moved(row)
	}
	if a.next != nil {
		a.next.Moved(row)
	}
}

func (a *arena[T]) stats() (ann.GraphStats, bool) {
	if a.graph == nil {
		return ann.GraphStats{}, false
	}
	return a.graph.Stats(), true
}

func (a *arena[T]) guard(f func() error) error { return a.Guard(f) }

func (a *arena[T]) relocate() error { return a.Relocate() }

func (a *arena[T]) mapsVectors() bool { return a.MapsVectors() }

func (a *arena[T]) guardReading(ctx context.Context, r reading) error {
	return a.Guard(func() error { return r.read(ctx) })
}

func (a *arena[T]) intact() error { return a.Intact() }

func (a *arena[T]) damaged() ([]int32, error) { return a.Damaged() }

func (a *arena[T]) mend(row int32, v *engine.Vector) bool {
	if v == nil {
		return a.Mend(row, nil)
	}
	return a.Mend(row, a.of(*v))
}

func (a *arena[T]) save(ctx context.Context, path string, still, all sync.Locker, stamp func() ([]byte, error)) error {
	if a.graph == nil {
		return a.WriteFile(ctx, path, still, all, stamp)
	}
	return a.graph.WriteFile(ctx, path, still, all, stamp)
}

func (a *arena[T]) load(path string) (stamp []byte, err error) {
	if a.next == nil {
		return a.LoadFile(path)
	}
	if stamp, err = a.next.LoadFile(path); err == nil {
		a.publish()
	}
	return stamp, err
}

func (a *arena[T]) holds(row int32, v *engine.Vector) error {
	if v == nil {
		return a.CheckRow(row, nil)
	}
	return a.CheckRow(row, a.of(*v))
}

func (a *arena[T]) doubt() { a.Doubt() }

func (a *arena[T]) sound() error {
	if a.graph == nil {
		return nil
	}
	return a.graph.Check()
}
