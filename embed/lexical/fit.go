package lexical

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// ErrEmpty is returned by [Fitter.Fit] when no text with a term was added.
var ErrEmpty = errors.New("lexical: the corpus has no terms")

// tableBits sizes the table of document frequencies: a term counts in one of
// 1<<tableBits places. Terms in one place share the sum of their frequencies;
// with the 30,000 terms of a large manual that happens to one term in nine,
// nearly always to two rare ones, whose weights hardly change.
const tableBits = 18

// stats is what BM25 knows about a corpus.
type stats struct {
	texts  uint64
	length uint64   // of all texts together, in terms
	table  []uint32 // document frequencies, by place
}

// A Fitter learns from a corpus what BM25 needs: in how many texts each term is,
// and how long the texts are. Add every text once, then call Fit. Its memory, a
// few megabytes, does not grow with the corpus. The zero value is ready for use.
// It is not safe for concurrent use.
type Fitter struct {
	stats   stats
	counter *counter
}

// Add counts one text of the corpus.
func (f *Fitter) Add(text string) {
	if f.counter == nil {
		f.counter = newCounter()
		f.stats.table = make([]uint32, 1<<tableBits)
	}
	f.stats.texts++
	f.stats.length += uint64(f.counter.count(text))
	most := uint32(min(f.stats.texts, math.MaxUint32))
	for term := range f.counter.counts {
		df := &f.stats.table[place(term)]
		*df = min(*df+1, most)
	}
}

// Fit returns an Embedder for the texts added so far. It returns [ErrEmpty] if
// they have no terms, and a [codec.ValueError] for an option out of range. The
// Fitter can be used on.
func (f *Fitter) Fit(o Options) (*Embedder, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if f.stats.length == 0 {
		return nil, ErrEmpty
	}
	s := f.stats
	s.table = slices.Clone(s.table)
	return newEmbedder(o, s), nil
}

func newEmbedder(o Options, s stats) *Embedder {
	e := &Embedder{options: o, stats: s, head: s.head(o.Dim, o.Positions)}
	e.model = e.name()
	return e
}

// idf is the inverse document frequency of a term that is in df texts, in BM25's
// form that is never negative (Lucene's): ln(1 + (N-df+½)/(df+½)).
func (s *stats) idf(df uint32) float64 {
	n, d := float64(s.texts), float64(df)
	return math.Ln2 * log2(1+(n-d+0.5)/(d+0.5))
}

// log2 returns the logarithm of x ≥ 1 to 20 binary places. It multiplies only,
// so it gives the same bits everywhere; math.Log2 does not promise that.
func log2(x float64) float64 {
	m, exp := math.Frexp(x)
	m, exp = 2*m, exp-1
	sum, bit := float64(exp), 0.5
	for range 20 {
		if m *= m; m >= 2 {
			m, sum = m/2, sum+bit
		}
		bit /= 2
	}
	return sum
}

// head gives the terms that weigh most in the corpus an element of their own,
// the heaviest the first, because they would be most of the noise in elements
// that they shared. If queries are like documents, the variance of that noise is
// the squared weight of the terms that share, over the elements left to them;
// head takes as many terms as make it least.
func (s *stats) head(dim, positions int) map[int]int {
	type heavy struct {
		place  int
		weight float64
	}
	var terms []heavy
	shared := 0.0
	for p, df := range s.table {
		if df > 0 {
			t := heavy{p, float64(df) * s.idf(df)}
			terms = append(terms, t)
			shared += t.weight
		}
	}
	slices.SortFunc(terms, func(a, b heavy) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.place, b.place))
	})
	n, least := 0, math.Inf(1)
	for i, t := range terms[:min(dim-positions, len(terms))] {
		if variance := shared * shared / float64(dim-i); variance < least {
			n, least = i, variance
		}
		shared -= t.weight
	}
	head := make(map[int]int, n)
	for i, t := range terms[:n] {
		head[t.place] = i
	}
	return head
}

// A counter counts the terms of one text after another. Terms are known by
// their hashes.
type counter struct {
	splitter *splitter
	counts   map[uint64]int
	sums     []int64 // of one vector, for Embed
}

func newCounter() *counter {
	return &counter{splitter: newSplitter(), counts: make(map[uint64]int)}
}

// count counts the terms of text and returns how many there are.
func (c *counter) count(text string) (total int) {
	if len(c.counts) > maxStems {
		c.counts = make(map[uint64]int) // a map never shrinks, and clear reads all of it
	}
	clear(c.counts)
	c.splitter.terms(text, func(term string) {
		c.counts[hash(term)]++
		total++
	})
	return total
}

// hash is FNV-1a with the finisher of MurmurHash3, because FNV alone leaves the
// high bits of short strings alike.
func hash(term string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(term) {
		h = (h ^ uint64(term[i])) * 1099511628211
	}
	return mix(h)
}

func mix(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// place returns a term's place in the table of document frequencies.
func place(term uint64) int { return int(term >> (64 - tableBits)) }
