//go:build gc && !purego

package simd

// hasWide says that there are kernels for float64 sums over rows.
const hasWide = true
