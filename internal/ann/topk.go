package ann

import (
	"cmp"
	"math"
	"slices"
)

// kth keeps the k largest of the values added to it and knows the smallest of
// them. It is a min-heap without interfaces.
type kth struct {
	k      int
	values []float64
}

// reset empties it for the k largest, in memory for at most n values.
func (h *kth) reset(k, n int) {
	h.k = k
	h.values = slices.Grow(h.values[:0], min(k, n))
}

// floor returns the k-th largest value so far, or -Inf before there are k.
func (h *kth) floor() float64 {
	if len(h.values) < h.k {
		return math.Inf(-1)
	}
	return h.values[0]
}

func (h *kth) add(x float64) {
	v := h.values
	if len(v) < h.k {
		v = append(v, x)
		h.values = v
		for i := len(v) - 1; i > 0; {
			up := (i - 1) / 2
			if v[up] <= v[i] {
				break
			}
			v[up], v[i] = v[i], v[up]
			i = up
		}
		return
	}
	if x <= v[0] {
		return
	}
	i := 0
	for {
		down := 2*i + 1
		if down >= len(v) {
			break
		}
		if r := down + 1; r < len(v) && v[r] < v[down] {
			down = r
		}
		if x <= v[down] {
			break
		}
		v[i] = v[down]
		i = down
	}
	v[i] = x
}

// appendTop appends to dst the scored rows with one of the k best scores, every
// tie with the k-th included, best first and ties by row. rows are in ascending
// order, so that ties with the k-th need no sorting, however many there are.
func appendTop(dst []Candidate, rows []Candidate, h *kth, k int) []Candidate {
	h.reset(k, len(rows))
	for i := range rows {
		h.add(rows[i].Score)
	}
	floor, start := h.floor(), len(dst)
	for _, c := range rows {
		if c.Score > floor {
			dst = append(dst, c)
		}
	}
	slices.SortFunc(dst[start:], func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Row, b.Row))
	})
	for _, c := range rows {
		if c.Score == floor {
			dst = append(dst, c)
		}
	}
	return dst
}
