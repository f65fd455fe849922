package ann

import (
	"context"
	"slices"
	"sync"

	"github.com/vecwire/vecwire/codec"
)

// A search in a group is mostly for what is like its rows, and may be for anything: what is
// far from all of them is harder to find. So a group is searched for what is nearest to some
// of its own rows, and to some of all. Its walks then keep as many more candidates as it takes
// to find as much of that, with the least effort that searches make, as those among all rows do,
// or kinEnough of it if they find more. Where no effort of kinEfforts does, or to look at all rows of
// the group takes less time, its links are not used.
const (
	kinLeast  = 0.9
	kinEnough = 0.97
)

// kinEfforts is how many times more candidates those are, in quarters.
var kinEfforts = [...]int64{4, 6, 8, 12, 16}

const (
	ownQueries     = 48
	foreignQueries = 48
)

// checkGroup is checkAll for a group. It sets the effort that walks in the group take.
func (g *Graph[T]) checkGroup(ctx context.Context, in *web, lock sync.Locker, turn int) (mean, worst float64, missed []int32, err error) {
	parts := make([]part, 3)
	g.locked(lock, func() {
		parts[0].rows = g.distinct(in.exam.newest)
		parts[1].rows = g.distinct(in.spread(4 * ownQueries))
		parts[2].rows = g.distinct(g.arena.spread(4 * foreignQueries))
	})
	efforts := make([]part, len(kinEfforts))
	for i, n := range []int{newestQueries, ownQueries, foreignQueries} {
		p := &parts[i]
		n = min(n, len(p.rows))
		for j := range n {
			row := p.rows[(j*len(p.rows)/n+turn)%len(p.rows)]
			var err error
			g.locked(lock, func() { err = g.tryEfforts(ctx, in, efforts, row) })
			if err != nil {
				return 0, 0, nil, err
			}
		}
	}
	in.exam.since = 0
	last := len(efforts) - 1
	mean = efforts[last].recall()
	least := kinEnough
	if low := g.exam.low; low > 0 {
		least = min(max(low, kinLeast), kinEnough)
	}
	for i := range efforts {
		if p := &efforts[i]; p.recall() >= least {
			effort := kinEfforts[i]
			g.locked(lock, func() {
				seen, pool := float64(p.seen)/float64(max(1, p.asked)), float64(leastEf*effort)/4
				if gain*(costWalk+seen*visitCost(pool, g.arena.codes.stride)) > exactCost(g.arena.Rows(), int(in.group.size.Load()), g.arena.codes.stride) {
					effort = 0
				}
			})
			in.group.effort.Store(effort)
			return 1, 1, nil, ctx.Err()
		}
	}
	return 0, min(mean, checkLeast), efforts[last].missed, ctx.Err()
}

// tryEfforts adds to efforts what walks find, with each of them, of the rows of a group that
// are nearest to row.
func (g *Graph[T]) tryEfforts(ctx context.Context, in *web, efforts []part, row int32) error {
	if !g.arena.live.Has(row) || codec.Check(g.arena.row(row), g.arena.dim, g.arena.metric) != nil {
		return nil
	}
	q := slices.Clone(g.arena.row(row))
	want, err := g.arena.Search(ctx, nil, q, checkK, in.members())
	if err != nil || len(want) == 0 || want[0].Score == want[len(want)-1].Score {
		return err // any of many equal rows would do
	}
	s := g.borrowFinder()
	defer g.scratch.Put(s)
	var got []Candidate
	for i, effort := range kinEfforts {
		p := &efforts[i]
		if got, _, err = g.find(ctx, s, got[:0], q, plan{in: in, k: checkK, ef: leastEf * int(effort) / 4, want: 1}, in.members()); err != nil {
			return err
		}
		found := slices.IndexFunc(got, func(c Candidate) bool { return c.Score < want[min(checkK, len(want))-1].Score })
		if found < 0 {
			found = len(got)
		}
		p.hits += min(found, checkK)
		p.all += min(len(want), checkK)
		p.seen += s.seen
		p.asked++
		g.miss(p, want, got)
		if found >= len(want) { // more effort finds no less
			for ; i+1 < len(efforts); i++ {
				efforts[i+1].hits += min(found, checkK)
				efforts[i+1].all += min(len(want), checkK)
			}
			break
		}
	}
	return nil
}

// spread returns some of the rows of a group.
func (in *web) spread(n int) []int32 {
	all := in.group.rows
	n = min(n, len(all))
	some := make([]int32, n)
	for i := range some {
		some[i] = all[i*len(all)/n]
	}
	return some
}
