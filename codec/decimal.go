package codec

import (
	"math"
	"math/bits"
)

// decimal is a number as it was read: mant * 10**exp.
type decimal struct {
	mant uint64 // below tooLong, or tooLong if mant and exp cannot hold the number
	exp  int
}

const tooLong = 1 << 63

// Problems of a number.
const (
	noNumber   = "want a number"
	noExponent = "want a number with digits in its exponent"
)

// scanDecimal reads the number at s[i], after its sign. It returns where the
// number ends, or the problem.
func scanDecimal(s string, i int) (d decimal, end int, problem string) {
	first := i
	var mant uint64
	if i+1 < len(s) && s[i]-'0' < 10 && s[i+1] == '.' { // below 10, as embeddings are
		mant = uint64(s[i] - '0')
		i++
	} else {
		mant, i = scanDigits(s, i, 0)
	}
	digits, exp := i-first, 0
	if i < len(s) && s[i] == '.' {
		i++
		first = i
		mant, i = scanDigits(s, i, mant)
		exp = first - i
		digits -= exp
	}
	if digits == 0 {
		return d, i, noNumber
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		var e int
		if e, i = scanExponent(s, i+1); i < 0 {
			return d, i, noExponent
		}
		exp += e
	}
	return decimal{mant, exp}, i, ""
}

// scanDigits adds the digits at s[i] to mant, and returns where they end.
func scanDigits(s string, i int, mant uint64) (uint64, int) {
	for i+8 <= len(s) {
		w := load8(s, i) ^ 0x3030303030303030 // a digit's byte is 0 to 9 now
		other := (w + 0x7676767676767676 | w) & 0x8080808080808080
		if other != 0 {
			// Moved up, the digits before the first other character are a number
			// with zeros before it.
			n := uint(bits.TrailingZeros64(other)) / 8
			w = w << (56 - 8*n&63) << 8
			return join(mant, n, gather(w)), i + int(n)
		}
		mant = join(mant, 8, gather(w))
		i += 8
	}
	for ; i < len(s) && s[i]-'0' < 10; i++ {
		mant = join(mant, 1, uint64(s[i]-'0'))
	}
	return mant, i
}

// scanExponent reads the exponent at s[i], after its e, up to a million, which
// the digits of maxNumber cannot make up for. It returns where it ends, or -1 if
// it has no digits.
func scanExponent(s string, i int) (exp, end int) {
	neg := i < len(s) && s[i] == '-'
	if neg || i < len(s) && s[i] == '+' {
		i++
	}
	first := i
	for ; i < len(s) && s[i]-'0' < 10; i++ {
		exp = min(exp*10+int(s[i]-'0'), 1e6)
	}
	if i == first {
		return 0, -1
	}
	if neg {
		exp = -exp
	}
	return exp, i
}

// joins says how n more digits join a mantissa: it is multiplied by pow, if it
// is not above most.
var joins = func() (t [16]struct{ pow, most uint64 }) {
	pow := uint64(1)
	for n := range 9 {
		t[n].pow, t[n].most = pow, (tooLong-1)/pow-1
		pow *= 10
	}
	return t
}()

// join appends n digits, at most 8, of the given value to mant.
func join(mant uint64, n uint, value uint64) uint64 {
	j := &joins[n&15]
	if mant > j.most {
		return tooLong
	}
	return mant*j.pow + value
}

// load8 returns the 8 bytes at s[i], the first in the lowest place. The
// compiler makes one load of it.
func load8(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// gather returns the number whose 8 digits are the bytes of w, the first in the
// lowest: it makes four numbers of two digits, and then one.
func gather(w uint64) uint64 {
	w = w*10 + w>>8
	return (w&0x000000ff_000000ff*(100+1000000<<32) + w>>16&0x000000ff_000000ff*(1+10000<<32)) >> 32
}

// pow10 holds the powers of ten that a float64 holds exactly.
var pow10 = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// float32 returns the float32 nearest to d, or false if this cannot tell.
//
// f is at most 1.5 units of float64 off the number: mant is rounded once, and
// then the product. Rounding f once more is right unless f is that close to the
// middle of two float32s. The bounds on exp keep denormals out.
func (d decimal) float32() (float32, bool) {
	f, ok := d.product(tooLong - 1)
	const middle = 1 << 28 // of the 29 bits that a float32 has fewer
	low := math.Float64bits(f) & (1<<29 - 1)
	return float32(f), ok && low-(middle-2) > 4 && f <= math.MaxFloat32
}

// float64 returns the float64 nearest to d, or false if this cannot tell: where
// mantissa and power are exact, their product is rounded once (W. Clinger, "How
// to Read Floating Point Numbers Accurately", PLDI 1990).
func (d decimal) float64() (float64, bool) { return d.product(1 << 53) }

// product returns d as a float64 that is exact but for the rounding of mant and
// of the product, or false if mant is above most or exp too far from zero.
func (d decimal) product(most uint64) (float64, bool) {
	if d.mant > most {
		return 0, false
	}
	f := float64(int64(d.mant))
	switch {
	case d.exp == 0:
		return f, true
	case uint(-d.exp) < uint(len(pow10)):
		return f / pow10[-d.exp], true
	case uint(d.exp) < uint(len(pow10)):
		return f * pow10[d.exp], true
	}
	return 0, false
}
