package ann

import (
	"context"
	"math"
)

// fewRowsBelow is the number of a block's rows below which they are compared with those of
// other blocks. With 26 of them that took 0.9 times as long, and with 77 1.06 (BenchmarkFew).
const fewRowsBelow = 48

// few is rows that count, of blocks of which few do. They are compared together, since of
// each part the first rows wait for memory, and what is worked out for a block is worked
// out once for all.
type few struct {
	rows  [blockRows]int32
	n     int
	e     float64 // the largest bound of their blocks
	block int     // the one of their blocks with the largest norm of codes
}

// scanFew is scan for one search among allowed.
func (a *Arena[T]) scanFew(ctx context.Context, b *batch[T], allowed *Bitmap) error {
	s, rows, blocks := b.searches[0], a.Rows(), 0
	s.few.n = 0
	for start := allowed.blockFrom(0); start < rows; start = allowed.blockFrom(start + blockRows) {
		if blocks%(checkRows/blockRows) == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		blocks++
		want, n := a.wanted(start, allowed)
		if n == 0 {
			continue
		}
		e := a.blockBound(s, start)
		if n >= fewRowsBelow || math.IsInf(e, 1) {
			a.visitFew(s)
			if n >= codeGatherBelow {
				b.codeKeys(a, start)
			}
			a.visit(s, start, want, n)
			continue
		}
		f := &s.few
		if f.n+n > blockRows {
			a.visitFew(s)
		}
		a.widenFew(f, start/blockRows, e)
		f.n += len(want.list(f.rows[f.n:], start))
	}
	a.visitFew(s)
	a.catchUp(s)
	return nil
}

// widenFew makes the noted rows' bounds hold for one more block's.
func (a *Arena[T]) widenFew(f *few, block int, e float64) {
	if f.n == 0 {
		f.e, f.block = e, block
		return
	}
	f.e = max(f.e, e)
	if c := a.codes; c != nil && c.blockNorm[block] > c.blockNorm[f.block] {
		f.block = block
	}
}

// visitFew finds those of the noted rows that may be in the answer, and notes none any
// more.
func (a *Arena[T]) visitFew(s *scratch[T]) {
	f, v := &s.few, &s.sieve
	rows := f.rows[:f.n]
	f.n = 0
	if len(rows) == 0 {
		return
	}
	a.catchUp(s) // of blocks before these
	first := s.threshold() == math.Inf(-1)
	if !v.on || first && s.k > len(rows)/2 {
		a.gather(s, rows, f.e)
		return
	}
	keys := v.keys[:len(rows)]
	v.codes.keys(keys, &v.q, rows)
	if first {
		rows = a.gatherBest(s, rows, keys)
		keys = keys[:len(rows)]
	}
	if t := s.threshold(); t > math.Inf(-1) {
		near := v.near(t, f.e, f.block, 0)
		n := 0
		for i, key := range keys {
			rows[n] = rows[i]
			if key <= v.limit(near, v.codes.errs.all[rows[n]]) {
				n++
			}
		}
		v.seen += len(rows)
		v.passed += n
		v.on = 4*v.passed <= v.seen+siftAtLeast
		rows = rows[:n]
	}
	a.gather(s, rows, f.e)
}

// gatherBest reads the rows with the k lowest keys, so that they set a threshold for the
// others, which it returns and to which it moves their keys.
func (a *Arena[T]) gatherBest(s *scratch[T], rows, keys []int32) (others []int32) {
	v := &s.sieve
	v.lowest.reset(s.k, blockRows)
	for _, key := range keys {
		v.lowest.add(-float64(key))
	}
	limit := int32(-v.lowest.floor())
	best, n := s.rows[:0], 0
	for i, key := range keys {
		if key <= limit {
			best = append(best, rows[i])
			continue
		}
		rows[n], keys[n] = rows[i], key
		n++
	}
	s.mixed = true
	a.gather(s, best, s.few.e)
	return rows[:n]
}
