package embed_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/embed"
)

func TestCacheEmbedsEachTextOnce(t *testing.T) {
	f := &fake{dim: 4}
	e := embed.Cache(f, embed.NewLRU(0))
	texts := []string{"a", "b", "a", "", "b", "a"}
	got, err := e.Embed(t.Context(), texts, embed.Document)
	require.NoError(t, err)
	require.Equal(t, f.want(texts, embed.Document), got)
	require.Equal(t, [][]string{{"a", "b", ""}}, f.calls)

	for i := range got { // what callers do with their vectors is their own affair
		got[i][0] = float32(99 + i)
	}
	for i := range got {
		require.Equal(t, float32(99+i), got[i][0], "no two are the same slice")
	}
	again, err := e.Embed(t.Context(), []string{"c", "b", "a"}, embed.Document)
	require.NoError(t, err)
	require.Equal(t, f.want([]string{"c", "b", "a"}, embed.Document), again)
	require.Equal(t, []string{"c"}, f.calls[1])

	queries, err := e.Embed(t.Context(), []string{"a"}, embed.Query)
	require.NoError(t, err)
	require.Equal(t, f.want([]string{"a"}, embed.Query), queries, "a query's vector is not a document's")

	none, err := e.Embed(t.Context(), nil, embed.Document)
	require.NoError(t, err)
	require.Empty(t, none)
	require.Len(t, f.calls, 3)
}

func TestCacheKeepsNothingBad(t *testing.T) {
	f := &fake{dim: 4, spoil: func(_ []string, v [][]float32) [][]float32 { return v[:len(v)-1] }}
	store := embed.NewLRU(0)
	e := embed.Cache(f, store)
	_, err := e.Embed(t.Context(), []string{"a", "a", "b", "c"}, embed.Document)
	var text *embed.TextError
	require.ErrorAs(t, err, &text)
	require.Equal(t, 3, text.Index, "in the caller's call, not in the shorter one that was made")
	require.Zero(t, store.Len())
}

func TestCacheDoesNotTrustItsStore(t *testing.T) {
	f := &fake{dim: 4}
	store := embed.NewLRU(0)
	require.NoError(t, store.Put(t.Context(), []embed.CacheKey{embed.KeyOf("fake", embed.Document, "a")}, [][]float32{{1, 2}}))
	got, err := embed.Cache(f, store).Embed(t.Context(), []string{"a"}, embed.Document)
	require.NoError(t, err)
	require.Equal(t, f.want([]string{"a"}, embed.Document), got)
}

// brokenStore fails as it is told.
type brokenStore struct {
	*embed.LRU
	get, put error
	short    bool
}

func (b brokenStore) Get(ctx context.Context, keys []embed.CacheKey) ([][]float32, error) {
	if b.short {
		keys = keys[1:]
	}
	vectors, _ := b.LRU.Get(ctx, keys)
	return vectors, b.get
}

func (b brokenStore) Put(context.Context, []embed.CacheKey, [][]float32) error { return b.put }

func TestCacheReturnsErrors(t *testing.T) {
	broken := errors.New("broken")
	_, err := embed.Cache(&fake{dim: 4}, brokenStore{LRU: embed.NewLRU(0), get: broken}).Embed(t.Context(), numbered(2), embed.Document)
	require.ErrorIs(t, err, broken)
	_, err = embed.Cache(&fake{dim: 4}, brokenStore{LRU: embed.NewLRU(0), put: broken}).Embed(t.Context(), numbered(2), embed.Document)
	require.ErrorIs(t, err, broken)
	var count *embed.CountError
	_, err = embed.Cache(&fake{dim: 4}, brokenStore{LRU: embed.NewLRU(0), short: true}).Embed(t.Context(), numbered(2), embed.Document)
	require.ErrorAs(t, err, &count)
	_, err = embed.Cache(&fake{dim: 4, fail: func(int, []string) error { return broken }}, embed.NewLRU(0)).Embed(t.Context(), numbered(2), embed.Document)
	require.ErrorIs(t, err, broken)
}

func TestLRUForgetsTheLeastUsed(t *testing.T) {
	store := embed.NewLRU(2)
	key := func(text string) []embed.CacheKey { return []embed.CacheKey{embed.KeyOf("m", embed.Document, text)} }
	has := func(text string) bool {
		got, err := store.Get(t.Context(), key(text))
		require.NoError(t, err)
		return got[0] != nil
	}
	put := func(text string) {
		require.NoError(t, store.Put(t.Context(), key(text), [][]float32{{1}}))
	}
	put("a")
	put("b")
	require.True(t, has("a"))
	put("c")
	require.False(t, has("b"))
	require.True(t, has("a"))
	put("c") // again: nothing is forgotten
	require.True(t, has("a"))
	require.Equal(t, 2, store.Len())
}

func TestCacheConcurrently(t *testing.T) {
	f := &fake{dim: 8}
	e := embed.Cache(f, embed.NewLRU(50))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 50 {
				texts := numbered(100)[i : i+20]
				got, err := e.Embed(t.Context(), texts, embed.Document)
				require.NoError(t, err)
				require.Equal(t, f.want(texts, embed.Document), got)
				clear(got[0])
			}
		})
	}
	all.Wait()
}

func TestCacheKey(t *testing.T) {
	keys := map[string]bool{}
	for _, model := range []string{"m", "n"} {
		for _, use := range []embed.Use{embed.Document, embed.Query} {
			for _, text := range []string{"", "a", "b"} {
				keys[embed.KeyOf(model, use, text).String()] = true
			}
		}
	}
	require.Len(t, keys, 12)
	require.Equal(t, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb/query/m", embed.KeyOf("m", embed.Query, "a").String())
}
