package simd

// rounded is more than what rounding to float32 does to one side of a comparison
// of this file, as a share of it: a conversion, two roundings of a sum, each of
// which a square takes twice, and two more products, 2^-24 each.
const rounded = 0x1p-20

// AtMostSquare sets bit i%64 of set[i/64] to whether keys[i] is at most
// (near+x[i])^2, and clears the bits beyond the last key. It may say yes to a key
// that is larger by up to one part in 2^18, never no to one that is not, and yes
// where a sum is NaN. near and x are not negative. It stops at the end of the
// shortest of set, keys and x.
func AtMostSquare(set []uint64, keys []int32, x []float32, near float32) {
	set, keys, x, whole := atMostShape(set, keys, x)
	if accelerated && whole > 0 {
		atMostSquare(&set[0], &keys[0], &x[0], near, 1+rounded, whole)
		set, keys, x = set[whole:], keys[64*whole:], x[64*whole:]
	}
	for w := range set {
		set[w] = 0
		for i := 64 * w; i < min(64*w+64, len(keys)); i++ {
			s := near + x[i]
			s *= s
			if !(float32(keys[i]) > s*(1+rounded)) {
				set[w] |= 1 << (i & 63)
			}
		}
	}
}

// AtMostLine sets bit i%64 of set[i/64] to whether keys[i] is at most
// near + slope*x[i], and clears the bits beyond the last key. It may say yes to a
// key that is larger by up to one part in 2^18 of |near| + slope*x[i], never no to
// one that is not, and yes where a sum is NaN. slope and x are not negative. It
// stops at the end of the shortest of set, keys and x.
func AtMostLine(set []uint64, keys []int32, x []float32, near, slope float32) {
	set, keys, x, whole := atMostShape(set, keys, x)
	near += rounded * max(near, -near)
	slope += rounded * slope
	if accelerated && whole > 0 {
		atMostLine(&set[0], &keys[0], &x[0], near, slope, whole)
		set, keys, x = set[whole:], keys[64*whole:], x[64*whole:]
	}
	for w := range set {
		set[w] = 0
		for i := 64 * w; i < min(64*w+64, len(keys)); i++ {
			if !(float32(keys[i]) > near+float32(slope*x[i])) {
				set[w] |= 1 << (i & 63)
			}
		}
	}
}

// atMostShape cuts its arguments to what all of them have, and returns how many
// words of that are whole.
func atMostShape(set []uint64, keys []int32, x []float32) ([]uint64, []int32, []float32, int) {
	n := min(64*len(set), len(keys), len(x))
	return set[:(n+63)/64], keys[:n], x[:n], n / 64
}
