//go:build gc && !purego

package simd

import "golang.org/x/sys/cpu"

//go:generate go -C gen run .

// accelerated is always set but by tests: every arm64 CPU that Go runs on has
// NEON.
var accelerated = true

// dotProduct reports whether the CPU adds up products of bytes four at a time.
// The code kernels read it.
var dotProduct = cpu.ARM64.HasASIMDDP
