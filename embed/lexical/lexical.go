// Package lexical embeds texts by their words, without a model to download, a
// server or a key. The dot product of a document's vector and a query's
// approximates their BM25 score, so a vector database finds what a keyword
// search would find.
//
// It compares words, not meaning: "car" does not find "automobile". Where meaning
// matters, use a sentence-embedding model instead. It is made for English; texts in
// other languages are found by whole words.
//
// BM25 (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework:
// BM25 and Beyond") scores a document d for a query q with
//
//	Σ idf(t) · tf(t,d)·(k1+1) / (tf(t,d) + k1·(1-b+b·|d|/avgdl))
//
// over the terms t of q, with k1 = 1.2 and b = 0.75. The inverse document
// frequencies idf and the mean length avgdl are those of a corpus, which a
// [Fitter] reads once. Each term has a direction: the terms that weigh most in
// the corpus an element of their own, the others a few signed elements that a
// hash chooses (Weinberger et al. 2009, "Feature Hashing for Large Scale
// Multitask Learning"). A document is the sum of its terms' directions, each
// times its part of the score, a query likewise; what two different terms add to
// the dot product is noise around zero, less of it the more dimensions there are.
//
// A text without a term of the corpus embeds to the zero vector, and scores are
// dot products: use a collection with the Dot metric. Cosine refuses zero
// vectors and would divide out the lengths that BM25 has weighed.
//
// The package must not know collections and databases.
package lexical

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/embed"
)

// The parameters of BM25, as Robertson and Zaragoza advise where nothing is
// known about the texts, and as Lucene sets them.
const (
	bm25K1 = 1.2
	bm25B  = 0.75
)

// Options shapes the vectors. The zero value is a good choice.
type Options struct {
	// Dim is the number of elements of a vector, from 16 to 16384; 0 means
	// DefaultDim. More elements approximate BM25 better.
	Dim int

	// Positions is the number of elements that a term takes, from 1 to 8; 0
	// means DefaultPositions. More make it rarer that two terms are confused
	// altogether, and commoner that they are a little.
	Positions int
}

// The defaults of Options.
const (
	DefaultDim       = 768 // the default of Options.Dim
	DefaultPositions = 4   // the default of Options.Positions
)

func (o Options) withDefaults() (Options, error) {
	if o.Dim == 0 {
		o.Dim = DefaultDim
	}
	if o.Positions == 0 {
		o.Positions = DefaultPositions
	}
	if o.Dim < 16 || o.Dim > 16384 {
		return o, &codec.ValueError{Field: "Dim", Pos: -1, Want: "a number from 16 to 16384", Got: fmt.Sprint(o.Dim)}
	}
	if o.Positions < 1 || o.Positions > 8 {
		return o, &codec.ValueError{Field: "Positions", Pos: -1, Want: "a number from 1 to 8", Got: fmt.Sprint(o.Positions)}
	}
	return o, nil
}

// An Embedder embeds texts by the words they share with the corpus it was fitted
// on. It is an [embed.Embedder], immutable and safe for concurrent use. Equal
// corpora and options give equal vectors, bit for bit, on every machine.
type Embedder struct {
	options Options
	stats   stats
	head    map[int]int // which element a heavy term has, by its place
	model   string

	counters sync.Pool // of *counter, which remember stems
}

var _ embed.Embedder = (*Embedder)(nil)

// Dim returns the number of elements of a vector.
func (e *Embedder) Dim() int { return e.options.Dim }

// Model returns "lexical-1/", the dimension, and a hash of the options and of
// what was learned from the corpus, because two corpora give different vectors.
func (e *Embedder) Model() string { return e.model }

// Verified returns true: every vector is finite.
func (e *Embedder) Verified() bool { return true }

// Embed returns a vector for each text. A document's elements are its terms' weights
// in BM25, a query's are how often it has the terms, both times the root of the
// inverse document frequency. Terms that are not in the corpus are left out; a text
// of such terms only gives the zero vector. The only error is that of ctx.
func (e *Embedder) Embed(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	elements := make([]float32, len(texts)*e.options.Dim)
	c, ok := e.counters.Get().(*counter)
	if !ok {
		c = newCounter()
	}
	defer e.counters.Put(c)
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		v := elements[i*e.options.Dim:][:e.options.Dim:e.options.Dim]
		e.embed(v, c, text, use)
		vectors[i] = v
	}
	return vectors, nil
}

// embed sums the text's terms into v. It sums in fixed point, so that neither
// the order of the terms nor a fused multiplication changes a bit.
func (e *Embedder) embed(v []float32, c *counter, text string, use embed.Use) {
	const one = 1 << 20
	total := c.count(text)
	relative := float64(total) * float64(e.stats.texts) / float64(e.stats.length)
	norm := bm25K1 * (1 - bm25B + float64(bm25B*relative))
	c.sums = slices.Grow(c.sums[:0], len(v))[:len(v)]
	clear(c.sums)
	for term, n := range c.counts {
		df := e.stats.table[place(term)]
		if df == 0 {
			continue
		}
		weight := float64(n)
		if use != embed.Query {
			weight = weight * (bm25K1 + 1) / (weight + float64(norm))
		}
		fixed := int64(math.Round(weight * math.Sqrt(e.stats.idf(df)) * one))
		e.fold(c.sums, term, fixed)
	}
	for i, sum := range c.sums {
		v[i] = float32(float64(sum) / one)
	}
}

// fold adds weight to a term's elements. A term of the head has one element for
// itself; another has one in each of as many equal blocks of the rest as there
// are positions, so that its positions differ (Kane and Nelson 2014, "Sparser
// Johnson-Lindenstrauss Transforms").
func (e *Embedder) fold(sums []int64, term uint64, weight int64) {
	if i, ok := e.head[place(term)]; ok {
		sums[i] += weight
		return
	}
	rest := sums[len(e.head):]
	n := e.options.Positions
	weight = int64(math.Round(float64(weight) / math.Sqrt(float64(n))))
	for p := range n {
		h := mix(term + uint64(p)*0x9e3779b97f4a7c15)
		start, end := p*len(rest)/n, (p+1)*len(rest)/n
		i := start + int(h>>32*uint64(end-start)>>32)
		if h&1 == 0 {
			rest[i] += weight
		} else {
			rest[i] -= weight
		}
	}
}
