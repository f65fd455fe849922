package genkitvecwire_test

import (
	"context"
	"strings"
	"testing"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/genkit"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	genkitvecwire "github.com/vecwire/vecwire/adapters/genkit"
	"github.com/vecwire/vecwire/adapters/internal/adaptest"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
)

var fields = []vecwire.Field{{Name: "lang", Index: true}, {Name: "year", Type: vecwire.Int}}

// shorter prefers short texts.
type shorter struct{}

func (shorter) Rerank(_ context.Context, _ string, texts []string) ([]float64, error) {
	scores := make([]float64, len(texts))
	for i, text := range texts {
		scores[i] = -float64(len(text))
	}
	return scores, nil
}

func documents() []*ai.Document {
	return []*ai.Document{
		ai.DocumentFromText("remove duplicates from a slice", map[string]any{"id": "dup", "lang": "go", "year": 2024, "tags": []any{"slices"}}),
		{Content: []*ai.Part{ai.NewTextPart("sort a slice "), ai.NewTextPart("of numbers")}, Metadata: map[string]any{"lang": "go", "year": 2020}},
		ai.DocumentFromText("remove a file", nil),
	}
}

func texts(docs []*ai.Document) (out []string) {
	for _, d := range docs {
		out = append(out, d.Content[0].Text)
	}
	return out
}

func TestRetriever(t *testing.T) {
	adaptest.Each(t, func(t *testing.T, db *vecwire.DB) {
		ctx, calls := t.Context(), 0
		p := &genkitvecwire.Vecwire{Rerankers: map[string]vecwire.Reranker{"shorter": shorter{}}}
		g := genkit.Init(ctx, genkit.WithPlugins(p))
		ds, r, err := genkitvecwire.DefineRetriever(ctx, g, p, &genkitvecwire.Config{Collection: adaptest.Collection(t, db, adaptest.Words(&calls), fields...)})
		require.NoError(t, err)
		require.Equal(t, "vecwire/docs", r.Name())
		require.NotNil(t, genkitvecwire.Retriever(g, "docs"))
		_, _, err = genkitvecwire.DefineRetriever(ctx, g, p, &genkitvecwire.Config{Collection: ds.Collection})
		require.ErrorContains(t, err, "defined already")

		require.NoError(t, genkitvecwire.Index(ctx, documents(), ds))
		require.Equal(t, 1, calls, "one for all documents of a call")
		require.NoError(t, genkitvecwire.Index(ctx, documents(), ds))
		n, err := ds.Collection.Count(ctx, filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, 3, n, "no document is stored twice")

		ask := func(options any) []*ai.Document {
			found, err := genkit.Retrieve(ctx, g, ai.WithRetriever(r), ai.WithTextDocs("remove duplicates"), ai.WithConfig(options))
			require.NoError(t, err)
			return found.Documents
		}
		found := ask(nil)
		require.Len(t, found, 3)
		require.Equal(t, "remove duplicates from a slice", found[0].Content[0].Text)
		require.Equal(t, []any{"slices"}, found[0].Metadata["tags"])
		require.EqualValues(t, 2024, found[0].Metadata["year"])
		require.Equal(t, "dup", found[0].Metadata[genkitvecwire.IDKey])
		require.Greater(t, found[0].Metadata[genkitvecwire.ScoreKey], found[1].Metadata[genkitvecwire.ScoreKey], "higher is nearer")

		for _, options := range []any{
			&genkitvecwire.RetrieverOptions{K: 9, Filter: map[string]any{"year": map[string]any{"$lt": 2023}}},
			genkitvecwire.RetrieverOptions{K: 9, Filter: map[string]any{"year": map[string]any{"$lt": 2023}}},
			map[string]any{"k": 9, "filter": map[string]any{"year": map[string]any{"$lt": 2023}}},
		} {
			require.Equal(t, []string{"sort a slice of numbers"}, texts(ask(options)))
		}
		require.Len(t, ask(map[string]any{"minScore": 0.1}), 2)
		require.Len(t, ask(&genkitvecwire.RetrieverOptions{K: 1}), 1)

		require.NoError(t, genkitvecwire.Index(ctx, found, ds), "what was found, again")
		n, err = ds.Collection.Count(ctx, filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, 3, n)

		require.NoError(t, genkitvecwire.IndexNamespace(ctx, documents()[:1], ds, "acme"))
		require.Len(t, ask(&genkitvecwire.RetrieverOptions{Namespace: "acme"}), 1)
	})
}

// Genkit's embedders embed in place of the collection's, and go both ways.
func TestEmbedders(t *testing.T) {
	adaptest.Each(t, func(t *testing.T, db *vecwire.DB) {
		ctx, calls := t.Context(), 0
		var uses []embed.Use
		words := adaptest.Words(&calls)
		ours := embed.Func("words", 64, func(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
			uses = append(uses, use)
			return words.Embed(ctx, texts, use)
		})
		g := genkit.Init(ctx, genkit.WithPlugins(&genkitvecwire.Vecwire{Embedders: []vecwire.Embedder{ours}}))
		theirs := genkit.LookupEmbedder(g, "vecwire/words")
		require.NotNil(t, theirs)
		answer, err := genkit.Embed(ctx, g, ai.WithEmbedderName("vecwire/words"), ai.WithTextDocs("a", "b c"))
		require.NoError(t, err)
		require.Len(t, answer.Embeddings, 2)

		docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "plain", Dim: 64, Fields: []vecwire.Field{{Name: "meta"}, {Name: "lang"}, {Name: "year", Type: vecwire.Int}}})
		require.NoError(t, err)
		ds, r, err := genkitvecwire.DefineRetriever(ctx, g, nil, &genkitvecwire.Config{Collection: docs, Embedder: theirs})
		require.NoError(t, err)
		require.NoError(t, genkitvecwire.Index(ctx, documents(), ds))
		found, err := r.Retrieve(ctx, &ai.RetrieverRequest{Query: ai.DocumentFromText("duplicates", nil)})
		require.NoError(t, err)
		require.Equal(t, "remove duplicates from a slice", texts(found.Documents)[0])

		uses = nil
		back := genkitvecwire.FromEmbedder(theirs, 64, func(use embed.Use) any { return &genkitvecwire.EmbedderOptions{Query: use == embed.Query} })
		require.Equal(t, "vecwire/words", back.Model())
		for _, use := range []embed.Use{embed.Document, embed.Query} {
			got, err := back.Embed(ctx, []string{"a b", "c"}, use)
			require.NoError(t, err)
			want, err := words.Embed(ctx, []string{"a b", "c"}, use)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		require.Equal(t, []embed.Use{embed.Document, embed.Query}, uses)
		_, err = genkitvecwire.FromEmbedder(theirs, 65, nil).Embed(ctx, []string{"a"}, embed.Query)
		require.Error(t, err, "the dimension is checked")
	})
}

func TestReranker(t *testing.T) {
	r := genkitvecwire.NewReranker("shorter", shorter{})
	answer, err := r.Rerank(t.Context(), &ai.RerankerRequest{
		Query: ai.DocumentFromText("q", nil), Documents: documents(), Options: map[string]any{"k": 2},
	})
	require.NoError(t, err)
	require.Len(t, answer.Documents, 2)
	require.Equal(t, "remove a file", answer.Documents[0].Content[0].Text)
	require.Greater(t, answer.Documents[0].Metadata.Score, answer.Documents[1].Metadata.Score)
	_, err = r.Rerank(t.Context(), &ai.RerankerRequest{Query: ai.DocumentFromText("q", nil), Documents: []*ai.Document{{Content: []*ai.Part{ai.NewMediaPart("image/png", "data:,")}}}})
	require.ErrorIs(t, err, vecwire.ErrUnsupported)
}

func TestRefusals(t *testing.T) {
	adaptest.Each(t, func(t *testing.T, db *vecwire.DB) {
		ctx, calls := t.Context(), 0
		g := genkit.Init(ctx)
		_, _, err := genkitvecwire.DefineRetriever(ctx, g, nil, &genkitvecwire.Config{})
		require.Error(t, err)
		ds, _, err := genkitvecwire.DefineRetriever(ctx, g, nil, &genkitvecwire.Config{Collection: adaptest.Collection(t, db, adaptest.Words(&calls), fields...)})
		require.NoError(t, err)
		var batch *vecwire.BatchError
		err = genkitvecwire.Index(ctx, []*ai.Document{
			ai.DocumentFromText("good", nil), nil, {Content: []*ai.Part{ai.NewMediaPart("image/png", "data:,")}}, ai.DocumentFromText("x", map[string]any{"c": make(chan int)}),
		}, ds)
		require.ErrorAs(t, err, &batch)
		require.Len(t, batch.Failed, 3)
		require.ErrorAs(t, genkitvecwire.Index(ctx, []*ai.Document{ai.DocumentFromText("x", map[string]any{"year": "late"})}, ds), &batch)
		for _, options := range []any{
			map[string]any{"top_k": 3}, "nonsense", map[string]any{"filter": map[string]any{"year": "late"}},
			map[string]any{"filter": map[string]any{"$where": "1"}}, map[string]any{"k": -1}, map[string]any{"namespace": "a/b"},
		} {
			_, err = ds.Retrieve(ctx, &ai.RetrieverRequest{Query: ai.DocumentFromText("x", nil), Options: options})
			require.Error(t, err, options)
		}
		_, err = ds.Retrieve(ctx, &ai.RetrieverRequest{})
		require.Error(t, err)
		require.False(t, strings.Contains(err.Error(), "panic"))
	})
}
