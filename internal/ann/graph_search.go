package ann

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// finder is the memory of one search.
type finder[T codec.Float] struct {
	walker
	q     []T       // the query, normalised under Cosine
	wide  []float64 // the same for scores
	found []spot    // the nearest pending rows, then those of the walk, too
	rows  []int32   // those that are ranked
	sums  []T
	best  []Candidate
}

// Search appends to dst the k rows with the best scores that it finds, and any
// further one that ties with the k-th, best first and ties by row. It looks at
// the ef nearest rows, or k if that is more: a higher ef finds more of the true
// ones, and takes longer. With allowed not nil, only rows of that set count; the
// set must not change meanwhile. As many rows are found as there are, up to k,
// whatever is allowed.
//
// Where looking at all rows that count is faster, it does that: exact reports
// whether the answer is what [Arena.Search] would give. Errors are those of
// Arena.Search, and a *codec.ValueError if ef is negative. It allocates nothing
// but dst once searches have run.
func (g *Graph[T]) Search(ctx context.Context, dst []Candidate, q []T, k, ef int, allowed *Bitmap) (found []Candidate, exact bool, err error) {
	if ef < 0 {
		return dst, false, &codec.ValueError{Field: "ef", Pos: -1, Want: "0 or more", Got: fmt.Sprint(ef)}
	}
	if err := g.check(q, k); err != nil {
		return dst, false, err
	}
	if err := ctx.Err(); err != nil {
		return dst, false, err
	}
	var seeds []int32
	if p := g.plan(k, ef, allowed); !p.exact {
		s := g.borrowFinder()
		defer g.scratch.Put(s)
		if found, ok := g.find(s, dst, q, p, allowed); ok {
			return found, false, nil
		}
		seeds = s.seeds(k)
	}
	found, err = g.search(ctx, dst, q, k, allowed, seeds)
	return found, true, err
}

func (g *Graph[T]) borrowFinder() *finder[T] {
	if s, ok := g.scratch.Get().(*finder[T]); ok {
		return s
	}
	return &finder[T]{walker: *newWalker(g.links)}
}

// find is a search through the graph. It reports false if that found too few rows
// or took longer than planned.
func (g *Graph[T]) find(s *finder[T], dst []Candidate, q []T, p plan, allowed *Bitmap) ([]Candidate, bool) {
	s.load(g.Arena, q)
	s.allowed, s.live = allowed, &g.live
	s.filtered = allowed != nil || g.stale.len() > 0
	s.review = review{}
	if s.filtered {
		s.review = review{cost: p.cost, at: firstReview, rows: g.count, stride: g.codes.stride}
	}
	// A row that becomes linked during the search is found by one of the two if the
	// pending ones are looked at first.
	g.scanPending(s, p.ef)
	s.start(g.links.rows())
	if entry, top, ok := g.links.top(); ok {
		best := g.links.descend(&s.walker, entry, top, 0)
		s.visit(best.row())
		s.offer(best, p.ef)
		if !g.links.walk(&s.walker, p.ef, 0) {
			return dst, false
		}
	}
	if s.merge(); len(s.found) < p.want {
		return dst, false
	}
	return g.rank(dst, s, p.k), true
}

// seeds returns up to k rows that count of those that the walk found, for an exact
// search to begin with.
func (s *finder[T]) seeds(k int) []int32 {
	s.rows = s.rows[:0]
	for _, p := range s.pool {
		if len(s.rows) == k {
			break
		}
		if !s.filtered || s.passes(p.row()) {
			s.rows = append(s.rows, p.row())
		}
	}
	return s.rows
}

// load makes q the query.
func (s *finder[T]) load(a *Arena[T], q []T) {
	s.q = append(s.q[:0], q...)
	s.wide = a.widen(s.wide[:0], q)
	if a.metric == codec.Cosine {
		simd.Normalize(s.q, s.q)
	}
	s.space = space{codes: a.codes}
	a.codes.encodeQuery(&s.query, s.wide)
}

// scanPending sets s.found to the ef nearest pending rows.
func (g *Graph[T]) scanPending(s *finder[T], ef int) {
	s.found = s.found[:0]
	if g.pending() == 0 {
		return
	}
	at := s.at[:0]
	look := func() {
		keys := s.keys[:len(at)]
		s.measure(keys, at)
		for i, key := range keys {
			s.found = keep(s.found, newSpot(key, at[i]), ef)
		}
		at = at[:0]
	}
	for i := range g.live.words {
		w := g.live.words[i] &^ g.fresh.word(i)
		if w != 0 && s.allowed != nil {
			w &= s.allowed.word(i)
		}
		for ; w != 0; w &= w - 1 {
			if at = append(at, int32(i<<6+bits.TrailingZeros64(w))); len(at) == blockRows {
				look()
			}
		}
	}
	look()
}

// keep puts s in its place among the ef smallest.
func keep(pool []spot, s spot, ef int) []spot {
	if len(pool) >= ef {
		if s >= pool[len(pool)-1] {
			return pool
		}
		pool = pool[:len(pool)-1]
	}
	return slices.Insert(pool, place(pool, s), s)
}

// merge adds to s.found those rows of the walk that count, each row once.
func (s *finder[T]) merge() {
	for _, p := range s.pool {
		if !s.filtered || s.passes(p.row()) {
			s.found = append(s.found, p&^expanded)
		}
	}
	if len(s.found) > 0 {
		slices.Sort(s.found)
		s.found = slices.Compact(s.found)
	}
}

// rank scores the nearest of what was found, and appends the best. Codes are no
// measure for the order of what is near each other, so more rows than are wanted
// are compared by the kernels of package simd, and those of them are scored that
// these cannot tell from the k-th.
func (g *Graph[T]) rank(dst []Candidate, s *finder[T], k int) []Candidate {
	n := min(len(s.found), k+k/2+16)
	rows, sums := sized(&s.rows, n), sized(&s.sums, n)
	for i, p := range s.found[:n] {
		rows[i] = p.row()
	}
	if g.metric == codec.L2 {
		simd.SquaredL2At(sums, s.q, g.data.all, rows)
	} else {
		simd.DotAt(sums, s.q, g.data.all, rows)
	}
	s.best = s.best[:0]
	for i, row := range rows {
		key := float64(sums[i])
		if g.metric == codec.L2 {
			key = -key
		}
		s.best = append(s.best, Candidate{row, key})
	}
	slices.SortFunc(s.best, byScore)
	if n > k {
		floor := s.best[k-1].Score - 2*g.rounding(s, s.best[k-1].Score)
		end := k
		for end < n && !(s.best[end].Score < floor) { // all, if a kernel overflowed
			end++
		}
		s.best = s.best[:end]
	}
	g.rescore(s.wide, s.best)
	slices.SortFunc(s.best, byScore)
	for i, c := range s.best {
		if i >= k && c.Score != s.best[k-1].Score {
			break
		}
		dst = append(dst, c)
	}
	return dst
}

// rounding returns how far a key of rank is from exact arithmetic, for rows about
// as near as the one with the key x.
func (g *Graph[T]) rounding(s *finder[T], x float64) float64 {
	r := 1.01 * growth(float64(simd.Roundings(g.dim))+4, unitOf[T]())
	switch g.metric {
	case codec.L2:
		return r * -x
	case codec.Dot:
		longest := 0.0
		for _, c := range s.best {
			longest = max(longest, float64(g.half.all[c.Row]))
		}
		return r * simd.Norm(s.q) * math.Sqrt(2*longest)
	default:
		return r
	}
}

// unitOf returns the unit roundoff of an element type.
func unitOf[T codec.Float]() float64 {
	if codec.ElementOf[T]() == codec.FLOAT {
		return 0x1p-24
	}
	return 0x1p-53
}

func byScore(a, b Candidate) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Row, b.Row))
}
