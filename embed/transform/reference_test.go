package transform

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/embed/openai"
	"github.com/vecwire/vecwire/internal/testenv"
)

// reference starts the server of all-MiniLM-L6-v2 in numpy, with the tokenizers
// library of Hugging Face, and returns the directory of the model that it serves.
func reference(t testing.TB) (dir string, server embed.Embedder) {
	t.Helper()
	client, err := openai.New(openai.Options{
		BaseURL: testenv.EmbeddingServer(t), Model: testenv.EmbeddingModel, Dim: testenv.EmbeddingDim, Base64: true, Timeout: 5 * time.Minute,
	})
	require.NoError(t, err)
	return testenv.EmbeddingModelDir(t), client
}

func TestAgreesWithTheReference(t *testing.T) {
	dir, server := reference(t)
	e, err := Open(dir, Options{})
	require.NoError(t, err)
	require.Equal(t, testenv.EmbeddingDim, e.Dim())
	require.Equal(t, 256, e.MaxTokens())

	texts := sentences()
	require.Len(t, texts, 100)
	distinct := map[string]bool{}
	for _, text := range texts {
		distinct[text] = true
	}
	require.Len(t, distinct, 100)

	want, err := server.Embed(t.Context(), texts, embed.Document)
	require.NoError(t, err)
	got, err := e.Embed(t.Context(), texts, embed.Document)
	require.NoError(t, err)
	least := 1.0
	for i, text := range texts {
		c := cosine(got[i], want[i])
		require.Greater(t, c, 0.99999, "%.60q", text)
		require.InDelta(t, 1, length(got[i]), 1e-6, "%.60q", text)
		least = min(least, c)
	}
	t.Logf("the least cosine is 1 - %.1e", 1-least)

	rounded, err := Open(dir, Options{Int8: true})
	require.NoError(t, err)
	got, err = rounded.Embed(t.Context(), texts, embed.Document)
	require.NoError(t, err)
	var mean float64
	least = 1
	for i := range texts {
		c := cosine(got[i], want[i])
		mean += c / float64(len(texts))
		least = min(least, c)
	}
	t.Logf("in eight bits the mean is %.4f, the least %.4f", mean, least)
	require.Greater(t, mean, 0.99)
	require.Greater(t, least, 0.97)
}

func cosine(a, b []float32) float64 {
	var dot float64
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
	}
	return dot / length(a) / length(b)
}

func length(a []float32) float64 {
	var squares float64
	for _, x := range a {
		squares += float64(x) * float64(x)
	}
	return math.Sqrt(squares)
}
