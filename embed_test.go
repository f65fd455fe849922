package vecwire

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/embed"
)

// lengths embeds a text as its length, and keeps what it was asked.
type lengths struct{ asked [][]string }

func (*lengths) Model() string { return "lengths" }
func (*lengths) Dim() int      { return 2 }

func (e *lengths) Embed(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
	e.asked = append(e.asked, texts)
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = []float32{float32(len(text)), 1}
	}
	return out, nil
}

func TestEmbedsWhatLacksAVector(t *testing.T) {
	bare := newDocs(t, Schema{Dim: 2, Model: "lengths"})
	e := &lengths{}
	c, err := bare.WithEmbedder(e)
	require.NoError(t, err)

	records := []Record{{ID: "1", Text: "a"}, {ID: "2", Text: "bb", Vector: []float32{9, 9}}, {ID: "3", Text: "ccc"}}
	embedded, err := c.embedRecords(t.Context(), records, false)
	require.NoError(t, err)
	require.Equal(t, [][]string{{"a", "ccc"}}, e.asked, "one call, for what lacks a vector")
	require.Equal(t, []float32{1, 1}, embedded[0].Vector)
	require.Equal(t, []float32{9, 9}, embedded[1].Vector)
	require.Equal(t, []float32{3, 1}, embedded[2].Vector)
	require.Nil(t, records[0].Vector, "the caller's records stay as they were")

	e.asked = nil
	_, err = c.embedRecords(t.Context(), records[1:2], false)
	require.NoError(t, err)
	require.Empty(t, e.asked, "nothing to embed, no call")
}

func TestEmbedderErrorTexts(t *testing.T) {
	c := newDocs(t, Schema{Dim: 2, Model: "other"})
	_, err := c.WithEmbedder(&lengths{})
	require.EqualError(t, err, `vecwire: set embedder of docs: embedding model mismatch: the embedder's model is "lengths", the collection's "other"`)
	_, err = c.Search(t.Context(), Query{Text: "x"})
	require.EqualError(t, err, `vecwire: search docs: Text is String "x", want none without an embedder: use the collection that WithEmbedder returns`)
}

func TestTextOfSignsOnly(t *testing.T) {
	e := &lengths{}
	c, err := newDocs(t, Schema{Dim: 2, Model: "lengths", FullText: Words}).WithEmbedder(e)
	require.NoError(t, err)
	for _, text := range []string{`"`, `-`, `OR OR`, `"" !`, `-"a b"`} {
		_, err := c.Search(t.Context(), Query{Text: text, Fusion: &Fusion{Syntax: Web}})
		value, ok := errors.AsType[*ValueError](err)
		require.True(t, ok, "%s: %v", text, err)
		require.Equal(t, "Text", value.Field, text)
	}
	require.Empty(t, e.asked)
}

func TestDoubleCollectionEmbeds(t *testing.T) {
	bare := newDocs(t, Schema{Dim: 2, Element: DOUBLE, Model: "lengths"})
	c, err := bare.WithEmbedder(&lengths{})
	require.NoError(t, err)
	require.NoError(t, c.Upsert(t.Context(), Record{ID: "1", Text: "abc"}))
	got, err := c.Get(t.Context(), "1")
	require.NoError(t, err)
	require.Equal(t, []float64{3, 1}, got[0].Vector64)
}
