package ann

import (
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
	if k < 1 {
		return dst, &codec.ValueError{Field: "k", Pos: -1, Want: "1 or more", Got: fmt.Sprint(k)}
	}
	if err := codec.Check(q, a.dim, a.metric); err != nil {
		return dst, err
	}
	s, ok := a.scratch.Get().(*scratch[T])
	if !ok {
		s = new(scratch[T])
	}
	defer a.scratch.Put(s)
	s.reset(a, q, k)
	if err := a.scan(ctx, s, allowed); err != nil {
		return dst, err
	}
	s.prune()
	for i := range s.found {
		if i%checkRows == 0 && ctx.Err() != nil {
			return dst, ctx.Err()
		}
		c := &s.found[i]
		c.Score = score(a.metric, s.wide, a.row(c.Row))
	}
	return appendTop(dst, s.found, &s.floor, k), nil
}

// scratch is the memory of one search.
type scratch[T codec.Float] struct {
	q      []T       // the query for the kernels, normalised under Cosine
	wide   []float64 // the same for scores
	bounds bounds
	floor  kth         // of the lower bounds a-e; its floor is T
	found  []Candidate // rows that may be in the answer, with a+e for their score, in ascending order
	limit  int         // prune when found gets this long
	keys   [blockRows]T
	rows   [blockRows]int32 // which rows the keys are of, if not the whole block
}

func (s *scratch[T]) reset(a *Arena[T], q []T, k int) {
	s.q = append(s.q[:0], q...)
	s.wide = s.wide[:0]
	for _, x := range q {
		s.wide = append(s.wide, float64(x))
	}
	norm := 1.0
	if a.metric == codec.Cosine {
		simd.Normalize(s.q, s.q)
		simd.Normalize(s.wide, s.wide)
	} else {
		norm = simd.Norm(q)
	}
	s.bounds = newBounds[T](a.metric, a.dim, norm)
	s.floor.reset(k, a.count)
	s.found = s.found[:0]
	s.limit = max(1024, 4*min(k, a.count))
}

// keep notes a row that may be in the answer, given its key and that key's bound.
func (s *scratch[T]) keep(row int32, key, e float64) {
	if key+e < s.floor.floor() {
		return
	}
	if len(s.found) >= s.limit {
		s.prune()
		s.limit = max(s.limit, 2*len(s.found))
	}
	s.found = append(s.found, Candidate{row, key + e})
	s.floor.add(key - e)
}

// prune drops the rows that can no longer be in the answer.
func (s *scratch[T]) prune() {
	t := s.floor.floor()
	s.found = slices.DeleteFunc(s.found, func(c Candidate) bool { return c.Score < t })
}

// scan finds the rows that may be in the answer.
func (a *Arena[T]) scan(ctx context.Context, s *scratch[T], allowed *Bitmap) error {
	for start := 0; start < a.Rows(); start += blockRows {
		if start%checkRows == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		var want [blockRows / 64]uint64 // the block's rows that count
		n := 0
		for i := range want {
			want[i] = a.live.word(start/64 + i)
			if allowed != nil {
				want[i] &= allowed.word(start/64 + i)
			}
			n += bits.OnesCount64(want[i])
		}
		if n == 0 {
			continue
		}
		half := 0.0
		if a.metric != codec.Cosine {
			half = float64(a.maxHalf[start/blockRows])
		}
		e := s.bounds.of(half)
		switch {
		case math.IsInf(e, 1):
			a.keepAll(s, start, &want)
		case n < gatherBelow:
			a.gather(s, start, &want, e)
		default:
			a.block(s, start, &want, e)
		}
	}
	return nil
}

// keepAll keeps every row that counts, whatever its key.
func (a *Arena[T]) keepAll(s *scratch[T], start int, want *[blockRows / 64]uint64) {
	for i, w := range want {
		for ; w != 0; w &= w - 1 {
			s.found = append(s.found, Candidate{int32(start + i<<6 + bits.TrailingZeros64(w)), math.Inf(1)})
		}
	}
}

// block scans a block and keeps those rows that count. Free rows are zeros, and
// harmless.
func (a *Arena[T]) block(s *scratch[T], start int, want *[blockRows / 64]uint64, e float64) {
	end := min(start+blockRows, a.Rows())
	keys := s.keys[:end-start]
	simd.DotRows(keys, s.q, a.data[start*a.dim:end*a.dim])
	if a.metric == codec.L2 {
		simd.Sub(keys, a.half[start:end])
	}
	t := below[T](s.floor.floor() - e)
	if simd.Max(keys) < t {
		return
	}
	for i, key := range keys {
		if key >= t && want[i>>6]&(1<<(i&63)) != 0 {
			row := int32(start + i)
			s.keep(row, float64(key), a.bound(s, row))
			t = below[T](s.floor.floor() - e)
		}
	}
}

// gather reads only the rows of a block that count.
func (a *Arena[T]) gather(s *scratch[T], start int, want *[blockRows / 64]uint64, e float64) {
	n := 0
	for i, w := range want {
		for ; w != 0; w &= w - 1 {
			s.rows[n] = int32(start + i<<6 + bits.TrailingZeros64(w))
			n++
		}
	}
	rows, keys := s.rows[:n], s.keys[:n]
	simd.DotAt(keys, s.q, a.data, rows)
	if a.metric == codec.L2 {
		for i, row := range rows {
			keys[i] -= a.half[row]
		}
	}
	t := below[T](s.floor.floor() - e)
	for i, key := range keys {
		if key >= t {
			s.keep(rows[i], float64(key), a.bound(s, rows[i]))
			t = below[T](s.floor.floor() - e)
		}
	}
}

// bound returns the bound of one row's key: its block's, unless a larger row
// shares that.
func (a *Arena[T]) bound(s *scratch[T], row int32) float64 {
	if a.metric == codec.Cosine {
		return s.bounds.fixed
	}
	return s.bounds.of(float64(a.half[row]))
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
