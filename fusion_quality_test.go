package vecwire_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/embed/lexical"
	"github.com/vecwire/vecwire/embed/openai"
	"github.com/vecwire/vecwire/internal/testenv"
	"github.com/vecwire/vecwire/internal/testenv/cranfield"
)

// quality is how good answers are: the mean nDCG@10 and the mean recall@100.
type quality struct{ ndcg, recall float64 }

func (q quality) String() string { return fmt.Sprintf("%.3f/%.3f", q.ndcg, q.recall) }

// measureQuality asks all questions, for 100 hits each.
func measureQuality(t testing.TB, c cranfield.Collection, docs *vecwire.Collection, query func(i int) vecwire.Query) (q quality) {
	for i := range c.Queries {
		query := query(i)
		query.K, query.IDsOnly = 100, true
		hits, err := docs.Search(t.Context(), query)
		require.NoError(t, err)
		var ranking []int
		for _, h := range hits {
			doc, err := strconv.Atoi(h.ID)
			require.NoError(t, err)
			ranking = append(ranking, doc)
			if c.Gains[i][doc] > 0 {
				q.recall += 1 / float64(len(c.Gains[i])) / float64(len(c.Queries))
			}
		}
		q.ndcg += c.NDCG(i, ranking[:min(10, len(ranking))]) / float64(len(c.Queries))
	}
	return q
}

// TestHybridIsAsGoodAsItsBetterLeg finds the answers to real questions by full
// text, by vectors and by both, and demands that the two together are no worse than
// the better one. The real embedding model takes minutes to read the collection, once
// for each engine: it takes part where VECWIRE_TEST_QUALITY asks for it.
func TestHybridIsAsGoodAsItsBetterLeg(t *testing.T) {
	t.Parallel()
	c := cranfield.Read(t)
	var fitter lexical.Fitter
	for _, text := range c.Docs {
		fitter.Add(text)
	}
	own, err := fitter.Fit(lexical.Options{})
	require.NoError(t, err)
	// The lexical model is a sketch of full text, so that there is little to gain
	// from the two together, and noise to lose by.
	hybridIsAsGood(t, c, "lexical", own, 0.95)
	if !testenv.Quality() {
		return
	}
	model, err := openai.New(openai.Options{
		BaseURL: testenv.EmbeddingServer(t), Model: testenv.EmbeddingModel, Dim: testenv.EmbeddingDim, Base64: true, Timeout: 5 * time.Minute,
	})
	require.NoError(t, err)
	hybridIsAsGood(t, c, testenv.EmbeddingModel, model, 1)
}

// hybridIsAsGood demands, on every engine with full text, at least the part allowed
// of what the better leg finds.
func hybridIsAsGood(t *testing.T, c cranfield.Collection, name string, model embed.Embedder, allowed float64) {
	var vectors [2][][]float32 // of the documents and of the questions
	for i, use := range []embed.Use{embed.Document, embed.Query} {
		for texts := range slices.Chunk([][]string{c.Docs, c.Queries}[i], 32) {
			some, err := model.Embed(t.Context(), texts, use)
			require.NoError(t, err)
			vectors[i] = append(vectors[i], some...)
		}
	}
	var records []vecwire.Record
	for i, text := range c.Docs {
		records = append(records, vecwire.Record{ID: strconv.Itoa(i), Text: text, Vector: vectors[0][i]})
	}
	for engine, open := range map[string]func(*testing.T) string{"embedded": func(*testing.T) string { return "mem:" }, "postgres": func(t *testing.T) string { return testenv.Postgres(t) }} {
		t.Run(name+"/"+engine, func(t *testing.T) {
			t.Parallel()
			db, err := vecwire.Open(t.Context(), open(t))
			require.NoError(t, err)
			defer db.Close()
			for _, kind := range []vecwire.FullText{vecwire.Words, vecwire.English} {
				docs, err := db.CreateCollection(t.Context(), vecwire.Schema{
					Name: "docs_" + kind.String(), Dim: model.Dim(), Metric: vecwire.Dot, FullText: kind,
				})
				require.NoError(t, err)
				require.NoError(t, docs.Upsert(t.Context(), records...))
				text := measureQuality(t, c, docs, func(i int) vecwire.Query {
					return vecwire.Query{Text: c.Queries[i], Fusion: &vecwire.Fusion{TextOnly: true}}
				})
				vector := measureQuality(t, c, docs, func(i int) vecwire.Query { return vecwire.Query{Vector: vectors[1][i]} })
				hybrid := measureQuality(t, c, docs, func(i int) vecwire.Query {
					return vecwire.Query{Vector: vectors[1][i], Text: c.Queries[i], Fusion: &vecwire.Fusion{}}
				})
				t.Logf("%s: nDCG@10/recall@100 of text %v, vector %v, hybrid %v", kind, text, vector, hybrid)
				require.GreaterOrEqual(t, hybrid.ndcg, allowed*max(text.ndcg, vector.ndcg), "nDCG@10")
				require.GreaterOrEqual(t, hybrid.recall, allowed*max(text.recall, vector.recall), "recall@100")
			}
		})
	}
}
