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

const (
	// gatherBelow is the number of a block's rows below which they are read one by
	// one and not the whole block. BenchmarkGather has the two equal near three
	// quarters of a block; half leaves a margin.
	gatherBelow = blockRows / 2
	// checkRows is how many rows are read between two looks at the context.
	checkRows = 8192
)

// A Candidate is a row that a search found.
type Candidate struct {
	Row   int32
	Score float64 // higher is better; see the package comment
}

// Search appends to dst the k rows with the best scores and every further row
// whose score equals the k-th, best first and ties by row: the owner breaks ties
// and cuts. If fewer than k rows hold a vector, it returns them all. With allowed
// not nil, only rows of that set count; the set must not change meanwhile.
//
// It returns a *codec.ValueError if k is less than 1, what [codec.Check] finds
// wrong with q, or ctx's error, looked at every few thousand rows; dst is then
// returned as it was. It allocates nothing but dst once searches have run.
func (a *Arena[T]) Search(ctx context.Context, dst []Candidate, q []T, k int, allowed *Bitmap) ([]Candidate, error) {
	if err := a.check(q, k); err != nil {
		return dst, err
	}
	return a.search(ctx, dst, q, k, allowed, nil)
}

// search is Search without its checks. seeds are rows that count, each once: if
// they are k or more, no row can be in the answer that is worse than all of them.
func (a *Arena[T]) search(ctx context.Context, dst []Candidate, q []T, k int, allowed *Bitmap, seeds []int32) ([]Candidate, error) {
	return a.searchIn(ctx, dst, q, k, among{allowed: allowed, seeds: seeds})
}

// among is the rows that count in a search: those of a set, nil for all, or of a list.
type among struct {
	allowed *Bitmap
	seeds   []int32
	rows    []int32
	listed  bool
}

// searchIn is search among what in says.
func (a *Arena[T]) searchIn(ctx context.Context, dst []Candidate, q []T, k int, in among) ([]Candidate, error) {
	before := len(dst)
	found, settled, err := a.searchOnce(ctx, dst, q, k, &in, false)
	if err == nil && !settled {
		found, _, err = a.searchOnce(ctx, dst[:before], q, k, &in, true)
	}
	return found, err
}

// searchOnce is searchIn. It reports whether the answer counts.
func (a *Arena[T]) searchOnce(ctx context.Context, dst []Candidate, q []T, k int, in *among, careful bool) (found []Candidate, settled bool, err error) {
	b := a.borrow()
	defer a.give(b)
	a.look(&b.view, careful)
	s := b.add(a, q, k)
	a.seed(s, in.seeds)
	if in.listed {
		err = a.scanRows(ctx, s, in.rows)
	} else {
		err = a.scan(ctx, b, in.allowed)
	}
	if err != nil {
		return dst, true, err
	}
	found, err = a.answer(ctx, dst, s)
	return found, a.settled(&b.view), err
}

// A Query is one of several that are searched for together.
type Query[T codec.Float] struct {
	Vector []T
	K      int
	Found  []Candidate // what the search found is appended to it
}

// SearchMany is [Arena.Search] for several queries in one pass over the rows,
// which takes less time than one after another. If it returns an error, no Found
// has changed.
func (a *Arena[T]) SearchMany(ctx context.Context, qs []Query[T], allowed *Bitmap) error {
	for _, q := range qs {
		if err := a.check(q.Vector, q.K); err != nil {
			return err
		}
	}
	settled, err := a.searchManyOnce(ctx, qs, allowed, false)
	if err == nil && !settled {
		_, err = a.searchManyOnce(ctx, qs, allowed, true)
	}
	return err
}

// searchManyOnce is SearchMany. It reports whether the answers count; if not, no Found has
// changed.
func (a *Arena[T]) searchManyOnce(ctx context.Context, qs []Query[T], allowed *Bitmap, careful bool) (settled bool, err error) {
	b := a.borrow()
	defer a.give(b)
	a.look(&b.view, careful)
	for _, q := range qs {
		b.add(a, q.Vector, q.K)
	}
	if err := a.scan(ctx, b, allowed); err != nil {
		return true, err
	}
	takeBack := func(n int) {
		for j := range n {
			qs[j].Found = qs[j].Found[:b.searches[j].before]
		}
	}
	for i, s := range b.searches {
		found, err := a.answer(ctx, qs[i].Found, s)
		if err != nil {
			takeBack(i)
			return true, err
		}
		s.before = len(qs[i].Found)
		qs[i].Found = found
	}
	if !a.settled(&b.view) {
		takeBack(len(qs))
		return false, nil
	}
	return true, nil
}

// check returns what is wrong with a search.
func (a *Arena[T]) check(q []T, k int) error {
	if k < 1 {
		return &codec.ValueError{Field: "k", Pos: -1, Want: "1 or more", Got: fmt.Sprint(k)}
	}
	return codec.Check(q, a.dim, a.metric)
}

// answer appends to dst what a scan found.
func (a *Arena[T]) answer(ctx context.Context, dst []Candidate, s *scratch[T]) ([]Candidate, error) {
	if s.sieve.seen > 0 && !s.sieve.on {
		a.givenUp.Add(1)
	}
	s.prune()
	if s.mixed {
		slices.SortFunc(s.found, func(x, y Candidate) int { return cmp.Compare(x.Row, y.Row) })
	}
	for i := 0; i < len(s.found); i += checkRows {
		if ctx.Err() != nil {
			return dst, ctx.Err()
		}
		a.rescore(s.view, s.wide, s.found[i:min(i+checkRows, len(s.found))])
	}
	if s.after != nil {
		s.found = slices.DeleteFunc(s.found, func(c Candidate) bool { return !s.after.passes(c) })
	}
	return appendTop(dst, s.found, &s.floor, s.k), nil
}

// widen appends q in float64 to dst, normalised under Cosine.
func (a *Arena[T]) widen(dst []float64, q []T) []float64 {
	n := len(dst)
	for _, x := range q {
		dst = append(dst, float64(x))
	}
	if a.metric == codec.Cosine {
		simd.Normalize(dst[n:], dst[n:])
	}
	return dst
}

// narrow appends to dst q as the kernels of vectors want it, given what widen made of it:
// to the bit what simd.Normalize makes of q, which divides in float64, too.
func (a *Arena[T]) narrow(dst, q []T, wide []float64) []T {
	if a.metric != codec.Cosine {
		return append(dst, q...)
	}
	for _, x := range wide {
		dst = append(dst, T(x))
	}
	return dst
}

// scan finds the rows that may be in the answers.
func (a *Arena[T]) scan(ctx context.Context, b *batch[T], allowed *Bitmap) error {
	if len(b.searches) == 1 { // for more, codes are read once for all
		if err := a.useHalves(ctx, b.searches[0], allowed); err != nil {
			return err
		}
		if allowed != nil {
			return a.scanFew(ctx, b, allowed)
		}
	}
	for start := 0; start < a.Rows(); start += blockRows {
		if start%checkRows == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		want, n := a.wanted(start, allowed)
		if n == 0 {
			continue
		}
		if n >= codeGatherBelow {
			b.codeKeys(a, start)
		}
		for _, s := range b.searches {
			a.visit(s, start, want, n)
		}
	}
	for _, s := range b.searches {
		a.catchUp(s)
	}
	return nil
}

// wanted returns the rows that count of the block that begins with start, and how many
// they are.
func (a *Arena[T]) wanted(start int, allowed *Bitmap) (want rowSet, n int) {
	for i := range want {
		want[i] = a.live.word(start/64 + i)
		if allowed != nil {
			want[i] &= allowed.word(start/64 + i)
		}
	}
	return want, want.count()
}

// rowSet is the rows of a block that count.
type rowSet [blockRows / 64]uint64

// list sets the first of dst, which has room for all, to the row numbers of the set, for
// the block that begins with start.
func (w *rowSet) list(dst []int32, start int) []int32 {
	n := 0
	for i, w := range w {
		for ; w != 0; w &= w - 1 {
			dst[n] = int32(start + i<<6 + bits.TrailingZeros64(w))
			n++
		}
	}
	return dst[:n]
}

// count returns how many rows the set has.
func (w *rowSet) count() (n int) {
	for _, w := range w {
		n += bits.OnesCount64(w)
	}
	return n
}

// remove takes the rows of x, which are in the set, out of it, and returns how many
// they are.
func (w *rowSet) remove(x *rowSet) (n int) {
	for i := range w {
		w[i] &^= x[i]
		n += bits.OnesCount64(x[i])
	}
	return n
}

// visit finds the rows of one block that may be in the answer to one query: n of
// them count.
func (a *Arena[T]) visit(s *scratch[T], start int, want rowSet, n int) {
	e := a.blockBound(s, start)
	if math.IsInf(e, 1) {
		a.catchUp(s)
		a.keepAll(s, start, &want)
		return
	}
	if s.sieve.on && s.threshold() == math.Inf(-1) && n >= codeGatherBelow && s.k <= n/8 {
		// The nearest rows by code set a threshold for the others.
		best := s.sieve.best(s.k, want)
		a.gather(s, best.list(s.rows[:], start), e)
		n -= want.remove(&best)
		s.mixed = true
	}
	if t := s.threshold(); s.sieve.on && t > math.Inf(-1) {
		n = s.sieve.sift(t, e, start, &want, n)
	}
	if n > 0 && n <= laterRows {
		a.postpone(s, want.list(s.rows[:], start), e)
		return
	}
	a.catchUp(s)
	switch {
	case n == 0:
	case n < gatherBelow:
		a.gather(s, want.list(s.rows[:], start), e)
	default:
		a.block(s, start, &want, e)
	}
}

// blockBound returns the bound of all keys of the block that begins with start.
func (a *Arena[T]) blockBound(s *scratch[T], start int) float64 {
	if a.metric == codec.Cosine {
		return s.bounds.fixed
	}
	return s.bounds.of(float64(a.maxHalf[start/blockRows]))
}

// keepAll keeps every row that counts, whatever its key.
func (a *Arena[T]) keepAll(s *scratch[T], start int, want *rowSet) {
	for _, row := range want.list(s.rows[:], start) {
		s.found = append(s.found, Candidate{row, math.Inf(1)})
	}
}

// block scans a block and keeps those rows that count. Free rows are zeros, and
// harmless.
func (a *Arena[T]) block(s *scratch[T], start int, want *rowSet, e float64) {
	end := min(start+blockRows, a.Rows())
	if a.wild || a.away.between(start, end) {
		a.gather(s, want.list(s.rows[:], start), e)
		return
	}
	keys := s.keys[:end-start]
	a.trustBlock(start, end)
	simd.DotRows(keys, s.q, a.data.all[start*a.dim:end*a.dim])
	if a.metric == codec.L2 {
		simd.Sub(keys, a.half.all[start:end])
	}
	if a.asGiven() {
		for i, inverse := range a.inverse.all[start:end] {
			keys[i] *= inverse
		}
	}
	t := below[T](s.threshold() - e)
	if simd.Max(keys) < t {
		return
	}
	for i, key := range keys {
		if key >= t && want[i>>6]&(1<<(i&63)) != 0 {
			row := int32(start + i)
			s.keep(row, float64(key), a.bound(s, row))
			t = below[T](s.threshold() - e)
		}
	}
}

// gather reads only some rows of a block.
func (a *Arena[T]) gather(s *scratch[T], rows []int32, e float64) {
	keys := a.keysAt(s, rows)
	t := below[T](s.threshold() - e)
	for i, key := range keys {
		if key >= t {
			s.keep(rows[i], float64(key), a.bound(s, rows[i]))
			t = below[T](s.threshold() - e)
		}
	}
}

// keysAt computes the keys of some rows, no more than a block has.
func (a *Arena[T]) keysAt(s *scratch[T], rows []int32) []T {
	keys := s.keys[:len(rows)]
	if a.scattered() {
		a.productsOf(s.view, keys, s.wide, rows)
	} else {
		a.trustAll(rows)
		simd.DotAt(keys, s.q, a.data.all, rows)
		if a.asGiven() {
			for i, row := range rows {
				keys[i] *= a.inverse.all[row]
			}
		}
	}
	if a.metric == codec.L2 {
		for i, row := range rows {
			keys[i] -= a.half.all[row]
		}
	}
	return keys
}

// bound returns the bound of one row's key: its block's, unless a larger row
// shares that.
func (a *Arena[T]) bound(s *scratch[T], row int32) float64 {
	if a.metric == codec.Cosine {
		return s.bounds.fixed
	}
	return s.bounds.of(float64(a.half.all[row]))
}

// below returns the largest T that is not above x.
func below[T codec.Float](x float64) T {
	t := T(x)
	if float64(t) <= x {
		return t
	}
	if f, ok := any(t).(float32); ok {
		return T(math.Nextafter32(f, float32(math.Inf(-1))))
	}
	return t
}
