package ann

import (
	"context"
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vecwire/vecwire/codec"
)

// A door is a row that searches may begin at, besides the entry. A walk follows what
// is nearer, so it may never leave a cluster to reach another one that few links lead
// to: a small one that was linked last, or one whose neighbours were deleted. Rows
// that walks do not find become doors, one for each such place.

const (
	// doorShare is of how many rows that were linked, or lost neighbours, one is
	// looked for: a walk takes about an eighth of the time that linking one takes.
	doorShare = 4
	// doorEf is how many candidates such a walk keeps, half as many as searches do by
	// default.
	doorEf = 32
	// doorNeighbors is how many nearest neighbours of a row that is not found matter:
	// if a walk saw one, it was at the right place.
	doorNeighbors = 4
	// maxDoors is how many doors there may be. A search compares all.
	maxDoors = 256
	// nearDoors is at how many of them it begins, at most, and nearDot under Dot, where
	// each may be among the best of a query, however far from the others: of the ten best
	// of a direction all may be doors, since a walk misses them.
	nearDoors = 2
	nearDot   = 16
	// longDoors is how many of the longest rows are doors under Dot, besides.
	longDoors = 32
	// keptDoors is how many doors stay, besides those of the parts, when these are
	// made anew.
	keptDoors = 128
)

// doorSet is the doors of a graph. It may be read while it is changed.
type doorSet struct {
	rows  atomic.Pointer[[]int32] // never changed in place; nil for none
	long  atomic.Pointer[[]int32] // the longest rows, likewise, under Dot
	parts int                     // how many of the first rows are those of parts
}

func (d *doorSet) all() []int32 {
	if rows := d.rows.Load(); rows != nil {
		return *rows
	}
	return nil
}

func (d *doorSet) add(row int32) {
	for {
		was := d.rows.Load()
		rows := d.all()
		if len(rows) >= maxDoors || slices.Contains(rows, row) {
			return
		}
		rows = append(slices.Clip(rows), row)
		if d.rows.CompareAndSwap(was, &rows) {
			return
		}
	}
}

func (d *doorSet) set(rows []int32) {
	d.rows.Store(&rows)
	d.parts = 0
}

// renew puts doors in the place of those of the parts that there were.
func (d *doorSet) renew(parts []int32) {
	rows := slices.Clone(parts)
	others := d.all()
	others = others[min(d.parts, len(others)):]
	for _, row := range others[max(0, len(others)-keptDoors):] {
		if !slices.Contains(rows, row) {
			rows = append(rows, row)
		}
	}
	d.set(rows)
	d.parts = len(parts)
}

// openLongest makes doors of the longest rows, for Dot.
func (g *core) openLongest(in *web) {
	in.doors.long.Store(nil)
	g.openLonger(in, g.members(in))
}

// openLonger makes doors of those of rows that are among the longest.
func (g *core) openLonger(in *web, rows iter.Seq[int32]) {
	if g.metric != codec.Dot {
		return
	}
	var doors []int32
	longer := func(a, b int32) int {
		return g.over.longer(a, b)
	}
	offer := func(row int32) {
		if !in.fresh.has(row) || len(doors) == longDoors && longer(row, doors[longDoors-1]) >= 0 {
			return
		}
		if i, found := slices.BinarySearchFunc(doors, row, longer); !found {
			doors = slices.Insert(doors, i, row)
			doors = doors[:min(longDoors, len(doors))]
		}
	}
	if long := in.doors.long.Load(); long != nil {
		for _, row := range *long {
			offer(row)
		}
		if len(doors) < longDoors/2 { // those that were deleted left room for others
			rows = g.members(in)
		}
	}
	for row := range rows {
		offer(row)
	}
	in.doors.long.Store(&doors)
}

// enter offers the nearest doors to a walk on level 0, which has begun at best. A door
// that is no nearer than that is at no better place, but for Dot: there are no places
// there for what a query looks for.
func (g *core) enter(in *web, w *walker, best spot, ef int) {
	if g.metric != codec.Dot {
		in.enterBy(w, ef, nearDoors, in.doors.all(), best)
		return
	}
	in.enterBy(w, ef, nearDot, in.doors.all(), ^spot(0))
	if long := in.doors.long.Load(); long != nil && w.row == nobody {
		in.enterBy(w, ef, nearDot, *long, ^spot(0))
	}
}

// enterBy offers the nearest of some doors, most at most, that are nearer than a spot.
func (in *web) enterBy(w *walker, ef, most int, doors []int32, than spot) {
	var near [max(nearDoors, nearDot)]spot
	n := 0
	for len(doors) > 0 {
		at := w.at[:copy(w.at[:cap(w.at)], doors[:min(blockRows, len(doors))])]
		doors = doors[len(at):]
		keys := w.keys[:len(at)]
		w.measure(keys, at)
		for i, key := range keys {
			s := newSpot(key, at[i])
			if s >= than || !in.fresh.has(at[i]) {
				continue
			}
			if n < most {
				n++
			}
			j := n - 1
			for ; j > 0 && s < near[j-1]; j-- {
				near[j] = near[j-1]
			}
			near[j] = s
			if n == most {
				than = near[n-1]
			}
		}
	}
	for _, s := range near[:n] {
		if w.visit(s.row()) && s < w.worst(ef) {
			w.offer(s, ef)
		}
	}
}

// open looks for some of the rows as a search would, and makes those that it does not
// find doors.
// It returns how many those are.
func (g *core) open(ctx context.Context, in *web, lock sync.Locker, workers int, rows []int32) (int, error) {
	var opened atomic.Int64
	some := make([]int32, 0, len(rows)/doorShare+1)
	for i := len(rows) - 1; i >= 0; i -= doorShare { // the last is among them
		some = append(some, rows[i])
	}
	err := g.spread(ctx, lock, workers, len(some), linkRows, func(w *walker, from, to int) {
		for _, row := range some[from:to] {
			if in.fresh.has(row) && g.hidden(in, w, row) {
				in.doors.add(row)
				opened.Add(1)
			}
		}
	}, nil)
	return int(opened.Load()), err
}

// hidden reports whether a walk finds neither row nor any of its nearest neighbours.
func (g *core) hidden(in *web, w *walker, row int32) bool {
	if g.meets(in, w, row) {
		return false
	}
	w.list = in.links.read(w.list[:0], row, 0)
	w.sort(row, w.list)
	for i, s := range w.sorted {
		if i < doorNeighbors && !w.visit(s.row()) {
			return false
		}
	}
	return true
}

// meets reports whether a walk finds row, or what is equal to it.
func (g *core) meets(in *web, w *walker, row int32) bool {
	entry, top, ok := in.entry.top()
	if !ok {
		return true
	}
	w.row = row
	best := in.links.descend(w, entry, top, 0)
	w.start(in.links.rows())
	w.visit(best.row())
	w.offer(best, doorEf)
	g.enter(in, w, best, doorEf)
	in.links.walk(w, doorEf, 0)
	w.at = append(w.at[:0], row)
	w.measure(w.keys[:1], w.at)
	return w.pool[0].key() <= w.keys[0]
}

// replaceDoors puts in the place of the doors that are no longer linked some of their
// neighbours that are.
func (in *web) replaceDoors() {
	doors := in.doors.all()
	if !slices.ContainsFunc(doors, func(row int32) bool { return !in.fresh.has(row) }) {
		return
	}
	var kept, list []int32
	for _, row := range doors {
		list = append(list[:0], row)
		if !in.fresh.has(row) {
			list = in.links.read(list[:0], row, 0)
		}
		if i := slices.IndexFunc(list, in.fresh.has); i >= 0 && !slices.Contains(kept, list[i]) {
			kept = append(kept, list[i])
		}
	}
	parts := in.doors.parts
	in.doors.set(kept)
	in.doors.parts = min(parts, len(kept))
}
