package ann

import (
	"fmt"
	"iter"
	"slices"
	"sync/atomic"
)

// A search among the rows of one group, those of a tenant, would cross ten rows for one
// that counts in a graph over all of which the group is a tenth. So the rows of groups of
// some size have a second set of links, which lead to rows of the same group alone.
//
// Which rows are a group is the owner's to say, and he says it late: see [Graph.LinkKin].
// A row that may be of another one since is not known, and waits: a search among the
// group finds it as it finds what is not linked yet. And whatever the links say, a search
// returns rows of the set that it was given, and no others.

const (
	// kinFrom is how many rows a group has at least for links of its own. Among fewer, to
	// look at all is as fast.
	kinFrom = 2048
	// LeastKin is how many a group has to have that may have links.
	LeastKin = kinFrom / 2
	// kinShare is which part of all rows it has at most: links over all rows serve as
	// well for more.
	kinShare = 0.5
	// A group that has links keeps them until it is half as small, or kinMost of all.
	kinMost = 0.6
)

// kin is the links between rows of the same group. Sets of rows are of all groups together.
type kin struct {
	links *links
	fresh nodeSet // rows that are linked as they are
	stale nodeSet // rows that are linked and were deleted or set anew since, or moved to another group
	known nodeSet // live rows that have not changed since it was noted which group they are of

	of       region[uint32] // the number of each row's group; 0 for none
	byNumber []*kinGroup    // of which the first is nil, and others may be
	byKey    atomic.Pointer[map[uint64]*kinGroup]
}

// kinGroup is rows that belong together, and the web of them.
type kinGroup struct {
	web
	of     *kin
	number uint32
	key    uint64       // what the owner knows it by
	size   atomic.Int64 // how many rows it had when they were counted
	fit    atomic.Int64 // how many of these are linked as they are
	gone   atomic.Int64 // how many rows are to be unlinked

	// effort is how many times as many candidates as were asked for a walk keeps, in quarters;
	// 0 if walks take too long.
	effort atomic.Int64

	due  bool    // there is something to be linked that was not yet
	rows []int32 // of the group, while they are being linked
	set  *Bitmap // the same
}

func newKin(m, rows int) *kin {
	k := &kin{links: newLinks(m), byNumber: make([]*kinGroup, 1)}
	k.byKey.Store(&map[uint64]*kinGroup{})
	k.grow(rows)
	return k
}

func (k *kin) grow(n int) {
	k.links.grow(n)
	k.fresh.grow(n)
	k.stale.grow(n)
	k.known.grow(n)
	k.of.grow(n)
}

// add returns a group without rows.
func (k *kin) add(key uint64) *kinGroup {
	at := 1 + slices.Index(k.byNumber[1:], nil)
	if at == 0 {
		at = len(k.byNumber)
		k.byNumber = append(k.byNumber, nil)
	}
	grp := &kinGroup{of: k, number: uint32(at), key: key}
	grp.init(k.links, &k.fresh, &k.stale)
	grp.group = grp
	grp.effort.Store(usualEffort)
	k.byNumber[at] = grp
	return grp
}

// publish lets searches find the groups that there are.
func (k *kin) publish() {
	byKey := make(map[uint64]*kinGroup, len(k.byNumber))
	for _, grp := range k.byNumber[1:] {
		if grp != nil {
			byKey[grp.key] = grp
		}
	}
	k.byKey.Store(&byKey)
}

// changed says that a row was set or deleted.
func (k *kin) changed(row int32) {
	k.known.drop(row)
	if grp := k.byNumber[k.of.all[row]]; grp != nil {
		grp.outdate(row)
	}
}

// expel says that row, which is not of the group any more, is to be taken out of its lists.
func (grp *kinGroup) expel(row int32) {
	grp.unlist(row)
	if grp.stale.add(row) {
		grp.gone.Add(1)
	}
}

// restart makes all rows pending.
func (k *kin) restart() {
	for _, row := range k.fresh.appendTo(nil) {
		k.byNumber[k.of.all[row]].outdate(row)
	}
	for _, grp := range k.byNumber[1:] {
		if grp != nil {
			grp.doors.set(nil)
		}
	}
}

// Moved says that row, whose vector is what it was, may be of another group than before.
// The owner holds its lock for writing.
func (g *core) Moved(row int32) {
	if k := g.kin.Load(); k != nil && int(row) < len(k.of.all) {
		k.known.drop(row)
	}
}

// DropKin forgets all groups and their links. The owner holds its lock for writing, and Link
// is not at work.
func (g *core) DropKin() {
	if k := g.kin.Swap(nil); k != nil {
		k.free()
	}
}

// free gives the memory back.
func (k *kin) free() {
	k.links.free()
	k.of.free()
}

// kinOf returns the group of which all that is allowed is, if its web is of use.
func (g *core) kinOf(allowed *Bitmap) *kinGroup {
	if allowed == nil || allowed.kin == 0 {
		return nil
	}
	k := g.kin.Load()
	if k == nil {
		return nil
	}
	grp := (*k.byKey.Load())[allowed.kin]
	if grp == nil || !grp.isOfUse(g.over.nowCodes()) || 4*g.kinWaits(grp) > grp.size.Load() {
		return nil
	}
	return grp
}

// isOfUse reports whether walks in a group find enough of it, as far as it is linked.
func (grp *kinGroup) isOfUse(now *codes) bool {
	return now != nil && !grp.unfit.Load() && grp.effort.Load() > 0 && grp.exam.codes.Load() == now
}

// kinWaits returns about how many rows of a group wait.
func (g *core) kinWaits(grp *kinGroup) int64 {
	unknown := int64(max(0, g.over.count()-grp.of.known.len()))
	return max(0, grp.size.Load()-grp.fit.Load()) + unknown*grp.size.Load()/int64(max(1, g.over.count()))
}

// rows returns how many rows there are in a web.
func (g *core) rows(in *web) int {
	if in.group != nil {
		return int(in.group.size.Load())
	}
	return g.over.count()
}

// members returns the rows of a web, of a group while it is linked.
func (g *core) members(in *web) iter.Seq[int32] {
	if in.group != nil {
		return slices.Values(in.group.rows)
	}
	return g.over.liveRows().All()
}

// check returns what is wrong with the links of groups.
func (k *kin) check(live *Bitmap) error {
	var list []int32
	for _, row := range k.fresh.appendTo(nil) {
		grp := k.byNumber[k.of.all[row]]
		switch {
		case !live.Has(row):
			return fmt.Errorf("row %d is linked in its group and holds no vector", row)
		case k.stale.has(row):
			return fmt.Errorf("row %d is linked in its group, and is to be linked again", row)
		case grp == nil:
			return fmt.Errorf("row %d is linked in a group that there is not", row)
		}
		for level := range k.links.level(row) + 1 {
			list = k.links.read(list[:0], row, level)
			for _, r := range list {
				if int(r) >= len(k.of.all) || k.of.all[r] != grp.number {
					return fmt.Errorf("row %d of one group has the neighbour %d of another", row, r)
				}
			}
		}
	}
	fit := make([]int64, len(k.byNumber))
	for _, row := range k.fresh.appendTo(nil) {
		fit[k.of.all[row]]++
	}
	for n, grp := range k.byNumber {
		if grp == nil {
			continue
		}
		if _, _, ok := grp.entry.top(); !ok && fit[n] > 0 || grp.fit.Load() != fit[n] {
			return fmt.Errorf("a group of %d linked rows counts %d of them, and has a row to begin at: %t", fit[n], grp.fit.Load(), ok)
		}
	}
	return k.links.verify()
}
