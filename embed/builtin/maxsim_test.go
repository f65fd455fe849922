package builtin

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/rerank"
)

// TestCranfieldMaxSim reranks the nearest abstracts by the vectors of their tokens, and
// says what that does to the quality, and what it takes. The model was trained for one
// vector a text, so it is a test of the computation rather than of late interaction.
func TestCranfieldMaxSim(t *testing.T) {
	if testing.Short() {
		t.Skip("it embeds 300,000 tokens")
	}
	ctx := t.Context()
	c := readCranfield(t)
	e := New()
	asked, err := e.Embed(ctx, c.queries, embed.Query)
	require.NoError(t, err)
	questions, err := e.Tokens(ctx, c.queries, embed.Query)
	require.NoError(t, err)
	db, err := vecwire.Open(ctx, "mem:")
	require.NoError(t, err)
	defer db.Close()
	docs, err := db.CreateCollection(ctx, vecwire.Schema{
		Name: "docs", Dim: e.Dim(), Model: e.Model(), Metric: vecwire.Dot, FullText: vecwire.English,
		Fields: []vecwire.Field{{Name: "tokens", Type: vecwire.Bytes}},
	})
	require.NoError(t, err)
	bytes, tokens := 0, 0
	for from := 0; from < len(c.docs); from += 200 {
		texts := c.docs[from:min(from+200, len(c.docs))]
		vectors, err := e.Embed(ctx, texts, embed.Document)
		require.NoError(t, err)
		matrices, err := e.Tokens(ctx, texts, embed.Document)
		require.NoError(t, err)
		var records []vecwire.Record
		for i, text := range texts {
			packed, err := rerank.PackTokens(matrices[i])
			require.NoError(t, err)
			bytes, tokens = bytes+len(packed), tokens+len(matrices[i])
			records = append(records, vecwire.Record{ID: strconv.Itoa(from + i), Text: text, Vector: vectors[i], Fields: vecwire.Fields{"tokens": packed}})
		}
		require.NoError(t, docs.Upsert(ctx, records...))
	}
	ask := func(i int, maxSim, fuse bool) vecwire.Query {
		q := vecwire.Query{Vector: asked[i], Candidates: 50}
		if maxSim {
			q.MaxSim = &vecwire.MaxSim{Field: "tokens", Tokens: questions[i]}
		}
		if fuse {
			q.Text, q.Fusion = c.queries[i], &vecwire.Fusion{}
		}
		return q
	}
	timed := func(maxSim, fuse bool) (quality float64, each time.Duration) {
		begun := time.Now()
		quality = c.ndcg(t, docs, func(i int) vecwire.Query { return ask(i, maxSim, fuse) })
		return quality, time.Since(begun) / time.Duration(len(c.queries))
	}
	alone, aloneTook := timed(false, false)
	reranked, rerankedTook := timed(true, false)
	fused, _ := timed(false, true)
	both, _ := timed(true, true)
	t.Logf("nDCG@10: by one vector %.4f (%v a query), reranked by tokens %.4f (%v); fused with words %.4f, reranked %.4f; %d tokens and %d bytes a text",
		alone, aloneTook, reranked, rerankedTook, fused, both, tokens/len(c.docs), bytes/len(c.docs))
	require.Greater(t, reranked, 0.4)
}
