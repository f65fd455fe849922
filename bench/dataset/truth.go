package dataset

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/viterin/vek/vek32"

	"github.com/vecwire/vecwire/codec"
)

// A Truth knows the exact answers to some queries: how far the k-th nearest row
// of each is.
type Truth struct {
	base, queries Matrix
	metric        codec.Metric
	k             int
	baseN, queryN []float64 // squared norms
	kth           []float64 // distance of the k-th nearest row
}

// NewTruth compares every query with every row.
func NewTruth(base, queries Matrix, metric codec.Metric, k int) (*Truth, error) {
	if metric != codec.L2 && metric != codec.Cosine {
		return nil, fmt.Errorf("no truth for the metric %s", metric)
	}
	if k > base.Rows() {
		return nil, fmt.Errorf("%d nearest of %d rows", k, base.Rows())
	}
	t := &Truth{base: base, queries: queries, metric: metric, k: k, baseN: norms(base), queryN: norms(queries)}
	t.kth = make([]float64, queries.Rows())
	workers := runtime.GOMAXPROCS(0)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() { t.fill(w*queries.Rows()/workers, (w+1)*queries.Rows()/workers) })
	}
	wait.Wait()
	return t, nil
}

// fill computes the k-th distances of queries first to last-1, block by block, so
// that the rows are read from the cache.
func (t *Truth) fill(first, last int) {
	const block = 1024
	nearest := make([][]float64, last-first) // ascending, k at most
	for start := 0; start < t.base.Rows(); start += block {
		end := min(start+block, t.base.Rows())
		for q := first; q < last; q++ {
			best := nearest[q-first]
			for row := start; row < end; row++ {
				d := t.distance(q, row)
				if len(best) == t.k && d >= best[t.k-1] {
					continue
				}
				if len(best) == t.k {
					best = best[:t.k-1]
				}
				at, _ := slices.BinarySearch(best, d)
				best = slices.Insert(best, at, d)
			}
			nearest[q-first] = best
		}
	}
	for q := first; q < last; q++ {
		t.kth[q] = nearest[q-first][t.k-1]
	}
}

// distance orders the rows as the metric does: the squared distance, or the
// negated cosine.
func (t *Truth) distance(query, row int) float64 {
	dot := float64(vek32.Dot(t.queries.Row(query), t.base.Row(row)))
	if t.metric == codec.Cosine {
		return -dot / math.Sqrt(t.queryN[query]*t.baseN[row])
	}
	return t.queryN[query] + t.baseN[row] - 2*dot
}

// Recall returns the share of the k nearest rows that the answers hold, where
// answers[i] belongs to query first+i. A row as near as the k-th counts,
// whichever of several such it is. It is an error if an answer names a row twice
// or one that is not there.
func (t *Truth) Recall(first int, answers [][]int32) (float64, error) {
	found := 0
	for i, rows := range answers {
		hits := 0
		seen := map[int32]bool{}
		for _, row := range rows {
			if row < 0 || int(row) >= t.base.Rows() || seen[row] {
				return 0, fmt.Errorf("the answer to query %d names row %d, which is not there or named twice", first+i, row)
			}
			seen[row] = true
			if t.distance(first+i, int(row)) <= t.kth[first+i] {
				hits++
			}
		}
		found += min(hits, t.k)
	}
	return float64(found) / float64(t.k*len(answers)), nil
}

func norms(m Matrix) []float64 {
	n := make([]float64, m.Rows())
	for i := range n {
		n[i] = float64(vek32.Dot(m.Row(i), m.Row(i)))
	}
	return n
}
