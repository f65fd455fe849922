package eino_test

import (
	"context"
	"errors"
	"testing"

	"github.com/cloudwego/eino/callbacks"
	parts "github.com/cloudwego/eino/components"
	"github.com/cloudwego/eino/components/embedding"
	"github.com/cloudwego/eino/components/indexer"
	"github.com/cloudwego/eino/components/retriever"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/eino"
	"github.com/vecwire/vecwire/adapters/internal/adaptest"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
)

var fields = []vecwire.Field{{Name: "lang", Index: true}, {Name: "year", Type: vecwire.Int}}

func components(t testing.TB, c *vecwire.Collection) (*eino.Indexer, *eino.Retriever) {
	in, err := eino.NewIndexer(t.Context(), &eino.IndexerConfig{Collection: c})
	require.NoError(t, err)
	out, err := eino.NewRetriever(t.Context(), &eino.RetrieverConfig{Collection: c, TopK: 2})
	require.NoError(t, err)
	return in, out
}

func ids(docs []*schema.Document) (out []string) {
	for _, d := range docs {
		out = append(out, d.ID)
	}
	return out
}

// Documents come back as they were, nearest first, with metadata of any shape.
func TestStoreAndRetrieve(t *testing.T) {
	adaptest.Each(t, func(t *testing.T, db *vecwire.DB) {
		ctx, calls := t.Context(), 0
		docs := adaptest.Collection(t, db, adaptest.Words(&calls), fields...)
		in, out := components(t, docs)
		stored := []*schema.Document{
			{ID: "1", Content: "remove duplicates from a slice", MetaData: map[string]any{"lang": "go", "year": 2024, "tags": []any{"slices", int64(2)}}},
			{ID: "2", Content: "sort a slice of numbers", MetaData: map[string]any{"lang": "go", "year": 2020, "nested": map[string]any{"x": 0.1}}},
			{ID: "3", Content: "remove a file", MetaData: map[string]any{"lang": "sh"}},
			{Content: "without an id"},
		}
		got, err := in.Store(ctx, stored)
		require.NoError(t, err)
		require.Equal(t, []string{"1", "2", "3"}, got[:3])
		require.Len(t, got[3], 32)
		require.Equal(t, 1, calls, "one call for all documents")
		again, err := in.Store(ctx, stored)
		require.NoError(t, err)
		require.Equal(t, got, again)
		n, err := docs.Count(ctx, filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, 4, n, "a document replaces itself")

		found, err := out.Retrieve(ctx, "remove duplicates slice")
		require.NoError(t, err)
		require.Len(t, found, 2)
		require.Equal(t, "1", found[0].ID)
		require.Equal(t, stored[0].Content, found[0].Content)
		require.Equal(t, []any{"slices", int64(2)}, found[0].MetaData["tags"])
		require.EqualValues(t, 2024, found[0].MetaData["year"])
		require.Greater(t, found[0].Score(), found[1].Score(), "higher is nearer")
		require.LessOrEqual(t, found[0].Score(), 1.0)

		found, err = out.Retrieve(ctx, "slice", retriever.WithTopK(9), retriever.WithDSLInfo(map[string]any{"year": map[string]any{"$gte": 2021}}))
		require.NoError(t, err)
		require.Equal(t, []string{"1"}, ids(found))
		found, err = out.Retrieve(ctx, "slice", retriever.WithTopK(9), eino.WithFilter(filter.Eq("lang", "go")), retriever.WithDSLInfo(map[string]any{"year": 2020}))
		require.NoError(t, err)
		require.Equal(t, []string{"2"}, ids(found))
		found, err = out.Retrieve(ctx, "slice", retriever.WithDSLInfo(map[string]any{"nested.x": map[string]any{"$lt": 1}}))
		require.NoError(t, err)
		require.Equal(t, []string{"2"}, ids(found), "by metadata that is no field")
		found, err = out.Retrieve(ctx, "without an id", retriever.WithTopK(9), retriever.WithScoreThreshold(1))
		require.NoError(t, err)
		require.Empty(t, found, "greater than 1 is nothing")
		found, err = out.Retrieve(ctx, "remove", retriever.WithTopK(9), retriever.WithScoreThreshold(0))
		require.NoError(t, err)
		require.Len(t, found, 2, "what has nothing in common scores 0")
		found, err = out.Retrieve(ctx, "remove", retriever.WithTopK(1), eino.WithQuery(func(q *vecwire.Query) { q.Vectors = true }))
		require.NoError(t, err)
		require.Len(t, found[0].DenseVector(), docs.Schema().Dim)

		_, err = in.Store(ctx, found) // with its score and vector: stored again as it is
		require.NoError(t, err)
		again2, err := out.Retrieve(ctx, "remove", retriever.WithTopK(1))
		require.NoError(t, err)
		require.Equal(t, found[0].ID, again2[0].ID)
	})
}

// Vectors may come with documents, from eino's embedders, and as DOUBLE.
func TestEmbedders(t *testing.T) {
	adaptest.Each(t, func(t *testing.T, db *vecwire.DB) {
		ctx, calls := t.Context(), 0
		words := adaptest.Words(&calls)
		theirs, err := eino.NewEmbedder(ctx, &eino.EmbedderConfig{Embedder: words})
		require.NoError(t, err)
		docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "double", Dim: 64, Element: vecwire.DOUBLE})
		require.NoError(t, err)
		in, out := components(t, docs)
		v := make([]float64, 64)
		v[3] = 1 + 1e-15
		_, err = in.Store(ctx, []*schema.Document{
			(&schema.Document{ID: "v", Content: "given"}).WithDenseVector(v), {ID: "w", Content: "made of words"},
		}, indexer.WithEmbedding(theirs))
		require.NoError(t, err)
		got, err := docs.Get(ctx, "v")
		require.NoError(t, err)
		require.Equal(t, v, got[0].Vector64, "no bit is lost")
		found, err := out.Retrieve(ctx, "words", retriever.WithEmbedding(theirs))
		require.NoError(t, err)
		require.Equal(t, "w", found[0].ID)

		ours := eino.FromEmbedder(theirs, "words", 64)
		vectors, err := ours.Embed(ctx, []string{"a b", "c"}, embed.Query)
		require.NoError(t, err)
		want, err := words.Embed(ctx, []string{"a b", "c"}, embed.Query)
		require.NoError(t, err)
		require.Equal(t, want, vectors)
		_, err = eino.FromEmbedder(theirs, "words", 65).Embed(ctx, []string{"a"}, embed.Document)
		require.Error(t, err, "the dimension is checked")
		_, err = theirs.EmbedStrings(ctx, []string{"a"}, embedding.WithModel("another"))
		var value *vecwire.ValueError
		require.ErrorAs(t, err, &value)
	})
}

// What texts are embedded for can be said for one call.
func TestUses(t *testing.T) {
	var uses []embed.Use
	e := embed.Func("uses", 2, func(_ context.Context, texts []string, use embed.Use) ([][]float32, error) {
		uses = append(uses, use)
		return [][]float32{{1, 0}}, nil
	})
	theirs, err := eino.NewEmbedder(t.Context(), &eino.EmbedderConfig{Embedder: e, Use: embed.Document})
	require.NoError(t, err)
	for _, opts := range [][]embedding.Option{nil, {eino.WithUse(embed.Query)}, nil} {
		_, err = theirs.EmbedStrings(t.Context(), []string{"a"}, opts...)
		require.NoError(t, err)
	}
	require.Equal(t, []embed.Use{embed.Document, embed.Query, embed.Document}, uses)
}

// Sub-indexes are namespaces.
func TestSubIndexes(t *testing.T) {
	adaptest.Each(t, func(t *testing.T, db *vecwire.DB) {
		ctx, calls := t.Context(), 0
		docs := adaptest.Collection(t, db, adaptest.Words(&calls), fields...)
		in, out := components(t, docs)
		_, err := in.Store(ctx, []*schema.Document{
			(&schema.Document{ID: "1", Content: "one"}).WithSubIndexes([]string{"a", "b"}), {ID: "2", Content: "two"},
		}, indexer.WithSubIndexes([]string{"b"}))
		require.NoError(t, err)
		for sub, want := range map[string][]string{"a": {"1"}, "b": {"1", "2"}} {
			found, err := out.Retrieve(ctx, "one", retriever.WithSubIndex(sub), retriever.WithIndex("docs"))
			require.NoError(t, err)
			require.Equal(t, want, ids(found))
		}
		_, err = out.Retrieve(ctx, "one", retriever.WithIndex("others"))
		require.ErrorContains(t, err, "others")
		_, err = out.Retrieve(ctx, "one", retriever.WithSubIndex("a/b"))
		require.Error(t, err)
	})
}

// What cannot be stored or asked is refused, by name.
func TestRefusals(t *testing.T) {
	adaptest.Each(t, func(t *testing.T, db *vecwire.DB) {
		ctx, calls := t.Context(), 0
		in, out := components(t, adaptest.Collection(t, db, adaptest.Words(&calls), fields...))
		var batch *vecwire.BatchError
		_, err := in.Store(ctx, []*schema.Document{
			{ID: "good", Content: "x"}, nil, (&schema.Document{ID: "s", Content: "x"}).WithSparseVector(map[int]float64{1: 1}),
			{ID: "c", Content: "x", MetaData: map[string]any{"f": func() {}}},
		})
		require.ErrorAs(t, err, &batch)
		require.Len(t, batch.Failed, 3)
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		_, err = in.Store(ctx, []*schema.Document{{ID: "y", Content: "x", MetaData: map[string]any{"year": "late"}}})
		require.ErrorAs(t, err, &batch)
		require.Equal(t, "y", batch.Failed[0].ID)
		_, err = in.Store(ctx, []*schema.Document{(&schema.Document{ID: "d", Content: "x"}).WithDenseVector([]float64{1})})
		var dimension *vecwire.DimensionError
		require.ErrorAs(t, err, &dimension)

		var bad *vecwire.FilterError
		_, err = out.Retrieve(ctx, "x", retriever.WithDSLInfo(map[string]any{"year": "late"}))
		require.Error(t, err)
		_, err = out.Retrieve(ctx, "x", retriever.WithDSLInfo(map[string]any{"$where": "1"}))
		require.ErrorAs(t, err, &bad)
		_, err = out.Retrieve(ctx, "x", retriever.WithTopK(0))
		require.ErrorContains(t, err, "TopK")
		_, err = eino.NewIndexer(ctx, nil)
		require.Error(t, err)
		_, err = eino.NewRetriever(ctx, &eino.RetrieverConfig{})
		require.Error(t, err)
	})
}

// In a graph, handlers are told once of each component, and of what fails.
func TestCallbacksInGraph(t *testing.T) {
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	defer db.Close()
	calls := 0
	in, out := components(t, adaptest.Collection(t, db, adaptest.Words(&calls), fields...))
	theirs, err := eino.NewEmbedder(t.Context(), &eino.EmbedderConfig{Embedder: adaptest.Words(&calls)})
	require.NoError(t, err)
	_, err = in.Store(t.Context(), []*schema.Document{{ID: "1", Content: "one"}})
	require.NoError(t, err)
	for _, c := range []any{in, out, theirs} {
		require.True(t, parts.IsCallbacksEnabled(c), "else the graph would call the handlers, too")
	}

	var told []string
	handler := callbacks.NewHandlerBuilder().
		OnStartFn(func(ctx context.Context, info *callbacks.RunInfo, input callbacks.CallbackInput) context.Context {
			if c := retriever.ConvCallbackInput(input); info.Component == "Retriever" {
				told = append(told, "start "+info.Type+" "+c.Query)
				require.Equal(t, 2, c.TopK)
			} else {
				told = append(told, "start "+string(info.Component))
			}
			return ctx
		}).
		OnEndFn(func(ctx context.Context, info *callbacks.RunInfo, output callbacks.CallbackOutput) context.Context {
			told = append(told, "end "+string(info.Component))
			return ctx
		}).
		OnErrorFn(func(ctx context.Context, info *callbacks.RunInfo, err error) context.Context {
			told = append(told, "error "+string(info.Component))
			return ctx
		}).Build()

	graph := compose.NewGraph[string, []*schema.Document]()
	require.NoError(t, graph.AddRetrieverNode("find", out))
	require.NoError(t, graph.AddEdge(compose.START, "find"))
	require.NoError(t, graph.AddEdge("find", compose.END))
	run, err := graph.Compile(t.Context())
	require.NoError(t, err)
	found, err := run.Invoke(t.Context(), "one", compose.WithCallbacks(handler), compose.WithRetrieverOption(retriever.WithEmbedding(theirs)))
	require.NoError(t, err)
	require.Equal(t, []string{"1"}, ids(found))
	require.Equal(t, []string{"start Graph", "start Vecwire one", "start Embedding", "end Embedding", "end Retriever", "end Graph"}, told)

	told = nil
	_, err = run.Invoke(t.Context(), "one", compose.WithCallbacks(handler), compose.WithRetrieverOption(retriever.WithTopK(2), retriever.WithSubIndex("/")))
	var value *vecwire.ValueError
	require.True(t, errors.As(err, &value), err)
	require.Equal(t, []string{"start Graph", "start Vecwire one", "error Retriever", "error Graph"}, told)
}
