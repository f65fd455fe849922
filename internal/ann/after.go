package ann

import (
	"context"
	"slices"

	"github.com/vecwire/vecwire/codec"
)

// After says behind which candidate an answer goes on: those with a lower score than
// Score come after it, and of those with that very score the rows that Passes says.
type After struct {
	Score  float64
	Passes func(row int32) bool
	// Place is how many rows come up to it, for a search through a graph: roughly, since
	// rows may have changed. 0 if that is not known.
	Place int
}

// passes reports whether a scored candidate comes after.
func (f *After) passes(c Candidate) bool {
	return c.Score < f.Score || c.Score == f.Score && f.Passes(c.Row)
}

// key is the bound's score as a key of the scan, for a query of the squared length
// square. What rounding does to it is within the bounds of keys.
func (f *After) key(metric codec.Metric, square float64) float64 {
	if metric == codec.L2 {
		return (square - f.Score*f.Score) / 2
	}
	return f.Score
}

// SearchAfter is [Arena.Search] among the rows that come after a candidate. It costs
// what the first page does, however many rows come before.
func (a *Arena[T]) SearchAfter(ctx context.Context, dst []Candidate, q []T, k int, allowed *Bitmap, after After) ([]Candidate, error) {
	if err := a.check(q, k); err != nil {
		return dst, err
	}
	before := len(dst)
	found, settled, err := a.searchAfterOnce(ctx, dst, q, k, allowed, after, false)
	if err == nil && !settled {
		found, _, err = a.searchAfterOnce(ctx, dst[:before], q, k, allowed, after, true)
	}
	return found, err
}

// searchAfterOnce is SearchAfter. It reports whether the answer counts.
func (a *Arena[T]) searchAfterOnce(ctx context.Context, dst []Candidate, q []T, k int, allowed *Bitmap, after After, careful bool) (found []Candidate, settled bool, err error) {
	b := a.borrow()
	defer a.give(b)
	a.look(&b.view, careful)
	s := b.add(a, q, k)
	s.after, s.most = &after, after.key(a.metric, s.bounds.q*s.bounds.q)
	defer func() { s.after = nil }()
	if err := a.scan(ctx, b, allowed); err != nil {
		return dst, true, err
	}
	found, err = a.answer(ctx, dst, s)
	return found, a.settled(&b.view), err
}

// SearchAfter is [Graph.Search] among the rows that come after a candidate. A graph does
// not know them, so that it is asked for those before them, too, and for some more, since
// it finds others each time. If that leaves too few, or the place is not known, the
// answer is the exact one.
func (g *Graph[T]) SearchAfter(ctx context.Context, dst []Candidate, q []T, k, ef int, allowed *Bitmap, after After) (found []Candidate, exact bool, err error) {
	if err := g.check(ctx, q, k, ef); err != nil {
		return dst, false, err
	}
	if more := after.Place + after.Place/16 + 16; after.Place > 0 && more < g.arena.count && k < g.arena.count {
		if p := g.plan(k+more, ef+more+more/4, allowed); !p.exact {
			s := g.borrowFinder()
			defer g.scratch.Put(s)
			found, ok, err := g.find(ctx, s, dst, q, p, allowed)
			if err != nil {
				return dst, false, err
			}
			if found = after.first(found, len(dst), k); ok && len(found) >= len(dst)+k {
				return found, false, nil
			}
		}
	}
	found, err = g.arena.SearchAfter(ctx, dst, q, k, allowed, after)
	return found, true, err
}

// first leaves of the candidates that begin at start, which are in order, the first k that
// come after, and what ties with the last.
func (f *After) first(found []Candidate, start, k int) []Candidate {
	found = append(found[:start], slices.DeleteFunc(found[start:], func(c Candidate) bool { return !f.passes(c) })...)
	end := min(start+k, len(found))
	for end > start && end < len(found) && found[end].Score == found[end-1].Score {
		end++
	}
	return found[:end]
}
