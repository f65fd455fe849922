package ann

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// Groups passes on the groups of rows that there are, each once: what the owner knows it by,
// which is never 0, and its rows, which are valid until each returns. It may leave out small ones.
type Groups func(each func(key uint64, rows []int32)) error

// LinkKin links the rows of each group among themselves, if the group is of a size for which
// that pays, as [Graph.Link] links all rows, with which it takes turns. It asks for the
// groups if rows have changed since it asked last.
func (g *core) LinkKin(ctx context.Context, lock sync.Locker, workers int, groups Groups) error {
	g.work.Lock()
	defer g.work.Unlock()
	// Rows that have moved from one group to another are linked when the first has let them go.
	for {
		var todo []*kinGroup
		var again bool
		var err error
		g.locked(lock, func() {
			k := g.kin.Load()
			if k == nil {
				k = newKin(kinM(g.links.m), 0)
			}
			now := kinState{g.over.liveRows(), g.apartRows(), g.over.nowCodes(), g.over.count(), g.over.rowCount()}
			if todo, again, err = k.regroup(groups, now); len(k.byNumber) > 1 {
				g.kin.Store(k)
			}
		})
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

// kinState is what there is besides when groups are looked at.
type kinState struct {
	live, apart *Bitmap
	codes       *codes
	count, rows int // live ones, and all
}

// pays reports whether a group of n rows is of a size for links of its own, or to keep them.
func (now kinState) pays(n int, keep bool) bool {
	if keep {
		return n >= LeastKin && float64(n) <= kinMost*float64(now.count)
	}
	return n >= kinFrom && float64(n) <= kinShare*float64(now.count)
}

// kinLag is of how many rows one may have changed before groups are looked at again. That goes
// through all rows while it holds the lock, some milliseconds for a hundred thousand, and to
// compare those that wait takes a search less than a walk.
const kinLag = 1024

// isWhole reports whether next to nothing has changed since groups were linked.
func (k *kin) isWhole(now kinState) bool {
	unknown, gone := now.count-k.known.len(), int64(0) // a row that was set again is in both
	for _, grp := range k.byNumber[1:] {
		if grp == nil {
			continue
		}
		if grp.due || grp.exam.codes.Load() != now.codes {
			return false
		}
		gone += grp.gone.Load()
	}
	return max(unknown, int(gone))*kinLag <= now.count
}

// isDue reports whether there is something to be done for a group of which no row is pending.
func (grp *kinGroup) isDue(now kinState) bool {
	return grp != nil && (grp.gone.Load() > 0 || grp.exam.codes.Load() != now.codes || grp.due)
}

// regroup notes which rows are of which group, and returns the groups that have something to
// be linked, or looked through, and whether there are rows that still have to leave one.
func (k *kin) regroup(groups Groups, now kinState) (todo []*kinGroup, again bool, err error) {
	if now.count < 2*kinFrom && len(k.byNumber) == 1 || k.isWhole(now) {
		return nil, false, nil
	}
	if len(k.byNumber) == 1 {
		pays := false
		err := groups(func(_ uint64, rows []int32) { pays = pays || now.pays(len(rows), false) })
		if err != nil || !pays {
			return nil, false, err
		}
		k.grow(now.rows)
	}
	want := make([]uint32, len(k.of.all))
	var stay []uint32
	byKey := maps.Clone(*k.byKey.Load())
	err = groups(func(key uint64, rows []int32) {
		grp := byKey[key]
		if !now.pays(len(rows), grp != nil) {
			return
		}
		if grp == nil {
			grp = k.add(key)
			byKey[key] = grp
		}
		stay = append(stay, grp.number)
		for _, row := range rows {
			if int(row) < len(want) {
				want[row] = grp.number
			}
		}
	})
	for number, grp := range k.byNumber {
		if grp != nil && (err == nil && !slices.Contains(stay, uint32(number)) || err != nil && (*k.byKey.Load())[grp.key] != grp) {
			k.byNumber[number] = nil
		}
	}
	if err != nil {
		return nil, false, err
	}
	again = k.sort(want, now.live)
	k.publish()
	return k.unlinked(now), again, nil
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
		if !k.known.has(row) && live.Has(row) {
			k.known.add(row)
		}
	}
	return again
}

// unlinked returns the groups that have rows to be linked or unlinked, or are to be examined.
func (k *kin) unlinked(now kinState) (todo []*kinGroup) {
	size, pending := make([]int64, len(k.byNumber)), make([]int, len(k.byNumber))
	for row := range now.live.All() {
		if n := k.of.all[row]; n != 0 && k.known.has(row) {
			size[n]++
			if now.apart.Has(row) {
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
		if pending[n] > 0 || grp.isDue(now) {
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
func (g *core) mendGroup(in *web, lock sync.Locker) bool {
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
