package ann

import (
	"context"
	"math/bits"
	"slices"
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

// whileLocked calls f as Graph.locked does.
type whileLocked func(f func())

// rejoin makes those of the linked rows pending that no walk can reach, if that is
// due, and reports whether there are any. Those that it could not help the time
// before become doors.
func (in *web) rejoin(ctx context.Context, locked whileLocked, equal func(a, b int32) bool) (again bool, err error) {
	e := &in.exam
	var from int32
	var fresh int
	due := false
	locked(func() {
		fresh = in.linked()
		from, _, due = in.entry.top()
		due = due && (e.moved >= max(reachFrom, fresh/reachShare) || e.lost > 0 || e.hidden)
	})
	if !due {
		return false, ctx.Err()
	}
	r, lost, err := in.unreached(ctx, locked, equal, from)
	if err != nil {
		return false, err
	}
	if before := e.lost; len(lost) > 0 && len(lost) <= fresh/4 && (before == 0 || 4*len(lost) <= 3*before) {
		e.lost = len(lost)
		locked(func() {
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
		err = in.bridge(ctx, locked, r, lost)
	}
	return false, err
}

// unreached returns the linked rows that no walk from a row reaches, and those that
// one does. One of many equal rows, of which no list holds all, is as good as found if
// there are others that are reached.
func (in *web) unreached(ctx context.Context, locked whileLocked, equal func(a, b int32) bool, from int32) (*reached, []int32, error) {
	r := &reached{}
	locked(func() {
		r.words = make([]uint64, len(in.fresh.words))
		r.add(from)
	})
	if err := in.flood(ctx, locked, r); err != nil {
		return nil, nil, err
	}
	var lost, list []int32
	locked(func() {
		for i := range r.words {
			for w := in.listed(i) &^ r.words[i]; w != 0; w &= w - 1 {
				lost = append(lost, int32(i<<6+bits.TrailingZeros64(w)))
			}
		}
		lost = slices.DeleteFunc(lost, func(row int32) bool {
			list = in.links.read(list[:0], row, 0)
			return slices.ContainsFunc(list, func(o int32) bool {
				return in.equals(equal, r, row, in.links.read(nil, o, 0)) >= in.links.m
			})
		})
	})
	return r, lost, ctx.Err()
}

// equals returns how many of rows are reached and equal to row.
func (in *web) equals(equal func(a, b int32) bool, r *reached, row int32, rows []int32) (n int) {
	for _, o := range rows {
		if r.has(o) && in.fresh.has(o) && equal(o, row) {
			n++
		}
	}
	return n
}

// flood goes through the neighbours of all rows that wait in r.
func (in *web) flood(ctx context.Context, locked whileLocked, r *reached) error {
	var list []int32
	for len(r.queue) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		left := len(r.queue)
		locked(func() {
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
func (in *web) bridge(ctx context.Context, locked whileLocked, r *reached, lost []int32) error {
	for _, row := range lost {
		if r.has(row) {
			continue
		}
		in.doors.add(row)
		r.add(row)
		if err := in.flood(ctx, locked, r); err != nil {
			return err
		}
	}
	return nil
}
