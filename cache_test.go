package vecwire_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
)

func TestEmbeddingCache(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "cache.db")
	for _, metric := range []vecwire.Metric{vecwire.Dot, vecwire.Cosine} {
		texts := 0
		for round := range 2 {
			db, err := vecwire.Open(ctx, path)
			require.NoError(t, err)
			c, err := db.EnsureCollection(ctx, vecwire.Schema{Name: "cache_" + metric.String(), Dim: 2, Metric: metric})
			require.NoError(t, err)
			e := embed.Cache(lengths{&texts}, vecwire.EmbeddingCache(c))
			for _, use := range []embed.Use{embed.Document, embed.Query} {
				got, err := e.Embed(ctx, []string{"a", "bbb", "a", ""}, use)
				require.NoError(t, err)
				require.Equal(t, [][]float32{{1, 0}, {3, 0}, {1, 0}, {0, 0}}, got)
				got[0][0] = 9
				require.Equal(t, float32(1), got[2][0], "vectors are shared")
			}
			require.NoError(t, db.Close())
			want := 6 // each text once for each use
			if metric == vecwire.Cosine && round > 0 {
				want += 2 // Cosine keeps no zero vector
			}
			require.Equal(t, want, texts, "%s, round %d", metric, round)
			_, err = e.Embed(ctx, []string{"a"}, embed.Document)
			require.ErrorIs(t, err, vecwire.ErrClosed)
		}
	}
}

// TestEmbeddingCacheInItsOwnDatabase closes a database whose collection is
// embedded through a cache that it holds, too.
func TestEmbeddingCacheInItsOwnDatabase(t *testing.T) {
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	cache, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "cache", Dim: 2, Metric: vecwire.Dot})
	require.NoError(t, err)
	c, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "docs", Dim: 2, Metric: vecwire.Dot, Model: "lengths"})
	require.NoError(t, err)
	texts := 0
	c, err = c.WithEmbedder(embed.Cache(lengths{&texts}, vecwire.EmbeddingCache(cache)))
	require.NoError(t, err)
	require.NoError(t, c.Upsert(t.Context(), vecwire.Record{ID: "1", Text: "abc"}, vecwire.Record{ID: "2", Text: "abc"}))
	require.Equal(t, 1, texts)
	require.NoError(t, db.Close())
}
