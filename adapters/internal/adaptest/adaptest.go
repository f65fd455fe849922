// Package adaptest is what the tests of the adapters share: databases, and an
// embedder that needs no model. It knows no framework.
package adaptest

import (
	"context"
	"hash/fnv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/internal/meta"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/internal/testenv"
)

// Each runs a test over the embedded engine and PostgreSQL.
func Each(t *testing.T, test func(t *testing.T, db *vecwire.DB)) {
	for name, url := range map[string]func(testing.TB) string{
		"embedded": func(testing.TB) string { return "mem:" },
		"postgres": testenv.Postgres,
	} {
		t.Run(name, func(t *testing.T) {
			db, err := vecwire.Open(t.Context(), url(t))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			test(t, db)
		})
	}
}

// Collection makes a collection for the documents of a framework, with an embedder.
func Collection(t testing.TB, db *vecwire.DB, e vecwire.Embedder, fields ...vecwire.Field) *vecwire.Collection {
	c, err := db.CreateCollection(t.Context(), vecwire.Schema{
		Name: "docs", Dim: e.Dim(), Model: e.Model(),
		Fields: append(fields, vecwire.Field{Name: meta.Field, Type: vecwire.JSON}, vecwire.Field{Name: vecwire.NamespaceField, Index: true}),
	})
	require.NoError(t, err)
	c, err = c.WithEmbedder(e)
	require.NoError(t, err)
	return c
}

// Words returns an embedder whose vectors are near where texts have words in common.
// It adds the number of calls to calls.
func Words(calls *int) vecwire.Embedder {
	var mu sync.Mutex
	return embed.Func("words", 64, func(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
		mu.Lock()
		*calls++
		mu.Unlock()
		vectors := make([][]float32, len(texts))
		for i, text := range texts {
			v := make([]float32, 64)
			for _, word := range strings.Fields(strings.ToLower(text)) {
				h := fnv.New32a()
				_, _ = h.Write([]byte(word))
				v[h.Sum32()%64]++
			}
			vectors[i] = v
		}
		return vectors, nil
	})
}
