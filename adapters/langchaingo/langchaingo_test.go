package langchaingo_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/internal/adaptest"
	"github.com/vecwire/vecwire/adapters/langchaingo"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
)

var fields = []vecwire.Field{{Name: "country", Index: true}, {Name: "population", Type: vecwire.Float}}

func contents(docs []schema.Document) (out []string) {
	for _, d := range docs {
		out = append(out, d.PageContent)
	}
	return out
}

// cities are after the cases of langchaingo's own stores.
var cities = []schema.Document{
	{PageContent: "tokyo is a city", Metadata: map[string]any{"id": "tokyo", "country": "japan", "population": 9.7, "tags": []any{"capital"}}},
	{PageContent: "kyoto is a city of temples", Metadata: map[string]any{"country": "japan", "population": 1.46}},
	{PageContent: "potato is a vegetable", Metadata: map[string]any{}},
}

func TestStore(t *testing.T) {
	adaptest.Each(t, func(t *testing.T, db *vecwire.DB) {
		ctx, calls := t.Context(), 0
		docs := adaptest.Collection(t, db, adaptest.Words(&calls), fields...)
		store, err := langchaingo.New(docs)
		require.NoError(t, err)
		ids, err := store.AddDocuments(ctx, cities)
		require.NoError(t, err)
		require.Equal(t, "tokyo", ids[0])
		require.Equal(t, 1, calls, "one call for all documents")
		again, err := store.AddDocuments(ctx, cities)
		require.NoError(t, err)
		require.Equal(t, ids, again)
		n, err := docs.Count(ctx, filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, 3, n, "no document is stored twice")

		found, err := store.SimilaritySearch(ctx, "tokyo city", 1)
		require.NoError(t, err)
		require.Equal(t, cities[0].PageContent, found[0].PageContent)
		require.Equal(t, cities[0].Metadata, found[0].Metadata)
		require.InDelta(t, 0.7071, found[0].Score, 1e-3, "the cosine: two of the four words")

		for _, filters := range []any{
			map[string]any{"country": "japan", "population": map[string]any{"$lt": 5}},
			filter.And(filter.Eq("country", "japan"), filter.Lt("population", 5)),
		} {
			found, err = store.SimilaritySearch(ctx, "city", 9, vectorstores.WithFilters(filters))
			require.NoError(t, err)
			require.Equal(t, []string{cities[1].PageContent}, contents(found))
		}
		found, err = store.SimilaritySearch(ctx, "city", 9, vectorstores.WithFilters(map[string]any{"tags": map[string]any{"$containsAny": []any{"capital"}}}))
		require.NoError(t, err)
		require.Equal(t, []string{cities[0].PageContent}, contents(found), "by metadata that is no field")
		found, err = store.SimilaritySearch(ctx, "tokyo city", 9, vectorstores.WithScoreThreshold(0.6))
		require.NoError(t, err)
		require.Equal(t, []string{cities[0].PageContent}, contents(found))

		retriever := vectorstores.ToRetriever(store, 2, vectorstores.WithFilters(map[string]any{"country": "japan"}))
		found, err = retriever.GetRelevantDocuments(ctx, "temples")
		require.NoError(t, err)
		require.Len(t, found, 2)
		require.Equal(t, cities[1].PageContent, found[0].PageContent)

		removed, err := store.Delete(ctx, ids[:1])
		require.NoError(t, err)
		require.Equal(t, 1, removed)
		removed, err = store.Delete(ctx, nil, vectorstores.WithFilters(map[string]any{"country": "japan"}))
		require.NoError(t, err)
		require.Equal(t, 1, removed)
		found, err = store.SimilaritySearch(ctx, "city", 9)
		require.NoError(t, err)
		require.Equal(t, []string{cities[2].PageContent}, contents(found))
	})
}

// Options of a call reach only that call.
func TestOptions(t *testing.T) {
	adaptest.Each(t, func(t *testing.T, db *vecwire.DB) {
		ctx, calls, other := t.Context(), 0, 0
		docs := adaptest.Collection(t, db, adaptest.Words(&calls), fields...)
		store, err := langchaingo.New(docs, langchaingo.WithQuery(func(q *vecwire.Query) { q.Exact = true }))
		require.NoError(t, err)
		theirs := langchaingo.ToEmbedder(adaptest.Words(&other))
		for _, space := range []string{"a", "b"} {
			_, err = store.AddDocuments(ctx, cities[:1], vectorstores.WithNameSpace(space), vectorstores.WithEmbedder(theirs))
			require.NoError(t, err)
		}
		require.Equal(t, 2, other)
		require.Zero(t, calls)
		_, err = store.AddDocuments(ctx, cities, vectorstores.WithNameSpace("a"), vectorstores.WithDeduplicater(
			func(_ context.Context, doc schema.Document) bool { return doc.Metadata["id"] == "tokyo" }))
		require.NoError(t, err)
		for space, want := range map[string]int{"a": 3, "b": 1} {
			found, err := store.SimilaritySearch(ctx, "city", 9, vectorstores.WithNameSpace(space), vectorstores.WithEmbedder(theirs))
			require.NoError(t, err)
			require.Len(t, found, want)
			require.NotContains(t, found[0].Metadata, vecwire.NamespaceField)
		}
		always, err := langchaingo.New(docs, langchaingo.WithEmbedder(theirs))
		require.NoError(t, err)
		before, own := other, calls
		_, err = always.SimilaritySearch(ctx, "city", 9, vectorstores.WithNameSpace("a"))
		require.NoError(t, err)
		require.Equal(t, []int{before + 1, own}, []int{other, calls}, "by the embedder of the store")
		removed, err := store.Delete(ctx, nil, vectorstores.WithNameSpace("a"), vectorstores.WithFilters(filter.Filter{}))
		require.NoError(t, err)
		require.Equal(t, 3, removed)
	})
}

func TestRefusals(t *testing.T) {
	adaptest.Each(t, func(t *testing.T, db *vecwire.DB) {
		ctx, calls := t.Context(), 0
		store, err := langchaingo.New(adaptest.Collection(t, db, adaptest.Words(&calls), fields...))
		require.NoError(t, err)
		_, err = langchaingo.New(nil)
		require.Error(t, err)
		for _, option := range []vectorstores.Option{vectorstores.WithFilters(map[string]any{}), vectorstores.WithScoreThreshold(1)} {
			_, err = store.AddDocuments(ctx, cities, option)
			require.ErrorIs(t, err, vecwire.ErrUnsupported)
		}
		var batch *vecwire.BatchError
		_, err = store.AddDocuments(ctx, []schema.Document{{PageContent: "x"}, {PageContent: "y", Metadata: map[string]any{"population": "many"}}})
		require.ErrorAs(t, err, &batch)
		require.Equal(t, 1, batch.Failed[0].Index)
		_, err = store.AddDocuments(ctx, []schema.Document{{PageContent: "y", Metadata: map[string]any{"f": func() {}}}})
		require.ErrorAs(t, err, &batch)
		_, err = store.SimilaritySearch(ctx, "x", 0)
		require.ErrorContains(t, err, "numDocuments")
		var bad *vecwire.FilterError
		_, err = store.SimilaritySearch(ctx, "x", 1, vectorstores.WithFilters(map[string]any{"$where": 1}))
		require.ErrorAs(t, err, &bad)
		_, err = store.SimilaritySearch(ctx, "x", 1, vectorstores.WithFilters("country = 'x'; DROP TABLE docs"))
		require.ErrorContains(t, err, "WithFilters")
		_, err = store.Delete(ctx, []string{"a"}, vectorstores.WithFilters(map[string]any{}))
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
	})
}

// Embedders go both ways, also through langchaingo's own batches.
func TestEmbedders(t *testing.T) {
	ctx, calls := t.Context(), 0
	ours := adaptest.Words(&calls)
	theirs := langchaingo.ToEmbedder(ours)
	client, err := embeddings.NewEmbedder(embeddings.EmbedderClientFunc(theirs.EmbedDocuments), embeddings.WithBatchSize(1))
	require.NoError(t, err)
	for _, e := range []embeddings.Embedder{theirs, client} {
		back := langchaingo.FromEmbedder(e, ours.Model(), ours.Dim())
		for _, use := range []embed.Use{embed.Document, embed.Query} {
			want, err := ours.Embed(ctx, []string{"a b", "c"}, use)
			require.NoError(t, err)
			got, err := back.Embed(ctx, []string{"a b", "c"}, use)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
	_, err = langchaingo.FromEmbedder(theirs, "words", 65).Embed(ctx, []string{"a"}, embed.Query)
	require.Error(t, err, "the dimension is checked")
}
