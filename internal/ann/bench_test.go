package ann

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
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

// BenchmarkExact pairs a search for the 10 best rows with a bare loop over the same
// arena with the same kernels that only keeps the maximum. bare/search is the share
// of the bare loop's speed that a search reaches; times are medians.
func BenchmarkExact(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		for _, metric := range metrics {
			b.Run(fmt.Sprintf("%dx128/%s", n, metric), func(b *testing.B) {
				a, qs := filled(b, n, 128, metric)
				var dst []Candidate
				var keys [blockRows]float32
				var best float32
				ctx := b.Context()
				search := func(q []float32) { dst, _ = a.Search(ctx, dst[:0], q, 10, nil) }
				bare := func(q []float32) {
					for start := 0; start < a.Rows(); start += blockRows {
						end := min(start+blockRows, a.Rows())
						keys := keys[:end-start]
						simd.DotRows(keys, q, a.data[start*a.dim:end*a.dim])
						if metric == codec.L2 {
							simd.Sub(keys, a.half[start:end])
						}
						best = max(best, simd.Max(keys))
					}
				}
				s, r := pair(b, qs, search, bare)
				_ = best
				b.ReportMetric(float64(s.Nanoseconds())/1e3, "us/search")
				b.ReportMetric(float64(r.Nanoseconds())/1e3, "us/bare")
				b.ReportMetric(float64(r)/float64(s), "bare/search")
			})
		}
	}
}

// pair runs f and g by turns, each first every other time, and returns the medians
// of their times.
func pair(b *testing.B, qs [][]float32, f, g func(q []float32)) (time.Duration, time.Duration) {
	var times [2][]time.Duration
	run := [2]func([]float32){f, g}
	i := 0
	for b.Loop() {
		q := qs[i%len(qs)]
		for j := range 2 {
			which := (i + j) % 2
			start := time.Now()
			run[which](q)
			times[which] = append(times[which], time.Since(start))
		}
		i++
	}
	for _, t := range times {
		slices.Sort(t)
	}
	return times[0][len(times[0])/2], times[1][len(times[1])/2]
}

// BenchmarkGather pairs reading a share of each block's rows one by one with
// reading whole blocks; gatherBelow is chosen by it.
func BenchmarkGather(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		a, qs := filled(b, n, 128, codec.Cosine)
		for _, rows := range []int{16, 32, 64, 96, 128, 192} {
			b.Run(fmt.Sprintf("%dx128/%d_of_%d", n, rows, blockRows), func(b *testing.B) {
				rng := rand.New(rand.NewPCG(uint64(rows), 0))
				var want [blockRows / 64]uint64
				for _, r := range rng.Perm(blockRows)[:rows] {
					want[r>>6] |= 1 << (r & 63)
				}
				var s scratch[float32]
				with := func(read func(*scratch[float32], int, *[blockRows / 64]uint64, float64)) func([]float32) {
					return func(q []float32) {
						s.reset(a, q, 10)
						for start := 0; start+blockRows <= a.Rows(); start += blockRows {
							read(&s, start, &want, s.bounds.fixed)
						}
					}
				}
				gather, block := pair(b, qs, with(a.gather), with(a.block))
				b.ReportMetric(float64(gather)/float64(block), "gather/block")
			})
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
