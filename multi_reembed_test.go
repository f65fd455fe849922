package vecwire

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
)

// widths is a model whose vectors have a text's length in them, and its own number.
type widths int

func (l widths) Model() string { return string(rune('a' + int(l))) }
func (l widths) Dim() int      { return int(l) }

func (l widths) Embed(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = make([]float32, l)
		out[i][0], out[i][1] = float32(len(text)), float32(l)
	}
	return out, nil
}

// Handles of another process notice that one of the vectors was made again, and none of
// them writes a vector of the model before.
func TestMultiReembedOfOneVector(t *testing.T) {
	ctx := t.Context()
	a, b, here, there := twoOf(t, Schema{Name: "docs", Dim: 2, Fields: []Field{{Name: "title"}}, Vectors: []VectorField{{Name: "head", Dim: 2, Model: widths(2).Model(), Source: "title"}}})
	with, err := there.WithVectorEmbedder("head", widths(2))
	require.NoError(t, err)
	record := func(id string) Record {
		return Record{ID: id, Vector: []float32{1, 2}, Fields: Fields{"title": "title " + id}}
	}
	require.NoError(t, with.Upsert(ctx, record("1"), record("2")))
	_, report, err := a.Reembed(ctx, "docs", widths(3), ReembedOptions{In: "head"})
	require.NoError(t, err)
	require.EqualValues(t, 2, report.Embedded)
	require.Error(t, with.Upsert(ctx, record("3")))
	again, err := b.OpenCollection(ctx, "docs")
	require.NoError(t, err)
	for _, c := range []*Collection{here, there, again} {
		got, err := c.Get(ctx, "1", "2", "3")
		require.NoError(t, err)
		require.Len(t, got, 2)
		for _, r := range got {
			require.Equal(t, map[string][]float32{"head": {7, 3, 0}}, r.Vectors)
		}
	}
	_, err = with.Count(ctx, filter.Filter{})
	require.ErrorIs(t, err, ErrModelMismatch)
}
