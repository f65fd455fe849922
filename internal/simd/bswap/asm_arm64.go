//go:build gc && !purego

package bswap

// accelerated is always set but by tests: every arm64 CPU that Go runs on has
// NEON. The generator of internal/simd writes the kernel.
var accelerated = true
