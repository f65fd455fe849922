package ann

import (
	"context"
	"sync"
)

const (
	// checkQueries rows are searched for by a check, their checkK nearest each.
	checkQueries = 32
	checkK       = 10
	// checkLeast is the share of these that a graph must find.
	checkLeast = 0.85
	// A check is due when this share of the rows was linked since the last.
	checkShare = 0.25
)

// examine finds out whether walks find what they should, with twice the candidates
// that the graph was built with. They do not where many rows are equal, or codes
// cannot tell rows apart: searches are exact then, until more rows are linked and
// another check says otherwise.
func (g *Graph[T]) examine(ctx context.Context, lock sync.Locker) error {
	hits, all := 0, 0
	var want, got []Candidate
	for i := range checkQueries {
		if err := ctx.Err(); err != nil {
			return err
		}
		g.locked(lock, func() {
			row := int32(i * g.Rows() / checkQueries)
			for int(row) < g.Rows() && !g.live.Has(row) {
				row++
			}
			if int(row) >= g.Rows() {
				return
			}
			var err error
			if want, err = g.Arena.Search(ctx, want[:0], g.row(row), checkK, nil); err != nil {
				return // a row of zeros; or ctx is done, which is seen at once
			}
			floor := want[len(want)-1].Score
			p := plan{k: checkK, ef: 2 * g.ef, want: 1}
			s := g.borrowFinder()
			defer g.scratch.Put(s)
			got, _ = g.find(s, got[:0], g.row(row), p, nil)
			for _, c := range got[:min(len(got), checkK)] {
				if c.Score >= floor {
					hits++
				}
			}
			all += min(len(want), checkK)
		})
	}
	g.unfit.Store(float64(hits) < checkLeast*float64(all))
	g.unchecked.Store(0)
	return ctx.Err()
}
