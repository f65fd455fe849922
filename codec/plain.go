package codec

import (
	"math"
	"math/bits"
	"unsafe"
)

// appendPlain reads numbers from s[i] on for as long as they are written as embeddings
// are, a digit before the point and 1 to 22 behind it, with a comma right behind them, and
// perhaps a space behind that. Programs that compute in 64 bits write 16 digits and more.
// It returns where the first other one begins. What it reads is what parseNumber
// reads; it only takes fewer steps, in the order in which most numbers need them.
func appendPlain[T Float](v []T, s string, i int) ([]T, int) {
	var zero T
	for i+36 <= len(s) { // sign, digit, point, 24 more, comma, space, and what is loaded beyond
		minus := (uint64(s[i]^'-') - 1) >> 63 // 1 for a minus, without a branch that half of the numbers would take
		at := i + int(minus)
		w := load8(s, at)
		mant := w&0xff - '0'
		if mant > 9 || w>>8&0xff != '.' {
			return v, i
		}
		w = load8(s, at+2) ^ 0x3030303030303030 // as in scanDigits
		other := (w + 0x7676767676767676 | w) & 0x8080808080808080
		var digits uint
		if other != 0 {
			digits = uint(bits.TrailingZeros64(other)) / 8
			w = w << (56 - 8*digits&63) << 8
			mant = mant*joins[digits&15].pow + gather(w)
		} else {
			mant = mant*1e8 + gather(w)
			w = load8(s, at+10) ^ 0x3030303030303030
			other = (w + 0x7676767676767676 | w) & 0x8080808080808080
			more := uint(bits.TrailingZeros64(other)) / 8
			if more < 8 {
				w = w << (56 - 8*more&63) << 8
				mant = mant*joins[more&15].pow + gather(w)
				digits = more + 8
			} else {
				mant = mant*1e8 + gather(w)
				w = load8(s, at+18) ^ 0x3030303030303030
				other = (w + 0x7676767676767676 | w) & 0x8080808080808080
				more = uint(bits.TrailingZeros64(other)) / 8
				j := joins[more&15]
				if more > 6 || mant > j.most {
					return v, i
				}
				w = w << (56 - 8*more&63) << 8
				mant = mant*j.pow + gather(w)
				digits = more + 16
			}
		}
		if at += 2 + int(digits); digits == 0 || s[at] != ',' {
			return v, i
		}
		f := float64(int64(mant)) / pow10[digits]
		if unsafe.Sizeof(zero) == 4 {
			if low := math.Float64bits(f) & (1<<29 - 1); low-(1<<28-2) <= 4 { // as in decimal.float32
				return v, i
			}
			v = append(v, T(math.Float32frombits(math.Float32bits(float32(f))|uint32(minus)<<31)))
		} else {
			if mant > 1<<53 {
				return v, i
			}
			v = append(v, T(math.Float64frombits(math.Float64bits(f)|minus<<63)))
		}
		if i = at + 1; s[i] == ' ' { // as some programs write lists
			i++
		}
	}
	return v, i
}
