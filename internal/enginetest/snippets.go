package enginetest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// snippets: a hit shows the passage of its text that has the words of the question.
func (s *suite) snippets(t *testing.T) {
	ctx := t.Context()
	schema := vecwire.Schema{Dim: 2, Metric: vecwire.Dot}
	if s.caps.FullText {
		schema.FullText = vecwire.English
	}
	c := s.create(t, schema)
	filler := strings.Repeat("Nothing is said here. ", 40)
	texts := map[string]string{
		"a": filler + "Gophers dug; the tunnels were “Ünïcode” tunnels. " + filler,
		"b": "A gopher in a tunnel", "c": "", "d": filler, "e": strings.Repeat("あいう。", 100) + "東京タワーへ行く。" + strings.Repeat("えお。", 100),
	}
	for id, text := range texts {
		require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: id, Vector: []float32{1, 1}, Text: text}))
	}
	q := vecwire.Query{Vector: []float32{1, 1}, Text: "gophers' tunnels, タワー", Snippets: 60, Exact: true}
	for _, parts := range []vecwire.Query{{}, {IDsOnly: true}, {GroupBy: ""}, {Rescore: true}} {
		q.IDsOnly, q.Rescore = parts.IDsOnly, parts.Rescore
		hits, err := c.Search(ctx, q)
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b", "c", "d", "e"}, hitIDs(hits))
		found := map[string][]string{}
		for _, h := range hits {
			if h.ID == "c" {
				require.Nil(t, h.Snippet)
				continue
			}
			text := texts[h.ID]
			if parts.IDsOnly {
				require.Empty(t, h.Text)
			}
			require.Equal(t, text[h.Snippet.Start:h.Snippet.End], h.Snippet.Text)
			require.LessOrEqual(t, len(h.Snippet.Text), 60)
			for _, w := range h.Snippet.Words {
				require.True(t, w.Start >= h.Snippet.Start && w.End <= h.Snippet.End)
				found[h.ID] = append(found[h.ID], text[w.Start:w.End])
			}
		}
		require.Equal(t, []string{"タワ", "ワー"}, found["e"])
		require.Empty(t, found["d"])
		if s.caps.FullText { // stems
			require.Equal(t, []string{"Gophers", "tunnels", "tunnels"}, found["a"])
			require.Equal(t, []string{"gopher", "tunnel"}, found["b"])
		} else {
			require.Equal(t, []string{"Gophers", "tunnels", "tunnels"}, found["a"])
			require.Empty(t, found["b"])
		}
	}
	if s.caps.FullText {
		hits, err := c.Search(ctx, vecwire.Query{Text: "tunnels", Snippets: 20, Fusion: &vecwire.Fusion{TextOnly: true}})
		require.NoError(t, err)
		require.Equal(t, "A gopher in a tunnel", hits[0].Snippet.Text)
	}
	for h, err := range c.SearchAll(ctx, vecwire.Query{Vector: []float32{1, 1}, Text: "gopher", Snippets: 10, K: 2}) {
		require.NoError(t, err)
		require.Equal(t, h.Text == "", h.Snippet == nil)
	}
	for field, q := range map[string]vecwire.Query{
		"Snippets": {Vector: []float32{1, 1}, Text: "x", Snippets: -1},
		"Text":     {Vector: []float32{1, 1}, Snippets: 10},
	} {
		_, err := c.Search(ctx, q)
		var e *vecwire.ValueError
		require.ErrorAs(t, err, &e)
		require.Equal(t, field, e.Field)
	}
}
