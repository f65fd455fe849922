//go:build amd64 || arm64

package simd

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/viterin/vek/vek32"

	"github.com/vecwire/vecwire/internal/pair"
)

// The benchmarks time pairs: what a caller calls against vek, against portable
// Go, and against the plain loop that one would write first. "cache" is 256 rows,
// as many as a search takes at a time; "memory" is more rows than the caches hold.

type shape struct {
	name   string
	n, dim int
}

var benchShapes = []shape{
	{"cache/128", 256, 128}, {"cache/768", 256, 768},
	{"memory/128", 200_000, 128}, {"memory/768", 40_000, 768},
}

// sink keeps results alive.
var sink float32

func BenchmarkDot(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, dim := range []int{16, 100, 128, 384, 768, 1536} {
		x, y := floats(rng, dim), floats(rng, dim)
		ours := func() { sink += Dot(x, y) }
		b.Run(fmt.Sprintf("%d/vek", dim), func(b *testing.B) { pair.Run(b, ours, func() { sink += vek32.Dot(x, y) }) })
		b.Run(fmt.Sprintf("%d/portable", dim), func(b *testing.B) { pair.Run(b, ours, func() { sink += dot(x, y) }) })
	}
}

func BenchmarkDotRows(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, s := range benchShapes {
		q, rows, dst := floats(rng, s.dim), floats(rng, s.n*s.dim), make([]float32, s.n)
		ours := func() { DotRows(dst, q, rows) }
		b.Run(s.name+"/vek", func(b *testing.B) {
			pair.Run(b, ours, func() {
				// vek starts goroutines at 100,000 elements.
				step := 99_999 / s.dim
				for i := 0; i < s.n; i += step {
					j := min(i+step, s.n)
					vek32.MatMul_Into(dst[i:j], rows[i*s.dim:j*s.dim], q, s.dim)
				}
			})
		})
		b.Run(s.name+"/portable", func(b *testing.B) {
			pair.Run(b, ours, func() {
				for i := range dst {
					dst[i] = dot(q, rows[i*s.dim:(i+1)*s.dim])
				}
			})
		})
		b.Run(s.name+"/loop", func(b *testing.B) {
			pair.Run(b, ours, func() {
				for i := range dst {
					dst[i] = 0
					for j, x := range rows[i*s.dim : (i+1)*s.dim] {
						dst[i] += x * q[j]
					}
				}
			})
		})
	}
}

func BenchmarkSquaredL2(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, dim := range []int{16, 128, 384, 768, 1536} {
		x, y := floats(rng, dim), floats(rng, dim)
		ours := func() { sink += SquaredL2(x, y) }
		b.Run(fmt.Sprintf("%d/vek", dim), func(b *testing.B) { pair.Run(b, ours, func() { sink += vek32.Distance(x, y) }) })
		b.Run(fmt.Sprintf("%d/portable", dim), func(b *testing.B) { pair.Run(b, ours, func() { sink += squaredL2(x, y) }) })
	}
}

// BenchmarkAt looks at 24 rows at random places, as a step of a graph walk does.
func BenchmarkAt(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	const listed = 24
	for _, s := range benchShapes {
		q, rows, dst := floats(rng, s.dim), floats(rng, s.n*s.dim), make([]float32, listed)
		cq, codeRows, sums := codes(rng, 1, s.dim, 0), codes(rng, s.n, s.dim, 0), make([]int32, listed)
		lists := make([]int32, listed*4096)
		for i := range lists {
			lists[i] = int32(rng.IntN(s.n))
		}
		k := 0
		next := func() []int32 {
			k = (k + listed) % len(lists)
			return lists[k : k+listed]
		}
		ours := func() { DotAt(dst, q, rows, next()) }
		b.Run(s.name+"/vek", func(b *testing.B) {
			pair.Run(b, ours, func() {
				for i, r := range next() {
					dst[i] = vek32.Dot(q, rows[int(r)*s.dim:(int(r)+1)*s.dim])
				}
			})
		})
		ours = func() { CodeL2At(sums, cq, codeRows, next()) }
		b.Run(s.name+"/code/portable", func(b *testing.B) {
			pair.Run(b, ours, func() {
				for i, r := range next() {
					sums[i] = codeSum(cq, codeRows[int(r)*s.dim:(int(r)+1)*s.dim])
				}
			})
		})
		b.Run(s.name+"/code/one-by-one", func(b *testing.B) {
			pair.Run(b, ours, func() {
				for i, r := range next() {
					CodeL2Rows(sums[i:i+1], cq, codeRows[int(r)*s.dim:(int(r)+1)*s.dim])
				}
			})
		})
		b.Run(s.name+"/code/float", func(b *testing.B) {
			pair.Run(b, ours, func() { SquaredL2At(dst, q, rows, next()) })
		})
	}
}

func BenchmarkCodeRows(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, s := range benchShapes {
		rows, dst := codes(rng, s.n, s.dim, 0), make([]int32, s.n)
		q, d := codeQuery[uint8](rng, s.dim, 0), codeQuery[int8](rng, s.dim, 0)
		fq, fs, fdst := floats(rng, s.dim), floats(rng, s.n*s.dim), make([]float32, s.n)
		l2 := func() { CodeL2Rows(dst, q, rows) }
		b.Run(s.name+"/L2/portable", func(b *testing.B) {
			pair.Run(b, l2, func() {
				for i := range dst {
					dst[i] = codeSum(q, rows[i*s.dim:(i+1)*s.dim])
				}
			})
		})
		b.Run(s.name+"/L2/float", func(b *testing.B) {
			pair.Run(b, l2, func() { DotRows(fdst, fq, fs) })
		})
		b.Run(s.name+"/dot/portable", func(b *testing.B) {
			pair.Run(b, func() { CodeDotRows(dst, d, rows) }, func() {
				for i := range dst {
					dst[i] = codeSum(d, rows[i*s.dim:(i+1)*s.dim])
				}
			})
		})
		b.Run(s.name+"/dot/L2", func(b *testing.B) {
			pair.Run(b, func() { CodeDotRows(dst, d, rows) }, l2)
		})
	}
}

// BenchmarkCodeRowsMany pairs 8 queries at once with 8 scans.
func BenchmarkCodeRowsMany(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	const queries = 8
	for _, s := range benchShapes {
		rows := codes(rng, s.n, s.dim, 0)
		qs, ds, dst := make([][]uint8, queries), make([][]int8, queries), make([][]int32, queries)
		for i := range queries {
			qs[i], ds[i], dst[i] = codeQuery[uint8](rng, s.dim, 0), codeQuery[int8](rng, s.dim, 0), make([]int32, s.n)
		}
		b.Run(s.name+"/L2", func(b *testing.B) {
			pair.Run(b, func() { CodeL2RowsMany(dst, qs, rows) }, func() {
				for i, q := range qs {
					CodeL2Rows(dst[i], q, rows)
				}
			})
		})
		b.Run(s.name+"/dot", func(b *testing.B) {
			pair.Run(b, func() { CodeDotRowsMany(dst, ds, rows) }, func() {
				for i, q := range ds {
					CodeDotRows(dst[i], q, rows)
				}
			})
		})
	}
}

func BenchmarkWalshHadamard(b *testing.B) {
	for _, n := range []int{64, 128, 1024, 4096} {
		b.Run(fmt.Sprintf("%d/portable", n), func(b *testing.B) {
			x, y := make([]float32, n), make([]float32, n)
			pair.Run(b, func() { WalshHadamard(x) }, func() { walshHadamard(y) })
		})
	}
}

// BenchmarkPrefetch pairs a walk over lists of row numbers at random places that
// prefetches the next list with one that does not; between them lies work that
// takes about as long as a step of a search.
func BenchmarkPrefetch(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	const lists, size = 1 << 20, 32
	links := make([]int32, lists*size)
	fill(links, 1) // pages that were never written are all the same memory
	order := make([]int32, 1<<16)
	for i := range order {
		order[i] = int32(rng.IntN(lists))
	}
	q, rows, sums := codes(rng, 1, 128, 0), codes(rng, size, 128, 0), make([]int32, size)
	var total int32
	k := 0
	walk := func(ahead bool) {
		for range 256 {
			k = (k + 1) % (len(order) - 1)
			if ahead {
				Prefetch(links, int(order[k+1])*size)
			}
			CodeL2Rows(sums, q, rows)
			for _, l := range links[int(order[k])*size:][:size] {
				total += l
			}
		}
	}
	pair.Run(b, func() { walk(true) }, func() { walk(false) })
	sink += float32(total)
}
