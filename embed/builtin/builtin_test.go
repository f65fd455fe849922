package builtin

import (
	"encoding/json"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/embed/transform"
)

func TestWeightsAreWhole(t *testing.T) {
	require.NoError(t, transform.CheckPacked(weights))
	require.Less(t, len(weights), 25<<20)
	notice, err := os.ReadFile("NOTICE")
	require.NoError(t, err)
	text, err := json.Marshal(string(notice))
	require.NoError(t, err)
	require.Contains(t, weights[:8000], string(text), "the weights carry the notice")
}

// The model changes with the weights: whoever commits others changes this name, too.
func TestModel(t *testing.T) {
	e := New()
	require.Equal(t, "all-MiniLM-L6-v2-int8/96c9d3d8b7bf6b43", e.Model())
	require.Equal(t, 384, e.Dim())
	require.Equal(t, 256, e.MaxTokens())
	short, err := Open(transform.Options{MaxTokens: 32})
	require.NoError(t, err)
	require.NotEqual(t, e.Model(), short.Model())
	_, err = Open(transform.Options{MaxTokens: 257})
	require.ErrorContains(t, err, "Options.MaxTokens")
}

// Opening copies the vocabulary and what is in float32, and not the 23 MB of weights.
func TestWeightsStayInTheProgram(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	e := New()
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(6<<20))
	runtime.KeepAlive(e)
}

func TestAgreesWithTheReference(t *testing.T) {
	raw, err := os.ReadFile("testdata/reference.json")
	require.NoError(t, err)
	var entries []struct {
		Text   string
		Vector []float64
	}
	require.NoError(t, json.Unmarshal(raw, &entries))
	require.NotEmpty(t, entries)
	var texts []string
	for _, entry := range entries {
		texts = append(texts, entry.Text)
	}
	vectors, err := New().Embed(t.Context(), texts, embed.Document)
	require.NoError(t, err)
	mean := 0.0
	for i, entry := range entries {
		dot, squares := 0.0, 0.0
		for j, x := range vectors[i] {
			dot += float64(x) * entry.Vector[j]
			squares += float64(x) * float64(x)
		}
		require.InDelta(t, 1, math.Sqrt(squares), 1e-5)
		require.Greater(t, dot, 0.98, entry.Text)
		mean += dot / float64(len(entries))
	}
	t.Logf("mean cosine %.4f", mean)
	require.Greater(t, mean, 0.99)
}

func TestLongTextsAreCut(t *testing.T) {
	e := New()
	long := strings.Repeat("word ", 1000)
	got, err := e.Embed(t.Context(), []string{long, long + "another end"}, embed.Document)
	require.NoError(t, err)
	require.Equal(t, got[0], got[1])
}
