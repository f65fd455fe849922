package lexical

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/embed"
)

// cranfieldDir holds the Cranfield 1400 collection where the project is
// developed: cran.all.1400, cran.qry and cranqrel.
const cranfieldDir = "/work/shared/data/cranfield"

type cranfield struct {
	docs    []string
	queries []string
	gains   []map[int]float64 // of each query, by document
}

func readCranfield(t testing.TB) cranfield {
	if _, err := os.Stat(cranfieldDir); err != nil {
		t.Skip("the Cranfield collection is not here:", err)
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(cranfieldDir, name))
		require.NoError(t, err)
		return "\n" + strings.ReplaceAll(string(data), "\r", "")
	}
	bodies := func(name string) (bodies []string) {
		for _, record := range strings.Split(read(name), "\n.I ")[1:] {
			_, body, found := strings.Cut(record+"\n", "\n.W\n")
			require.True(t, found, record)
			bodies = append(bodies, body)
		}
		return bodies
	}
	c := cranfield{docs: bodies("cran.all.1400"), queries: bodies("cran.qry")}
	require.Len(t, c.docs, 1400)
	require.Len(t, c.queries, 225)
	c.gains = make([]map[int]float64, len(c.queries))
	for line := range strings.Lines(strings.TrimSpace(read("cranqrel"))) {
		var query, doc, grade int
		_, err := fmt.Sscan(line, &query, &doc, &grade)
		require.NoError(t, err, line)
		if c.gains[query-1] == nil {
			c.gains[query-1] = map[int]float64{}
		}
		if grade >= 1 && grade <= 4 { // 1 is the best; -1 and 5 are not relevant
			c.gains[query-1][doc-1] = float64(5 - grade)
		}
	}
	return c
}

// ndcg returns the mean nDCG@10 (Järvelin and Kekäläinen 2002), with the gains 4,
// 3, 2 and 1 for the grades 1, 2, 3 and 4.
func (c cranfield) ndcg(scores func(query string) []float64) float64 {
	sum := 0.0
	for i, query := range c.queries {
		s := scores(query)
		ranking := make([]int, len(s))
		for d := range ranking {
			ranking[d] = d
		}
		slices.SortStableFunc(ranking, func(a, b int) int { return cmp.Compare(s[b], s[a]) })
		var got, best []float64
		for _, d := range ranking {
			got = append(got, c.gains[i][d])
		}
		for _, gain := range c.gains[i] {
			best = append(best, gain)
		}
		slices.Sort(best)
		slices.Reverse(best)
		sum += dcg(got) / dcg(best)
	}
	return sum / float64(len(c.queries))
}

func dcg(gains []float64) (sum float64) {
	for i, gain := range gains[:min(10, len(gains))] {
		sum += gain / math.Log2(float64(i+2))
	}
	return sum
}

// TestCranfield prints how much of BM25's quality is left in the vectors, and
// demands most of it of the default ones.
func TestCranfield(t *testing.T) {
	c := readCranfield(t)
	exact := newBM25(c.docs)
	whole := c.ndcg(exact.scores)
	t.Logf("nDCG@10 of exact BM25 %.3f", whole)
	require.Greater(t, whole, 0.5)
	for _, dim := range []int{256, 512, DefaultDim, 1024} {
		h := newHashed(t, c.docs, Options{Dim: dim})
		got := c.ndcg(func(query string) []float64 { return h.scores(t, query) })
		t.Logf("nDCG@10 of %4d dimensions %.3f (%.0f %%)", dim, got, 100*got/whole)
		if dim == DefaultDim {
			require.Greater(t, got, 0.85*whole)
		}
	}
}

func BenchmarkEmbed(b *testing.B) {
	c := readCranfield(b)
	e := fit(b, c.docs, Options{})
	words := 0
	for b.Loop() {
		_, err := e.Embed(b.Context(), c.docs, embed.Document)
		require.NoError(b, err)
	}
	for _, doc := range c.docs {
		words += len(strings.Fields(doc))
	}
	b.ReportMetric(float64(b.N*len(c.docs))/b.Elapsed().Seconds(), "texts/s")
	b.ReportMetric(float64(words)/float64(len(c.docs)), "words/text")
}
