package codec

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strconv"
)

// Numbers are printed plainly from 1e-4 up to 1e9, and with an exponent outside.
const (
	minPlainExp = -4
	maxPlainExp = 8
)

// numberRoom is the room that appendFloat32 needs in its buffer: at most 15
// bytes of number, and what its 8-byte stores write beyond the end.
const numberRoom = 32

// scale is what the floats of one binary exponent share when they are printed:
// multiplied by pow, they lie in [1e7, 2e8).
type scale struct {
	pow  float64 // 10**exp, correctly rounded
	half float64 // half the distance to the next float, times pow: in [0.596, 5.96)
	exp  int
}

// scales is indexed by the biased exponent of a normal float32.
var scales = func() (t [255]scale) {
	for e := 1; e < len(t); e++ {
		lowest := math.Ldexp(1, e-127)
		exp := 7 - int(math.Floor(math.Log10(lowest)))
		pow, _ := strconv.ParseFloat("1e"+strconv.Itoa(exp), 64)
		t[e] = scale{pow: pow, half: math.Ldexp(lowest, -24) * pow, exp: exp}
	}
	return t
}()

// appendFloat32 prints the fewest digits that read back as x, and of those the
// nearest to x: the digits that strconv prints.
//
// It works as Grisu3 does (F. Loitsch, "Printing Floating-Point Numbers Quickly
// and Accurately with Integers", PLDI 2010): an approximate product decides
// where it is far enough from every boundary, and a slower exact algorithm, here
// strconv's, decides the rest. For a float32 the product can be a float64. With
// y = x * 10**exp in [1e7, 2e8), two roundings put y off by less than 2e8 * 2**-52,
// or 4.5e-8; a comparison that is closer than slack is left to strconv. Every
// decimal nearer to y than half reads back as x. Half is above 0.5, so the
// nearest integer always does. It is below 6, so at most one multiple of 100
// does, and finding none leaves the multiples of 10 and of 1 to try.
func appendFloat32(dst []byte, x float32) []byte {
	const slack = 1e-6

	b := math.Float32bits(x)
	abs := math.Float32frombits(b &^ (1 << 31))
	if abs < 1<<24 {
		if n := int32(abs); float32(n) == abs {
			if b>>31 != 0 {
				dst = append(dst, '-') // zero too keeps its sign
			}
			return appendInt(dst, uint32(n))
		}
	}
	exponent, fraction := b>>23&0xff, b<<9
	if exponent == 0 || exponent == 255 || fraction == 0 {
		// Denormals, powers of two (their lower neighbour is nearer than half
		// says), and what is not finite.
		return appendSlow(dst, float64(x), 32)
	}
	s := &scales[exponent]
	y := float64(float64(abs) * s.pow) // the conversion forbids a fused multiply-add
	floor := uint32(y)
	n := (floor + 50) / 100 * 100
	if off := math.Abs(y - float64(n)); off > s.half-slack {
		if off < s.half+slack {
			return appendSlow(dst, float64(x), 32)
		}
		n = (floor + 5) / 10 * 10
		off = math.Abs(y - float64(n))
		if math.Abs(off-s.half) < slack || off > 5-slack && off < s.half {
			return appendSlow(dst, float64(x), 32)
		}
		if off > s.half {
			n = uint32(y + 0.5)
			if math.Abs(y-float64(n)) > 0.5-slack {
				return appendSlow(dst, float64(x), 32)
			}
		}
	}
	return appendDecimal(dst, b>>31, n, s.exp)
}

// appendDecimal prints n / 10**exp without trailing zeros, where n has 8 digits,
// or 9 of which the first is 1 (or is 200,000,000 at most).
func appendDecimal(dst []byte, sign, n uint32, exp int) []byte {
	dst = slices.Grow(dst, numberRoom)
	start := len(dst)
	buf := dst[start : start+numberRoom]
	buf[0] = '-'
	buf = buf[sign:]

	// The digits are lead, if more is 1, and the 8 in low, first digit in the
	// lowest byte.
	lead, more := n/1e8, 0
	if lead != 0 {
		more = 1
	}
	low := spread(n - lead*1e8)
	kept := 8 - bits.LeadingZeros64(low)/8 // digits of low that are not trailing zeros
	low |= 0x3030303030303030
	point := 7 + more - exp // the decimal exponent of the first digit

	var end int
	switch {
	case minPlainExp <= point && point < 0: // 0.00ddd
		binary.LittleEndian.PutUint64(buf, 0x3030303030302e30) // "0.000000"
		at := 1 - point
		buf[at] = byte('0' + lead)
		at += more
		binary.LittleEndian.PutUint64(buf[at:], low)
		end = at + kept
	case 0 <= point && point <= maxPlainExp: // dd.ddd
		whole := point + 1
		buf[0] = byte('0' + lead)
		binary.LittleEndian.PutUint64(buf[more:], low)
		buf[8+more] = '0'
		if end = kept + more; end <= whole {
			end = whole
			break
		}
		buf[whole] = '.'
		binary.LittleEndian.PutUint64(buf[whole+1:], low>>(8*(whole-more)))
		end++
	default: // d.ddde-05
		buf[0] = byte('0' + lead)
		if more == 0 {
			buf[0] = byte(low)
			low >>= 8
			kept--
		}
		end = 1
		if kept > 0 {
			buf[1] = '.'
			binary.LittleEndian.PutUint64(buf[2:], low)
			end = 2 + kept
		}
		buf[end], buf[end+1] = 'e', '+'
		if point < 0 {
			buf[end+1] = '-'
			point = -point
		}
		buf[end+2], buf[end+3] = byte('0'+point/10), byte('0'+point%10)
		end += 4
	}
	return dst[:start+int(sign)+end]
}

// spread puts the 8 decimal digits of n, below 1e8, into the 8 bytes of a word,
// the first digit into the lowest: two halves, four quarters, eight digits.
func spread(n uint32) uint64 {
	w := uint64(n/10000) | uint64(n%10000)<<32
	q := w * 10486 >> 20 & 0x0000007f_0000007f // each half / 100
	w = q | (w-q*100)<<16
	q = w * 103 >> 10 & 0x000f000f_000f000f // each quarter / 10
	return q | (w-q*10)<<8
}

// appendInt prints n, which is below 1e8.
func appendInt(dst []byte, n uint32) []byte {
	if n < 10 {
		return append(dst, byte('0'+n))
	}
	dst = slices.Grow(dst, 8)
	w := spread(n)
	zeros := bits.TrailingZeros64(w) / 8
	start := len(dst)
	binary.LittleEndian.PutUint64(dst[start:start+8], (w|0x3030303030303030)>>(8*zeros))
	return dst[:start+8-zeros]
}

// appendFloat64 prints the shortest digits that read back as x.
func appendFloat64(dst []byte, x float64) []byte {
	if n := int32(x); float64(n) == x && 0 < n && n < 1e8 {
		return appendInt(dst, uint32(n))
	}
	return appendSlow(dst, x, 64)
}

// appendSlow prints the shortest digits of x, a float of the given size, with strconv.
func appendSlow(dst []byte, x float64, size int) []byte {
	least := 1e-4
	if size == 32 {
		least = float64(float32(least))
	}
	switch abs := math.Abs(x); {
	case x-x != 0:
		return append(dst, nonFinite(x)...)
	case abs == 0 || least <= abs && abs < 1e9:
		return strconv.AppendFloat(dst, x, 'f', -1, size)
	default:
		return strconv.AppendFloat(dst, x, 'e', -1, size)
	}
}
