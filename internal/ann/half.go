package ann

import (
	"context"
	"math"
	"math/bits"
	"slices"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

const (
	// halvesFrom is how many exact searches have read all codes when halves of them are
	// made: that takes the time of a few searches, so that one alone is not worth it.
	halvesFrom = 2
	// halfAtLeast is how many rows halves must leave before a search may go on without
	// them.
	halfAtLeast = 1024
	// halfZero is what queries have where codes are padded: what half of codeZero is
	// compared as.
	halfZero = codeZero | 4
)

// halves holds the upper four bits of each element of each row's code, which say of most
// rows that they are in no answer, for half of the memory traffic. They are made when
// exact searches want them, and follow the codes from then on; what of a code they leave
// out is one more error. See the package comment.
type halves struct {
	size int           // bytes of half a code
	rows region[uint8] // half after half
	errs []float32     // how far a code is at most from what its half is compared as, for each block
	tmp  []uint8       // a code with padding
}

// halfLen returns how many bytes half a code of dim elements has.
func halfLen(dim int) int { return (dim + 2*simd.HalfStep - 1) / (2 * simd.HalfStep) * simd.HalfStep }

// hasHalves reports whether halves of codes are shorter enough to pay.
func (c *codes) hasHalves() bool {
	return !c.short && c.stride >= 128 && 8*halfLen(c.dim) <= 5*c.stride
}

// wholeScan returns the halves for an exact search that reads all codes, or nil. Searches
// may run at the same time. None are made if ctx ends.
func (c *codes) wholeScan(ctx context.Context) *halves {
	if h := c.half.Load(); h != nil || !c.hasHalves() || c.scans.Add(1) <= halvesFrom || !c.halving.TryLock() {
		return h
	}
	defer c.halving.Unlock()
	if h := c.half.Load(); h != nil { // made meanwhile
		return h
	}
	h := &halves{size: halfLen(c.dim)}
	h.tmp = make([]uint8, 2*h.size)
	n := len(c.rows.all) / c.stride
	h.grow(n)
	for row := range int32(n) {
		if row%checkRows == 0 && ctx.Err() != nil {
			h.rows.free()
			return nil
		}
		h.set(c, row)
	}
	c.half.Store(h)
	return h
}

func (h *halves) grow(n int) {
	h.rows.grow(n * h.size)
	for len(h.errs)*blockRows < n {
		h.errs = append(h.errs, 0)
	}
}

// set makes half of a row's code.
func (h *halves) set(c *codes, row int32) {
	for i := copy(h.tmp, c.row(row)[:c.dim]); i < len(h.tmp); i++ {
		h.tmp[i] = halfZero
	}
	half := h.rows.all[int(row)*h.size : (int(row)+1)*h.size]
	simd.HalfCode(half, h.tmp)
	var square [1]int32
	simd.HalfL2Rows(square[:], h.tmp, half)
	err := &h.errs[int(row)/blockRows]
	*err = max(*err, roundUp((1+1e-15)*math.Sqrt(float64(square[0]))))
}

// query makes q one for halves, too.
func (h *halves) query(c *codes, q *codeQuery) {
	if c.metric == codec.Dot {
		dot := sized(&q.halfDot, 2*h.size)
		clear(dot[copy(dot, q.dot[:c.dim]):])
		return
	}
	l2 := sized(&q.halfL2, 2*h.size)
	for i := copy(l2, q.l2[:c.dim]); i < len(l2); i++ {
		l2[i] = halfZero
	}
}

// block sets dst to the keys of the halves from row start on.
func (h *halves) block(dst []int32, c *codes, q *codeQuery, start int) {
	rows := h.rows.all[start*h.size : (start+len(dst))*h.size]
	if c.metric == codec.Dot {
		simd.HalfDotRows(dst, q.halfDot, rows)
		return
	}
	simd.HalfL2Rows(dst, q.halfL2, rows)
}

// keysAhead sets dst to the keys of rows from start on by what a search compares first:
// halves of codes, or codes that are as short.
func (s *sieve) keysAhead(dst []int32, start int) {
	if s.half != nil {
		s.half.block(dst, s.codes, &s.q, start)
		return
	}
	s.codes.block([][]int32{dst}, [][]uint8{s.q.l2}, [][]int8{s.q.dot}, start, len(dst))
}

// useHalves makes a search that reads all codes compare halves first, or codes that are
// short: those of all rows, so that the nearest of them set a threshold before the scan
// begins. It ends early with ctx's error.
func (a *Arena[T]) useHalves(ctx context.Context, s *scratch[T], allowed *Bitmap) error {
	v := &s.sieve
	if !v.on || allowed != nil && allowed.Count() < a.count/2 {
		return nil
	}
	if !a.codes.short {
		h := a.codes.wholeScan(ctx)
		if h == nil {
			return nil
		}
		h.query(a.codes, &v.q)
		v.half, v.halfSeen, v.halfPassed = h, 0, 0
	}
	v.ahead = true
	rows := a.Rows()
	keys := sized(&v.halfKeys, (rows+blockRows-1)/blockRows*blockRows)
	clear(keys[rows:])
	seeds, limit := seedsFor(s.k), int32(maxKey)
	if s.after != nil || seeds > len(s.keys) || s.threshold() > math.Inf(-1) {
		seeds, limit = 0, -maxKey
	}
	v.lowest.reset(seeds, rows)
	nearest := v.nearest[:0]
	for start := 0; start < rows; start += blockRows {
		if start%checkRows == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		want, n := a.wanted(start, allowed)
		if n == 0 {
			continue
		}
		v.keysAhead(keys[start:min(start+blockRows, rows)], start)
		for w, m := range want {
			for m &= atMost((*[64]int32)(keys[start+64*w:]), limit); m != 0; m &= m - 1 {
				row := start + 64*w + bits.TrailingZeros64(m)
				v.lowest.add(-float64(keys[row]))
				limit = int32(min(maxKey, -v.lowest.floor()))
				nearest = append(nearest, int32(row))
			}
		}
	}
	v.nearest = slices.DeleteFunc(nearest, func(row int32) bool { return keys[row] > limit })
	if seeds > 0 {
		a.seed(s, v.nearest)
	}
	return nil
}

// seedsFor returns how many of the rows that are nearest by their halves are to set the
// threshold of a search for k: more than k, since halves do not tell them in order.
func seedsFor(k int) int { return k + k/2 + 8 }

// siftHalves is sift by a block's keys of halves, and by the codes of the rows of which
// these prove nothing. It removes rows from want, which has n.
func (s *sieve) siftHalves(t, e float64, start int, want *rowSet, n int) {
	block := start / blockRows
	s.siftBlock(s.near(t, e, block, float64(s.half.errs[block])), start, want)
	left := want.count()
	s.halfSeen += n
	if s.halfPassed += left; 4*s.halfPassed > s.halfSeen+4*halfAtLeast {
		s.half, s.ahead = nil, false
	}
	s.siftAlone(s.near(t, e, block, 0), start, want)
}
