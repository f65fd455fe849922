package builtin

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
)

// cranfield is 1,400 abstracts, 225 questions, and which abstracts answer each.
type cranfield struct {
	docs    []string
	queries []string
	gains   []map[string]float64 // of each query, by ID: the document's number from 0
}

// readCranfield reads the collection where VECWIRE_TEST_DATA says, or beside the
// repository. Without it the test is skipped.
func readCranfield(t testing.TB) cranfield {
	data := os.Getenv("VECWIRE_TEST_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	dir := filepath.Join(data, "cranfield")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("set VECWIRE_TEST_DATA to a directory that has the Cranfield collection, as cranfield/cran.all.1400, cran.qry and cranqrel:", err)
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return "\n" + strings.ReplaceAll(string(data), "\r", "")
	}
	bodies := func(name string) (bodies []string) {
		for _, record := range strings.Split(read(name), "\n.I ")[1:] {
			_, body, found := strings.Cut(record+"\n", "\n.W\n")
			require.True(t, found, record)
			bodies = append(bodies, strings.TrimSpace(body))
		}
		return bodies
	}
	c := cranfield{docs: bodies("cran.all.1400"), queries: bodies("cran.qry")}
	require.Len(t, c.docs, 1400)
	require.Len(t, c.queries, 225)
	c.gains = make([]map[string]float64, len(c.queries))
	for line := range strings.Lines(strings.TrimSpace(read("cranqrel"))) {
		var query, doc, grade int
		_, err := fmt.Sscan(line, &query, &doc, &grade)
		require.NoError(t, err, line)
		if c.gains[query-1] == nil {
			c.gains[query-1] = map[string]float64{}
		}
		if grade >= 1 && grade <= 4 { // 1 is the best; -1 and 5 are not relevant
			c.gains[query-1][strconv.Itoa(doc-1)] = float64(5 - grade)
		}
	}
	return c
}

// ndcg asks all questions and returns the mean nDCG@10 (Järvelin and Kekäläinen
// 2002), with the gains 4, 3, 2 and 1 for the grades 1, 2, 3 and 4.
func (c cranfield) ndcg(t testing.TB, docs *vecwire.Collection, query func(i int) vecwire.Query) (mean float64) {
	for i := range c.queries {
		q := query(i)
		q.K, q.IDsOnly = 10, true
		hits, err := docs.Search(t.Context(), q)
		require.NoError(t, err)
		var got, best []float64
		for _, h := range hits {
			got = append(got, c.gains[i][h.ID])
		}
		for _, gain := range c.gains[i] {
			best = append(best, gain)
		}
		slices.Sort(best)
		slices.Reverse(best)
		mean += dcg(got) / dcg(best) / float64(len(c.queries))
	}
	return mean
}

func dcg(gains []float64) (sum float64) {
	for i, gain := range gains[:min(10, len(gains))] {
		sum += gain / math.Log2(float64(i+2))
	}
	return sum
}

// TestCranfield holds the quality: with the weights in float32, nDCG@10 is .500
// alone and .558 fused with English full text.
func TestCranfield(t *testing.T) {
	if testing.Short() {
		t.Skip("it embeds 300,000 tokens")
	}
	c := readCranfield(t)
	e := New()
	vectors, err := e.Embed(t.Context(), c.docs, embed.Document)
	require.NoError(t, err)
	asked, err := e.Embed(t.Context(), c.queries, embed.Query)
	require.NoError(t, err)
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	defer db.Close()
	docs, err := db.CreateCollection(t.Context(), vecwire.Schema{
		Name: "docs", Dim: e.Dim(), Model: e.Model(), Metric: vecwire.Dot, FullText: vecwire.English,
	})
	require.NoError(t, err)
	var records []vecwire.Record
	for i, text := range c.docs {
		records = append(records, vecwire.Record{ID: strconv.Itoa(i), Text: text, Vector: vectors[i]})
	}
	require.NoError(t, docs.Upsert(t.Context(), records...))
	alone := c.ndcg(t, docs, func(i int) vecwire.Query { return vecwire.Query{Vector: asked[i]} })
	fused := c.ndcg(t, docs, func(i int) vecwire.Query {
		return vecwire.Query{Vector: asked[i], Text: c.queries[i], Fusion: &vecwire.Fusion{}}
	})
	relative := c.ndcg(t, docs, func(i int) vecwire.Query {
		return vecwire.Query{Vector: asked[i], Text: c.queries[i], Fusion: &vecwire.Fusion{Method: vecwire.Relative}}
	})
	t.Logf("nDCG@10 alone %.4f, fused %.4f, by relative scores %.4f", alone, fused, relative)
	require.GreaterOrEqual(t, alone, 0.495)
	require.GreaterOrEqual(t, fused, 0.55)
	require.GreaterOrEqual(t, relative, 0.55)
}
