package ann

import (
	"context"
	"maps"
	"sync"
)

// Groups passes on the groups of rows that there are, each once: what the owner knows it by,
// which is never 0, and its rows, which are valid until each returns. It may leave out small ones.
type Groups func(each func(key uint64, rows []int32)) error

// LinkKin links the rows of each group among themselves, if the group is of a size for which
// that pays, as [Graph.Link] links all rows, with which it takes turns. It asks for the
// groups if rows have changed since it asked last.
func (g *Graph[T]) LinkKin(ctx context.Context, lock sync.Locker, workers int, groups Groups) error {
	g.work.Lock()
	defer g.work.Unlock()
	// Rows that have moved from one group to another are linked when the first has let them go.
	for {
		var todo []*kinGroup
		var again bool
		var err error
		g.locked(lock, func() { todo, again, err = g.regroup(groups) })
		if err != nil {
			return err
		}
		for _, grp := range todo {
			if err := g.linkAll(ctx, &grp.web, lock, max(1, workers), nil); err != nil {
				return err
			}
			grp.rows, grp.set, grp.due = nil, nil, false
		}
		if !again || len(todo) == 0 {
			return ctx.Err()
		}
	}
}

// isKinWhole reports whether nothing has changed since groups were linked.
func (g *Graph[T]) isKinWhole(k *kin) bool {
	if k.known.len() != g.arena.count {
		return false
	}
	for _, grp := range k.byNumber[1:] {
		if grp != nil && (grp.gone.Load() > 0 || grp.exam.codes.Load() != g.arena.codes || grp.due) {
			return false
		}
	}
	return true
}

// regroup notes which rows are of which group, and returns the groups that have something to
// be linked, or looked through, and whether there are rows that still have to leave one.
func (g *Graph[T]) regroup(groups Groups) (todo []*kinGroup, again bool, err error) {
	k := g.kin.Load()
	if k == nil && g.arena.count < 2*kinFrom || k != nil && g.isKinWhole(k) {
		return nil, false, nil
	}
	if k == nil {
		k = newKin(kinM(g.links.m), g.arena.Rows())
	}
	want := make([]uint32, len(k.of.all))
	stays := make([]bool, len(k.byNumber))
	byKey := maps.Clone(*k.byKey.Load())
	err = groups(func(key uint64, rows []int32) {
		n, count := float64(len(rows)), float64(g.arena.count)
		grp := byKey[key]
		switch {
		case grp != nil && (n < LeastKin || n > kinMost*count), grp == nil && (n < kinFrom || n > kinShare*count):
			return
		case grp == nil:
			grp = k.add(key)
			byKey[key] = grp
		}
		if int(grp.number) < len(stays) {
			stays[grp.number] = true
		}
		for _, row := range rows {
			if int(row) < len(want) {
				want[row] = grp.number
			}
		}
	})
	if err != nil { // what it added has no rows
		byKey = *k.byKey.Load()
		for number, grp := range k.byNumber {
			if grp != nil && byKey[grp.key] != grp {
				k.byNumber[number] = nil
			}
		}
		return nil, false, err
	}
	for number, stay := range stays {
		if !stay {
			k.byNumber[number] = nil
		}
	}
	if again = k.sort(want, &g.arena.live); len(k.byNumber) == 1 {
		return nil, false, nil
	}
	k.publish()
	g.kin.Store(k)
	return g.unlinked(k), again, nil
}

// sort makes the rows those of the groups that want says. It reports whether there are some
// that another group has to let go before.
func (k *kin) sort(want []uint32, live *Bitmap) (again bool) {
	of := k.of.all
	for i, now := range want {
		row := int32(i)
		was := k.byNumber[of[row]]
		switch {
		case of[row] == now:
		case was == nil: // it was in none, or in one that is gone: no list of another one leads there
			k.fresh.drop(row)
			k.stale.drop(row)
			of[row] = now
		default: // lists of that one may lead there, and it is in none when they do not
			k.known.drop(row)
			was.expel(row)
			again = again || live.Has(row)
			continue
		}
		if live.Has(row) {
			k.known.add(row)
		}
	}
	return again
}

// unlinked returns the groups that have rows to be linked or unlinked, or are to be examined.
func (g *Graph[T]) unlinked(k *kin) (todo []*kinGroup) {
	size, pending := make([]int64, len(k.byNumber)), make([]int, len(k.byNumber))
	for row := range g.arena.live.All() {
		if n := k.of.all[row]; n != 0 && k.known.has(row) {
			size[n]++
			if g.apart(int(row>>6))>>(row&63)&1 != 0 {
				k.byNumber[n].outdate(row) // since other codes are in use
			} else if !k.fresh.has(row) {
				pending[n]++
			}
		}
	}
	for n, grp := range k.byNumber {
		if grp == nil {
			continue
		}
		grp.size.Store(size[n])
		if pending[n] > 0 || grp.gone.Load() > 0 || grp.exam.codes.Load() != g.arena.codes || grp.due {
			grp.due = true
			grp.rows, grp.set = make([]int32, 0, size[n]), new(Bitmap)
			todo = append(todo, grp)
		}
	}
	k.gather()
	return todo
}

// gather lists the rows of the groups that have a set for them.
func (k *kin) gather() {
	for i, n := range k.of.all {
		if row := int32(i); n != 0 && k.byNumber[n].set != nil && k.known.has(row) {
			grp := k.byNumber[n]
			grp.rows = append(grp.rows, row)
			grp.set.Set(row)
		}
	}
}

// kinM returns the M of the links between rows of a group, for that of those between all: what is
// nearest is easier to find among fewer rows.
func kinM(m int) int { return max(minM, m*3/4) }

// mendGroup links all rows of a group again whose walks find too little, or gives up its web.
// It reports whether there is something to be linked again.
func (g *Graph[T]) mendGroup(in *web, lock sync.Locker) bool {
	in.exam.suspects = nil
	if in.exam.step >= linkAgain {
		in.exam.step = scanAll
		if !in.unfit.Swap(true) {
			g.log.Warn("the links of a group find too few of its rows: searches among them go through those of all rows", "rows", in.group.size.Load())
		}
		return false
	}
	in.exam.step = linkAgain
	g.locked(lock, func() {
		for _, row := range in.group.rows {
			if in.has(row) {
				in.outdate(row)
			}
		}
		in.doors.set(nil)
	})
	return true
}
