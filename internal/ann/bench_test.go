package ann

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/pair"
	"github.com/vecwire/vecwire/internal/simd"
	"github.com/vecwire/vecwire/internal/testenv"
)

func filled(b *testing.B, n, dim int, metric codec.Metric) (*Arena[float32], [][]float32) {
	b.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	a := newArena[float32](b, dim, metric)
	a.Reserve(n)
	for r := range int32(n) {
		require.NoError(b, a.Set(r, vector[float32](rng, shapes[0], dim, metric)))
	}
	qs := make([][]float32, 32)
	for i := range qs {
		qs[i] = vector[float32](rng, shapes[0], dim, metric)
	}
	return a, qs
}

// siftArena returns an arena of real SIFT descriptors, 128-D, and queries. It
// needs the data set. Beyond 100,000 rows they are repeated with some
// noise.
func siftArena(b *testing.B, n int, metric codec.Metric) (*Arena[float32], [][]float32) {
	b.Helper()
	base, qs := readBvecs(b, "sift100k_base.bvecs"), readBvecs(b, "sift_query.bvecs")
	rng := rand.New(rand.NewPCG(3, 4))
	a := newArena[float32](b, len(base[0]), metric)
	a.Reserve(n)
	v := make([]float32, a.dim)
	for r := range n {
		copy(v, base[r%len(base)])
		if r >= len(base) {
			for i := range v {
				v[i] = max(0, v[i]+float32(8*rng.NormFloat64()))
			}
		}
		require.NoError(b, a.Set(int32(r), v))
	}
	return a, qs
}

func readBvecs(b *testing.B, name string) (rows [][]float32) {
	b.Helper()
	file, err := os.ReadFile(testenv.Data(b, name))
	require.NoError(b, err)
	for dim := int(file[0]); len(file) >= 4+dim; file = file[4+dim:] {
		v := make([]float32, dim)
		for i := range v {
			v[i] = float32(file[4+i])
		}
		rows = append(rows, v)
	}
	return rows
}

// cycle returns a function that returns one query after another.
func cycle(qs [][]float32) func() []float32 {
	i := -1
	return func() []float32 {
		i++
		return qs[i%len(qs)]
	}
}

// BenchmarkCodes pairs exact searches for the 10 best rows of real data with the
// same ones without codes.
func BenchmarkCodes(b *testing.B) {
	for _, n := range []int{3000, 10_000, 100_000, 1_000_000} {
		for _, metric := range metrics {
			b.Run(fmt.Sprintf("%dx128/%s", n, metric), func(b *testing.B) {
				if n > 100_000 && testing.Short() {
					b.Skip("a million rows take minutes")
				}
				a, qs := siftArena(b, n, metric)
				defer a.Close()
				pairCodes(b, a, qs, nil)
			})
		}
	}
}

// BenchmarkFiltered is BenchmarkCodes with a share of all rows allowed.
func BenchmarkFiltered(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		a, qs := siftArena(b, n, codec.L2)
		for _, share := range []float64{0.01, 0.1, 0.4, 0.6} {
			b.Run(fmt.Sprintf("%dx128/%v", n, share), func(b *testing.B) {
				rng := rand.New(rand.NewPCG(5, 5))
				var allowed Bitmap
				for r := range int32(n) {
					if rng.Float64() < share {
						allowed.Set(r)
					}
				}
				pairCodes(b, a, qs, &allowed)
			})
		}
	}
}

func pairCodes(b *testing.B, a *Arena[float32], qs [][]float32, allowed *Bitmap) {
	var dst []Candidate
	search := func(q []float32) { dst, _ = a.Search(b.Context(), dst[:0], q, 10, allowed) }
	with, without, c := cycle(qs), cycle(qs), a.codes
	pair.Run(b, func() { search(with()) }, func() {
		a.codes = nil
		search(without())
		a.codes = c
	})
}

// BenchmarkTogether pairs 16 queries in one SearchMany with the same ones alone.
func BenchmarkTogether(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		for _, metric := range []codec.Metric{codec.L2, codec.Dot} {
			b.Run(fmt.Sprintf("%dx128/%s", n, metric), func(b *testing.B) {
				a, qs := siftArena(b, n, metric)
				var many [16]Query[float32]
				next, alone := cycle(qs), cycle(qs)
				var dst []Candidate
				pair.Run(b, func() {
					for i := range many {
						many[i] = Query[float32]{next(), 10, many[i].Found[:0]}
					}
					_ = a.SearchMany(b.Context(), many[:], nil)
				}, func() {
					for range many {
						dst, _ = a.Search(b.Context(), dst[:0], alone(), 10, nil)
					}
				})
			})
		}
	}
}

// BenchmarkFloat pairs a search for the 10 best rows without codes with a bare loop
// over the same arena with the same kernels that only keeps the maximum: the ratio
// is the share of the bare loop's speed that a search reaches.
func BenchmarkFloat(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		for _, metric := range metrics {
			b.Run(fmt.Sprintf("%dx128/%s", n, metric), func(b *testing.B) {
				a, qs := filled(b, n, 128, metric)
				a.codes = nil
				var dst []Candidate
				var keys [blockRows]float32
				var best float32
				next, alone := cycle(qs), cycle(qs)
				pair.Run(b, func() { dst, _ = a.Search(b.Context(), dst[:0], next(), 10, nil) }, func() {
					q := alone()
					for start := 0; start < a.Rows(); start += blockRows {
						end := min(start+blockRows, a.Rows())
						keys := keys[:end-start]
						simd.DotRows(keys, q, a.data.all[start*a.dim:end*a.dim])
						if metric == codec.L2 {
							simd.Sub(keys, a.half.all[start:end])
						}
						best = max(best, simd.Max(keys))
					}
				})
				_ = best
			})
		}
	}
}

// BenchmarkGather pairs reading some of each block's rows one by one with reading
// whole blocks, for vectors and for codes; gatherBelow and codeGatherBelow are
// chosen by it.
func BenchmarkGather(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		a, qs := filled(b, n, 128, codec.Cosine)
		for _, rows := range []int{16, 32, 64, 96, 128, 192} {
			rng := rand.New(rand.NewPCG(uint64(rows), 0))
			var want rowSet
			for _, r := range rng.Perm(blockRows)[:rows] {
				want[r>>6] |= 1 << (r & 63)
			}
			batch := a.borrow()
			s := batch.add(a, qs[0], 10)
			with := func(read func(start int)) func() {
				return func() {
					s.reset(a, qs[0], 10)
					for start := 0; start+blockRows <= a.Rows(); start += blockRows {
						read(start)
					}
				}
			}
			b.Run(fmt.Sprintf("%dx128/%d_of_%d", n, rows, blockRows), func(b *testing.B) {
				pair.Run(b,
					with(func(start int) { a.gather(s, want.list(s.rows[:], start), s.bounds.fixed) }),
					with(func(start int) { a.block(s, start, &want, s.bounds.fixed) }))
			})
			b.Run(fmt.Sprintf("%dx128/%d_of_%d_codes", n, rows, blockRows), func(b *testing.B) {
				pair.Run(b,
					with(func(start int) {
						at := want.list(s.rows[:], start)
						a.codes.keys(s.sieve.keys[:len(at)], &s.sieve.q, at)
					}),
					with(func(start int) { batch.codeKeys(a, start) }))
			})
			a.give(batch)
		}
	}
}

// BenchmarkWorst is a search whose every row must be scored in float64: the data
// is so far from the origin that float32 cannot tell rows apart.
func BenchmarkWorst(b *testing.B) {
	for _, metric := range metrics {
		b.Run(metric.String(), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			a := newArena[float32](b, 128, metric)
			for r := range int32(10_000) {
				require.NoError(b, a.Set(r, vector[float32](rng, shapes[4], 128, metric)))
			}
			q := vector[float32](rng, shapes[4], 128, metric)
			var dst []Candidate
			for b.Loop() {
				dst, _ = a.Search(b.Context(), dst[:0], q, 10, nil)
			}
		})
	}
}

// BenchmarkSet stores vectors in an arena of 100,000, codes included.
func BenchmarkSet(b *testing.B) {
	a, qs := filled(b, 100_000, 128, codec.L2)
	next, row := cycle(qs), int32(0)
	for b.Loop() {
		row = (row + 1) % 100_000
		if err := a.Set(row, next()); err != nil {
			b.Fatal(err)
		}
	}
}
