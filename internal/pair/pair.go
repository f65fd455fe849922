// Package pair times two things against each other, for benchmarks, and makes vectors to
// time them over.
package pair

import (
	"slices"
	"testing"
	"time"
)

// round is how long one side of a pair runs before the other has its turn.
const round = time.Millisecond

// Run runs ours and theirs in alternating rounds, so that what slows the
// machine slows both, and reports the median time of one call of each, in
// nanoseconds, and how many times faster ours is. Both are called once before,
// to warm up.
func Run(b *testing.B, ours, theirs func()) {
	b.Helper()
	sides := [2]func(){ours, theirs}
	var calls [2]int
	var times [2][]float64
	for i, side := range sides {
		side()
		calls[i] = callsPerRound(side)
	}
	first := 0
	for b.Loop() {
		for _, i := range [2]int{first, 1 - first} {
			start := time.Now()
			for range calls[i] {
				sides[i]()
			}
			times[i] = append(times[i], float64(time.Since(start))/float64(calls[i]))
		}
		first = 1 - first
	}
	a, t := median(times[0]), median(times[1])
	b.ReportMetric(0, "ns/op") // of a whole round: it says nothing
	b.ReportMetric(a, "ours-ns")
	b.ReportMetric(t, "theirs-ns")
	b.ReportMetric(t/a, "ratio")
}

// callsPerRound returns how many calls of f take about a round.
func callsPerRound(f func()) int {
	for n := 1; ; n *= 2 {
		start := time.Now()
		for range n {
			f()
		}
		if took := time.Since(start); took > round/4 {
			return max(1, int(int64(n)*int64(round)/int64(took)))
		}
	}
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}
