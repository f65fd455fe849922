package enginetest

import (
	"context"
	"errors"
	"hash/fnv"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
)

// words is a tiny embedder: a text's vector counts its words, hashed to eight
// places. A word that begins with "!" makes it fail in the way that it names.
type words struct {
	model string
	dim   int
	uses  *[]embed.Use
}

var errEmbed = errors.New("the embedder failed")

func (w words) Model() string { return w.model }
func (w words) Dim() int      { return w.dim }

func (w words) Embed(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	*w.uses = append(*w.uses, use)
	out := make([][]float32, 0, len(texts))
	for _, text := range texts {
		v := make([]float32, w.dim)
		for _, word := range strings.Fields(text) {
			switch word {
			case "!fail":
				return nil, errEmbed
			case "!few":
				return out, nil
			case "!nan":
				v[0] = float32(math.NaN())
			case "!short":
				v = v[:len(v)-1]
			default:
				h := fnv.New32a()
				h.Write([]byte(word))
				v[h.Sum32()%uint32(len(v))]++
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// embedding: records and queries that have only a text get a vector from the
// collection's embedder.
func (s *suite) embedding(t *testing.T) {
	ctx := t.Context()
	var uses []embed.Use
	embedder := words{"words-8", 8, &uses}
	bare := s.create(t, vecwire.Schema{Dim: 8, Model: "words-8"})

	run(t, "another model or dimension is refused", func(t *testing.T) {
		_, err := bare.WithEmbedder(words{"words-9", 8, &uses})
		require.ErrorIs(t, err, vecwire.ErrModelMismatch)
		require.ErrorContains(t, err, `"words-9"`)
		require.ErrorContains(t, err, `"words-8"`)
		_, err = bare.WithEmbedder(words{"words-8", 9, &uses})
		var e *vecwire.DimensionError
		require.ErrorAs(t, err, &e)
		require.Equal(t, vecwire.DimensionError{Want: 8, Got: 9}, *e)
		nameless := s.create(t, vecwire.Schema{Dim: 8})
		_, err = nameless.WithEmbedder(embedder)
		require.ErrorIs(t, err, vecwire.ErrModelMismatch, "a collection without a model takes no embedder")

		_, err = s.db.EnsureCollection(ctx, vecwire.Schema{Name: bare.Schema().Name, Dim: 8, Model: "words-9"})
		require.ErrorIs(t, err, vecwire.ErrModelMismatch)
		require.ErrorContains(t, err, "Reembed", "the way out")
		var schema *vecwire.SchemaError
		require.ErrorAs(t, err, &schema)
	})

	c, err := bare.WithEmbedder(embedder)
	require.NoError(t, err)
	m := newModel(c.Schema())
	for id, text := range map[string]string{"1": "read a file line by line", "2": "open a socket", "3": "close the file"} {
		v, err := embedder.Embed(ctx, []string{text}, embed.Document)
		require.NoError(t, err)
		m.upsert(vecwire.Record{ID: id, Text: text, Vector: v[0]})
	}

	run(t, "records by their texts", func(t *testing.T) {
		uses = nil
		var records []vecwire.Record
		for _, r := range m.all() {
			records = append(records, vecwire.Record{ID: r.ID, Text: r.Text})
		}
		own := vecwire.Record{ID: "own", Text: "has a vector", Vector: []float32{1, 2, 3, 4, 5, 6, 7, 8}}
		m.upsert(own)
		require.NoError(t, c.Upsert(ctx, append(records, own)...))
		m.expectAll(t, c)
		require.Nil(t, records[0].Vector, "the caller's records were changed")
		require.NotEmpty(t, uses)
		require.NotContains(t, uses, embed.Query, "what is stored is embedded as a document")
	})
	run(t, "queries by their texts", func(t *testing.T) {
		uses = nil
		hits, err := c.Search(ctx, vecwire.Query{Text: "open a socket", K: 1, Exact: true})
		require.NoError(t, err)
		require.Equal(t, []string{"2"}, hitIDs(hits))
		require.InDelta(t, 1, hits[0].Score, 1e-5)
		require.NotEmpty(t, uses)
		require.NotContains(t, uses, embed.Document, "what is searched for is embedded as a query")
		results, err := c.SearchMany(ctx, []vecwire.Query{{Text: "open a socket", K: 1}, {Vector: m.records["3"].Vector, K: 1}, {Text: "read a file line by line", K: 1}})
		require.NoError(t, err)
		var first []string
		for _, r := range results {
			first = append(first, hitIDs(r.Hits)...)
		}
		require.Equal(t, []string{"2", "3", "1"}, first)
	})
	run(t, "no text and no vector", func(t *testing.T) {
		var e *vecwire.DimensionError
		require.ErrorAs(t, c.Upsert(ctx, vecwire.Record{ID: "x"}), &e)
		_, err := c.Search(ctx, vecwire.Query{})
		require.ErrorAs(t, err, &e)
	})
	run(t, "without an embedder", func(t *testing.T) {
		var e *vecwire.DimensionError
		require.ErrorAs(t, bare.Upsert(ctx, vecwire.Record{ID: "x", Text: "y"}), &e)
		_, err := bare.Search(ctx, vecwire.Query{Text: "y"})
		require.ErrorContains(t, err, "embedder")
	})
	run(t, "an embedder that fails", func(t *testing.T) {
		ok := vecwire.Record{ID: "x", Text: "fine"}
		require.ErrorIs(t, c.Upsert(ctx, ok, vecwire.Record{ID: "y", Text: "!fail"}), errEmbed)
		_, err := c.Search(ctx, vecwire.Query{Text: "!fail"})
		require.ErrorIs(t, err, errEmbed)
		require.ErrorContains(t, err, "words-8", "which model it was")

		require.ErrorContains(t, c.Upsert(ctx, ok, vecwire.Record{ID: "y", Text: "!few"}), "embed 2 texts with words-8: it returned 1 vectors")

		var value *vecwire.ValueError
		err = c.Upsert(ctx, ok, vecwire.Record{ID: "y", Text: "a !nan"})
		require.ErrorAs(t, err, &value)
		var dim *vecwire.DimensionError
		err = c.Upsert(ctx, ok, vecwire.Record{ID: "y", Text: "a !short"})
		require.ErrorAs(t, err, &dim)
		var record *vecwire.RecordError
		require.ErrorAs(t, err, &record)
		require.Equal(t, 1, record.Index)
		m.expectAll(t, c)
	})
}
