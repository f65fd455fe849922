package enginetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// updateTexts: a text that is new is embedded, and no other.
func (s *suite) updateTexts(t *testing.T) {
	ctx := t.Context()
	e := newCounting("model", 3)
	bare := s.create(t, vecwire.Schema{Dim: 3, Model: "model", Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}})
	c, err := bare.WithEmbedder(e)
	require.NoError(t, err)
	m := newModel(c.Schema())
	record := func(id, text string, n int) vecwire.Record {
		return vecwire.Record{ID: id, Text: text, Vector: e.vector(text), Fields: vecwire.Fields{"n": n}}
	}
	texts := func(records ...vecwire.Record) []vecwire.Record {
		for i := range records {
			records[i].Vector = nil
		}
		return records
	}
	calls := func(want int, run func() error) {
		t.Helper()
		before := e.total()
		require.NoError(t, run())
		require.Equal(t, want, e.total()-before, "texts that were embedded")
		m.expectAll(t, bare)
	}
	first := []vecwire.Record{record("1", "one", 1), record("2", "two", 2), record("3", "three", 3)}
	m.upsert(first...)
	calls(3, func() error { return c.Upsert(ctx, texts(first...)...) })

	m.upsert(record("1", "one", 10), record("2", "deux", 20), record("4", "four", 4))
	calls(2, func() error {
		return c.Upsert(ctx, texts(record("1", "one", 10), record("2", "deux", 20), record("4", "four", 4))...)
	})
	m.upsert(record("4", "one", 4))
	calls(1, func() error {
		return c.Upsert(ctx, texts(record("1", "other", 0), record("4", "one", 4), record("1", "one", 10))[1:]...)
	})

	m.change(vecwire.Change{ID: "1", Text: "uno", Vector: e.vector("uno")}, vecwire.Change{ID: "2", Set: vecwire.Fields{"n": 21}}, vecwire.Change{ID: "4", Text: "uno", Vector: e.vector("uno")})
	calls(1, func() error {
		return c.Update(ctx, vecwire.Change{ID: "1", Text: "uno"}, vecwire.Change{ID: "2", Text: "deux", Set: vecwire.Fields{"n": 21}}, vecwire.Change{ID: "4", Text: "uno"})
	})
	own := vecwire.Change{ID: "3", Text: "drei", Vector: []float32{0, 0, 1}}
	m.change(own)
	calls(0, func() error { return c.Update(ctx, own) })
	m.change(vecwire.Change{ID: "3", Unset: []string{"text"}})
	calls(0, func() error { return c.Update(ctx, vecwire.Change{ID: "3", Unset: []string{"text"}}) })

	before := e.total()
	require.ErrorIs(t, c.Update(ctx, vecwire.Change{ID: "none", Text: "none"}), vecwire.ErrNotFound)
	require.Equal(t, before, e.total(), "for a record that is not there")
	var value *vecwire.ValueError
	err = bare.Update(ctx, vecwire.Change{ID: "1", Text: "eins"})
	require.ErrorAs(t, err, &value, "the vector would be of another text")
	require.ErrorContains(t, err, "WithEmbedder")
	m.expectAll(t, bare)

	plain := s.create(t, vecwire.Schema{Dim: 3})
	require.NoError(t, plain.Upsert(ctx, vecwire.Record{ID: "1", Text: "one", Vector: []float32{1, 2, 3}}))
	require.NoError(t, plain.Update(ctx, vecwire.Change{ID: "1", Text: "eins"}))
	newModel(plain.Schema(), vecwire.Record{ID: "1", Text: "eins", Vector: []float32{1, 2, 3}}).expectAll(t, plain)
}

// updateWords: full text finds a record by the words that it has now.
func (s *suite) updateWords(t *testing.T) {
	if !s.caps.FullText {
		return
	}
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, FullText: vecwire.Words, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}})
	require.NoError(t, c.Upsert(ctx,
		vecwire.Record{ID: "1", Vector: []float32{1, 1}, Text: "cats purr"}, vecwire.Record{ID: "2", Vector: []float32{1, 2}, Text: "dogs bark"}))
	finds := func(word string, want ...string) {
		t.Helper()
		hits, err := c.Search(ctx, vecwire.Query{Text: word, K: 5, Fusion: &vecwire.Fusion{TextOnly: true}})
		require.NoError(t, err)
		require.ElementsMatch(t, want, hitIDs(hits), word)
	}
	require.NoError(t, c.Update(ctx, vecwire.Change{ID: "1", Text: "mice squeak"}, vecwire.Change{ID: "2", Set: vecwire.Fields{"n": 1}}))
	finds("cats")
	finds("mice", "1")
	finds("dogs", "2")
	require.NoError(t, c.Update(ctx, vecwire.Change{ID: "1", Text: "mice squeak"}, vecwire.Change{ID: "2", Unset: []string{"text"}}))
	finds("mice", "1")
	finds("dogs")
	_, err := c.Delete(ctx, "1", "2")
	require.NoError(t, err)
	finds("mice")
}
