package ann

import (
	"math"
	"slices"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// batch is the searches of one pass over the rows, and its memory.
type batch[T codec.Float] struct {
	view     view[T]
	searches []*scratch[T]
	spare    []*scratch[T] // of earlier passes
	// What is handed to the kernel of codes.
	keys [][]int32
	l2   [][]uint8
	dot  [][]int8
}

// maxSpare is how many searches a batch may have had whose memory is kept for the
// next.
const maxSpare = 64

// borrow returns a batch without searches. The caller gives it back.
func (a *Arena[T]) borrow() *batch[T] {
	if b, ok := a.scratch.Get().(*batch[T]); ok {
		return b
	}
	return new(batch[T])
}

func (a *Arena[T]) give(b *batch[T]) {
	b.spare = append(b.spare, b.searches...)
	b.searches = b.searches[:0]
	b.view.file, b.view.epoch = nil, nil
	if len(b.spare) <= maxSpare {
		a.scratch.Put(b)
	}
}

// add prepares one more search.
func (b *batch[T]) add(a *Arena[T], q []T, k int) *scratch[T] {
	var s *scratch[T]
	if n := len(b.spare); n > 0 {
		s, b.spare = b.spare[n-1], b.spare[:n-1]
	} else {
		s = new(scratch[T])
	}
	s.reset(a, q, k)
	s.view = &b.view
	b.searches = append(b.searches, s)
	return s
}

// codeKeys computes the keys of a block's codes for the searches that need them.
func (b *batch[T]) codeKeys(a *Arena[T], start int) {
	size := min(blockRows, a.Rows()-start)
	b.keys, b.l2, b.dot = b.keys[:0], b.l2[:0], b.dot[:0]
	for _, s := range b.searches {
		if s.sieve.on && s.sieve.ahead {
			copy(s.sieve.keys[:], s.sieve.halfKeys[start:])
		} else if s.sieve.on {
			b.keys = append(b.keys, s.sieve.keys[:size])
			b.l2 = append(b.l2, s.sieve.q.l2)
			b.dot = append(b.dot, s.sieve.q.dot)
		}
	}
	if len(b.keys) > 0 {
		a.codes.block(b.keys, b.l2, b.dot, start, size)
	}
}

// scratch is one search and its memory.
type scratch[T codec.Float] struct {
	view   *view[T]
	q      []T       // the query for the kernels, normalised under Cosine
	wide   []float64 // the same for scores
	bounds bounds
	floor  kth     // of the lower bounds a-e of the rows that were scanned
	least  float64 // what floor would be for other rows that count; see threshold
	k      int
	before int         // how long the caller's slice was
	found  []Candidate // rows that may be in the answer, with a+e for their score, in ascending order
	mixed  bool        // but for some of found's first ones
	limit  int         // prune when found gets this long
	after  *After      // only rows that come after it; nil for all
	most   float64     // the key of its score
	keys   [blockRows]T
	rows   [blockRows]int32 // which rows the keys are of, if not the whole block
	sieve  sieve
	later  later
	few    few
}

func (s *scratch[T]) reset(a *Arena[T], q []T, k int) {
	s.wide = a.widen(s.wide[:0], q)
	s.q = a.narrow(s.q[:0], q, s.wide)
	norm := 1.0
	if a.metric != codec.Cosine {
		norm = simd.Norm(q)
	}
	s.bounds = newBounds[T](a.metric, a.dim, norm)
	s.k = k
	s.floor.reset(k, a.count)
	s.least = math.Inf(-1)
	s.found, s.mixed = s.found[:0], false
	s.limit = max(1024, 4*min(k, a.count))
	s.sieve.on, s.sieve.seen = false, 0
	s.later.n = 0
	if a.codes != nil && a.count >= a.siftFrom && k <= a.count/4 { // else most rows pass
		s.sieve.reset(a.codes, s.wide, &s.bounds)
	}
}

// threshold is T of the package comment: k rows at least have keys that are no less.
func (s *scratch[T]) threshold() float64 { return max(s.floor.floor(), s.least) }

// seed sets the threshold by some of the rows, before they are met in the scan.
func (a *Arena[T]) seed(s *scratch[T], rows []int32) {
	if rows = rows[:min(len(rows), len(s.keys))]; len(rows) < s.k {
		return
	}
	keys := a.keysAt(s, rows)
	for i, key := range keys {
		if e := a.bound(s, rows[i]); !math.IsInf(e, 1) { // else nothing is known of the row
			s.floor.add(float64(key) - e)
		}
	}
	s.least = s.floor.floor()
	s.floor.reset(s.k, a.count)
}

// keep notes a row that may be in the answer, given its key and that key's bound.
func (s *scratch[T]) keep(row int32, key, e float64) {
	if key+e < s.threshold() {
		return
	}
	counts := true // in the answer, unless there are better ones
	if s.after != nil {
		if key-2*e > s.most { // twice, for the rounding of most
			return
		}
		counts = key+2*e < s.most
	}
	if len(s.found) >= s.limit {
		s.prune()
		s.limit = max(s.limit, 2*len(s.found))
	}
	s.found = append(s.found, Candidate{row, key + e})
	if counts {
		s.floor.add(key - e)
	}
}

// prune drops the rows that can no longer be in the answer.
func (s *scratch[T]) prune() {
	t := s.threshold()
	s.found = slices.DeleteFunc(s.found, func(c Candidate) bool { return c.Score < t })
}
