package bswap

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/pair"
)

// check reverses n bytes that start in and out bytes into their arrays, with the
// kernel and without, and in place.
func check(t *testing.T, rng *rand.Rand, n, in, out int) {
	t.Helper()
	src := make([]byte, in+n)[in:]
	for i := range src {
		src[i] = byte(rng.Uint32())
	}
	words := n &^ 3
	want := bytes.Repeat([]byte{0xAA}, n+1)
	for i := range words {
		want[i] = src[i&^3+3-i&3]
	}
	was := accelerated
	defer func() { accelerated = was }()
	for _, acc := range []bool{was, false} {
		accelerated = acc
		// One more byte at the end says whether the kernel writes too far.
		dst := bytes.Repeat([]byte{0xAA}, out+n+1)[out:]
		Reverse4(dst[:n], src)
		require.Equal(t, want, dst, "%d bytes, accelerated %v", n, acc)
		same := slices.Clone(src)
		Reverse4(same, same)
		require.Equal(t, want[:words], same[:words])
		require.Equal(t, src[words:], same[words:])
	}
}

func TestReverse4(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for n := range 700 {
		check(t, rng, n, rng.IntN(33), rng.IntN(33))
	}
	check(t, rng, 100_001, 1, 2)
	Reverse4(nil, nil)
	dst := []byte{1, 2, 3, 4, 5}
	Reverse4(dst, []byte{6, 7, 8, 9, 10, 11, 12, 13})
	require.Equal(t, []byte{9, 8, 7, 6, 5}, dst)
	Reverse4(dst, nil)
	require.Equal(t, []byte{9, 8, 7, 6, 5}, dst)
}

func FuzzReverse4(f *testing.F) {
	f.Add(uint64(1), uint16(512), uint8(0), uint8(4))
	f.Add(uint64(2), uint16(163), uint8(3), uint8(0))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16, in, out uint8) {
		check(t, rand.New(rand.NewPCG(seed, 0)), int(n), int(in), int(out))
	})
}

// BenchmarkReverse4 pairs the kernel with portable Go on vectors of float32.
func BenchmarkReverse4(b *testing.B) {
	for _, s := range []struct {
		name  string
		bytes int
	}{{"16", 64}, {"128", 512}, {"768", 3072}, {"1536", 6144}} {
		b.Run(s.name, func(b *testing.B) {
			src, dst := make([]byte, s.bytes), make([]byte, s.bytes)
			pair.Run(b, func() { Reverse4(dst, src) }, func() { portable(dst, src) })
		})
	}
}
