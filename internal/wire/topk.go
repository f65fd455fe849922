package wire

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
)

// best keeps the k best of the hits that are offered to it, in a heap whose
// first is the worst of them.
type best struct {
	k    int
	hits []engine.Hit
	less func(a, b string) int // the order of IDs
}

// compare orders hits, the best first and equal scores by ID.
func (b *best) compare(x, y engine.Hit) int {
	if c := cmp.Compare(y.Score, x.Score); c != 0 {
		return c
	}
	return b.less(x.ID, y.ID)
}

// wants reports whether a hit of that score and ID would be kept.
func (b *best) wants(score float64, id string) bool {
	if len(b.hits) < b.k {
		return true
	}
	worst := b.hits[0]
	return score > worst.Score || score == worst.Score && b.less(id, worst.ID) < 0
}

// offer takes a hit that is wanted.
func (b *best) offer(h engine.Hit) {
	if len(b.hits) < b.k {
		b.hits = append(b.hits, h)
		for i := len(b.hits) - 1; i > 0; {
			up := (i - 1) / 2
			if b.compare(b.hits[i], b.hits[up]) <= 0 {
				return
			}
			b.hits[i], b.hits[up] = b.hits[up], b.hits[i]
			i = up
		}
		return
	}
	b.hits[0] = h
	for i := 0; ; {
		worst := i
		for down := 2*i + 1; down <= 2*i+2 && down < len(b.hits); down++ {
			if b.compare(b.hits[down], b.hits[worst]) > 0 {
				worst = down
			}
		}
		if worst == i {
			return
		}
		b.hits[i], b.hits[worst] = b.hits[worst], b.hits[i]
		i = worst
	}
}

// sorted returns the hits, the best first.
func (b *best) sorted() []engine.Hit {
	slices.SortFunc(b.hits, b.compare)
	return b.hits
}

func byBytes(a, b string) int { return strings.Compare(a, b) }

// byNumber orders whole numbers as the server writes them.
func byNumber(a, b string) int {
	negative := strings.HasPrefix(a, "-")
	if negative != strings.HasPrefix(b, "-") {
		if negative {
			return -1
		}
		return 1
	}
	c := cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	if negative {
		return -c
	}
	return c
}

// exact computes scores in 64 bits. Vectors are scaled by powers of two, which
// is free of error, so that squares neither overflow nor vanish.
type exact struct {
	metric codec.Metric
	query  []float64
	norm   float64 // of the scaled query
}

func newExact(metric codec.Metric, query []float64) *exact {
	x := &exact{metric: metric, query: slices.Clone(query)}
	if metric == codec.Cosine {
		rescale(x.query)
	}
	for _, q := range x.query {
		x.norm += q * q
	}
	x.norm = math.Sqrt(x.norm)
	return x
}

// rescale multiplies v by a power of two that brings its largest element near 1.
func rescale(v []float64) {
	largest := 0.0
	for _, e := range v {
		largest = max(largest, math.Abs(e))
	}
	_, exp := math.Frexp(largest)
	if exp > -400 && exp < 400 {
		return
	}
	for i := range v {
		v[i] = math.Ldexp(v[i], -exp)
	}
}

// score compares v, which it may change, with the query.
func (x *exact) score(v []float64) float64 {
	v = v[:len(x.query)]
	var dot, norm float64
	switch x.metric {
	case codec.Cosine:
		rescale(v)
		for i, q := range x.query {
			dot += q * v[i]
			norm += v[i] * v[i]
		}
		return max(-1, min(1, dot/(math.Sqrt(norm)*x.norm)))
	case codec.Dot:
		for i, q := range x.query {
			dot += q * v[i]
		}
		return dot + 0
	default:
		for i, q := range x.query {
			d := q - v[i]
			norm += d * d
		}
		return -math.Sqrt(norm) + 0
	}
}
