package openai_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/embed/openai"
	"github.com/vecwire/vecwire/internal/testenv"
)

// TestRealModel embeds with a real sentence-embedding model behind a real server.
func TestRealModel(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a model server")
	}
	base := testenv.EmbeddingServer(t)
	model := openai.Options{BaseURL: base, Model: testenv.EmbeddingModel, Dim: testenv.EmbeddingDim}
	numbers := client(t, model)
	model.Base64 = true
	inBase64 := client(t, model)

	texts := []string{
		"This is an example sentence",
		"A man is eating food.",
		"Someone has a meal.",
		"The stock exchange fell sharply.",
		"日本語 and 👩‍👩‍👧, \"quoted\"\n",
	}
	e := embed.Batch(embed.Retry(numbers, embed.RetryOptions{}), embed.BatchOptions{Items: 2, Concurrency: 2})
	vectors, err := e.Embed(t.Context(), texts, embed.Document)
	require.NoError(t, err)
	again, err := inBase64.Embed(t.Context(), texts, embed.Document)
	require.NoError(t, err)
	for i := range texts {
		require.InDelta(t, 1, dot(vectors[i], vectors[i]), 1e-5)
		require.InDelta(t, 1, dot(vectors[i], again[i]), 1e-6)
	}
	require.Greater(t, dot(vectors[1], vectors[2]), 0.6, "two sentences of one meaning")
	require.Less(t, dot(vectors[1], vectors[3]), 0.2, "two of different meanings")
}

func dot(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
