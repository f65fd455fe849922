// Package bswap reverses the bytes of 4-byte words, with AVX2 or NEON where the
// CPU has it. It knows nothing of what the words are.
package bswap

import (
	"encoding/binary"
	"math/bits"
)

// Reverse4 copies src to dst, each 4 bytes in reverse order, as far as both have
// 4 bytes left. The two must be the same memory or not overlap.
func Reverse4(dst, src []byte) {
	n := min(len(dst), len(src)) &^ 3
	if accelerated && n >= step {
		whole := n &^ (step - 1)
		reverse4(&dst[0], &src[0], whole)
		dst, src, n = dst[whole:], src[whole:], n-whole
	}
	portable(dst[:n], src[:n])
}

// step is how many bytes the kernel and the portable loop take at a time.
const step = 32

// portable is Reverse4 in portable Go. Reversing 8 bytes reverses the two words
// in them too, and the rotation puts those back.
func portable(dst, src []byte) {
	le := binary.LittleEndian
	for len(src) >= step && len(dst) >= step {
		in, out := (*[step]byte)(src), (*[step]byte)(dst)
		a, b, c, d := le.Uint64(in[0:]), le.Uint64(in[8:]), le.Uint64(in[16:]), le.Uint64(in[24:])
		le.PutUint64(out[0:], bits.RotateLeft64(bits.ReverseBytes64(a), 32))
		le.PutUint64(out[8:], bits.RotateLeft64(bits.ReverseBytes64(b), 32))
		le.PutUint64(out[16:], bits.RotateLeft64(bits.ReverseBytes64(c), 32))
		le.PutUint64(out[24:], bits.RotateLeft64(bits.ReverseBytes64(d), 32))
		src, dst = src[step:], dst[step:]
	}
	for len(src) >= 4 && len(dst) >= 4 {
		le.PutUint32(dst, bits.ReverseBytes32(le.Uint32(src)))
		src, dst = src[4:], dst[4:]
	}
}
