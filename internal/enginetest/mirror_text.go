package enginetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// mirrorText: a mirror that keeps the texts finds by their words what a collection with
// full text does, on an engine without it, too.
func (s *suite) mirrorText(t *testing.T) {
	run(t, "follows", s.mirrorTextFollows)
	run(t, "refusals", s.mirrorTextRefusals)
	s.wordsInMirrors = true
	defer func() { s.wordsInMirrors = false }()
	run(t, "Words", s.fullTextWords)
	run(t, "Ranking", s.fullTextRanking)
	run(t, "AnyText", s.fullTextAnyText)
	run(t, "Fusion", s.fusion)
	run(t, "Web", s.web)
}

// mirrorTextFollows writes through a mirror and past it.
func (s *suite) mirrorTextFollows(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Metric: vecwire.Dot, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}})
	record := func(id, text string, n int) vecwire.Record {
		return vecwire.Record{ID: id, Vector: []float32{1, float32(n)}, Text: text, Fields: vecwire.Fields{"n": n}}
	}
	require.NoError(t, c.Upsert(ctx, record("1", "a heron in the grove", 1), record("2", "a grove", 2), record("3", "", 3)))
	m := mirrored(t, c, vecwire.MirrorOptions{FullText: vecwire.English})
	require.Equal(t, vecwire.English, m.Schema().FullText)
	require.Equal(t, []string{"1"}, searchIDs(t, m.Collection, byText("herons", 10)))

	require.NoError(t, m.Upsert(ctx, record("3", "herons", 3)))
	require.Equal(t, []string{"3", "1"}, searchIDs(t, m.Collection, byText("heron", 10)))
	if s.caps.Update {
		require.NoError(t, m.Update(ctx, vecwire.Change{ID: "3", Set: vecwire.Fields{"n": 4}}))
		require.NoError(t, m.Update(ctx, vecwire.Change{ID: "2", Text: "the heron, the grove and the pond", Vector: []float32{1, 2}}))
		require.ElementsMatch(t, []string{"1", "2", "3"}, searchIDs(t, m.Collection, byText("heron", 10)))
		require.Equal(t, []string{"2"}, searchIDs(t, m.Collection, byText("pond", 10)))
		require.NoError(t, m.Upsert(ctx, record("2", "a grove", 2)))
	}
	_, err := m.Delete(ctx, "3")
	require.NoError(t, err)
	require.Equal(t, []string{"1"}, searchIDs(t, m.Collection, byText("heron", 10)))

	// What others write is seen in what a hit turns out to be, and after a refresh.
	require.NoError(t, c.Upsert(ctx, record("1", "a boat", 1), record("4", "a heron again", 4)))
	require.Empty(t, searchIDs(t, m.Collection, byText("heron", 10)), "the hit has no heron any more")
	require.Equal(t, []string{"1"}, searchIDs(t, m.Collection, byText("boats", 10)))
	require.NoError(t, m.Refresh(ctx))
	require.Equal(t, []string{"4"}, searchIDs(t, m.Collection, byText("heron", 10)))
	require.NoError(t, m.Refresh(ctx))
	require.Zero(t, m.Stats().Changed)

	// Both legs, with filters over fields and over the text.
	q := vecwire.Query{Vector: []float32{0, 1}, Text: "grove", Fusion: &vecwire.Fusion{}, K: 10}
	require.Equal(t, []string{"2", "4", "1"}, searchIDs(t, m.Collection, q))
	for want, f := range map[string]filter.Filter{
		"2": filter.Contains("text", "grov"), "1": filter.Like("text", "%BOAT"), "4": filter.Words("text", "herons again"),
	} {
		q.Filter = f
		require.Equal(t, []string{want}, searchIDs(t, m.Collection, q), f.String())
		near := vecwire.Query{Vector: []float32{0, 1}, Filter: f}
		require.Equal(t, []string{want}, searchIDs(t, m.Collection, near), f.String())
	}
	hits, err := m.Search(ctx, vecwire.Query{Vector: []float32{0, 1}, Text: "herons", Fusion: &vecwire.Fusion{}, Snippets: 60, K: 1})
	require.NoError(t, err)
	require.Equal(t, "4", hits[0].ID)
	require.NotNil(t, hits[0].Snippet)
}

func (s *suite) mirrorTextRefusals(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2})
	_, err := c.Mirror(ctx, vecwire.MirrorOptions{FullText: 255})
	require.ErrorAs(t, err, new(*vecwire.ValueError))
	m := mirrored(t, c, vecwire.MirrorOptions{FullText: vecwire.Words})
	_, err = m.Count(ctx, filter.Words("text", "x"))
	require.ErrorIs(t, err, vecwire.ErrUnsupported, "the database answers this verb, and has no words")
	_, err = m.DeleteWhere(ctx, filter.Not(filter.Words("text", "x")))
	require.ErrorIs(t, err, vecwire.ErrUnsupported)
	for _, err := range m.All(ctx, vecwire.Scan{Filter: filter.Words("text", "x")}) {
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
	}
	if !s.caps.FullText {
		plain := mirrored(t, c, vecwire.MirrorOptions{})
		_, err = plain.Search(ctx, byText("x", 1))
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.ErrorContains(t, err, s.caps.Engine)
		return
	}
	words := s.create(t, vecwire.Schema{Dim: 2, FullText: vecwire.Words})
	_, err = words.Mirror(ctx, vecwire.MirrorOptions{FullText: vecwire.English})
	require.ErrorContains(t, err, "FullText is english, want words, which the collection has, or NoFullText")
}
