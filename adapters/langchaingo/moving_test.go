package langchaingo_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"
	"github.com/tmc/langchaingo/vectorstores/pgvector"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/internal/adaptest"
	"github.com/vecwire/vecwire/adapters/langchaingo"
	"github.com/vecwire/vecwire/internal/testenv"
	"github.com/vecwire/vecwire/transfer"
)

// What langchaingo's own store wrote is searched where it is, by the view of
// docs/from-langchaingo.md, and copied without embedding it again.
func TestFromPgvectorStore(t *testing.T) {
	ctx, url, calls := t.Context(), testenv.Postgres(t), 0
	e := adaptest.Words(&calls)
	theirs, err := pgvector.New(ctx, pgvector.WithConnectionURL(url), pgvector.WithEmbedder(langchaingo.ToEmbedder(e)))
	require.NoError(t, err)
	given := []schema.Document{
		{PageContent: "tokyo is a city", Metadata: map[string]any{"lang": "en", "population": 9.7, "tags": []any{"capital", "port"}}},
		{PageContent: "kyoto ist eine stadt", Metadata: map[string]any{"lang": "de"}},
	}
	_, err = theirs.AddDocuments(ctx, given)
	require.NoError(t, err)
	want, err := theirs.SimilaritySearch(ctx, "tokyo city", 1)
	require.NoError(t, err)
	require.NoError(t, theirs.Close())

	page, err := os.ReadFile("../../docs/from-langchaingo.md")
	require.NoError(t, err)
	view := regexp.MustCompile("(?s)```sql\n(.*?)```").FindSubmatch(page)[1]
	pool, err := pgxpool.New(ctx, url)
	require.NoError(t, err)
	defer pool.Close()
	_, err = pool.Exec(ctx, string(view))
	require.NoError(t, err)

	db, err := vecwire.OpenPool(ctx, pool)
	require.NoError(t, err)
	defer db.Close()
	old, err := db.AttachCollection(ctx, vecwire.AttachOptions{Table: "langchain_docs", IDColumn: "id", TextColumn: "document", Dim: e.Dim(), Model: e.Model()})
	require.NoError(t, err)
	old, err = old.WithEmbedder(e)
	require.NoError(t, err)
	search := func(c *vecwire.Collection) {
		store, err := langchaingo.New(c)
		require.NoError(t, err)
		found, err := store.SimilaritySearch(ctx, "tokyo city", 1)
		require.NoError(t, err)
		require.Equal(t, given[0].PageContent, found[0].PageContent)
		require.Equal(t, given[0].Metadata, found[0].Metadata)
		require.InDelta(t, want[0].Score, found[0].Score, 1e-6)
		found, err = store.SimilaritySearch(ctx, "tokyo city", 9, vectorstores.WithFilters(map[string]any{"lang": "de"}))
		require.NoError(t, err)
		require.Equal(t, []string{given[1].PageContent}, contents(found))
		found, err = store.SimilaritySearch(ctx, "city", 9, vectorstores.WithFilters(map[string]any{"population": map[string]any{"$gt": 9.5}}))
		require.NoError(t, err)
		require.Equal(t, []string{given[0].PageContent}, contents(found), "by metadata that is no column")
	}
	search(old)

	file, err := vecwire.Open(ctx, "mem:")
	require.NoError(t, err)
	defer file.Close()
	docs, err := file.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: e.Dim(), Model: e.Model(), Fields: old.Schema().Fields})
	require.NoError(t, err)
	before := calls
	report, err := transfer.Copy(ctx, docs, old, transfer.CopyOptions{})
	require.NoError(t, err)
	require.EqualValues(t, 2, report.Inserted)
	require.Equal(t, before, calls)
	docs, err = docs.WithEmbedder(e)
	require.NoError(t, err)
	search(docs)
}
