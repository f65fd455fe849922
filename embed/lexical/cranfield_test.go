package lexical

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/internal/testenv/cranfield"
)

// ndcg returns the mean nDCG@10 of the rankings that scores make of all documents.
func ndcg(c cranfield.Collection, scores func(query string) []float64) float64 {
	sum := 0.0
	for i, query := range c.Queries {
		s := scores(query)
		ranking := make([]int, len(s))
		for d := range ranking {
			ranking[d] = d
		}
		slices.SortStableFunc(ranking, func(a, b int) int { return cmp.Compare(s[b], s[a]) })
		sum += c.NDCG(i, ranking)
	}
	return sum / float64(len(c.Queries))
}

// TestCranfield prints how much of BM25's quality is left in the vectors, and
// demands most of it of the default ones.
func TestCranfield(t *testing.T) {
	c := cranfield.Read(t)
	exact := newBM25(c.Docs)
	whole := ndcg(c, exact.scores)
	t.Logf("nDCG@10 of exact BM25 %.3f", whole)
	require.Greater(t, whole, 0.5)
	for _, dim := range []int{256, 512, DefaultDim, 1024} {
		h := newHashed(t, c.Docs, Options{Dim: dim})
		got := ndcg(c, func(query string) []float64 { return h.scores(t, query) })
		t.Logf("nDCG@10 of %4d dimensions %.3f (%.0f %%)", dim, got, 100*got/whole)
		if dim == DefaultDim {
			require.Greater(t, got, 0.85*whole)
		}
	}
}

func BenchmarkEmbed(b *testing.B) {
	c := cranfield.Read(b)
	e := fit(b, c.Docs, Options{})
	words := 0
	for b.Loop() {
		_, err := e.Embed(b.Context(), c.Docs, embed.Document)
		require.NoError(b, err)
	}
	for _, doc := range c.Docs {
		words += len(strings.Fields(doc))
	}
	b.ReportMetric(float64(b.N*len(c.Docs))/b.Elapsed().Seconds(), "texts/s")
	b.ReportMetric(float64(words)/float64(len(c.Docs)), "words/text")
}
