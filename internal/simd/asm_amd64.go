//go:build gc && !purego

package simd

import "golang.org/x/sys/cpu"

//go:generate go -C gen run .

// accelerated reports whether the CPU runs the kernels.
var accelerated = cpu.X86.HasAVX2 && cpu.X86.HasFMA
