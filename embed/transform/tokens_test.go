package transform

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/embed"
)

// TestTokens: the mean of a text's token vectors is its vector, and each is the same in
// any company.
func TestTokens(t *testing.T) {
	plain := func(m *tinyModel) { m.files["modules.json"] = m.files["modules.json"].([]object)[:2] }
	e, err := openTiny(t, Options{Concurrency: 3}, plain)
	require.NoError(t, err)
	texts := []string{"read a file", "line by line, reading", "", "Über 中中"}
	got, err := e.Tokens(t.Context(), texts, embed.Document)
	require.NoError(t, err)
	vectors, err := e.Embed(t.Context(), texts, embed.Document)
	require.NoError(t, err)
	for i, text := range texts {
		require.Len(t, got[i], e.CountTokens(text), "%q", text)
		mean := make([]float32, e.Dim())
		for _, v := range got[i] {
			require.Len(t, v, e.Dim())
			for j, x := range v {
				mean[j] += x / float32(len(got[i]))
			}
		}
		require.InDeltaSlice(t, vectors[i], mean, 1e-5)
		alone, err := e.Tokens(t.Context(), texts[i:i+1], embed.Document)
		require.NoError(t, err)
		require.Equal(t, got[i], alone[0])
	}
	unit, err := openTiny(t, Options{})
	require.NoError(t, err)
	of, err := unit.Tokens(t.Context(), texts[:1], embed.Document)
	require.NoError(t, err)
	for i, v := range of[0] {
		require.InDelta(t, 1, length(v), 1e-6)
		require.InDelta(t, 1, cosine(v, got[0][i]), 1e-6)
	}
	none, err := e.Tokens(t.Context(), nil, embed.Document)
	require.NoError(t, err)
	require.Empty(t, none)
	_, err = e.Tokens(t.Context(), []string{"\xff"}, embed.Document)
	var text *embed.TextError
	require.ErrorAs(t, err, &text)
	ended, end := context.WithCancel(t.Context())
	end()
	_, err = e.Tokens(ended, texts, embed.Document)
	require.ErrorIs(t, err, context.Canceled)
}
