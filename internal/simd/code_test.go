package simd

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// codes returns n codes that start off bytes into their array. Some are all
// zeros and some all 127: the largest sums.
func codes(rng *rand.Rand, n, dim, off int) []uint8 {
	x := make([]uint8, off+n*dim)[off:]
	for i := range n {
		kind := rng.IntN(6)
		for j := range dim {
			switch kind {
			case 0:
				x[i*dim+j] = 0
			case 1:
				x[i*dim+j] = 127
			default:
				x[i*dim+j] = uint8(rng.IntN(128))
			}
		}
	}
	return x
}

// codeQuery returns a query of dim elements: of 0 to 127 for a distance, of any
// int8 for a dot product.
func codeQuery[Q codeElement](rng *rand.Rand, dim, off int) []Q {
	q := make([]Q, off+dim)[off:]
	kind := rng.IntN(4)
	for j, c := range codes(rng, 1, dim, 0) {
		q[j] = Q(c)
		switch {
		case !signed[Q]():
		case kind == 0:
			q[j] = -Q(c) - 1 // -128 to -1
		case kind == 1 && rng.IntN(2) == 0:
			q[j] = -Q(c)
		}
	}
	return q
}

// slow is the definition, in int64.
func slow[Q codeElement](q []Q, row []uint8) int64 {
	s := int64(0)
	for i, x := range q {
		if signed[Q]() {
			s += int64(x) * int64(row[i])
		} else {
			s += (int64(x) - int64(row[i])) * (int64(x) - int64(row[i]))
		}
	}
	return s
}

// garbage returns n sums that nothing gives.
func garbage(n int) []int32 { return slices.Repeat([]int32{-77_777_777}, n) }

func checkCodes[Q codeElement](t *testing.T, rng *rand.Rand, n, dim, off, queries int, bad int32) {
	t.Helper()
	rows := codes(rng, n, dim, off)
	qs := make([][]Q, queries)
	want := make([][]int32, queries)
	for i := range qs {
		qs[i] = codeQuery[Q](rng, dim, rng.IntN(40))
		want[i] = make([]int32, n)
		for r := range n {
			want[i][r] = int32(slow(qs[i], rows[r*dim:(r+1)*dim]))
		}
	}
	at := make([]int32, rng.IntN(3*n+20))
	odds := rng.IntN(3) // how often a row is not there
	for i := range at {
		at[i] = int32(rng.IntN(max(1, n)))
		if rng.IntN(40) < odds*odds*odds {
			at[i] = []int32{-1, int32(n), math.MinInt32, math.MaxInt32, -int32(n)}[rng.IntN(5)]
		}
	}
	for _, acc := range []bool{supported, false} {
		withAcceleration(t, acc)
		for i, q := range qs {
			got := garbage(n)
			codeRows(got, q, rows, bad)
			require.Equal(t, want[i], got, "%d rows of %d, accelerated %v", n, dim, acc)

			// One more at the end says whether a kernel writes too far.
			got = garbage(len(at) + 1)
			codeAt(got[:len(at)], q, rows, at, bad)
			require.Equal(t, garbage(1), got[len(at):])
			for j, r := range at {
				expect := bad
				if dim == 0 {
					expect = 0
				} else if r >= 0 && int(r) < n {
					expect = want[i][r]
				}
				require.Equal(t, expect, got[j], "row %d of %d of %d, accelerated %v", r, n, dim, acc)
			}
		}
		got := make([][]int32, queries)
		for i := range got {
			got[i] = garbage(n + 1)[:n]
		}
		codeRowsMany(got, qs, rows, bad)
		require.Equal(t, want, got, "%d rows of %d, %d queries, accelerated %v", n, dim, queries, acc)
		for i := range got {
			require.Equal(t, garbage(1), got[i][n:n+1])
		}
	}
}

func TestCodeKernelsAreExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	dims := []int{0, 1, 3, 31, 32, 33, 64, 96, 100, 128, 160, 384, 768, 800, 1536, 1999, 2016}
	for i := range 170 {
		dim := dims[i%len(dims)]
		n := rng.IntN(30)
		if i%20 == 0 { // more than one call of a kernel takes
			n = min(rng.IntN(3000), 300_000/(dim+1))
		}
		checkCodes[uint8](t, rng, n, dim, rng.IntN(40), 1+i%6, math.MaxInt32)
		checkCodes[int8](t, rng, n, dim, rng.IntN(40), 1+i%6, math.MinInt32)
	}
}

// The largest codes that do not overflow, and one step of the kernels more, which
// wraps around everywhere in the same way.
func TestCodesOfManyElements(t *testing.T) {
	const fits = math.MaxInt32 / (127 * 127)
	for _, dim := range []int{fits &^ 31, fits, fits&^31 + 32} {
		for _, acc := range []bool{supported, false} {
			withAcceleration(t, acc)
			var dst [1]int32
			full := slices.Repeat([]uint8{127}, dim)
			CodeL2Rows(dst[:], make([]uint8, dim), full)
			require.Equal(t, int32(int64(dim)*127*127), dst[0])
			CodeDotRows(dst[:], slices.Repeat([]int8{127}, dim), full)
			require.Equal(t, int32(int64(dim)*127*127), dst[0])
			CodeDotRows(dst[:], slices.Repeat([]int8{-128}, dim), full)
			require.Equal(t, int32(int64(dim)*127*-128), dst[0])
		}
	}
}

func TestCodesOfWrongLengths(t *testing.T) {
	const far, low = math.MaxInt32, math.MinInt32
	rows := make([]uint8, 3*32)
	q, d := make([]uint8, 32), make([]int8, 32)
	for _, acc := range []bool{supported, false} {
		withAcceleration(t, acc)
		dst := garbage(2)
		CodeL2Rows(dst, q, rows)
		require.Equal(t, []int32{far, far}, dst)
		CodeDotRows(dst, d, rows)
		require.Equal(t, []int32{low, low}, dst)
		CodeL2Rows(dst, nil, nil)
		require.Equal(t, []int32{0, 0}, dst)
		CodeL2Rows(dst, nil, rows)
		require.Equal(t, []int32{far, far}, dst)
		CodeL2Rows(nil, q, rows)
		CodeDotRows(nil, nil, nil)

		CodeL2At(dst, q, rows, []int32{0})
		require.Equal(t, []int32{far, far}, dst)
		CodeDotAt(dst, d, rows, []int32{0, 1, 2})
		require.Equal(t, []int32{low, low}, dst)
		CodeL2At(dst, q, rows[:31], []int32{0, 0})
		require.Equal(t, []int32{far, far}, dst)
		CodeL2At(dst, q, nil, []int32{0, 0})
		require.Equal(t, []int32{far, far}, dst)
		CodeL2At(dst, nil, rows, []int32{0, -1})
		require.Equal(t, []int32{0, 0}, dst)
		CodeDotAt(dst, d, rows, []int32{2, 3})
		require.Equal(t, []int32{0, low}, dst)
		CodeL2At(nil, q, rows, nil)

		many := [][]int32{garbage(3), garbage(2), garbage(3), garbage(3), garbage(3)}
		CodeL2RowsMany(many, [][]uint8{q, q, q, q[:31], nil}, rows)
		require.Equal(t, [][]int32{{0, 0, 0}, {far, far}, {0, 0, 0}, {far, far, far}, {far, far, far}}, many)
		CodeL2RowsMany(many, [][]uint8{q}, rows)
		require.Equal(t, []int32{far, far, far}, many[0])
		CodeDotRowsMany(many, nil, rows)
		require.Equal(t, []int32{low, low, low}, many[4])
		CodeDotRowsMany(nil, nil, rows)
		CodeDotRowsMany([][]int32{nil, nil}, [][]int8{nil, d}, nil)
	}
}

func FuzzCodes(f *testing.F) {
	f.Add(uint64(1), uint16(5), uint16(128), uint8(0), uint8(1))
	f.Add(uint64(2), uint16(131), uint16(32), uint8(1), uint8(6))
	f.Add(uint64(3), uint16(3), uint16(1536), uint8(33), uint8(4))
	f.Add(uint64(4), uint16(0), uint16(96), uint8(3), uint8(0))
	f.Fuzz(func(t *testing.T, seed uint64, n, dim uint16, off, queries uint8) {
		rng := rand.New(rand.NewPCG(seed, 0))
		d := int(dim % 2050)
		if seed%2 == 0 {
			d = d / codeStep * codeStep
		}
		checkCodes[uint8](t, rng, int(n%300), d, int(off%64), int(queries%10), math.MaxInt32)
		checkCodes[int8](t, rng, int(n%300), d, int(off%64), int(queries%10), math.MinInt32)
	})
}
