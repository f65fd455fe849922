package wire

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/vecwire/vecwire/internal/engine"
)

// Spare is how many hits are asked of an index beyond k, so that equal distances
// at its end are cut by ID.
const Spare = 8

// MostHits stands for all where so many hits, or more, are asked for: no process
// has room for them, and small multiples of it are no overflow.
const MostHits = math.MaxInt / 64

// TopK keeps the k best of the hits that are offered to it, in a heap whose
// first is the worst of them.
type TopK struct {
	K    int
	hits []engine.Hit
	Less func(a, b string) int // the order of IDs
}

// Compare orders hits, the best first and equal scores by ID.
func (b *TopK) Compare(x, y engine.Hit) int {
	if c := cmp.Compare(y.Score, x.Score); c != 0 {
		return c
	}
	return b.Less(x.ID, y.ID)
}

// Wants reports whether a hit of that score and ID would be kept.
func (b *TopK) Wants(score float64, id string) bool {
	if len(b.hits) < b.K {
		return true
	}
	worst := b.hits[0]
	return score > worst.Score || score == worst.Score && b.Less(id, worst.ID) < 0
}

// Offer takes a hit that is wanted.
func (b *TopK) Offer(h engine.Hit) {
	if len(b.hits) < b.K {
		b.hits = append(b.hits, h)
		for i := len(b.hits) - 1; i > 0; {
			up := (i - 1) / 2
			if b.Compare(b.hits[i], b.hits[up]) <= 0 {
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
			if b.Compare(b.hits[down], b.hits[worst]) > 0 {
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

// Sorted returns the hits, the best first.
func (b *TopK) Sorted() []engine.Hit {
	slices.SortFunc(b.hits, b.Compare)
	return b.hits
}

// ByBytes orders texts by their bytes.
func ByBytes(a, b string) int { return strings.Compare(a, b) }

// ByNumber orders whole numbers as the server writes them.
func ByNumber(a, b string) int {
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
