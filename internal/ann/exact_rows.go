package ann

import (
	"context"
	"math"
)

// SearchRows is [Arena.Search] among rows, which are listed each once: a filter that lets
// few pass mostly has them that way, and to make a set of them and to look for them in it
// would take longer than to compare them.
func (a *Arena[T]) SearchRows(ctx context.Context, dst []Candidate, q []T, k int, rows []int32) ([]Candidate, error) {
	if err := a.check(q, k); err != nil {
		return dst, err
	}
	return a.searchIn(ctx, dst, q, k, among{rows: rows, listed: true})
}

// scanRows finds the rows that may be in the answer.
func (a *Arena[T]) scanRows(ctx context.Context, s *scratch[T], rows []int32) error {
	s.mixed = true
	f := &s.few
	f.n = 0
	last, e := -1, 0.0
	for i, row := range rows {
		if i%checkRows == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if !a.live.Has(row) {
			continue
		}
		block := int(row) / blockRows
		if block != last {
			last, e = block, a.blockBound(s, block*blockRows)
		}
		if math.IsInf(e, 1) {
			s.found = append(s.found, Candidate{row, e})
			continue
		}
		if f.n == blockRows {
			a.visitFew(s)
		}
		a.widenFew(f, block, e)
		f.rows[f.n] = row
		f.n++
	}
	a.visitFew(s)
	return nil
}

// SearchRows is [Arena.SearchRows] where that is no slower than a walk through the graph
// that looks at the ef nearest rows, and else reports false.
func (g *Graph[T]) SearchRows(ctx context.Context, dst []Candidate, q []T, k, ef int, rows []int32) (found []Candidate, ok bool, err error) {
	if err := g.check(ctx, q, k, ef); err != nil {
		return dst, false, err
	}
	if p := g.plan(k, ef, &Bitmap{count: len(rows)}); !p.exact {
		return dst, false, nil
	}
	found, err = g.arena.searchIn(ctx, dst, q, k, among{rows: rows, listed: true})
	return found, true, err
}
