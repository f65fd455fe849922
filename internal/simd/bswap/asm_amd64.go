//go:build gc && !purego

package bswap

import "golang.org/x/sys/cpu"

// accelerated reports whether the CPU runs the kernel. The generator of
// internal/simd writes it.
var accelerated = cpu.X86.HasAVX2
