package vecwire_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/embed/lexical"
	"github.com/vecwire/vecwire/embed/openai"
	"github.com/vecwire/vecwire/internal/testenv"
)

// cranfieldDir holds the Cranfield 1400 collection where the project is
// developed: cran.all.1400, cran.qry and cranqrel.
const cranfieldDir = "/work/shared/data/cranfield"

// cranfield is 1,400 abstracts, 225 questions, and which abstracts answer each.
type cranfield struct {
	docs    []string
	queries []string
	gains   []map[string]float64 // of each query, by ID: the document's number from 0
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

// quality is how good answers are: the mean nDCG@10 (Järvelin and Kekäläinen
// 2002), with the gains 4, 3, 2 and 1 for the grades 1, 2, 3 and 4, and the mean
// recall@100.
type quality struct{ ndcg, recall float64 }

// measure asks all questions, for 10 hits and for 100.
func (c cranfield) measure(t testing.TB, docs *vecwire.Collection, query func(i int) vecwire.Query) (q quality) {
	for i := range c.queries {
		search := func(k int) []vecwire.Hit {
			query := query(i)
			query.K, query.IDsOnly = k, true
			hits, err := docs.Search(t.Context(), query)
			require.NoError(t, err)
			return hits
		}
		var got, best []float64
		for _, h := range search(10) {
			got = append(got, c.gains[i][h.ID])
		}
		for _, gain := range c.gains[i] {
			best = append(best, gain)
		}
		slices.Sort(best)
		slices.Reverse(best)
		q.ndcg += dcg(got) / dcg(best) / float64(len(c.queries))
		for _, h := range search(100) {
			if c.gains[i][h.ID] > 0 {
				q.recall += 1 / float64(len(c.gains[i])) / float64(len(c.queries))
			}
		}
	}
	return q
}

func dcg(gains []float64) (sum float64) {
	for i, gain := range gains[:min(10, len(gains))] {
		sum += gain / math.Log2(float64(i+2))
	}
	return sum
}

// BenchmarkFusionQuality prints how well full text, vectors, and the two fused
// find what answers a question, and demands that fused they are no worse than the
// better one. With -short it leaves out the real embedding model.
func BenchmarkFusionQuality(b *testing.B) {
	c := readCranfield(b)
	var fitter lexical.Fitter
	for _, text := range c.docs {
		fitter.Add(text)
	}
	own, err := fitter.Fit(lexical.Options{})
	require.NoError(b, err)
	models := map[string]embed.Embedder{"lexical": own}
	if !testing.Short() {
		model, err := openai.New(openai.Options{
			BaseURL: testenv.EmbeddingServer(b), Model: testenv.EmbeddingModel, Dim: testenv.EmbeddingDim, Base64: true, Timeout: 5 * time.Minute,
		})
		require.NoError(b, err)
		models[testenv.EmbeddingModel] = model
	}
	vectors := map[string][2][][]float32{} // of documents and of questions
	for name, model := range models {
		var v [2][][]float32
		for i, use := range []embed.Use{embed.Document, embed.Query} {
			for texts := range slices.Chunk([][]string{c.docs, c.queries}[i], 32) {
				some, err := model.Embed(b.Context(), texts, use)
				require.NoError(b, err)
				v[i] = append(v[i], some...)
			}
		}
		vectors[name] = v
	}
	for engine, url := range map[string]string{"embedded": "mem:", "postgres": testenv.Postgres(b)} {
		db, err := vecwire.Open(b.Context(), url)
		require.NoError(b, err)
		defer db.Close()
		for name, model := range models {
			for _, kind := range []vecwire.FullText{vecwire.Words, vecwire.English} {
				b.Run(fmt.Sprintf("%s/%s/%s", engine, name, kind), func(b *testing.B) {
					docs, err := db.CreateCollection(b.Context(), vecwire.Schema{
						Name: "docs", Dim: model.Dim(), Metric: vecwire.Dot, FullText: kind,
					})
					require.NoError(b, err)
					defer func() { require.NoError(b, db.DropCollection(b.Context(), "docs")) }()
					var records []vecwire.Record
					for i, text := range c.docs {
						v := vectors[name][0][i]
						records = append(records, vecwire.Record{ID: strconv.Itoa(i), Text: text, Vector: v})
					}
					require.NoError(b, docs.Upsert(b.Context(), records...))
					var text, vector, hybrid quality
					for b.Loop() {
						text = c.measure(b, docs, func(i int) vecwire.Query {
							return vecwire.Query{Text: c.queries[i], Fusion: &vecwire.Fusion{TextOnly: true}}
						})
						vector = c.measure(b, docs, func(i int) vecwire.Query { return vecwire.Query{Vector: vectors[name][1][i]} })
						hybrid = c.measure(b, docs, func(i int) vecwire.Query {
							return vecwire.Query{Vector: vectors[name][1][i], Text: c.queries[i], Fusion: &vecwire.Fusion{}}
						})
					}
					// The lexical model is a sketch of full text, so that there is little to gain
					// from the two together, and noise to lose by.
					allowed := map[string]float64{"lexical": 0.95, testenv.EmbeddingModel: 1}[name]
					require.GreaterOrEqual(b, hybrid.ndcg, allowed*max(text.ndcg, vector.ndcg))
					require.GreaterOrEqual(b, hybrid.recall, allowed*max(text.recall, vector.recall))
					b.ReportMetric(0, "ns/op")
					for leg, q := range map[string]quality{"text": text, "vector": vector, "hybrid": hybrid} {
						b.ReportMetric(q.ndcg, leg+"-nDCG@10")
						b.ReportMetric(q.recall, leg+"-recall@100")
					}
					b.Logf("%-8s %-16s %-7s | nDCG@10 text %.3f vector %.3f hybrid %.3f | recall@100 text %.3f vector %.3f hybrid %.3f",
						engine, name, kind, text.ndcg, vector.ndcg, hybrid.ndcg, text.recall, vector.recall, hybrid.recall)
				})
			}
		}
	}
}
