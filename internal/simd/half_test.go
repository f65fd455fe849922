package simd

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// ofHalf is the code that a half is compared as.
func ofHalf(half []uint8) []uint8 {
	n := len(half)
	code := make([]uint8, 2*n)
	for i, b := range half {
		code[i], code[n+i] = 8*(b&15)+4, 8*(b>>4)+4
	}
	return code
}

func checkHalves[Q codeElement](t *testing.T, rng *rand.Rand, n, size, off int, bad int32) {
	t.Helper()
	rows := make([]uint8, off+n*size)[off:]
	want := make([]int32, n)
	q := codeQuery[Q](rng, 2*size, rng.IntN(40))
	for r, code := range splitRows(codes(rng, n, 2*size, 0), n) {
		half := rows[r*size : (r+1)*size]
		HalfCode(half, code)
		for i := range code {
			code[i] = code[i]&^7 | 4
		}
		require.Equal(t, code, ofHalf(half))
		want[r] = int32(slow(q, ofHalf(half)))
	}
	for _, acc := range []bool{supported, false} {
		withAcceleration(t, acc)
		// One more at the end says whether a kernel writes too far.
		got := garbage(n + 1)
		halfRows(got[:n], q, rows, bad)
		require.Equal(t, want, got[:n], "%d halves of %d, accelerated %v", n, size, acc)
		require.Equal(t, garbage(1), got[n:])

		at, listed := make([]int32, rng.IntN(40)), make([]int32, 0, 40)
		for i := range at { // also what rows does not hold
			at[i] = int32(rng.IntN(n+2)) - 1
			switch r := at[i]; {
			case size == 0:
				listed = append(listed, 0)
			case r < 0 || int(r) >= n:
				listed = append(listed, bad)
			default:
				listed = append(listed, want[r])
			}
		}
		got = garbage(len(at) + 1)
		halfAt(got[:len(at)], q, rows, at, bad)
		require.Equal(t, listed, got[:len(at)], "%d listed halves of %d, accelerated %v", len(at), size, acc)
		require.Equal(t, garbage(1), got[len(at):])
	}
}

func splitRows(all []uint8, n int) [][]uint8 {
	rows := make([][]uint8, n)
	for i := range rows {
		rows[i] = all[i*len(all)/n : (i+1)*len(all)/n]
	}
	return rows
}

func TestHalfKernelsAreExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	sizes := []int{0, 1, 3, 31, 32, 33, 64, 96, 100, 128, 160, 192, 384, 416, 768, 999, 1024}
	for i := range 170 {
		size := sizes[i%len(sizes)]
		n := rng.IntN(30)
		if i%20 == 0 { // more than one call of a kernel takes
			n = min(rng.IntN(3000), 300_000/(size+1))
		}
		checkHalves[uint8](t, rng, n, size, rng.IntN(40), math.MaxInt32)
		checkHalves[int8](t, rng, n, size, rng.IntN(40), math.MinInt32)
	}
}

func TestHalvesOfWrongLengths(t *testing.T) {
	const far, low = math.MaxInt32, math.MinInt32
	rows := make([]uint8, 3*32)
	q, d := make([]uint8, 64), make([]int8, 64)
	for _, acc := range []bool{supported, false} {
		withAcceleration(t, acc)
		dst := garbage(2)
		HalfL2Rows(dst, q, rows)
		require.Equal(t, []int32{far, far}, dst)
		HalfDotRows(dst, d[:63], rows[:62])
		require.Equal(t, []int32{low, low}, dst)
		HalfL2Rows(dst, nil, nil)
		require.Equal(t, []int32{0, 0}, dst)
		HalfL2Rows(nil, q, rows)
		HalfDotRows(nil, nil, nil)
	}
	half := []uint8{7}
	HalfCode(half, make([]uint8, 3))
	require.Equal(t, []uint8{7}, half)
	code := []uint8{1, 2, 3}
	WholeCode(code, half)
	require.Equal(t, []uint8{1, 2, 3}, code)
}

func FuzzHalves(f *testing.F) {
	f.Add(uint64(1), uint16(5), uint16(64), uint8(0))
	f.Add(uint64(2), uint16(131), uint16(32), uint8(1))
	f.Add(uint64(3), uint16(3), uint16(768), uint8(33))
	f.Add(uint64(4), uint16(0), uint16(96), uint8(3))
	f.Fuzz(func(t *testing.T, seed uint64, n, size uint16, off uint8) {
		rng := rand.New(rand.NewPCG(seed, 0))
		d := int(size % 1050)
		if seed%2 == 0 {
			d = d / HalfStep * HalfStep
		}
		checkHalves[uint8](t, rng, int(n%300), d, int(off%64), math.MaxInt32)
		checkHalves[int8](t, rng, int(n%300), d, int(off%64), math.MinInt32)
	})
}

// What a half is compared as has the half's bits, and the middle of those that it lacks.
func TestHalvesAreWidened(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for size := range 70 {
		half, code := make([]uint8, size), make([]uint8, 2*size)
		for i := range half {
			half[i] = uint8(rng.IntN(256))
		}
		WholeCode(code, half)
		for i := range half {
			require.Equal(t, half[i]&15<<3|4, code[i])
			require.Equal(t, half[i]>>4<<3|4, code[size+i])
		}
		again := make([]uint8, size)
		HalfCode(again, code)
		require.Equal(t, half, again)
	}
}
