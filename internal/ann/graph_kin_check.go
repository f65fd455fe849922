package ann

import (
	"context"
	"slices"
	"sync"
)

// A search in a group is mostly for what is like its rows, and may be for anything: what is
// far from all of them is harder to find. So a group is searched for what is nearest to some
// of its own rows, and to some of all. Its walks then keep as many more candidates as it takes
// to find as much of that, with the least effort that searches make, as those among all rows do,
// or kinEnough of it if they find more. Where no effort of groupEfforts does, or to look at all rows of
// the group takes less time, its links are not used.
const (
	kinLeast  = 0.9
	kinEnough = 0.97
)

// groupEfforts are the efforts that are tried, from the least that searches make by default on.
var groupEfforts = [...]int{leastEf, leastEf * 3 / 2, leastEf * 2, leastEf * 3, leastEf * 4}

// usualEffort is the effort of a group whose walks keep as many candidates as they are asked for.
const usualEffort = 4

// groupQueries is for how many rows of a group a check searches, and for how many of all.
const groupQueries = 48

// checkGroup is checkAll for a group. It sets the effort that walks in the group take.
func (g *core) checkGroup(ctx context.Context, in *web, lock sync.Locker, turn int) (mean, worst float64, missed []int32, err error) {
	parts := [...]part{{rows: in.exam.newest}, {rows: in.group.rows}, {}}
	g.locked(lock, func() { parts[2].rows = g.over.sample(groupQueries) })
	for i := range parts {
		if err := g.ask(ctx, in, lock, &parts[i], groupQueries, turn); err != nil {
			return 0, 0, nil, err
		}
		missed = append(missed, parts[i].missed...)
	}
	in.exam.since = 0
	found := false
	g.locked(lock, func() { found = in.group.settle(parts[:], g.exam.low, g.over.rowCount(), g.over.nowCodes().stride) })
	if !found {
		return 0, 0, missed, ctx.Err()
	}
	return 1, 1, nil, ctx.Err()
}

// settle sets the effort of a group by what was found in the worst of some parts with each, and
// reports whether one of them is enough, where walks among all rows find low with the least.
func (grp *kinGroup) settle(parts []part, low float64, rows, stride int) bool {
	least := kinEnough
	if low > 0 {
		least = min(max(low, kinLeast), kinEnough)
	}
	for i, ef := range groupEfforts {
		if slices.ContainsFunc(parts, func(p part) bool { return p.recallOf(i) < least }) {
			continue
		}
		effort := int64(usualEffort * ef / leastEf)
		all := part{}
		for j := range parts {
			all.add(&parts[j])
		}
		seen := float64(all.seen[i]) / float64(max(1, all.walks))
		if gain*(costWalk+seen*visitCost(float64(ef), stride)) > exactCost(rows, int(grp.size.Load()), stride) {
			effort = 0
		}
		grp.effort.Store(effort)
		return true
	}
	return false
}
