package ann

import (
	"context"
	"math/bits"
	"slices"
	"sync"
)

// A list that is full keeps no neighbour that is nearer to another one. So rows of a
// new kind may be in no list of the rows of the old: walks that begin at the entry
// never come to them, nor do the inserts of more such rows, which make islands of
// their own. What a walk cannot reach is linked again, beside what it can.

const (
	// Whether all rows are reached is due when so many were linked or lost neighbours,
	// and as many as one in reachShare, or one of them was not found: it takes about a
	// thousandth of the time that linking all takes.
	reachFrom  = 16
	reachShare = 16
	// reachRows is how many rows are gone through before the lock is given back.
	reachRows = 2048
	// A graph in which more than one row in lostShare cannot be reached, and lostFew,
	// finds too little.
	lostFew   = 8
	lostShare = 200
)

// reached is the rows that walks can come to.
type reached struct {
	words []uint64
	queue []int32
	count int
}

func (r *reached) has(row int32) bool {
	i := int(row >> 6)
	return i < len(r.words) && r.words[i]>>(row&63)&1 != 0
}

func (r *reached) add(row int32) {
	if !r.has(row) {
		r.words[row>>6] |= 1 << (row & 63)
		r.queue = append(r.queue, row)
		r.count++
	}
}

// rejoin makes those of the linked rows pending that no walk can reach, if that is
// due, and reports whether there are any. Those that it could not help the time
// before become doors.
func (g *Graph[T]) rejoin(ctx context.Context, in *web, lock sync.Locker) (again bool, err error) {
	e := &in.exam
	var from int32
	var fresh int
	due := false
	g.locked(lock, func() {
		fresh = in.linked()
		from, _, due = in.entry.top()
		due = due && (e.moved >= max(reachFrom, fresh/reachShare) || e.lost > 0 || e.hidden)
	})
	if !due {
		return false, ctx.Err()
	}
	r, lost, err := g.unreached(ctx, in, lock, from)
	if err != nil {
		return false, err
	}
	if before := e.lost; len(lost) > 0 && len(lost) <= fresh/4 && (before == 0 || 4*len(lost) <= 3*before) {
		e.lost = len(lost)
		g.locked(lock, func() {
			for _, row := range lost {
				again = in.unlist(row) || again
			}
		})
		if again {
			return true, nil
		}
	}
	e.moved, e.lost, e.hidden = 0, 0, false
	e.cut = len(lost) > max(lostFew, fresh/lostShare)
	if !e.cut {
		err = g.bridge(ctx, in, lock, r, lost)
	}
	return false, err
}

// unreached returns the linked rows that no walk from a row reaches, and those that
// one does. One of many equal rows, of which no list holds all, is as good as found if
// there are others that are reached.
func (g *Graph[T]) unreached(ctx context.Context, in *web, lock sync.Locker, from int32) (*reached, []int32, error) {
	r := &reached{}
	g.locked(lock, func() {
		r.words = make([]uint64, len(in.fresh.words))
		r.add(from)
	})
	if err := g.flood(ctx, in, lock, r); err != nil {
		return nil, nil, err
	}
	var lost, list []int32
	g.locked(lock, func() {
		for i := range r.words {
			for w := in.listed(i) &^ r.words[i]; w != 0; w &= w - 1 {
				lost = append(lost, int32(i<<6+bits.TrailingZeros64(w)))
			}
		}
		lost = slices.DeleteFunc(lost, func(row int32) bool {
			list = in.links.read(list[:0], row, 0)
			return slices.ContainsFunc(list, func(o int32) bool {
				return g.equals(in, r, row, in.links.read(nil, o, 0)) >= in.links.m
			})
		})
	})
	return r, lost, ctx.Err()
}

// equals returns how many of rows are reached and equal to row.
func (g *Graph[T]) equals(in *web, r *reached, row int32, rows []int32) (n int) {
	for _, o := range rows {
		if r.has(o) && in.fresh.has(o) && slices.Equal(g.arena.row(o), g.arena.row(row)) {
			n++
		}
	}
	return n
}

// flood goes through the neighbours of all rows that wait in r.
func (g *Graph[T]) flood(ctx context.Context, in *web, lock sync.Locker, r *reached) error {
	var list []int32
	for len(r.queue) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		left := len(r.queue)
		g.locked(lock, func() {
			for range reachRows {
				if len(r.queue) == 0 {
					break
				}
				row := r.queue[len(r.queue)-1]
				r.queue = r.queue[:len(r.queue)-1]
				list = in.links.read(list[:0], row, 0)
				for _, o := range list {
					if int(o>>6) < len(r.words) { // the others came meanwhile
						r.add(o)
					}
				}
			}
			left = -1
		})
		if left >= 0 { // the graph was closed
			r.queue = nil
		}
	}
	return nil
}

// bridge makes a door of one of the lost rows of each place that is not reached,
// until all are.
func (g *Graph[T]) bridge(ctx context.Context, in *web, lock sync.Locker, r *reached, lost []int32) error {
	for _, row := range lost {
		if r.has(row) {
			continue
		}
		in.doors.add(row)
		r.add(row)
		if err := g.flood(ctx, in, lock, r); err != nil {
			return err
		}
	}
	return nil
}
