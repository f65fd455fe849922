package enginetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// stems: the words of other languages than English count by their stems, too.
func (s *suite) stems(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, FullText: vecwire.Stem("de")})
	expectSchema(t, vecwire.Schema{Name: c.Schema().Name, Dim: 2, FullText: vecwire.Stem("de")}, c.Schema())
	for id, text := range map[string]string{"1": "Die Häuser der STRASSE", "2": "Ein Haus", "3": "hausen", "4": "東京タワー 404"} {
		require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: id, Vector: []float32{1, 1}, Text: text}))
	}
	for text, want := range map[string][]string{
		"Haus": {"1", "2", "3"}, "Straßen": {"1"}, "タワー": {"4"}, "404": {"4"}, "ein": {"2"},
	} {
		require.ElementsMatch(t, want, searchIDs(t, c, byText(text, 10)), text)
	}
	require.Equal(t, vecwire.English, vecwire.Stem("en"))
	for _, language := range []string{"xx", "", "DE", "german"} {
		_, err := s.db.CreateCollection(ctx, vecwire.Schema{Name: s.name(), Dim: 2, FullText: vecwire.Stem(language)})
		var e *vecwire.SchemaError
		require.ErrorAs(t, err, &e)
		require.ErrorContains(t, err, "de")
	}
}
