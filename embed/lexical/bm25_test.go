package lexical

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/embed"
)

// bm25 is the exact score that the vectors approximate. It counts whole terms in
// maps and shares only the splitter with the package.
type bm25 struct {
	docs    []map[string]float64
	lengths []float64
	df      map[string]float64
	mean    float64
}

func newBM25(texts []string) *bm25 {
	m := &bm25{df: map[string]float64{}}
	for _, text := range texts {
		counts, length := map[string]float64{}, 0.0
		newSplitter().terms(text, func(term string) { counts[term]++; length++ })
		for term := range counts {
			m.df[term]++
		}
		m.docs, m.lengths = append(m.docs, counts), append(m.lengths, length)
		m.mean += length / float64(len(texts))
	}
	return m
}

// scores returns the score of every document for the query.
func (m *bm25) scores(query string) []float64 {
	scores := make([]float64, len(m.docs))
	n := float64(len(m.docs))
	newSplitter().terms(query, func(term string) {
		df := m.df[term]
		idf := math.Log(1 + (n-df+0.5)/(df+0.5))
		for i, counts := range m.docs {
			tf := counts[term]
			scores[i] += idf * tf * 2.2 / (tf + 1.2*(1-0.75+0.75*m.lengths[i]/m.mean))
		}
	})
	return scores
}

// hashed is a corpus embedded.
type hashed struct {
	embedder *Embedder
	docs     [][]float32
}

func newHashed(t testing.TB, texts []string, o Options) hashed {
	e := fit(t, texts, o)
	docs, err := e.Embed(context.Background(), texts, embed.Document)
	require.NoError(t, err)
	return hashed{e, docs}
}

func fit(t testing.TB, texts []string, o Options) *Embedder {
	var f Fitter
	for _, text := range texts {
		f.Add(text)
	}
	e, err := f.Fit(o)
	require.NoError(t, err)
	return e
}

func (h hashed) scores(t testing.TB, query string) []float64 {
	q, err := h.embedder.Embed(context.Background(), []string{query}, embed.Query)
	require.NoError(t, err)
	scores := make([]float64, len(h.docs))
	for j, x := range q[0] {
		if x == 0 { // as most are
			continue
		}
		for i, doc := range h.docs {
			scores[i] += float64(doc[j]) * float64(x)
		}
	}
	return scores
}

// correlation is Pearson's.
func correlation(x, y []float64) float64 {
	var sx, sy, sxx, syy, sxy float64
	for i := range x {
		sx, sy = sx+x[i], sy+y[i]
		sxx, syy, sxy = sxx+x[i]*x[i], syy+y[i]*y[i], sxy+x[i]*y[i]
	}
	n := float64(len(x))
	return (n*sxy - sx*sy) / math.Sqrt((n*sxx-sx*sx)*(n*syy-sy*sy))
}
