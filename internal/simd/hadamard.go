package simd

// WalshHadamard replaces x by its Walsh-Hadamard transform: the product with the
// matrix of +1 and -1 whose rows are orthogonal, in natural order. It is not
// scaled: Euclidean norms grow by the square root of len(x), and a second
// transform gives len(x) times the first x. It takes len(x)*log2(len(x))
// additions, whose order is the same on every CPU, and so are the bits of the
// result, but for those of NaNs. If len(x) is not a power of two, x is left as it
// is.
//
// Source: Fino and Algazi, Unified matrix treatment of the fast Walsh-Hadamard
// transform, IEEE Transactions on Computers C-25, 1976.
func WalshHadamard(x []float32) {
	if len(x)&(len(x)-1) != 0 {
		return
	}
	if accelerated && len(x) >= 64 {
		walshHadamardKernel(&x[0], len(x))
		return
	}
	walshHadamard(x)
}

// walshHadamard is WalshHadamard in portable Go.
func walshHadamard(x []float32) {
	for h := 1; h < len(x); h *= 2 {
		for i := 0; i+2*h <= len(x); i += 2 * h {
			a, b := x[i:i+h], x[i+h:i+2*h]
			b = b[:len(a)]
			for j := range a {
				a[j], b[j] = a[j]+b[j], a[j]-b[j]
			}
		}
	}
}
