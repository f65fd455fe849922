// Package cranfield reads the Cranfield 1400 collection, abstracts with questions
// and judgements, for the tests that measure how good answers are. It knows
// neither engines nor embedders.
package cranfield

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vecwire/vecwire/internal/testenv"
)

// Collection is 1,400 abstracts, 225 questions, and which abstracts answer each.
type Collection struct {
	Docs    []string
	Queries []string
	// Gains are the gains of each query's relevant documents, by their place in
	// Docs: 4, 3, 2 and 1 for the grades 1, which is the best, to 4.
	Gains []map[int]float64
}

// Read reads the collection, and skips the test where it is absent.
func Read(t testing.TB) Collection {
	t.Helper()
	dir := testenv.Data(t, "cranfield")
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return "\n" + strings.ReplaceAll(string(text), "\r", "")
	}
	bodies := func(name string) (bodies []string) {
		for _, record := range strings.Split(read(name), "\n.I ")[1:] {
			_, body, found := strings.Cut(record+"\n", "\n.W\n")
			if !found {
				t.Fatalf("%s: no text in record %q", name, record)
			}
			bodies = append(bodies, strings.TrimSpace(body))
		}
		return bodies
	}
	c := Collection{Docs: bodies("cran.all.1400"), Queries: bodies("cran.qry")}
	if len(c.Docs) != 1400 || len(c.Queries) != 225 {
		t.Fatalf("cranfield has %d documents and %d queries, want 1400 and 225", len(c.Docs), len(c.Queries))
	}
	c.Gains = make([]map[int]float64, len(c.Queries))
	for i := range c.Gains {
		c.Gains[i] = map[int]float64{}
	}
	for line := range strings.Lines(strings.TrimSpace(read("cranqrel"))) {
		var query, doc, grade int
		if _, err := fmt.Sscan(line, &query, &doc, &grade); err != nil {
			t.Fatalf("cranqrel: %q: %v", line, err)
		}
		if grade >= 1 && grade <= 4 { // -1 and 5 are not relevant
			c.Gains[query-1][doc-1] = float64(5 - grade)
		}
	}
	return c
}

// NDCG returns the nDCG@10 of a ranking of documents for a query (Järvelin and
// Kekäläinen 2002).
func (c Collection) NDCG(query int, ranking []int) float64 {
	var got, best []float64
	for _, doc := range ranking {
		got = append(got, c.Gains[query][doc])
	}
	for _, gain := range c.Gains[query] {
		best = append(best, gain)
	}
	slices.Sort(best)
	slices.Reverse(best)
	return dcg(got) / dcg(best)
}

func dcg(gains []float64) (sum float64) {
	for i, gain := range gains[:min(10, len(gains))] {
		sum += gain / math.Log2(float64(i+2))
	}
	return sum
}
