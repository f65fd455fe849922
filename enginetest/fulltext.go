package enginetest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/rerank"
)

// byText asks for what fits a text, without vectors.
func byText(text string, k int) vecwire.Query {
	return vecwire.Query{Text: text, K: k, Fusion: &vecwire.Fusion{TextOnly: true}}
}

// fullText: records are found by the words of their texts.
func (s *suite) fullText(t *testing.T) {
	ctx := t.Context()
	if !s.caps.FullText {
		name := s.name()
		_, err := s.db.CreateCollection(ctx, vecwire.Schema{Name: name, Dim: 2, FullText: vecwire.Words})
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.ErrorContains(t, err, "full text")
		require.ErrorContains(t, err, s.caps.Engine)
		require.ErrorIs(t, s.db.DropCollection(ctx, name), vecwire.ErrNotFound, "it was made all the same")
		_, err = s.create(t, vecwire.Schema{Dim: 2}).Search(ctx, byText("x", 1))
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.ErrorContains(t, err, s.caps.Engine)
		return
	}
	t.Run("Schema", s.fullTextSchema)
	t.Run("Ranking", s.fullTextRanking)
	t.Run("Model", s.fullTextModel)
	t.Run("Any text", s.fullTextAnyText)
	t.Run("Transactions", s.fullTextTransactions)
	t.Run("Namespaces", s.fullTextNamespaces)
	t.Run("Reembed", s.fullTextReembed)
	t.Run("Fusion", s.fusion)
	t.Run("Refusals", s.fusionRefusals)
}

func searchIDs(t testing.TB, c *vecwire.Collection, q vecwire.Query) []string {
	t.Helper()
	hits, err := c.Search(t.Context(), q)
	require.NoError(t, err)
	return hitIDs(hits)
}

func (s *suite) fullTextSchema(t *testing.T) {
	ctx := t.Context()
	for _, kind := range []vecwire.FullText{vecwire.Words, vecwire.English} {
		schema := vecwire.Schema{Name: s.name(), Dim: 2, FullText: kind, Fields: []vecwire.Field{
			{Name: "words"}, {Name: "score"}, {Name: "best"}, {Name: "rank"}, {Name: "len"}, {Name: "r0", Index: true},
		}}
		c := s.create(t, schema)
		expectSchema(t, schema, c.Schema())
		opened, err := s.db.EnsureCollection(ctx, schema)
		require.NoError(t, err)
		expectSchema(t, schema, opened.Schema())
		schema.FullText = vecwire.NoFullText
		_, err = s.db.EnsureCollection(ctx, schema)
		var e *vecwire.SchemaError
		require.ErrorAs(t, err, &e)
		require.ErrorContains(t, err, kind.String())

		r := vecwire.Record{ID: "1", Vector: []float32{1, 2}, Text: "some words", Fields: vecwire.Fields{"words": "x", "score": "y", "len": "z", "r0": "q"}}
		require.NoError(t, c.Upsert(ctx, r))
		q := byText("words", 3)
		q.Filter = filter.And(filter.Eq("words", "x"), filter.Eq("score", "y"), filter.Eq("len", "z"), filter.Eq("r0", "q"), filter.IsNull("rank"))
		q.Vectors = true
		hits, err := opened.Search(ctx, q)
		require.NoError(t, err)
		require.Len(t, hits, 1)
		expectRecord(t, r, hits[0].Record, payload|vector)
		q.IDsOnly, q.Vectors = true, false
		hits, err = opened.Search(ctx, q)
		require.NoError(t, err)
		require.Len(t, hits, 1)
		expectRecord(t, r, hits[0].Record, 0)
	}
	_, err := s.db.CreateCollection(ctx, vecwire.Schema{Name: s.name(), Dim: 2, FullText: 9})
	var e *vecwire.SchemaError
	require.ErrorAs(t, err, &e)
	_, err = s.create(t, vecwire.Schema{Dim: 2}).Search(ctx, byText("x", 1))
	require.ErrorIs(t, err, vecwire.ErrUnsupported)
	require.ErrorContains(t, err, "FullText")
}

// fullTextRanking: what fits better comes first.
func (s *suite) fullTextRanking(t *testing.T) {
	ctx := t.Context()
	texts := map[string]string{
		"a": "how to open a file and read a line",
		"b": "how to open a socket",
		"c": "how to close a file, a file that was opened: file!",
		"d": "how to sort a slice",
		"e": "",
		"f": "A FILE-SYSTEM is not searched here; it's walked.",
		"g": "naïve 7 2026 größe",
	}
	in := func(kind vecwire.FullText) *vecwire.Collection {
		c := s.create(t, vecwire.Schema{Dim: 2, FullText: kind})
		for id, text := range texts {
			require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: id, Vector: []float32{1, 1}, Text: text}))
		}
		return c
	}
	words, english := in(vecwire.Words), in(vecwire.English)
	both := []*vecwire.Collection{words, english}

	for _, c := range both {
		t.Run(c.Schema().FullText.String(), func(t *testing.T) {
			require.Equal(t, []string{"b"}, searchIDs(t, c, byText("socket", 9)))
			require.Equal(t, []string{"b"}, searchIDs(t, c, byText("SOCKET unknownword", 9)), "any of the words, in any case")
			require.Equal(t, []string{"d", "b"}, searchIDs(t, c, byText("how: slice?", 9))[:2][:1:1], "never mind")
		})
	}
}
