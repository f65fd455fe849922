package ann

import (
	"math"
	"math/bits"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

const (
	// siftFrom is the number of vectors from which codes make an exact search
	// faster, if they are at most half as long as vectors.
	siftFrom = 2 * trainFrom
	// codeGatherBelow is the number of a block's rows below which their codes are read
	// one by one.
	codeGatherBelow = blockRows / 2
	// siftAtLeast is how many rows are sifted before a sieve that lets a quarter pass
	// is given up.
	siftAtLeast = 8192
	// maxKey is beyond all keys of codes.
	maxKey = 1 << 30
)

// A sieve drops the rows of a block whose codes prove that they are not in the
// answer to a query. See the package comment.
type sieve struct {
	on bool
	q  codeQuery
	// The key limit of a row with an error of e is (near + e)^2, or near + norm*e
	// for Dot, with near from the threshold of the search.
	bounds        *bounds
	codes         *codes
	offset, slack float64 // Dot: the query's product with the mean, and how far it may be off
	seen, passed  int     // rows that were sifted, and those that were left
	half          *halves // compared first; nil to compare codes
	halfSeen      int     // rows that were compared by halves, and those that were left
	halfPassed    int
	ahead         bool // halfKeys has the keys of all rows, of halves or of codes that are short
	halfKeys      []int32
	nearest       []int32 // the rows nearest by these
	lowest        kth     // for best
	keys          [blockRows]int32
	rows          [blockRows]int32
}

// reset prepares the sieve for the query wide.
func (s *sieve) reset(c *codes, wide []float64, b *bounds) {
	c.encodeQuery(&s.q, wide)
	s.codes, s.bounds = c, b
	s.passed, s.half, s.ahead = 0, nil, false
	s.on = s.q.err < math.Inf(1)
	if c.metric == codec.Dot {
		s.offset = simd.DotWide(wide, c.mean)
		s.slack = 1.01*growth(float64(c.dim+16), 0x1p-53)*b.q*simd.Norm(c.mean) + b.fixed
	}
}

// near returns what limit takes from the threshold t, for rows whose scores are at
// most e from their dot products. What is compared may be as far as more from their codes.
func (s *sieve) near(t, e float64, block int, more float64) float64 {
	const up = 1 + 1e-9 // covers the rounding of what is computed here
	c, q, b := s.codes, &s.q, s.bounds
	switch c.metric {
	case codec.Dot:
		if !(q.unit >= 1e-300 && q.unit <= 1e300) {
			return math.Inf(1)
		}
		need := s.offset - t + e + s.slack + 1e-15*(math.Abs(s.offset)+math.Abs(t)+e)
		need /= q.unit
		return q.zero + need + 1e-12*math.Abs(need) + up*(q.err*(float64(c.blockNorm[block])+more)+q.norm*more) + 1
	case codec.L2:
		n2 := b.q * b.q
		d2 := n2 - 2*t + 1e-15*float64(c.dim+16)*n2 + b.fixed
		return up * (math.Sqrt(max(0, d2))/c.step + q.err + more)
	default:
		return up * (math.Sqrt(max(0, 2-2*t+2*b.fixed+16*b.unit))/c.step + q.err + more)
	}
}

// limit returns a key that no row of the answer exceeds if its error is at most e.
func (s *sieve) limit(near float64, e float32) int32 {
	v := near + float64(e)
	if s.codes.metric == codec.Dot {
		v = near + s.q.norm*float64(e)
	} else {
		v *= v * (1 + 1e-9)
	}
	if !(v < maxKey) { // NaN, too
		return maxKey
	}
	return int32(max(v, -maxKey))
}

// sift removes rows from want, which is of the block that begins with row start,
// and returns how many are left of n. t is what a row's score, as a key of the
// float scan, must reach, and e how far that is from exact arithmetic. keys holds
// the keys of the whole block, unless they are to be computed of single rows.
func (s *sieve) sift(t, e float64, start int, want *rowSet, n int) int {
	s.seen += n
	switch {
	case n < codeGatherBelow:
		s.siftAlone(s.near(t, e, start/blockRows, 0), start, want)
	case s.half != nil:
		s.siftHalves(t, e, start, want, n)
	default:
		s.siftBlock(s.near(t, e, start/blockRows, 0), start, want)
	}
	n = want.count()
	s.passed += n
	s.on = 4*s.passed <= s.seen+siftAtLeast
	return n
}

// siftAlone removes the rows from want whose codes, read one by one, are beyond the
// limits that near gives.
func (s *sieve) siftAlone(near float64, start int, want *rowSet) {
	rows := want.list(s.rows[:], start)
	if len(rows) == 0 {
		return
	}
	keys := s.keys[:len(rows)]
	s.codes.keys(keys, &s.q, rows)
	for i, key := range keys {
		if key > s.limit(near, s.codes.errs.all[rows[i]]) {
			j := int(rows[i]) - start
			want[j>>6] &^= 1 << (j & 63)
		}
	}
}

// siftBlock is siftAlone by the keys of the whole block.
func (s *sieve) siftBlock(near float64, start int, want *rowSet) {
	var pass rowSet
	errs := s.codes.errs.all[start:]
	if s.codes.metric == codec.Dot {
		simd.AtMostLine(pass[:], s.keys[:], errs, roundUp(near), roundUp(s.q.norm))
	} else {
		simd.AtMostSquare(pass[:], s.keys[:], errs, roundUp(near))
	}
	for w := range pass {
		want[w] &= pass[w]
	}
}

// best returns the k rows of want with the lowest of a whole block's keys, and those
// that tie with the last of them.
func (s *sieve) best(k int, want rowSet) rowSet {
	s.lowest.reset(k, blockRows)
	for w, m := range want {
		for ; m != 0; m &= m - 1 {
			s.lowest.add(-float64(s.keys[64*w+bits.TrailingZeros64(m)]))
		}
	}
	limit := int32(-s.lowest.floor())
	for w := range want {
		want[w] &= atMost((*[64]int32)(s.keys[64*w:]), limit)
	}
	return want
}

// atMost returns which of the keys are not above limit. Most often none of eight
// is.
func atMost(keys *[64]int32, limit int32) (set uint64) {
	for i := 0; i < 64; i += 8 {
		k := (*[8]int32)(keys[i:])
		if (limit-k[0])&(limit-k[1])&(limit-k[2])&(limit-k[3])&(limit-k[4])&(limit-k[5])&(limit-k[6])&(limit-k[7]) < 0 {
			continue
		}
		for j, key := range k {
			if key <= limit {
				set |= 1 << (i + j)
			}
		}
	}
	return set
}
