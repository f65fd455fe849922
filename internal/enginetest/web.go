package enginetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// web: the syntax Web asks for all words, phrases, alternatives and exclusions.
func (s *suite) web(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 3, Metric: vecwire.Dot, FullText: vecwire.Words, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}})
	g := newGenerator(171, c.Schema())
	vocabulary := []string{"go", "rust", "open", "file", "error", "404", "été", "or"}
	texts := map[string]string{}
	for i := range 120 {
		id := fmt.Sprintf("%03d", i)
		var list []string
		for range g.IntN(7) {
			list = append(list, vocabulary[g.IntN(len(vocabulary))])
		}
		texts[id] = strings.Join(list, []string{" ", "-", ", "}[g.IntN(3)])
		require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: id, Vector: g.vector(), Text: texts[id], Fields: vecwire.Fields{"n": i}}))
	}
	texts["ja"] = "東京タワーへ行く"
	require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "ja", Vector: g.vector(), Text: texts["ja"]}))

	has := func(text, phrase string) bool {
		split := func(s string) []string {
			return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '-' || r == ',' })
		}
		list, want := split(text), split(phrase)
		for i := range list {
			if len(want) <= len(list)-i && slices.Equal(list[i:i+len(want)], want) {
				return true
			}
		}
		return false
	}
	find := func(text string, f filter.Filter) []string {
		t.Helper()
		hits, err := c.Search(ctx, vecwire.Query{Text: text, K: 500, Filter: f, Fusion: &vecwire.Fusion{TextOnly: true, Syntax: vecwire.Web}})
		require.NoError(t, err)
		ids := hitIDs(hits)
		slices.Sort(ids)
		return ids
	}
	run(t, "as a model has it", func(t *testing.T) {
		for range s.sample(150) {
			type clause struct {
				any []string
				not bool
			}
			var clauses []clause
			var asked strings.Builder
			term := func() string {
				switch g.IntN(3) {
				case 0:
					return `"` + vocabulary[g.IntN(7)] + " " + vocabulary[g.IntN(7)] + `"`
				case 1:
					return vocabulary[g.IntN(3)] + "-" + vocabulary[g.IntN(3)]
				}
				return vocabulary[g.IntN(8)]
			}
			for n := 1 + g.IntN(3); n > 0; n-- {
				first := term()
				cl := clause{any: []string{strings.Trim(first, `"`)}, not: len(clauses) > 0 && g.IntN(3) == 0}
				if asked.WriteByte(' '); cl.not {
					asked.WriteByte('-')
				}
				asked.WriteString(first)
				for !cl.not && g.IntN(3) == 0 {
					next := term()
					asked.WriteString(" OR " + next)
					cl.any = append(cl.any, strings.Trim(next, `"`))
				}
				clauses = append(clauses, cl)
			}
			want := []string{}
			for id, text := range texts {
				fits := true
				for _, cl := range clauses {
					fits = fits && cl.not != slices.ContainsFunc(cl.any, func(p string) bool { return has(text, p) })
				}
				if fits {
					want = append(want, id)
				}
			}
			slices.Sort(want)
			require.Equal(t, want, find(asked.String(), filter.Filter{}), "%s", &asked)
			narrow := slices.DeleteFunc(want, func(id string) bool { return id >= "060" })
			require.Equal(t, narrow, find(asked.String(), filter.Lt("n", 60)), "%s", &asked)
		}
	})
	run(t, "any text can be read", func(t *testing.T) {
		everything := find("go", filter.Filter{})
		for _, text := range []string{`go`, ` go `, `OR go`, `go OR`, `go |`, `- go`, `go -`, `"go`, `"go" ""`, `go OR OR go`, `go -""`, `go "!"`, `GO`, `go -"nowhere at all"`, `go:* & !`} {
			require.Equal(t, everything, find(text, filter.Filter{}), "%s", text)
		}
		require.Equal(t, []string{"ja"}, find("タワー", filter.Filter{}))
		require.Empty(t, find("ワータ", filter.Filter{}), "pairs of a run stand one behind the other")
		require.Empty(t, find(`"" !`, filter.Filter{}))
		require.NotEqual(t, everything, find("go or", filter.Filter{}), "in small letters it is a word")
	})
	run(t, "beside vectors", func(t *testing.T) {
		q := vecwire.Query{Vector: g.vector(), Text: `open -go -"file error"`, K: 20, Fusion: &vecwire.Fusion{Syntax: vecwire.Web}}
		allowed := 0
		for _, text := range texts {
			if !has(text, "go") && !has(text, "file error") {
				allowed++
			}
		}
		for _, k := range []int{1, 20, allowed, 500} {
			q.K = k
			hits, err := c.Search(ctx, q)
			require.NoError(t, err)
			require.Len(t, hits, min(k, allowed), "it is never short")
			seen := map[string]bool{}
			for _, h := range hits {
				require.False(t, seen[h.ID])
				seen[h.ID] = true
				require.False(t, has(texts[h.ID], "go") || has(texts[h.ID], "file error"), "%q", texts[h.ID])
			}
		}
		asked := 0
		q.K, q.Reranker, q.Text = 3, longest{&asked}, `-"!fail" "open" OR rust`
		_, err := c.Search(ctx, q)
		require.NoError(t, err, "what is excluded is not shown to a Reranker")
	})
	run(t, "refusals", func(t *testing.T) {
		for _, text := range []string{"-go", `-"a b" -c`, strings.Repeat("x1 y2 ", 3) + strings.Join(manyWords(65), " ")} {
			_, err := c.Search(ctx, vecwire.Query{Text: text, Fusion: &vecwire.Fusion{TextOnly: true, Syntax: vecwire.Web}})
			var e *vecwire.ValueError
			require.ErrorAs(t, err, &e)
			require.Equal(t, "Text", e.Field)
		}
		_, err := c.Search(ctx, vecwire.Query{Text: "x", Fusion: &vecwire.Fusion{TextOnly: true, Syntax: 2}})
		var e *vecwire.ValueError
		require.ErrorAs(t, err, &e)
		require.Equal(t, "Fusion.Syntax", e.Field)
	})
}

func manyWords(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprint("w", i)
	}
	return list
}
