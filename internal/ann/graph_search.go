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
	given   []T       // the query as it was given
	q       []T       // the same, normalised under Cosine
	wide    []float64 // the same for scores
	vectors vectors[T]
	view    view[T]
	scores  []float64
	found   []spot // the rows of the walk that count, nearest first
	rows    []int32
	sums    []T
	best    []Candidate
	others  []Candidate
	lowest  kth
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
	if err := g.check(ctx, q, k, ef); err != nil {
		return dst, false, err
	}
	var seeds []int32
	if p := g.plan(k, ef, allowed); !p.exact {
		s := g.borrowFinder()
		defer g.scratch.Put(s)
		if found, ok, err := g.find(ctx, s, dst, q, p, allowed); ok || err != nil {
			return found, false, err
		}
		seeds = s.seeds(k)
	}
	found, err = g.arena.search(ctx, dst, q, k, allowed, seeds)
	return found, true, err
}

// check returns what is wrong with a search, or ctx's error.
func (g *Graph[T]) check(ctx context.Context, q []T, k, ef int) error {
	if ef < 0 {
		return &codec.ValueError{Field: "ef", Pos: -1, Want: "0 or more", Got: fmt.Sprint(ef)}
	}
	if err := g.arena.check(q, k); err != nil {
		return err
	}
	return ctx.Err()
}

func (g *Graph[T]) borrowFinder() *finder[T] {
	if s, ok := g.scratch.Get().(*finder[T]); ok {
		return s
	}
	return &finder[T]{walker: *newWalker(g.links)}
}

// find is a search through the graph. It reports false if that found too few rows
// or took longer than planned.
func (g *Graph[T]) find(ctx context.Context, s *finder[T], dst []Candidate, q []T, p plan, allowed *Bitmap) (found []Candidate, ok bool, err error) {
	g.load(s, q)
	defer func() { s.given = nil }()
	s.allowed, s.live = allowed, &g.arena.live
	in := p.in
	s.filtered = allowed != nil || in.stale.len() > 0
	s.review = review{}
	if s.filtered {
		s.review = review{cost: p.cost, at: firstReview, rows: g.rows(in), stride: g.arena.codes.stride}
	}
	// A row that becomes linked during the search waits for this one if what waits is
	// noted first.
	g.noteWaiting(&s.walker, in)
	s.start(in.links.rows())
	if entry, top, ok := in.entry.top(); ok {
		best := in.links.descend(&s.walker, entry, top, 0)
		s.visit(best.row())
		s.offer(best, p.ef)
		g.enter(in, &s.walker, best, p.ef)
		if !in.links.walk(&s.walker, p.ef, 0) {
			return dst, false, nil
		}
	}
	if s.collect(); len(s.found)+s.waiting.count < p.want {
		return dst, false, nil
	}
	before := len(dst)
	dst = g.rank(dst, s, p.k)
	if s.waiting.count > fewWaiting {
		dst, err = g.addWaiting(ctx, dst, before, s, p.k)
	}
	return dst, err == nil, err
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
func (g *Graph[T]) load(s *finder[T], q []T) {
	a := g.arena
	s.given = q
	s.space, s.exact = space{codes: a.codes, code: s.space.code}, nil
	if g.loadSingle(s, q) {
		return
	}
	s.wide = a.widen(s.wide[:0], q)
	s.q = a.narrow(s.q[:0], q, s.wide)
	if g.byVectors.Load() {
		s.vectors.arena, s.vectors.q = a, s.q
		s.exact = &s.vectors
		return
	}
	a.codes.encodeQuery(&s.query, s.wide)
	g.unlessFar(s)
}

// unlessFar makes a walk compare vectors if the query's code says little.
func (g *Graph[T]) unlessFar(s *finder[T]) {
	a := g.arena
	if a.metric != codec.Dot && a.codes.isFar(s.query.err) {
		s.vectors.arena, s.vectors.q = a, s.q
		s.exact = &s.vectors
	}
}

// fewWaiting is how many waiting rows are ranked with what the walk found, without
// a look at their codes.
const fewWaiting = 64

// noteWaiting sets s.waiting.
func (g *core) noteWaiting(s *walker, in *web) {
	s.waiting.count = 0
	if in.group == nil && g.waits() == 0 {
		return
	}
	words := sized(&s.waiting.words, len(g.over.liveRows().words))
	note := func(i int, w uint64) {
		if w &= g.over.liveRows().words[i]; s.allowed != nil {
			w &= s.allowed.word(i)
		}
		words[i] = w
		s.waiting.count += bits.OnesCount64(w)
	}
	apart := g.apartRows()
	if in.group != nil {
		known := &in.group.of.known
		for i := range words {
			note(i, ^in.fresh.word(i)|^known.word(i)|apart.word(i))
		}
		return
	}
	if g.fresh.len() < g.over.count() {
		for i := range words {
			note(i, ^g.fresh.word(i)|apart.word(i))
		}
		return
	}
	clear(words) // all are linked: only the few that are apart wait
	for i, w := range apart.words[:min(len(apart.words), len(words))] {
		if w != 0 {
			note(i, w)
		}
	}
}

// collect sets s.found to those rows of the walk that count and do not wait.
func (s *finder[T]) collect() {
	s.found = s.found[:0]
	for _, p := range s.pool {
		if s.filtered && !s.passes(p.row()) || s.waiting.count > 0 && s.waiting.Has(p.row()) {
			continue
		}
		s.found = append(s.found, p)
	}
}

// addWaiting merges the waiting rows into the answer, which begins with before in
// dst. They are searched exactly: what the walk found says what they must score.
func (g *Graph[T]) addWaiting(ctx context.Context, dst []Candidate, before int, s *finder[T], k int) ([]Candidate, error) {
	seeds := s.rows[:0]
	for _, c := range dst[before:] {
		seeds = append(seeds, c.Row)
	}
	s.rows = seeds
	var err error
	if s.others, err = g.arena.search(ctx, s.others[:0], s.given, k, &s.waiting, seeds); err != nil {
		return dst[:before], err
	}
	dst = append(dst, s.others...)
	found := dst[before:]
	slices.SortFunc(found, byScore)
	end := min(k, len(found))
	for end > 0 && end < len(found) && found[end].Score == found[end-1].Score {
		end++
	}
	return dst[:before+end], nil
}

// rank scores the nearest of what was found, and appends the best. Codes are no
// measure for the order of what is near each other, so more rows than are wanted
// are compared by the kernels of package simd, and those of them are scored that
// these cannot tell from the k-th. Those that codes put far behind the k-th are left out.
// Where none is, and the last of the rows that were compared are among the best, codes say
// less than they should, and more are compared.
func (g *Graph[T]) rank(dst []Candidate, s *finder[T], k int) []Candidate {
	before := len(dst)
	g.arena.look(&s.view, false)
	dst = g.rankOnce(dst, s, k)
	if !g.arena.settled(&s.view) {
		g.arena.look(&s.view, true)
		dst = g.rankOnce(dst[:before], s, k)
	}
	s.view.file, s.view.epoch = nil, nil
	return dst
}

// rankOnce is rank by what s.view shows.
func (g *Graph[T]) rankOnce(dst []Candidate, s *finder[T], k int) []Candidate {
	s.best = s.best[:0]
	s.lowest.reset(k, len(s.found)+fewWaiting)
	if s.waiting.count > 0 && s.waiting.count <= fewWaiting {
		rows := sized(&s.rows, fewWaiting)[:0]
		for row := range s.waiting.All() {
			rows = append(rows, row)
		}
		g.compare(s, rows)
	}
	more := g.more(k)
	first := min(len(s.found), k+more)
	near := g.near(s, k, first)
	for _, p := range s.found[:near] {
		g.arena.prefetch(&s.view, p.row())
	}
	for done, n := 0, near; done < n; {
		rows := sized(&s.rows, n-done)
		for i, p := range s.found[done:n] {
			rows[i] = p.row()
		}
		g.compare(s, rows)
		floor := s.lowest.floor()
		late := near == first && slices.ContainsFunc(s.best[len(s.best)-min(more/2, n-done):], func(c Candidate) bool { return c.Score >= floor })
		done = n
		if late {
			n = min(len(s.found), n+4*more)
		}
	}
	slices.SortFunc(s.best, byScore)
	final := g.arena.scattered() // compare has set scores
	if n := len(s.best); n > k && !final {
		floor := s.best[k-1].Score - 2*g.rounding(s, s.best[k-1].Score)
		end := k
		for end < n && !(s.best[end].Score < floor) { // all, if a kernel overflowed
			end++
		}
		s.best = s.best[:end]
	}
	if !final {
		g.arena.rescore(&s.view, s.wide, s.best)
		slices.SortFunc(s.best, byScore)
	}
	for i, c := range s.best {
		if i >= k && c.Score != s.best[k-1].Score {
			break
		}
		dst = append(dst, c)
	}
	return dst
}

// more returns how many rows beside the k nearest by their codes are compared by vectors.
func (g *Graph[T]) more(k int) int {
	switch c := g.arena.codes; {
	case c.short && g.arena.metric == codec.Dot:
		return k + 32
	case c.short: // they say less of what is near each other
		return k + 8
	case g.arena.metric == codec.Dot:
		// The best of a direction are the longest rows, which differ by little of what
		// they score, and codes say as much less of them.
		return k/2 + 16
	}
	return k/4 + 4
}

// compare appends rows to s.best, with keys of the kernels for their scores.
func (g *Graph[T]) compare(s *finder[T], rows []int32) {
	if g.arena.scattered() {
		scores := sized(&s.scores, len(rows))
		g.arena.scoresOf(&s.view, scores, s.wide, rows)
		for i, row := range rows {
			s.best = append(s.best, Candidate{row, scores[i]})
			s.lowest.add(scores[i])
		}
		return
	}
	sums := sized(&s.sums, len(rows))
	g.arena.trustAll(rows)
	if g.arena.metric == codec.L2 {
		simd.SquaredL2At(sums, s.q, g.arena.data.all, rows)
	} else {
		simd.DotAt(sums, s.q, g.arena.data.all, rows)
	}
	for i, row := range rows {
		key := float64(sums[i])
		if g.arena.asGiven() {
			key *= float64(g.arena.inverse.all[row])
		}
		if g.arena.metric == codec.L2 {
			key = -key
		}
		s.best = append(s.best, Candidate{row, key})
		s.lowest.add(key)
	}
}

// rounding returns how far a key of rank is from exact arithmetic, for rows about
// as near as the one with the key x.
func (g *Graph[T]) rounding(s *finder[T], x float64) float64 {
	r := 1.01 * growth(float64(simd.Roundings(g.arena.dim))+4, unitOf[T]())
	switch g.arena.metric {
	case codec.L2:
		return r * -x
	case codec.Dot:
		longest := 0.0
		for _, c := range s.best {
			longest = max(longest, float64(g.arena.half.all[c.Row]))
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
